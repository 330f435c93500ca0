"""Turns the rows of a scoring request into columns of the types that the model was fitted on, cheaply.

Plain lists until many requests are put together: making a table costs more than most models take for a row.
"""

from __future__ import annotations

import importlib
import math
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

NUMBERS = ("int", "uint", "double", "float", "halffloat", "decimal")
Columns = dict[str, list[Any]]


def columns_of(request: Any, in_order: Sequence[str]) -> tuple[Columns, int]:
    """The request's columns and how many rows it has, from any form in which MLflow takes rows. Raises ValueError.

    Rows without names of columns have those of `in_order`, if they are as long.
    """
    if not isinstance(request, dict):
        raise ValueError("the request must be a JSON object with dataframe_records, dataframe_split or inputs")
    split = request.get("dataframe_split")
    if isinstance(split, dict):
        return _of_lists(split["data"], [str(name) for name in split["columns"]])
    for form in ("dataframe_records", "inputs", "instances"):
        rows = request.get(form)
        if isinstance(rows, dict):
            return _of_columns(rows)
        if isinstance(rows, list):
            return _of_records(rows) if not rows or isinstance(rows[0], dict) else _of_lists(rows, in_order)
    raise ValueError("the request must hold its rows in dataframe_records, dataframe_split or inputs")


def _of_records(rows: list[dict[str, Any]]) -> tuple[Columns, int]:
    names = dict.fromkeys(name for row in rows for name in row)
    return {name: [row.get(name) for row in rows] for name in names}, len(rows)


def _of_columns(columns: dict[str, Any]) -> tuple[Columns, int]:
    lengths = {len(values) if isinstance(values, list) else -1 for values in columns.values()}
    if len(lengths) != 1 or -1 in lengths:
        raise ValueError("the columns must be lists of the same length")
    return columns, lengths.pop()


def _of_lists(rows: list[list[Any]], names: Sequence[str]) -> tuple[Columns, int]:
    if any(not isinstance(row, list) or len(row) != len(names) for row in rows):
        raise ValueError(f"every row must be a list of {len(names)} values, one for each column")
    return {name: [row[at] for row in rows] for at, name in enumerate(names)}, len(rows)


def typed(columns: Columns, wanted: Sequence[str], types: dict[str, str]) -> Columns:
    """The columns that the model wants, in its order, each value as it was in training. Raises ValueError."""
    lacking = [name for name in wanted if name not in columns]
    if lacking:
        raise ValueError(f"the model wants columns that are not there: {', '.join(lacking[:20])}")
    result = {}
    for name in wanted or columns:
        convert = converter(types.get(name, ""))
        try:
            result[name] = [None if value is None else convert(value) for value in columns[name]]
        except (ValueError, TypeError, OverflowError) as trouble:
            raise ValueError(f"column {name}: {trouble}") from None
    return result


def converter(kind: str) -> Callable[[Any], Any]:
    if kind.startswith(NUMBERS):
        return number
    if kind.startswith(("timestamp", "date")):
        return moment if "tz=" not in kind else aware_moment
    return {"bool": truth, "string": text, "large_string": text, "string_view": text}.get(kind, plain)


def number(value: Any) -> float:
    if isinstance(value, bool | int | float):
        return value
    try:
        return float(value) if isinstance(value, str) else float("")
    except ValueError:
        raise ValueError(f"{_shown(value)} is not a number") from None


def truth(value: Any) -> bool:
    if value not in (0, 1):
        raise ValueError(f"{_shown(value)} is not true or false")
    return bool(value)


def text(value: Any) -> str:
    if isinstance(value, list | dict):
        raise ValueError(f"{_shown(value)} is not a text")
    return str(value)


def moment(value: Any) -> datetime:
    """A time without a zone, as training had it; UTC if the value names one."""
    aware = aware_moment(value)
    return aware.replace(tzinfo=None)


def aware_moment(value: Any) -> datetime:
    try:
        read = datetime.fromisoformat(value)
    except (ValueError, TypeError):
        raise ValueError(f"{_shown(value)} is not a time in ISO 8601") from None
    return read.astimezone(UTC) if read.tzinfo else read.replace(tzinfo=UTC)


def plain(value: Any) -> Any:
    return value


def _shown(value: Any) -> str:
    words = repr(value)
    return words if len(words) <= 60 else f"{words[:59]}…"


def frame_of(parts: Sequence[Columns], types: dict[str, str]) -> Any:
    """One pandas frame of the rows of all parts, which have the same columns."""
    numpy: Any = importlib.import_module("numpy")
    pandas: Any = importlib.import_module("pandas")
    columns: dict[str, Any] = {}
    for name in parts[0]:
        values = [value for part in parts for value in part[name]]
        kind = types.get(name, "")
        if kind.startswith(NUMBERS):  # by numpy, which takes a tenth of the time that a pandas series takes
            whole = kind.startswith(("int", "uint")) and all(type(value) is int for value in values)
            values = numpy.array([math.nan if value is None else value for value in values], "int64" if whole else "f8")
        elif kind == "bool":
            values = numpy.array(values, "O" if None in values else "bool")
        columns[name] = values
    return pandas.DataFrame(columns)
