"""Splits a model's data into what training may see and what is held back, so that nobody grades their own exam."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from lifecycle.caches import mark_used
from lifecycle.datafiles import data_files, digest, read
from lifecycle.making import making
from lifecycle.project import Model
from lifecycle.rowhash import row_shares
from lifecycle.troubles import BadData

__all__ = ["BadData", "Holdout", "split"]

VERSION = 2  # of the way rows are split; part of the cache's key
FEWEST = 2
Span = tuple[str, str] | None
FILES = {
    "train": "train.parquet",
    "rows": "rows.parquet",
    "holdout": "holdout_rows.parquet",
    "labels": "labels.parquet",
    "sample": "sample.parquet",
}
SAMPLE = 200  # rows


@dataclass(frozen=True, slots=True)
class Holdout:
    """The two parts of the data as parquet files, and what is known of them.

    `train` has all columns; `rows` the features of all rows, those of `train` first and then the held-back ones;
    `holdout` the features of the held-back rows; `labels` their targets, for our eyes only; `sample` the first of
    `holdout`, on which costs are measured. A span is the first and last value of the time column as ISO text.
    """

    train: Path
    rows: Path
    holdout: Path
    labels: Path
    sample: Path
    train_rows: int
    holdout_rows: int
    dropped: int  # rows without target or time
    data_version: str  # sha256
    train_span: Span
    holdout_span: Span
    columns: Mapping[str, str]  # features and their Arrow types


def split(tree: Path, model: Model, into: Path) -> Holdout:
    """Read the model's data and split it; kept below `into` by content and settings. Raises BadData.

    With a time column the last part in time is held back, equal times together. Otherwise the entity decides, where
    there is one, and else the row's own features: so that a row stays on its side while data grows, and neither equal
    rows nor rows of one entity are ever on both sides.
    """
    with data_files(tree, model.data) as files:
        version = digest(files)
        share = model.validate_.holdout
        settings = [VERSION, version, model.task, model.target, model.time, model.entity, share]
        folder = into / hashlib.sha256(json.dumps(settings).encode()).hexdigest()[:40]
        if not (folder / "holdout.json").is_file():
            _keep(read(files), model, folder, version)
        mark_used(folder)
    return _load(folder)


def _load(folder: Path) -> Holdout:
    facts: dict[str, Any] = json.loads((folder / "holdout.json").read_text(encoding="utf-8"))
    for name in ("train_span", "holdout_span"):
        facts[name] = tuple(facts[name]) if facts[name] else None
    return Holdout(**facts | {name: folder / file for name, file in FILES.items()})


def _keep(table: pa.Table, model: Model, folder: Path, version: str) -> None:
    """Write everything to a new folder and move it into place, whole."""
    table, dropped = _usable(table, model)
    train, held = _parts(table, model)
    features = [name for name in table.column_names if name != model.target]
    facts = {
        "train_rows": train.num_rows,
        "holdout_rows": held.num_rows,
        "dropped": dropped,
        "data_version": version,
        "train_span": _span(train, model.time),
        "holdout_span": _span(held, model.time),
        "columns": {name: str(_plain(table.schema.field(name).type)) for name in features},
    }
    with making(folder.parent) as aside:
        new = aside / "split"
        new.mkdir()
        pq.write_table(train, new / FILES["train"])
        pq.write_table(pa.concat_tables([train, held]).select(features), new / FILES["rows"])
        pq.write_table(held.select(features), new / FILES["holdout"])
        pq.write_table(held.slice(0, SAMPLE).select(features), new / FILES["sample"])
        pq.write_table(held.select([model.target]), new / FILES["labels"])
        (new / "holdout.json").write_text(json.dumps(facts, indent=1) + "\n", encoding="utf-8")
        try:
            new.rename(folder)
        except OSError:
            if not (folder / "holdout.json").is_file():  # another process may have been quicker
                raise


def _plain(kind: pa.DataType) -> pa.DataType:
    return kind.value_type if pa.types.is_dictionary(kind) else kind


def _usable(table: pa.Table, model: Model) -> tuple[pa.Table, int]:
    """The rows that have a target (and a time), after the checks; and how many have not."""
    _check_columns(table, model)
    target = table.column(model.target)
    there = pc.is_valid(target)
    if pa.types.is_floating(target.type):
        there = pc.and_(there, pc.invert(pc.fill_null(pc.is_nan(target), True)))
    if model.time is not None:
        table = table.set_column(table.column_names.index(model.time), model.time, _as_time(table, model.time))
        there = pc.and_(there, pc.is_valid(table.column(model.time)))
    kept = table.filter(there)
    if kept.num_rows < FEWEST:
        raise BadData(f"only {kept.num_rows} of {table.num_rows} rows have a {model.target}")
    _check_target(kept.column(model.target), model)
    return kept, table.num_rows - kept.num_rows


def _check_columns(table: pa.Table, model: Model) -> None:
    names = table.column_names
    for name, role in ((model.target, "target"), (model.time, "time"), (model.entity, "entity")):
        if name is not None and name not in names:
            raise BadData(f"the data has no column {name!r}, which is the {role}; it has {', '.join(names[:30])}")
    if set(names) <= {model.target, model.time}:
        raise BadData("the data has no column to predict from")
    for column in table.schema:
        if pa.types.is_nested(column.type) or pa.types.is_binary(column.type) or pa.types.is_large_binary(column.type):
            raise BadData(f"column {column.name!r} holds {column.type}; only numbers, texts and times can be used")


def _check_target(target: pa.ChunkedArray, model: Model) -> None:
    kind = _plain(target.type)
    if model.task == "regression":
        if not (pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind)):
            raise BadData(f"the target {model.target!r} holds {kind}, and a regression needs numbers")
        if pa.types.is_floating(kind) and not pc.all(pc.is_finite(target)).as_py():
            raise BadData(f"the target {model.target!r} holds infinite numbers")
    if pc.count_distinct(target.cast(kind)).as_py() < FEWEST:
        raise BadData(f"the target {model.target!r} has only one value, so there is nothing to learn")


def _as_time(table: pa.Table, name: str) -> pa.ChunkedArray:
    """The time column as something that sorts: moments, or numbers as they are."""
    column = table.column(name)
    kind = _plain(column.type)
    if pa.types.is_timestamp(kind) or pa.types.is_date(kind) or pa.types.is_integer(kind):
        return column.cast(kind)
    if pa.types.is_floating(kind):
        return pc.if_else(pc.is_nan(column), None, column)
    try:
        if pa.types.is_string(kind) or pa.types.is_large_string(kind):
            return _parsed(column.cast(pa.string()))
    except pa.ArrowInvalid as trouble:
        raise BadData(
            f"the time column {name!r} cannot be read as times: {str(trouble).splitlines()[0][:150]}"
        ) from None
    raise BadData(f"the time column {name!r} holds {kind}, not times")


def _parsed(texts: pa.ChunkedArray) -> pa.ChunkedArray:
    """ISO 8601 texts as moments; with a zone they become UTC."""
    try:
        return texts.cast(pa.timestamp("us"))
    except pa.ArrowInvalid:
        return texts.cast(pa.timestamp("us", tz="UTC"))


def _parts(table: pa.Table, model: Model) -> tuple[pa.Table, pa.Table]:
    share = model.validate_.holdout
    if model.time is None:
        kept = [model.entity] if model.entity else [name for name in table.column_names if name != model.target]
        held = row_shares(table.select(kept)) < share
    else:
        order = pc.array_sort_indices(table.column(model.time).combine_chunks())
        table = table.take(order)  # stable, so that equal times keep the files' order
        held = _late(table.column(model.time), share)
    parts = table.filter(pa.array(~held)), table.filter(pa.array(held))
    if not all(part.num_rows for part in parts):
        raise BadData(f"{table.num_rows} rows are too few, or too alike, to hold {share:.0%} of them back")
    return parts


def _late(times: pa.ChunkedArray, share: float) -> npt.NDArray[np.bool_]:
    """Which of the sorted times are in the last part; the cut is moved to the nearest change of time."""
    values = pc.rank(times, sort_keys="ascending", tiebreaker="dense").to_numpy()
    changes = np.flatnonzero(np.diff(values)) + 1
    held = np.zeros(len(values), dtype=np.bool_)
    if len(changes):
        wanted = len(values) - round(len(values) * share)
        held[changes[np.argmin(np.abs(changes - wanted))] :] = True
    return held


def _span(table: pa.Table, time: str | None) -> list[str] | None:
    if time is None:
        return None
    ends = pc.min_max(table.column(time)).as_py()
    return [value.isoformat() if hasattr(value, "isoformat") else str(value) for value in (ends["min"], ends["max"])]
