"""Brings a model's answers into the order of the labels by a key, and notices where they are in another one."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from lifecycle.drift.profiles import INDEX


def in_order(labels: pa.Table, where: str, table: pa.Table, there: str, key: str | None) -> pa.Table:
    """The table's rows in the labels' order; as they are without a key. ``where``, ``there``: what people call them.

    Raises ValueError where a row is not found, where the key is no key, and where without a key rows must be amiss.
    """
    if key is None:
        amiss = _amiss(labels, table)
        if amiss is not None:
            said = f'{where} and {there} have their rows in another order, says the column "{amiss}"'
            raise ValueError(f"{said}; give --key {amiss}.")
        return table
    for one, name in ((labels, where), (table, there)):
        if key not in one.schema.names:
            raise ValueError(f'{name} has no column "{key}".')
    asked, known = _comparable(labels[key], table[key])
    for column, name in ((asked, where), (known, there)):
        twice = _twice(column)
        if twice is not None:
            raise ValueError(f'{name} has two rows with the same "{key}", such as {_said(twice)}.')
    places = pc.index_in(asked, value_set=known)
    if places.null_count:
        missing = asked.filter(pc.is_null(places))
        such = f'such as {_said(missing[0].as_py())} in "{key}"'
        raise ValueError(f"{there} has no row for {len(missing):,} of the {len(asked):,} labels, {such}.")
    return table.take(places)


def _amiss(labels: pa.Table, table: pa.Table) -> str | None:
    """A column of both that names every row once, and names the same rows in another order."""
    if len(labels) != len(table):
        return None
    for name in labels.schema.names:
        if name not in table.schema.names or name in ("label", "prediction") or INDEX.fullmatch(name):
            continue
        one, other = _comparable(labels[name], table[name])
        if not (pa.types.is_string(one.type) or pa.types.is_integer(one.type)) or one.equals(other):
            continue
        if _twice(one) is None and pc.index_in(one, value_set=other).null_count == 0:
            return str(name)
    return None


def _comparable(one: pa.ChunkedArray, other: pa.ChunkedArray) -> tuple[pa.Array, pa.Array]:
    """Both plain, and of one type where they can be: numbers that one file has as text are the same numbers."""
    plain = [column.cast(column.type.value_type) if pa.types.is_dictionary(column.type) else column
             for column in (one, other)]  # fmt: skip
    if plain[0].type != plain[1].type:
        integers = all(pa.types.is_integer(column.type) for column in plain)
        try:
            plain = [column.cast(pa.int64() if integers else pa.string()) for column in plain]
        except pa.ArrowException:
            raise ValueError(f"{one.type} and {other.type} cannot be compared.") from None
    first, second = (column.combine_chunks() for column in plain)
    return first, second


def _twice(column: pa.Array) -> object | None:
    """A value that comes twice, if one does."""
    if pc.count_distinct(column, mode="all").as_py() == len(column):
        return None
    counts = column.value_counts()
    at = pc.index(pc.greater(counts.field("counts"), 1), True).as_py()
    return counts.field("values")[at].as_py() if at >= 0 else None


def _said(value: object) -> str:
    return f'"{value}"' if isinstance(value, str) else str(value)
