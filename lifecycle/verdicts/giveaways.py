"""Columns that alone all but give the answer away: known only after the fact, or the answer under another name."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from lifecycle.verdicts.findings import Check, Outcome
from lifecycle.verdicts.metrics import Task
from lifecycle.verdicts.ranking import midranks
from lifecycle.verdicts.rows import Floats, Ints

AREA = 0.98
CORRELATION = 0.99
MIN_ROWS = 50
MIN_CLASS = 10
MAX_VALUES = 1000  # of a column of categories


def giveaways(train: pa.Table, holdout: pa.Table, target: str, skip: set[str], task: Task) -> tuple[Check, ...]:
    """One check; none where there are too few rows to tell.

    Numbers are taken as they are, categories as what the target was for them in training. Two classes: an area over
    0.98; several: the area of the class that the column knows best, against the rest; numbers: a correlation over 0.99.
    """
    if len(holdout) < MIN_ROWS:
        return ()
    leaks = [
        name for name in holdout.schema.names if name not in skip and _gives_away(train, holdout, name, target, task)
    ]
    if leaks:
        more = f", and {len(leaks) - 5} more" if len(leaks) > 5 else ""
        verb = "each alone all but give" if len(leaks) > 1 else "alone all but gives"
        return (Check("leakage", Outcome.WARN, f"{', '.join(leaks[:5])}{more} {verb} the answer away."),)
    return (Check("leakage", Outcome.OK, "No single column gives the answer away."),)


def _gives_away(train: pa.Table, holdout: pa.Table, name: str, target: str, task: Task) -> bool:
    if task is Task.REGRESSION:
        known, truth = (_numbers(table[target]) for table in (train, holdout))
        return any(_correlation(truth, values) > CORRELATION for values in _values(train, holdout, name, known))
    for known_ones, ones in _classes(train[target], holdout[target]):
        if min(ones.sum(), (~ones).sum()) < MIN_CLASS:
            continue
        if any(_area(ones, values) > AREA for values in _values(train, holdout, name, known_ones.astype(np.float64))):
            return True
    return False


def _classes(train: pa.ChunkedArray, holdout: pa.ChunkedArray) -> Iterator[tuple[npt.NDArray[np.bool_], ...]]:
    """Each class against the rest, of two classes only one; rare ones would be too many and tell nothing."""
    one, other = (np.asarray(column.cast(pa.string()).to_numpy()).astype(str) for column in (train, holdout))
    names, counts = np.unique(other, return_counts=True)
    frequent = names[np.argsort(-counts)][:20]
    for name in frequent[:1] if len(names) == 2 else frequent:
        yield one == name, other == name


def _values(train: pa.Table, holdout: pa.Table, name: str, known: Floats) -> Iterator[Floats]:
    """The held-back rows' column as numbers; `known` is the training target."""
    kind = holdout[name].type
    if pa.types.is_integer(kind) or pa.types.is_floating(kind):
        yield _numbers(holdout[name])
    elif name in train.schema.names and (
        pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_boolean(kind)
    ):
        yield from _by_category(train[name], holdout[name], known)


def _by_category(train: pa.ChunkedArray, holdout: pa.ChunkedArray, known: Floats) -> Iterator[Floats]:
    values = train.unique().drop_null()
    if not 1 < len(values) <= min(MAX_VALUES, len(train) // 2):
        return
    codes, here = (_codes(column, values) for column in (train, holdout))
    counts = np.bincount(codes + 1, minlength=len(values) + 1)[1:]
    sums = np.bincount(codes + 1, weights=known, minlength=len(values) + 1)[1:]
    means = np.append(sums / np.maximum(counts, 1), known.mean())  # the last for values that training did not have
    yield means[here]


def _codes(column: pa.ChunkedArray, values: pa.Array) -> Ints:
    codes: Ints = pc.fill_null(pc.index_in(column, value_set=values), -1).to_numpy().astype(np.int64)
    return codes


def _numbers(column: pa.ChunkedArray) -> Floats:
    numbers: Floats = column.cast(pa.float64(), safe=False).to_numpy()
    return numbers


def _area(positive: npt.NDArray[np.bool_], values: Floats) -> float:
    fine = np.isfinite(values)
    ones = int(positive[fine].sum())
    zeros = int(fine.sum()) - ones
    if min(ones, zeros) < MIN_CLASS:
        return 0.5
    area = float((midranks(values[fine])[positive[fine]].sum() - ones * (ones + 1) / 2) / (ones * zeros))
    return max(area, 1 - area)


def _correlation(truth: Floats, values: Floats) -> float:
    fine = np.isfinite(values) & np.isfinite(truth)
    if fine.sum() < MIN_ROWS or np.ptp(values[fine]) == 0 or np.ptp(truth[fine]) == 0:
        return 0.0
    return abs(float(np.corrcoef(truth[fine], values[fine])[0, 1]))
