"""What a profile keeps of one column: counts that add up, so that a month is the sum of its days."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from zlib import crc32

import numpy as np

from lifecycle.drift.grid import Counts, Grid

MAX_VALUES = 1000
MAX_UNSEEN = 100
BUCKETS = 64


class NotMergeable(ValueError):
    """Two profiles that do not count in the same cells."""


@dataclass(frozen=True, slots=True)
class NumericColumn:
    """rows: all; missing: nulls and NaN; counts: per cell of the grid, finite values only; bounds: training's least and
    greatest; below, above: values outside these; total, squares: sums of (x - centre) and of its square; low, high:
    least and greatest value here (None without any); atoms: frequent single values of training with their shares."""

    name: str
    role: str
    grid: Grid
    counts: Counts
    bounds: tuple[float, float] | None
    centre: float
    rows: int = 0
    null: int = 0
    nan: int = 0
    minus_inf: int = 0
    plus_inf: int = 0
    below: int = 0
    above: int = 0
    total: float = 0.0
    squares: float = 0.0
    low: float | None = None
    high: float | None = None
    atoms: Mapping[float, float] = field(default_factory=dict)

    @property
    def missing(self) -> int:
        """Rows without a number."""
        return self.null + self.nan

    @property
    def finite(self) -> int:
        """Rows with a finite number."""
        return self.rows - self.null - self.nan - self.minus_inf - self.plus_inf

    @property
    def mean(self) -> float:
        """Of finite values; NaN without any."""
        return self.centre + self.total / self.finite if self.finite else float("nan")

    @property
    def deviation(self) -> float:
        """Standard deviation of finite values; 0 without any, and where their squares are beyond all numbers."""
        if not self.finite:
            return 0.0
        off = self.total / self.finite
        variance = self.squares / self.finite - off * off
        return math.sqrt(variance) if math.isfinite(variance) and variance > 0 else 0.0

    def add(self, other: NumericColumn) -> NumericColumn:
        """The sum. Raises NotMergeable."""
        if not self.grid.same(other.grid) or self.bounds != other.bounds:
            raise NotMergeable(
                f'The profiles of "{self.name}" were made with different cells; give both the same "like".'
            )
        return replace(
            self,
            counts=self.counts + other.counts,
            **{name: getattr(self, name) + getattr(other, name) for name in _SUMS},
            low=_extreme(min, self.low, other.low),
            high=_extreme(max, self.high, other.high),
        )

    def to_plain(self) -> dict[str, Any]:
        """For JSON; counts as text, which loads 20 times as fast as a list."""
        return {
            "kind": "numeric",
            "role": self.role,
            "grid": self.grid.to_plain(),
            "counts": " ".join(map(str, self.counts.tolist())),
            "bounds": self.bounds,
            "centre": self.centre,
            **{name: getattr(self, name) for name in (*_SUMS, "low", "high")},
            "atoms": [[value, share] for value, share in self.atoms.items()],
        }

    @classmethod
    def from_plain(cls, name: str, plain: Mapping[str, Any]) -> NumericColumn:
        """From what ``to_plain`` gave."""
        grid = Grid.from_plain(plain["grid"])
        counts = np.array(plain["counts"].split(), dtype=np.int64)
        if len(counts) != grid.size:
            raise ValueError(f'The profile of "{name}" has {len(counts)} cells where {grid.size} belong.')
        return cls(
            name, plain["role"], grid, counts, None if plain["bounds"] is None else tuple(plain["bounds"]),
            plain["centre"], **{key: plain[key] for key in (*_SUMS, "low", "high")},
            atoms=dict(plain["atoms"]),
        )  # fmt: skip


_SUMS = ("rows", "null", "nan", "minus_inf", "plus_inf", "below", "above", "total", "squares")


@dataclass(frozen=True, slots=True)
class CategoryColumn:
    """values: training's, most frequent first, at most 1000; counts: of these; complete: these are all there are.
    buckets: 64 counts of other values by their hash, where training cannot have seen all (which rare ones it has seen
    is chance, so only sums of arbitrary ones compare fairly). unseen: values that a complete training did not have,
    with counts, at most 100; more_unseen: of the rest of them.
    once: values that training had exactly once (how often something new is to be expected, Good 1953)."""

    name: str
    role: str
    values: tuple[str, ...]
    counts: Counts
    rows: int = 0
    null: int = 0
    buckets: Counts = field(default_factory=lambda: np.zeros(BUCKETS, np.int64))
    unseen: Mapping[str, int] = field(default_factory=dict)
    more_unseen: int = 0
    once: int = 0
    complete: bool = True

    @property
    def missing(self) -> int:
        """Rows without a value."""
        return self.null

    @property
    def new(self) -> int:
        """Rows with a value that training did not have."""
        return sum(self.unseen.values()) + self.more_unseen

    def add(self, other: CategoryColumn) -> CategoryColumn:
        """The sum. Raises NotMergeable."""
        if self.values != other.values:
            raise NotMergeable(f'The profiles of "{self.name}" list different values; give both the same "like".')
        unseen = dict(self.unseen)
        for value, count in other.unseen.items():
            unseen[value] = unseen.get(value, 0) + count
        kept, rest = keep_most_frequent(unseen, MAX_UNSEEN)
        return replace(
            self,
            counts=self.counts + other.counts,
            rows=self.rows + other.rows,
            null=self.null + other.null,
            buckets=self.buckets + other.buckets,
            unseen=kept,
            more_unseen=self.more_unseen + other.more_unseen + rest,
            once=self.once,
        )

    def to_plain(self) -> dict[str, Any]:
        """For JSON."""
        plain = {name: getattr(self, name) for name in ("role", "rows", "null", "more_unseen", "once", "complete")}
        return {
            "kind": "category",
            **plain,
            "values": list(self.values),
            "counts": self.counts.tolist(),
            "buckets": self.buckets.tolist(),
            "unseen": dict(self.unseen),
        }

    @classmethod
    def from_plain(cls, name: str, plain: Mapping[str, Any]) -> CategoryColumn:
        """From what ``to_plain`` gave."""
        rest = {key: plain[key] for key in ("rows", "null", "more_unseen", "once", "complete", "unseen")}
        rest["buckets"] = np.array(plain["buckets"], dtype=np.int64)
        return cls(name, plain["role"], tuple(plain["values"]), np.array(plain["counts"], dtype=np.int64), **rest)


def bucket_of(value: str) -> int:
    """0 to 63, the same on every machine and in every process."""
    return crc32(value.encode("utf-8", "surrogatepass")) % BUCKETS


def in_buckets(counts: Mapping[str, int]) -> Counts:
    """64 sums of the values' counts."""
    sums = np.zeros(BUCKETS, dtype=np.int64)
    for value, count in counts.items():
        sums[bucket_of(value)] += count
    return sums


