"""Reading batches into counts, one builder for each column; the only place where rows are touched."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from lifecycle.drift.asked_as import as_numbers, as_texts, kind_words, spelled
from lifecycle.drift.columns import (
    BUCKETS,
    MAX_UNSEEN,
    MAX_VALUES,
    CategoryColumn,
    Column,
    Mismatch,
    NumericColumn,
    Unwatched,
    bucket_of,
    in_buckets,
    keep_most_frequent,
)
from lifecycle.drift.grid import BLOCK, CONSTANT, SINGLE, Floats, atoms_of, grid_for, quantile

MAX_DISTINCT = 100_000  # values that training may have before we stop counting and call it text
MAX_DISTINCT_SHORT = 50
TEXT_SHARE = 0.5  # more values than this share of the rows (and than 50): text or identifiers
MOSTLY_SEEN = 0.05  # with more values than this share seen only once, many must still be unseen (Good 1953)
OFTEN, RARE = 50, 0.005  # rows, and share of rows, that a value must have to be tested alone if many are unseen


class Builder(Protocol):
    """Counts the batches of one column."""

    def add(self, values: pa.Array) -> None:
        """Count these rows too."""

    def done(self) -> Column:
        """What was counted."""


class NumericBuilder:
    """Numbers. Without ``like`` the cells come from a sample (finite values), with it they are the other column's."""

    def __init__(self, name: str, role: str, sample: Floats | None = None, like: NumericColumn | None = None) -> None:
        if like is not None:
            self._column = replace(like, role=role, counts=np.zeros_like(like.counts), **_NOTHING)
        else:
            known = np.sort(sample) if sample is not None else np.empty(0)
            atoms = atoms_of(known)
            grid = grid_for(known, atoms)
            centre = quantile(known, 0.5) if len(known) else 0.0
            counts = np.zeros(grid.size, dtype=np.int64)
            self._column = NumericColumn(name, role, grid, counts, None, centre, atoms=atoms)
        self._like = like is not None
        self._sums: dict[str, Any] = dict.fromkeys(_COUNTED, 0)
        self._total = self._squares = 0.0
        self._low, self._high = float("inf"), float("-inf")
        self._limits = _limits(self._column)

    def add(self, values: pa.Array) -> None:
        """Numbers of any type."""
        self._sums["rows"] += len(values)
        if values.null_count:
            self._sums["null"] += values.null_count
            values = values.drop_null()
        if len(values):
            numbers = values.to_numpy(zero_copy_only=False)
            for at in range(0, len(numbers), BLOCK):
                self._block(numbers[at : at + BLOCK])

    def _block(self, numbers: npt.NDArray[Any]) -> None:
        low, high = numbers.min(), numbers.max()
        if not (np.isfinite(low) and np.isfinite(high)):  # a NaN anywhere makes both NaN
            numbers = self._finite(numbers)
            if not len(numbers):
                return
            low, high = numbers.min(), numbers.max()
        self._low, self._high = min(self._low, float(low)), max(self._high, float(high))
        if self._limits is not None and low < self._limits[0]:
            self._sums["below"] += int(np.count_nonzero(numbers < self._limits[0]))
        if self._limits is not None and high > self._limits[1]:
            self._sums["above"] += int(np.count_nonzero(numbers > self._limits[1]))
        away = np.subtract(numbers, self._column.centre, dtype=np.float64)
        self._total += float(away.sum())
        self._squares += float(np.einsum("i,i->", away, away))  # BLAS would wake threads for a few microseconds of work
        self._column.counts[:] += self._column.grid.count(numbers)

    def _finite(self, numbers: npt.NDArray[Any]) -> npt.NDArray[Any]:
        self._sums["nan"] += int(np.isnan(numbers).sum())
        self._sums["minus_inf"] += int((numbers == -np.inf).sum())
        self._sums["plus_inf"] += int((numbers == np.inf).sum())
        finite: npt.NDArray[Any] = numbers[np.isfinite(numbers)]
        return finite

    def done(self) -> Column:
        """The counts; training's own range becomes the bounds."""
        some = self._low <= self._high
        low, high = (self._low, self._high) if some else (None, None)
        bounds = self._column.bounds
        if not self._like and low is not None and high is not None:
            bounds = (low, high)
        return replace(
            self._column, bounds=bounds, total=_fine(self._total), squares=_fine(self._squares), low=low, high=high,
            **self._sums,
        )  # fmt: skip


_COUNTED = ("rows", "null", "nan", "minus_inf", "plus_inf", "below", "above")
_NOTHING: dict[str, Any] = {
    **dict.fromkeys(_COUNTED, 0),
    "total": 0.0,
    "squares": 0.0,
    "low": None,
    "high": None,
}


def _limits(column: NumericColumn) -> tuple[float, float] | None:
    """Training's range, with room for rounding; a constant column gets more: no model can have learned from it."""
    if column.bounds is None:
        return None
    low, high = column.bounds
    if low == high:
        room = max(abs(low), 1.0) * CONSTANT
        return low - room, high + room
    return low - abs(low) * SINGLE, high + abs(high) * SINGLE


