"""The stored summary of a table: made once of the training data, and of every window in the same cells."""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeAlias

import numpy as np
import pyarrow as pa

from lifecycle.drift.asked_as import is_text
from lifecycle.drift.believed import believable
from lifecycle.drift.columns import (
    CategoryColumn,
    Column,
    NumericColumn,
    Unwatched,
    add_columns,
    column_from_plain,
)
from lifecycle.drift.counting import Builder, CategoryBuilder, Coerced, Ignored, NumericBuilder

VERSION = 1
SAMPLE = 262_144  # rows that decide about kinds and cells
SAMPLE_WIDE = 20_000  # of tables with hundreds of columns
SAMPLE_VALUES = 16_000_000
PREDICTION = ("prediction",)
INDEX = re.compile(r"__index_level_\d+__|Unnamed: \d+|")  # what pandas calls its rows' numbers, in parquet and CSV

Tables: TypeAlias = pa.Table | pa.RecordBatch | Iterable[pa.RecordBatch]


@dataclass(frozen=True, slots=True)
class Profile:
    """rows: of the table; columns: by name; extra: names that the ``like`` profile does not have."""

    rows: int
    columns: Mapping[str, Column]
    extra: tuple[str, ...] = field(default=())

    @classmethod
    def of(
        cls,
        tables: Tables,
        like: Profile | None = None,
        *,
        exclude: Sequence[str] = (),
        prediction: Sequence[str] = PREDICTION,
    ) -> Profile:
        """The same as ``profile``, for a table or batches."""
        return profile(tables, like, exclude=exclude, prediction=prediction)

    def add(self, other: Profile) -> Profile:
        """The profile of both tables' rows. Raises NotMergeable (a ValueError) if they count in different cells.

        A column that only one of them has is kept: its own ``rows`` tells how many rows had it.
        """
        columns = dict(self.columns)
        for name, column in other.columns.items():
            columns[name] = add_columns(columns[name], column) if name in columns else column
        return Profile(self.rows + other.rows, columns, tuple(sorted({*self.extra, *other.extra})))

    def joined(self, other: Profile) -> Profile:
        """These columns and another table's, such as features of training and predictions on held-back rows."""
        extra = tuple(sorted({*self.extra, *other.extra}))
        return replace(self, columns={**self.columns, **other.columns}, extra=extra)

    def to_bytes(self, level: int = 9) -> bytes:
        """Gzipped JSON, 2 to 4 KB a numeric column; the same profile gives the same bytes. level: 1 packs at once."""
        plain = {
            "format": "lifecycle-profile",
            "version": VERSION,
            "rows": self.rows,
            "extra": list(self.extra),
            "columns": {name: column.to_plain() for name, column in self.columns.items()},
        }
        text = json.dumps(plain, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
        return gzip.compress(text.encode(), level, mtime=0)

    @classmethod
    def from_bytes(cls, stored: bytes) -> Profile:
        """Raises ValueError with a sentence if this is no profile, or one of a newer version."""
        try:
            plain = json.loads(gzip.decompress(stored))
            known = isinstance(plain, dict) and plain.get("format") == "lifecycle-profile"
        except (OSError, EOFError, ValueError, gzip.zlib.error):  # type: ignore[attr-defined]
            known = False
        if not known:
            raise ValueError("This is not a profile; profiles are made by python -m lifecycle profile.")
        if plain.get("version") != VERSION:
            raise ValueError(f"This profile has version {plain.get('version')}; this program reads version {VERSION}.")
        try:
            columns = {name: column_from_plain(name, one) for name, one in plain["columns"].items()}
            found = cls(plain["rows"], columns, tuple(plain["extra"]))
            sound = believable(found.rows, columns.values())
        except (LookupError, TypeError, AttributeError, ValueError, OverflowError):
            sound = False
        if not sound:
            raise ValueError("This profile is damaged; make it again.")
        return found


@np.errstate(over="ignore", invalid="ignore", divide="ignore")  # columns may hold numbers near the largest there is
def profile(
    tables: Tables,
    like: Profile | None = None,
    *,
    exclude: Sequence[str] = (),
    prediction: Sequence[str] = PREDICTION,
    sample: pa.Table | None = None,
) -> Profile:
    """Read batches once, in bounded memory, into a profile.

    like: training's profile, for a window: its cells, values and kinds are used, so that counts add up and compare.
    exclude: columns to leave out (the target, for one). prediction: columns that hold the model's answers;
    ``probability_...`` always do. sample: rows that decide about cells; without it the first 262,144 (of a table:
    evenly spread ones). Raises ValueError if there are no columns.
    """
    head, batches = _head(tables, like, sample)
    builders: dict[str, Builder] = {}
    extra: set[str] = set()
    rows = 0
    for batch in batches:
        rows += len(batch)
        if len(set(batch.schema.names)) < batch.num_columns:
            raise ValueError("Two columns have the same name.")
        for name, values in zip(batch.schema.names, batch.columns, strict=True):
            if name in exclude:
                continue
            if name not in builders and name not in extra:
                if like is not None and name not in like.columns:
                    extra.add(name)
                    continue
                builders[name] = _builder(name, _role(name, prediction), head, values, like)
            if name in builders:
                builders[name].add(values)
    return Profile(rows, {name: builder.done() for name, builder in builders.items()}, tuple(sorted(extra)))


def _role(name: str, prediction: Sequence[str]) -> str:
    return "prediction" if name in prediction or name.startswith("probability_") else "feature"


def _head(
    tables: Tables, like: Profile | None, sample: pa.Table | None
) -> tuple[pa.Table | None, Iterator[pa.RecordBatch]]:
    """The rows that decide about cells, and all rows (those included)."""
    if isinstance(tables, pa.RecordBatch):
        tables = pa.Table.from_batches([tables])
    if isinstance(tables, pa.Table):
        if like is not None or sample is not None:
            return sample, iter(tables.to_batches(65_536))
        step = -(-len(tables) // sample_rows(tables.num_columns)) if len(tables) else 1
        spread = tables if step == 1 else tables.take(pa.array(np.arange(0, len(tables), step)))
        return spread, iter(tables.to_batches(65_536))
    if like is not None or sample is not None:
        return sample, iter(tables)
    return _first_rows(iter(tables))


def sample_rows(columns: int) -> int:
    """How many rows decide about cells: what fits well into memory."""
    return min(SAMPLE, max(SAMPLE_WIDE, SAMPLE_VALUES // max(columns, 1)))


def _first_rows(batches: Iterator[pa.RecordBatch]) -> tuple[pa.Table | None, Iterator[pa.RecordBatch]]:
    kept: list[pa.RecordBatch] = []
    rows = 0
    for batch in batches:
        kept.append(batch)
        rows += len(batch)
        if rows >= sample_rows(batch.num_columns):
            break

    def again() -> Iterator[pa.RecordBatch]:
        yield from kept
        yield from batches

    return (pa.Table.from_batches(kept, kept[0].schema) if kept else None), again()


def _builder(name: str, role: str, head: pa.Table | None, values: pa.Array, like: Profile | None) -> Builder:
    if like is not None:
        return _like(like.columns[name], role)
    if INDEX.fullmatch(name):
        return Ignored(name, role, "the table's index")
    column = head[name] if head is not None and name in head.schema.names else pa.chunked_array([values])
    kind = column.type.value_type if pa.types.is_dictionary(column.type) else column.type
    if pa.types.is_boolean(kind) or is_text(kind):
        builder = CategoryBuilder(name, role)
        return Coerced(builder, CategoryColumn(name, role, (), np.empty(0, np.int64)), role)
    if pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind):
        numbers = column.cast(pa.float64(), safe=False).drop_null().to_numpy()
        if pa.types.is_integer(kind) and len(numbers) >= 100 and bool((np.diff(numbers) > 0).all()):
            return Ignored(name, role, "an identifier: it counts up from row to row")
        numeric = NumericBuilder(name, role, numbers[np.isfinite(numbers)])
        return Coerced(numeric, numeric.done(), role)
    why = "no values in training" if pa.types.is_null(kind) else "a point in time" if pa.types.is_temporal(kind) else ""
    return Ignored(name, role, why or f"values of type {kind}")


def _like(column: Column, role: str) -> Builder:
    match column:
        case NumericColumn():
            return Coerced(NumericBuilder(column.name, column.role, like=column), column, column.role)
        case CategoryColumn():
            return Coerced(CategoryBuilder(column.name, column.role, like=column), column, column.role)
        case Unwatched():
            return Ignored(column.name, role, column.why)
    raise ValueError(f'"{column.name}" does not have one kind in this profile; it cannot be a reference.')


def as_mapping(profile_: Profile) -> dict[str, Any]:
    """Rows and kinds for people who look at a profile: name -> kind in a word."""
    return {name: type(column).__name__.removesuffix("Column").lower() for name, column in profile_.columns.items()}
