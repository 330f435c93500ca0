"""Logged rows as Arrow record batches; apart from the log, since who only writes it needs no Arrow."""

from collections.abc import Sequence
from typing import Any

import msgspec
import pyarrow as pa

from lifecycle.endpoints.asked import Row


def batch_of(rows: Sequence[Row]) -> pa.RecordBatch:
    """The rows as one batch: every name that any of them has, empty where it lacks."""
    names = list(dict.fromkeys(name for row in rows for name in row))
    return pa.RecordBatch.from_arrays([array_of([row.get(name) for row in rows]) for name in names], names)


def array_of(values: list[Any]) -> pa.Array:
    """Numbers, truths or texts; whatever is mixed or nested becomes text."""
    kinds = {type(value) for value in values} - {type(None)}
    if kinds == {int, float}:
        return pa.array([None if value is None else float(value) for value in values], pa.float64())
    if len(kinds) <= 1 and kinds <= {int, float, bool, str}:
        try:
            return pa.array(values)
        except (OverflowError, pa.ArrowInvalid):
            return pa.array([None if value is None else float(value) for value in values], pa.float64())
    texts = (value if isinstance(value, str) else msgspec.json.encode(value).decode() for value in values)
    return pa.array([None if value == "null" else value for value in texts], pa.string())
