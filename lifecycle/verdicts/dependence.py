"""Do rows depend on each other? Whether the rows of one day, or of one customer, err together more than chance does.

Where they do, an interval that takes them for independent is too narrow, and whole days or customers count instead.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from lifecycle.verdicts.losses import row_losses
from lifecycle.verdicts.metrics import Task
from lifecycle.verdicts.rows import Floats, Ints, Rows

P = 0.2  # generous: to take independent rows for dependent costs little, the other way round costs the error rate
FEWEST = 5  # groups; fewer cannot say anything


@dataclass(frozen=True, slots=True)
class Blocks:
    """Rows that count as one: n group numbers; `by` says which ("day of at", "customer"), `groups` how many there are.

    effect: by how much the variance of the mean is larger than for independent rows. p: of the test that rows do not
    depend; None where somebody said that they do.
    """

    codes: Ints
    column: str
    by: str
    groups: int
    effect: float
    p: float | None = None


def group_codes(column: pa.Array | pa.ChunkedArray) -> Ints:
    """n numbers from 0 without gaps: equal values (of moments: equal days) have the same; a gap is a value."""
    whole = column if isinstance(column, pa.ChunkedArray) else pa.chunked_array([column])
    if pa.types.is_timestamp(whole.type):
        whole = pc.floor_temporal(whole, unit="day")
    if pa.types.is_dictionary(whole.type):
        whole = whole.cast(whole.type.value_type)
    encoded: Any = whole.combine_chunks().dictionary_encode("encode")
    if isinstance(encoded, pa.ChunkedArray):
        encoded = encoded.combine_chunks()
    codes: Ints = encoded.indices.to_numpy(zero_copy_only=False).astype(np.int64)
    return codes


def declared(column: str, values: pa.ChunkedArray, rows: Rows) -> Blocks:
    """The blocks that a column makes, whatever the rows say."""
    codes = group_codes(values)
    return Blocks(codes, column, _name(column, values), int(codes.max(initial=-1)) + 1, _effect(_errors(rows), codes))


def found(columns: Mapping[str, pa.ChunkedArray], rows: Rows) -> Blocks | None:
    """The grouping, of those that the columns make, by which rows depend most; None where they depend by none."""
    errors = _errors(rows)
    best: Blocks | None = None
    for column, values in columns.items():
        codes = group_codes(values)
        groups = int(codes.max(initial=-1)) + 1
        if not FEWEST <= groups <= len(codes) * 0.9:
            continue
        p, effect = _p(errors, codes, groups), _effect(errors, codes)
        if p < P and effect > 1 and (best is None or effect > best.effect):
            best = Blocks(codes, column, _name(column, values), groups, effect, p)
    return best


def _name(column: str, values: pa.ChunkedArray) -> str:
    return f"day of {column}" if pa.types.is_timestamp(values.type) else column


def _errors(rows: Rows) -> Floats:
    """What the verdict's noise is made of: by how much one model errs more than the other, row by row."""
    metric = "mae"
    if rows.task is Task.CLASSIFICATION:
        both = rows.candidate.probabilities is not None and (
            rows.champion is None or rows.champion.probabilities is not None
        )
        coded = rows.candidate.codes is not None and (rows.champion is None or rows.champion.codes is not None)
        if not (both or coded):
            return np.zeros(len(rows))
        metric = "brier" if both else "accuracy"
    own = row_losses(metric, rows, rows.candidate)
    return own if rows.champion is None else own - row_losses(metric, rows, rows.champion)


def _p(errors: Floats, codes: Ints, groups: int) -> float:
    """One-way analysis of variance: that all groups have the same mean."""
    from scipy.special import fdtrc

    counts = np.bincount(codes, minlength=groups)
    away = errors - errors.mean()
    sums = np.bincount(codes, weights=away, minlength=groups)
    between = float((np.square(sums) / counts).sum())
    within = float(np.square(away).sum()) - between
    if within <= 0:
        return 1.0 if between <= 0 else 0.0
    free = len(errors) - groups
    return float(fdtrc(groups - 1, free, (between / (groups - 1)) / (within / free)))


def _effect(errors: Floats, codes: Ints) -> float:
    """Kish's design effect: the variance of the mean with whole groups drawn, over that with single rows drawn."""
    away = errors - errors.mean()
    single = float(np.square(away).sum())
    return float(np.square(np.bincount(codes, weights=away)).sum()) / single if single > 0 else 1.0