@dataclass(frozen=True, slots=True)
class Unwatched:
    """A column that is there but not compared, and why."""

    name: str
    why: str
    rows: int = 0
    role: str = "feature"

    def add(self, other: Unwatched) -> Unwatched:
        """The sum."""
        return replace(self, rows=self.rows + other.rows)

    def to_plain(self) -> dict[str, Any]:
        """For JSON."""
        return {"kind": "unwatched", "why": self.why, "rows": self.rows, "role": self.role}


@dataclass(frozen=True, slots=True)
class Mismatch:
    """A window's column whose values are of another kind than training's."""

    name: str
    was: str
    now: str
    rows: int = 0
    role: str = "feature"

    def add(self, other: Column) -> Mismatch:
        """Once of another kind, always of another kind."""
        return replace(self, rows=self.rows + other.rows)

    def to_plain(self) -> dict[str, Any]:
        """For JSON."""
        return {"kind": "mismatch", "was": self.was, "now": self.now, "rows": self.rows, "role": self.role}


Column = NumericColumn | CategoryColumn | Unwatched | Mismatch


def add_columns(one: Column, other: Column) -> Column:
    """The sum of the same column of two windows. Raises NotMergeable."""
    match one, other:
        case Mismatch(), _:
            return one.add(other)
        case _, Mismatch():
            return other.add(one)
        case NumericColumn(), NumericColumn():
            return one.add(other)
        case CategoryColumn(), CategoryColumn():
            return one.add(other)
        case Unwatched(), Unwatched():
            return one.add(other)
    raise NotMergeable(f'"{one.name}" is of one kind in one profile and of another in the other.')


def column_from_plain(name: str, plain: Mapping[str, Any]) -> Column:
    """From what a column's ``to_plain`` gave. Raises ValueError for a kind that this version does not know."""
    match plain["kind"]:
        case "numeric":
            return NumericColumn.from_plain(name, plain)
        case "category":
            return CategoryColumn.from_plain(name, plain)
        case "unwatched":
            return Unwatched(name, plain["why"], plain["rows"], plain["role"])
        case "mismatch":
            return Mismatch(name, plain["was"], plain["now"], plain["rows"], plain["role"])
    raise ValueError(f'The profile of "{name}" is of an unknown kind.')


def keep_most_frequent(counts: Mapping[str, int], most: int) -> tuple[dict[str, int], int]:
    """The ``most`` frequent entries (ties by name), and the sum of the rest."""
    if len(counts) <= most:
        return dict(counts), 0
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return dict(ordered[:most]), sum(count for _, count in ordered[most:])


def _extreme(which: Any, one: float | None, other: float | None) -> float | None:
    found = [value for value in (one, other) if value is not None]
    return which(found) if found else None
