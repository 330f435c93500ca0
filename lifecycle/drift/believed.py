"""What a stored profile must be like to be believed: its sums add up, its numbers are numbers."""

from __future__ import annotations

import math
from collections.abc import Iterable

from lifecycle.drift.columns import BUCKETS, CategoryColumn, Column, NumericColumn


def believable(rows: object, columns: Iterable[Column]) -> bool:
    """Whether this can have come out of ``to_bytes``."""
    return _counts([rows]) and all(_sound(one) for one in columns)


def _sound(column: Column) -> bool:
    if not _counts([column.rows]):
        return False
    match column:
        case NumericColumn():
            return _sound_numbers(column)
        case CategoryColumn():
            return _sound_categories(column)
    return True


def _sound_numbers(one: NumericColumn) -> bool:
    if not _counts([one.null, one.nan, one.minus_inf, one.plus_inf, one.below, one.above]):
        return False
    numbers = [one.grid.start, one.grid.unit, one.centre, one.total, one.squares, *(one.bounds or ())]
    numbers += [end for end in (one.low, one.high) if end is not None]
    if not all(isinstance(value, int | float) and math.isfinite(value) for value in numbers):
        return False
    fits = one.bounds is None or (len(one.bounds) == 2 and one.bounds[0] <= one.bounds[1])
    return fits and one.grid.unit > 0 and bool((one.counts >= 0).all()) and int(one.counts.sum()) == one.finite


def _sound_categories(one: CategoryColumn) -> bool:
    words = all(isinstance(value, str) for value in (*one.values, *one.unseen))
    whole = len(one.counts) == len(one.values) and len(one.buckets) == BUCKETS
    tallies = _counts([one.null, one.more_unseen, one.once, *one.unseen.values()])
    return words and whole and tallies and bool((one.counts >= 0).all() and (one.buckets >= 0).all())


def _counts(values: Iterable[object]) -> bool:
    return all(isinstance(value, int) and value >= 0 for value in values)
