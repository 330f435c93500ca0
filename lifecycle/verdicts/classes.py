"""The classes of a classification: found in labels and answers, numbered; answers read as codes or probabilities."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from lifecycle.verdicts.rows import Floats, Ints, Scores

MAX_CLASSES = 1000


@dataclass(frozen=True, slots=True)
class Classes:
    """Names in order; of two classes the second is the positive one. ``numbers``: their values, if they are numbers."""

    names: tuple[str, ...]
    numbers: Floats | None

    @classmethod
    def found(
        cls,
        truth: npt.NDArray[Any],
        given: Sequence[npt.NDArray[Any] | None],
        tables: Sequence[tuple[str, ...]],
        positive: str | None,
    ) -> Classes:
        """Every class in the labels or answered by a model. Raises ValueError if they are not classes."""
        if truth.dtype.kind in "biuf":
            return cls._numeric(truth, given, positive)
        names = set(_texts(truth))
        for answers in given:
            if answers is not None and answers.dtype.kind not in "biuf":
                names |= set(_texts(answers))
        for table in tables:
            names |= set(table)
        _not_too_many(len(names))
        ordered = sorted(names)
        return cls(tuple(_positive_last(ordered, positive)), None)

    @classmethod
    def _numeric(
        cls, truth: npt.NDArray[Any], given: Sequence[npt.NDArray[Any] | None], positive: str | None
    ) -> Classes:
        values = np.unique(truth.astype(np.float64))
        if not np.isfinite(values).all():
            raise ValueError("Some labels are NaN or infinite.")
        _not_too_many(len(values))
        if len(values) <= 2 and np.isin(values, (0.0, 1.0)).all():
            values = np.array([0.0, 1.0])  # one class alone in the held-back rows is still one of two
        for answers in given:
            if answers is not None and len(values) > 2 and _whole(answers):
                values = np.union1d(values, answers.astype(np.float64))
        names = [_spelled(value) for value in values]
        ordered = _positive_last(names, positive if positive is None else _respelled(positive))
        return cls(tuple(ordered), values[[names.index(name) for name in ordered]])

    def codes(self, array: npt.NDArray[Any], what: str) -> Ints:
        """Class numbers of an array of classes. Raises ValueError for values that are no class."""
        if self.numbers is not None and array.dtype.kind in "biuf":
            order = np.argsort(self.numbers)
            values = array.astype(np.float64)
            at = np.searchsorted(self.numbers[order], values).clip(max=len(order) - 1)
            wrong = self.numbers[order][at] != values
            if wrong.any():
                raise ValueError(
                    f"{int(wrong.sum()):,} of {len(array):,} {what} are no class, such as {values[wrong][0]:g}."
                )
            found: Ints = order[at].astype(np.int64)
            return found
        encoded = pa.array(array.astype(str)).dictionary_encode()
        known = {name: code for code, name in enumerate(self.names)}
        words = encoded.dictionary.to_pylist()
        for word in words:
            if word not in known:
                raise ValueError(f'Some {what} are no class, such as "{word[:40]}"; classes are {_few(self.names)}.')
        lookup = np.array([known[word] for word in words], dtype=np.int64)
        codes: Ints = lookup[encoded.indices.to_numpy()]
        return codes

    def scores(self, given: npt.NDArray[Any] | None, table: Floats | None, names: tuple[str, ...], who: str) -> Scores:
        """A model's answers read as classes or as probabilities, whichever they are."""
        what = f"predictions of the {who}"
        if table is not None:
            return self._from_table(table, names, given, what)
        if given is None:
            raise ValueError(f"There are no {what}.")
        if given.dtype.kind not in "biuf":
            return self._hard(self.codes(given, what))
        values = given.astype(np.float64)
        if not np.isfinite(values).all():
            raise ValueError(f"{int((~np.isfinite(values)).sum()):,} of {len(values):,} {what} are NaN or infinite.")
        if self.numbers is not None and np.isin(values, self.numbers).all():
            fraction = given.dtype.kind == "f" and set(self.numbers.tolist()) == {0.0, 1.0}
            if not fraction:
                return self._hard(self.codes(given, what))
            if self.numbers[1] == 1:  # otherwise they can only be probabilities of the class that was named positive
                return replace(self._hard(self.codes(given, what)), sure=values)
        if len(self.names) != 2:
            raise ValueError(f"The {what} must be classes or a probability for each of the {len(self.names)} classes.")
        if values.min() < 0 or values.max() > 1:
            return Scores(values)  # a score without a scale: good for ranking only
        return Scores(values, (values >= 0.5).astype(np.int64), np.column_stack([1 - values, values]))

    def _hard(self, codes: Ints) -> Scores:
        return Scores(codes.astype(np.float64) if len(self.names) == 2 else None, codes)

    def _from_table(self, table: Floats, names: tuple[str, ...], given: npt.NDArray[Any] | None, what: str) -> Scores:
        if names:
            names = tuple(map(_respelled, names)) if self.numbers is not None else names
            missing = [name for name in names if name not in self.names]
            if missing:
                raise ValueError(f'"{missing[0][:40]}" in the {what} is no class; classes are {_few(self.names)}.')
            full = np.zeros((len(table), len(self.names)))
            full[:, [self.names.index(name) for name in names]] = table
            table = full
        if table.shape[1] != len(self.names):
            raise ValueError(f"The {what} have {table.shape[1]} probabilities a row for {len(self.names)} classes.")
        sums = table.sum(axis=1)
        if table.min() < 0 or not np.allclose(sums, 1, atol=1e-3):
            raise ValueError(
                f"The {what} are not probabilities: a row adds up to {sums[np.abs(sums - 1).argmax()]:.3g}."
            )
        table = table / sums[:, None]
        hard = (
            given is not None and given.dtype.kind != "f"
        )  # a float beside the table is the positive class's probability
        codes = self.codes(given, what) if hard and given is not None else table.argmax(axis=1).astype(np.int64)
        return Scores(table[:, 1] if len(self.names) == 2 else None, codes, table)


def _whole(answers: npt.NDArray[Any]) -> bool:
    """Whole numbers, however they are written."""
    if answers.dtype.kind == "f":
        return bool(np.isfinite(answers).all() and (answers == np.rint(answers)).all())
    return answers.dtype.kind in "biu"


def _texts(array: npt.NDArray[Any]) -> list[str]:
    found: list[str] = pa.array(array.astype(str)).unique().to_pylist()
    return found


def _spelled(value: float) -> str:
    """A class that is a number, as people write it."""
    return str(int(value)) if float(value).is_integer() and abs(value) < 2**53 else repr(float(value))


def _respelled(name: str) -> str:
    """The same however a model calls its classes: True, 1 and 1.0 are one."""
    truth = {"true": "1", "false": "0"}.get(name.lower())
    try:
        return truth or _spelled(float(name))
    except (ValueError, OverflowError):
        return name


def _positive_last(names: list[str], positive: str | None) -> list[str]:
    if positive is None:
        return names
    if positive not in names:
        raise ValueError(f'The positive class "{positive}" does not occur; classes are {_few(names)}.')
    return [name for name in names if name != positive] + [positive]


def _not_too_many(count: int) -> None:
    if count > MAX_CLASSES:
        raise ValueError(f"The labels have {count:,} different values: that is no classification.")


def _few(names: Sequence[str]) -> str:
    shown = ", ".join(name[:40] for name in names[:8])
    return shown + (", …" if len(names) > 8 else "")
