"""Profiles of files: wide tables a hundred columns at a time, so that memory does not grow with their width."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pyarrow as pa

from lifecycle.drift.columns import CategoryColumn
from lifecycle.drift.profiles import PREDICTION, Profile, profile
from lifecycle.tables import Source

SLAB = 100  # columns read together
WIDE = 200  # columns from which on a table is read in slabs; before, one pass is faster


def profile_files(
    sources: Sequence[Source],
    like: Profile | None = None,
    *,
    exclude: Sequence[str] = (),
    prediction: Sequence[str] = PREDICTION,
) -> Profile:
    """The profile of all sources as one table; as ``profile``. Raises TableError where one cannot be read."""
    made: Profile | None = None
    words = words_of(like)
    for slab in _slabs(sources):
        sample = sources[0].sample(columns=slab) if like is None and len(sources) == 1 else None
        part = profile(_rows(sources, slab, words), like, exclude=exclude, prediction=prediction, sample=sample)
        made = part if made is None else made.joined(part)
    return made or Profile(0, {})


def _slabs(sources: Sequence[Source]) -> list[list[str] | None]:
    """Names to read together; None for all."""
    names: dict[str, None] = {}
    for one in sources:
        known = one.columns()
        if known is None:
            return [None]
        names |= dict.fromkeys(known)
    every = list(names)
    return [None] if len(every) <= WIDE else [every[at : at + SLAB] for at in range(0, len(every), SLAB)]


def words_of(like: Profile | None) -> list[str]:
    """The columns that were text in training: in a CSV file they look like numbers (01234) or truths and are not."""
    if like is None:
        return []
    return [
        name
        for name, column in like.columns.items()
        if isinstance(column, CategoryColumn) and not {"true", "false"}.issuperset(column.values)
    ]


def _rows(sources: Sequence[Source], slab: Sequence[str] | None, words: Sequence[str]) -> Iterator[pa.RecordBatch]:
    for one in sources:
        known = one.columns() if slab is not None else None
        wanted = None if slab is None or known is None else [name for name in slab if name in known]
        yield from one.batches(wanted, words)
