"""Reads what a predicting job left behind, as the data of somebody who may wish us ill."""

import json
import math
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from lifecycle.executors.sandbox import BadOutput, collect
from lifecycle.project import Task

PROBABILITY = "probability_"
MOST_COLUMNS = 1001
MOST_FILES = 100
BYTES_PER_ROW = 64  # and column; texts are longer, but not by much on the average
SMALLEST = 1 << 20
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
    with pq.ParquetFile(path) as file:
        about, schema = file.metadata, file.schema_arrow
        if about.num_rows != rows:
            raise BadOutput(f"there are {about.num_rows:,} predictions for {rows:,} rows")
        names = schema.names
        if "prediction" not in names:
            raise BadOutput("the predictions have no column 'prediction'")
        wanted = ["prediction", *(name for name in names if name.startswith(PROBABILITY))]
        if len(set(names)) != len(names) or len(names) > MOST_COLUMNS:
            raise BadOutput(f"the predictions have columns of the same name, or more than {MOST_COLUMNS}")
        unpacked = sum(about.row_group(number).total_byte_size for number in range(about.num_row_groups))
        if max(unpacked, path.stat().st_size) > SMALLEST + rows * len(names) * BYTES_PER_ROW:
            raise BadOutput(f"the predictions of {rows:,} rows are too large")
        table = file.read(columns=wanted).replace_schema_metadata()
    for name in wanted:
        if table.column(name).null_count:
            raise BadOutput(f"the predictions have gaps in column {name!r}")
    return table


def _regression(table: pa.Table) -> pa.Table:
    column = table.column("prediction")
    if not (pa.types.is_integer(column.type) or pa.types.is_floating(column.type)):
        raise BadOutput(f"the predictions are of type {column.type}; a regression needs numbers")
    numbers = column.cast(pa.float64(), safe=False)
    if not pc.all(pc.is_finite(numbers)).as_py():
        raise BadOutput("the predictions are not all finite numbers")
    return pa.table({"prediction": numbers})


def _classification(table: pa.Table) -> pa.Table:
    kind = table.column("prediction").type
    if pa.types.is_dictionary(kind):
        table = table.set_column(0, "prediction", table.column("prediction").cast(kind.value_type))
        kind = kind.value_type
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


def _meta(path: Path | None) -> dict[str, float]:
    """The job's own figures, as far as they are figures."""
    try:
        content = json.loads(path.read_bytes()[:10_000]) if path else {}
    except (ValueError, RecursionError):
        return {}
    given = content if isinstance(content, dict) else {}
    names = ("load_seconds", "seconds", "p95_row_ms", "memory_mb")
    figures = {name: given[name] for name in names if isinstance(given.get(name), int | float)}
    return {name: float(value) for name, value in figures.items() if abs(value) < 1e12 and math.isfinite(value)}
