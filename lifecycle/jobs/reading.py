"""Reads what a predicting job left behind, as the data of somebody who may wish us ill."""

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from lifecycle.executors.sandbox import BadOutput, collect
from lifecycle.project import Task

PROBABILITY = "probability_"
MOST_COLUMNS = 1001
MOST_FILES = 100
MOST_BYTES = 1 << 30
LONGEST_CLASS = 1000  # characters
MOST_PACKAGES = 1000
META_BYTES = 100_000
PACKAGE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+!-]{0,99}")
OFF_BY = 1e-3  # how far a row's probabilities may be from adding up to one


@dataclass(frozen=True, slots=True)
class Predictions:
    """What a model answered. `table`: one row per row asked, `prediction` and perhaps `probability_<class>`.

    The rest is what the job says of itself: believable only as far as the job is, good for information.
    """

    table: pa.Table
    load_seconds: float = 0.0
    seconds: float = 0.0
    p95_row_ms: float = 0.0
    memory_mb: float = 0.0
    packages: Mapping[str, str] = field(default_factory=dict)

    def tail(self, rows: int) -> "Predictions":
        """The last rows only."""
        return replace(self, table=self.table.slice(self.table.num_rows - rows))


def read_predictions(folder: Path, rows: int, task: Task) -> Predictions:
    """The predictions of `rows` rows in a job's output folder. Raises BadOutput."""
    files = {str(path): folder / path for path in collect(folder, MOST_FILES)}
    if "predictions.parquet" not in files:
        raise BadOutput("the predicting job left no predictions.parquet")
    try:
        table = _read(files["predictions.parquet"], rows)
    except (pa.ArrowException, OSError, UnicodeDecodeError, MemoryError) as trouble:
        raise BadOutput(f"the predictions cannot be read: {str(trouble).splitlines()[0][:150]}") from None
    table = _regression(table) if task == "regression" else _classification(table)
    return Predictions(table, **_meta(files.get("meta.json")))


def _read(path: Path, rows: int) -> pa.Table:
    """The columns that count, without gaps. Texts stay dictionaries: a small file can say a long text very often."""
    wanted = _checked_columns(path, rows)
    with pq.ParquetFile(path, read_dictionary=["prediction"]) as file:
        table = file.read(columns=wanted).replace_schema_metadata().select(wanted)
    if table.num_rows != rows:
        raise BadOutput(f"there are {table.num_rows:,} predictions for {rows:,} rows")
    for name in wanted:
        if table.column(name).null_count:
            raise BadOutput(f"the predictions have gaps in column {name!r}")
    return table


def _checked_columns(path: Path, rows: int) -> list[str]:
    """The names of the columns that count, once nothing in the file's own description speaks against reading it."""
    with pq.ParquetFile(path) as file:
        schema, given = file.schema_arrow, file.metadata.num_rows
    names = schema.names
    if given != rows:
        raise BadOutput(f"there are {given:,} predictions for {rows:,} rows")
    if "prediction" not in names:
        raise BadOutput("the predictions have no column 'prediction'")
    if len(set(names)) != len(names) or len(names) > MOST_COLUMNS:
        raise BadOutput(f"the predictions have columns of the same name, or more than {MOST_COLUMNS}")
    wanted = ["prediction", *(name for name in names if name.startswith(PROBABILITY))]
    for name in wanted:
        _check_kind(name, schema.field(name).type)
    if max(path.stat().st_size, rows * len(wanted) * 8) > MOST_BYTES:
        raise BadOutput(f"the predictions are larger than {MOST_BYTES >> 20} MB")
    return wanted


def _check_kind(name: str, kind: pa.DataType) -> None:
    """Refuse what could be large or odd before it is read."""
    plain = kind.value_type if pa.types.is_dictionary(kind) else kind
    texts = pa.types.is_string(plain) or pa.types.is_large_string(plain)
    figures = pa.types.is_integer(plain) or pa.types.is_floating(plain) or pa.types.is_boolean(plain)
    if not figures and not (texts and name == "prediction"):
        raise BadOutput(f"column {name!r} of the predictions is of type {kind}, which it cannot be")


def _regression(table: pa.Table) -> pa.Table:
    column = table.column("prediction")
    if not (pa.types.is_integer(column.type) or pa.types.is_floating(column.type)):
        raise BadOutput(f"the predictions are of type {column.type}; a regression needs numbers")
    numbers = column.cast(pa.float64(), safe=False)
    if not pc.all(pc.is_finite(numbers)).as_py():
        raise BadOutput("the predictions are not all finite numbers")
    return pa.table({"prediction": numbers})


def _classification(table: pa.Table) -> pa.Table:
    if pa.types.is_dictionary(table.column("prediction").type):
        table = table.set_column(0, "prediction", _texts(table.column("prediction")))
    kind = table.column("prediction").type
    texts = pa.types.is_string(kind) or pa.types.is_large_string(kind)
    if not (texts or pa.types.is_integer(kind) or pa.types.is_boolean(kind)):
        raise BadOutput(f"the predictions are of type {kind}; classes are texts or whole numbers")
    names = [name for name in table.column_names if name.startswith(PROBABILITY)]
    if not names:
        return table
    for number, name in enumerate(table.column_names):
        if name in names and not pa.types.is_floating(table.column(name).type):
            raise BadOutput(f"column {name!r} does not hold probabilities")
        if name in names:
            table = table.set_column(number, name, table.column(name).cast(pa.float64()))
    chances = np.column_stack([table.column(name).to_numpy() for name in names])
    fine = np.isfinite(chances).all() and (chances >= 0).all() and (chances <= 1 + OFF_BY).all()
    if not fine or (np.abs(chances.sum(axis=1) - 1) > OFF_BY).any():
        raise BadOutput("the probabilities are not between 0 and 1, or do not add up to 1")
    return table


def _texts(column: pa.ChunkedArray) -> pa.ChunkedArray:
    for chunk in column.chunks:
        longest = pc.max(pc.utf8_length(chunk.dictionary.cast(pa.large_string()))).as_py()
        if longest is not None and longest > LONGEST_CLASS:
            raise BadOutput(f"a class has a name of more than {LONGEST_CLASS} characters")
    return column.cast(column.type.value_type)


def refusal(folder: Path) -> str:
    """Why a job that may refuse left no predictions; empty when it left some."""
    path = folder / "meta.json"
    if (folder / "predictions.parquet").exists() or path not in [folder / one for one in collect(folder, MOST_FILES)]:
        return ""
    return str(_content(path).get("refused", ""))[:300]


def _meta(path: Path | None) -> dict[str, Any]:
    """The job's own figures and packages, as far as they are such."""
    given = _content(path) if path else {}
    names = ("load_seconds", "seconds", "p95_row_ms", "memory_mb")
    figures = {name: given[name] for name in names if isinstance(given.get(name), int | float)}
    fine = {name: float(value) for name, value in figures.items() if abs(value) < 1e12 and math.isfinite(value)}
    return {**fine, "packages": _packages(given.get("packages"))}


def _content(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_bytes()[:META_BYTES])
    except (ValueError, RecursionError):
        return {}
    return content if isinstance(content, dict) else {}


def _packages(given: object) -> dict[str, str]:
    """Names and versions that can be such, in the order of the names."""
    found = given.items() if isinstance(given, dict) else ()
    fine = [(name, version) for name, version in found if PACKAGE.fullmatch(name) and isinstance(version, str)]
    return {name: version for name, version in sorted(fine)[:MOST_PACKAGES] if PACKAGE.fullmatch(version)}
