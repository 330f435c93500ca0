"""Is the held-back data fit to judge by: overlap, leakage in time and by entity, columns that give the answer away."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from lifecycle.verdicts.findings import Check, Outcome
from lifecycle.verdicts.metrics import Task
from lifecycle.verdicts.ranking import midranks
from lifecycle.verdicts.rows import Floats

OVERLAP = 0.001
LEAK_AREA = 0.98
LEAK_CORRELATION = 0.99
MIN_ROWS = 50


@dataclass(frozen=True, slots=True)
class Columns:
    """Which columns mean what: ``target`` is in both tables; ``time`` and ``entity`` where the data has them."""

    target: str
    time: str | None = None
    entity: str | None = None


def data_checks(train: pa.Table, holdout: pa.Table, columns: Columns | str, task: Task | str) -> tuple[Check, ...]:
    """Checks of the split and the columns; both tables hold features and target, else ValueError."""
    names = columns if isinstance(columns, Columns) else Columns(columns)
    for table, which in ((train, "training"), (holdout, "held-back")):
        if names.target not in table.schema.names:
            raise ValueError(f'The {which} rows have no column "{names.target}".')
    found = [_overlap(train, holdout)]
    if names.time is not None and names.time in train.schema.names and names.time in holdout.schema.names:
        found.append(_time(train[names.time], holdout[names.time], names.time))
    if names.entity is not None and names.entity in train.schema.names and names.entity in holdout.schema.names:
        found.append(_entities(train[names.entity], holdout[names.entity], names.entity))
    return (*found, *_giveaways(holdout, names, Task(task)), *_shift(train, holdout, names, Task(task)))


def row_hashes(table: pa.Table) -> np.ndarray[tuple[int], np.dtype[np.uint64]]:
    """n 64-bit hashes of whole rows: equal rows have equal hashes, whatever the chunks and dictionaries."""
    hashes = np.zeros(len(table), dtype=np.uint64)
    for name in sorted(table.schema.names):
        mixed = hashes * np.uint64(0x9E3779B97F4A7C15) + _column_hash(table[name])
        hashes = mixed ^ (mixed >> np.uint64(29))
    return hashes


def _column_hash(column: pa.ChunkedArray) -> np.ndarray[tuple[int], np.dtype[np.uint64]]:
    """A stable number per value; numbers by their bits, all else by its text's digest (once for each value)."""
    kind = column.type
    if pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_boolean(kind):
        values = column.cast(pa.float64(), safe=False).to_numpy() + 0.0  # -0.0 becomes 0.0
        bits = np.where(np.isnan(values), np.nan, values).view(np.uint64).copy()
    else:
        from hashlib import blake2b

        encoded = column.combine_chunks().dictionary_encode()
        texts = [str(value).encode() for value in encoded.dictionary.to_pylist()] + [b"\x00missing"]
        digests = np.array([int.from_bytes(blake2b(text, digest_size=8).digest(), "big") for text in texts], np.uint64)
        bits = digests[encoded.indices.fill_null(len(texts) - 1).to_numpy(zero_copy_only=False)]
    bits ^= bits >> np.uint64(33)
    bits *= np.uint64(0xFF51AFD7ED558CCD)
    result: np.ndarray[tuple[int], np.dtype[np.uint64]] = bits ^ (bits >> np.uint64(33))
    return result


def _overlap(train: pa.Table, holdout: pa.Table) -> Check:
    shared = [name for name in holdout.schema.names if name in train.schema.names]
    same = int(np.isin(row_hashes(holdout.select(shared)), row_hashes(train.select(shared))).sum())
    share = same / max(len(holdout), 1)
    if share > OVERLAP:
        return Check(
            "overlap", Outcome.FAIL, f"{same:,} of {len(holdout):,} held-back rows ({share:.1%}) are in training too."
        )
    return Check(
        "overlap", Outcome.OK, "No held-back row is in the training data." if not same else f"{same} shared rows."
    )


