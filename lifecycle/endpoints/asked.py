"""Reads scoring requests and answers: the rows asked, as the log keeps them, and the predictions given."""

from typing import Any

import msgspec

Row = dict[str, Any]
FORMS = ("dataframe_records", "dataframe_split", "inputs", "instances")


class NotUnderstood(Exception):
    """The request is not one; a sentence for whoever sent it."""


def rows_of(body: bytes) -> list[Row]:
    """The rows of a request in any of MLflow's forms. Raises NotUnderstood."""
    try:
        request = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as trouble:
        raise NotUnderstood(f"the request is not JSON: {trouble}") from None
    if isinstance(request, dict):
        if "dataframe_split" in request:
            return _split(request["dataframe_split"])
        for form in FORMS:
            if form in request:
                return _rows(request[form], form)
    raise NotUnderstood(f"the request must be a JSON object with its rows in one of {', '.join(FORMS)}")


def _split(split: Any) -> list[Row]:
    if not (isinstance(split, dict) and isinstance(split.get("columns"), list) and isinstance(split.get("data"), list)):
        raise NotUnderstood("dataframe_split must have the lists columns and data")
    names = [str(name) for name in split["columns"]]
    if any(not isinstance(row, list) or len(row) != len(names) for row in split["data"]):
        raise NotUnderstood("every row of dataframe_split's data must be a list as long as its columns")
    return [dict(zip(names, row, strict=True)) for row in split["data"]]


def _rows(rows: Any, form: str) -> list[Row]:
    if isinstance(rows, dict) and rows and all(isinstance(column, list) for column in rows.values()):
        if len({len(column) for column in rows.values()}) != 1:
            raise NotUnderstood(f"the columns of {form} must be of the same length")
        return [dict(zip(rows, row, strict=True)) for row in zip(*rows.values(), strict=True)]
    if isinstance(rows, list) and all(isinstance(row, dict) for row in rows):
        return rows
    if isinstance(rows, list) and all(isinstance(row, list) for row in rows):
        return [{str(number): value for number, value in enumerate(row)} for row in rows]
    raise NotUnderstood(f"{form} must be a list of objects, one for each row")


def chances_of(body: bytes, rows: int) -> list[dict[str, float] | None] | None:
    """Each row's probabilities by class in a server's answer, if it has any that fit."""
    try:
        table = msgspec.json.decode(body, type=_Chances).probabilities
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    if not table or any(len(column) != rows for column in table.values()):
        return None
    return [dict(zip(table, row, strict=True)) for row in zip(*table.values(), strict=True)]


class _Chances(msgspec.Struct):
    probabilities: dict[str, list[float]] = {}


def predictions_of(body: bytes, rows: int) -> list[Any] | None:
    """The predictions in a server's answer, if it is one for so many rows."""
    try:
        predictions = msgspec.json.decode(body)["predictions"]
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, TypeError, KeyError):
        return None
    return predictions if isinstance(predictions, list) and len(predictions) == rows else None
