"""Is the held-back data fit to judge by: overlap, leakage in time and by entity, columns that give the answer away."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from lifecycle.verdicts.findings import Check, Outcome
from lifecycle.verdicts.giveaways import giveaways
from lifecycle.verdicts.metrics import Task

OVERLAP = 0.001


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
    found = [_overlap(train, holdout, names.time)]
    if names.time is not None and names.time in train.schema.names and names.time in holdout.schema.names:
        found.append(_time(train[names.time], holdout[names.time], names.time))
    if names.entity is not None and names.entity in train.schema.names and names.entity in holdout.schema.names:
        found.append(_entities(train[names.entity], holdout[names.entity], names.entity))
    return (
        *found,
        *giveaways(train, holdout, names.target, _not_features(names), Task(task)),
        *_shift(train, holdout, names, Task(task)),
    )


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


def _overlap(train: pa.Table, holdout: pa.Table, time: str | None) -> Check:
    """Held-back rows that training has too; with a time column, whatever their time: copies at another hour leak too.

    Where training repeats itself by nature (few columns of few values), as many are to be expected and nothing is said.
    """
    shared = [name for name in holdout.schema.names if name in train.schema.names and name != time]
    known = row_hashes(train.select(shared))
    same = int(np.isin(row_hashes(holdout.select(shared)), known).sum())
    share, usual = same / max(len(holdout), 1), 1 - len(np.unique(known)) / max(len(known), 1)
    if share > max(OVERLAP, 2 * usual):
        besides = f", but for {time}" if time is not None else ""
        sentence = f"{same:,} of {len(holdout):,} held-back rows ({share:.1%}) are in training too{besides}."
        return Check("overlap", Outcome.FAIL, sentence)
    if not same:
        return Check("overlap", Outcome.OK, "No held-back row is in the training data.")
    beside = f"; training repeats {usual:.1%} of its own rows" if usual > OVERLAP / 2 else ""
    return Check("overlap", Outcome.OK, f"{same:,} of {len(holdout):,} held-back rows are in training too{beside}.")


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


def _not_features(names: Columns) -> set[str]:
    return {names.target, *(name for name in (names.time, names.entity) if name)}


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