def _fine(value: float) -> float:
    """JSON has no infinity: sums that overflow are kept at the largest number."""
    return float(np.nan_to_num(value))


class CategoryBuilder:
    """Texts. With ``like``, its values are counted and everything else is unseen (or other, if it had too many)."""

    def __init__(self, name: str, role: str, like: CategoryColumn | None = None) -> None:
        self._name, self._role, self._like = name, role, like
        self._known = {value: at for at, value in enumerate(like.values)} if like is not None else {}
        self._counts: dict[str, int] = {}
        self._listed = np.zeros(len(self._known), dtype=np.int64)
        self._rows = self._null = self._beyond = 0
        self._buckets = np.zeros(BUCKETS, dtype=np.int64)
        self._too_many = False

    def add(self, values: pa.Array) -> None:
        """Texts, plain or as a dictionary."""
        self._rows += len(values)
        if not pa.types.is_dictionary(values.type):
            values = values.dictionary_encode()
        indices = values.indices
        if indices.null_count:
            self._null += indices.null_count
            indices = indices.drop_null()
        if not len(indices) or self._too_many:
            return
        counts = np.bincount(indices.to_numpy(), minlength=len(values.dictionary))
        used = np.flatnonzero(counts)
        if len(used) + len(self._counts) > MAX_DISTINCT and self._like is None:
            self._too_many = True
            return
        self._tally(values.dictionary.take(pa.array(used)).to_pylist(), counts[used].tolist())

    def _tally(self, words: list[str | None], counts: list[int]) -> None:
        for word, count in zip(words, counts, strict=True):
            if word is None:
                self._null += count
                continue
            at = self._known.get(word)
            if at is None and self._known:
                at = self._known.get(spelled(word, self._known))
            if at is not None:
                self._listed[at] += count
            elif word in self._counts or len(self._counts) < MAX_DISTINCT:
                self._counts[word] = self._counts.get(word, 0) + count
            else:
                self._beyond += count
                self._buckets[bucket_of(word)] += count

    def done(self) -> Column:
        """The counts, or why this column is not watched."""
        if self._like is not None:
            return self._as_like(self._like)
        distinct, values = len(self._counts), self._rows - self._null
        if self._too_many or distinct > max(MAX_DISTINCT_SHORT, TEXT_SHARE * values):
            many = "over 100,000" if self._too_many else f"{distinct:,}"
            return Unwatched(self._name, f"text or identifiers: {many} different values", self._rows, self._role)
        if not distinct:
            return Unwatched(self._name, "no values in training", self._rows, self._role)
        once = sum(count == 1 for count in self._counts.values())
        complete = distinct <= MAX_VALUES and once <= MOSTLY_SEEN * values
        least = 1 if complete else max(OFTEN, RARE * values)
        kept, _ = keep_most_frequent({one: count for one, count in self._counts.items() if count >= least}, MAX_VALUES)
        order = sorted(kept.items(), key=lambda item: (-item[1], item[0]))
        counts = np.array([count for _, count in order], dtype=np.int64)
        rest = in_buckets({value: count for value, count in self._counts.items() if value not in kept})
        return CategoryColumn(
            self._name, self._role, tuple(value for value, _ in order), counts, self._rows, self._null, rest,
            once=once, complete=complete,
        )  # fmt: skip

    def _as_like(self, like: CategoryColumn) -> Column:
        if like.complete:
            unseen, more = keep_most_frequent(self._counts, MAX_UNSEEN)
            more += self._beyond
            buckets = np.zeros_like(like.buckets)
        else:
            unseen, more, buckets = {}, 0, self._buckets + in_buckets(self._counts)
        return replace(
            like, role=self._role, counts=self._listed, rows=self._rows, null=self._null, buckets=buckets,
            unseen=unseen, more_unseen=more,
        )  # fmt: skip


class Ignored:
    """A column of no watched kind: only its rows are counted."""

    def __init__(self, name: str, role: str, why: str) -> None:
        self._column = Unwatched(name, why, 0, role)

    def add(self, values: pa.Array) -> None:
        """Count the rows."""
        self._column = replace(self._column, rows=self._column.rows + len(values))

    def done(self) -> Column:
        """The column and why it is not watched."""
        return self._column


class Coerced:
    """A window's column read as training's kind; once a batch does not fit, the whole column does not."""

    def __init__(self, builder: Builder, like: Column, role: str) -> None:
        self._builder, self._like, self._role = builder, like, role
        self._mismatch: Mismatch | None = None
        self._rows = 0

    def add(self, values: pa.Array) -> None:
        """Values of whatever type."""
        self._rows += len(values)
        if self._mismatch is not None:
            return
        fitting = as_numbers(values) if isinstance(self._like, NumericColumn) else as_texts(values)
        if fitting is None:
            was = "numbers" if isinstance(self._like, NumericColumn) else "categories"
            self._mismatch = Mismatch(self._like.name, was, kind_words(values.type), role=self._role)
        else:
            self._builder.add(fitting)

    def done(self) -> Column:
        """The counts, or the mismatch."""
        return self._builder.done() if self._mismatch is None else replace(self._mismatch, rows=self._rows)