def _time(train: pa.ChunkedArray, holdout: pa.ChunkedArray, name: str) -> Check:
    last, first = pc.max(train).as_py(), pc.min(holdout).as_py()
    if last is None or first is None or last < first:
        return Check("time order", Outcome.OK, f"Every held-back row is later than the training rows, by {name}.")
    return Check("time order", Outcome.WARN, f"Training rows reach {last}, held-back rows begin {first}, by {name}.")


def _entities(train: pa.ChunkedArray, holdout: pa.ChunkedArray, name: str) -> Check:
    both = pc.is_in(holdout.unique(), value_set=train.unique()).to_numpy(zero_copy_only=False)
    count = int(np.count_nonzero(both))
    if count:
        return Check("entities", Outcome.WARN, f"{count:,} values of {name} are in both training and held-back rows.")
    return Check("entities", Outcome.OK, f"No value of {name} is in both training and held-back rows.")


def _numeric(table: pa.Table, skip: set[str]) -> Iterator[tuple[str, Floats]]:
    for name, column in zip(table.schema.names, table.columns, strict=True):
        if name not in skip and (pa.types.is_integer(column.type) or pa.types.is_floating(column.type)):
            yield name, column.cast(pa.float64(), safe=False).to_numpy()


def _giveaways(holdout: pa.Table, names: Columns, task: Task) -> tuple[Check, ...]:
    """Single numeric columns that all but are the answer: an area over 0.98, or a correlation over 0.99."""
    if len(holdout) < MIN_ROWS:
        return ()
    target = holdout[names.target]
    skip = {names.target, *(name for name in (names.time, names.entity) if name)}
    leaks = []
    if task is Task.CLASSIFICATION:
        codes = target.combine_chunks().dictionary_encode().indices.to_numpy(zero_copy_only=False)
        if len(np.unique(codes)) != 2:
            return ()
        leaks = [name for name, values in _numeric(holdout, skip) if _area(codes == 1, values) > LEAK_AREA]
    else:
        truth = target.cast(pa.float64(), safe=False).to_numpy()
        leaks = [name for name, values in _numeric(holdout, skip) if _correlation(truth, values) > LEAK_CORRELATION]
    if leaks:
        return (Check("leakage", Outcome.WARN, f"{', '.join(leaks[:5])} alone all but gives the answer away."),)
    return (Check("leakage", Outcome.OK, "No single column gives the answer away."),)


def _area(positive: np.ndarray[tuple[int], np.dtype[np.bool_]], values: Floats) -> float:
    fine = np.isfinite(values)
    ones = int(positive[fine].sum())
    zeros = int(fine.sum()) - ones
    if min(ones, zeros) < 10:
        return 0.5
    area = float((midranks(values[fine])[positive[fine]].sum() - ones * (ones + 1) / 2) / (ones * zeros))
    return max(area, 1 - area)


def _correlation(truth: Floats, values: Floats) -> float:
    fine = np.isfinite(values) & np.isfinite(truth)
    if fine.sum() < MIN_ROWS or np.ptp(values[fine]) == 0 or np.ptp(truth[fine]) == 0:
        return 0.0
    return abs(float(np.corrcoef(truth[fine], values[fine])[0, 1]))


def _shift(train: pa.Table, holdout: pa.Table, names: Columns, task: Task) -> tuple[Check, ...]:
    """Whether the target itself is another one in the held-back rows (a profile of it, compared as any column)."""
    from lifecycle.drift import Alarm, Profile, compare

    one, other = train.select([names.target]), holdout.select([names.target])
    if task is Task.CLASSIFICATION:
        one, other = (table.cast(pa.schema([(names.target, pa.string())])) for table in (one, other))
    if not len(one) or not len(other):
        return ()
    reference = Profile.of(one)
    report = compare(reference, Profile.of(other, like=reference))
    if report.verdict is Alarm.CLEAN:
        return (Check("target shift", Outcome.OK, f"{names.target} is spread as in training."),)
    return (Check("target shift", Outcome.WARN, f"The target moved: {report.columns[0].reason}"),)
