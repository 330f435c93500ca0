"""Where the candidate got worse: every category and quartile of the columns that matter, with Holm's correction."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from lifecycle.drift.numbers import holm
from lifecycle.verdicts.findings import Interval, SliceFinding
from lifecycle.verdicts.gate import Gate, Verdict
from lifecycle.verdicts.intervals import z_factor
from lifecycle.verdicts.metrics import METRICS, Task
from lifecycle.verdicts.rows import Floats, Ints, Rows
from lifecycle.verdicts.sliced import Sliced, sliced
from lifecycle.verdicts.words import change, number

MAX_VALUES = 100  # of one column; the most frequent
FAIL_P, WARN_P = 0.01, 0.05
FAIL_MARGINS = 3  # a slice may be this many margins worse before it alone fails the candidate


@dataclass(frozen=True, slots=True)
class Cut:
    """A column cut into slices: n codes (-1: in none) and what each slice is called."""

    column: str
    codes: Ints
    names: tuple[str, ...]


def find_regressions(
    rows: Rows, features: pa.Table, gate: Gate, blocks: Ints | None = None
) -> tuple[tuple[SliceFinding, ...], int]:
    """Slices on which the candidate is worse than the champion, worst first, and how many slices were tested.

    One-sided z-tests of the paired difference; Holm's correction over all of them. FAIL: p < 0.01 and worse by over
    three margins; INCONCLUSIVE (worth a look): p < 0.05. Raises ValueError for a declared column that is not there.
    """
    tested = slices_with_rows(rows, features, gate, blocks)
    if not tested:
        return (), 0
    adjusted = holm([float(found.p_worse[one]) for _, one, found in tested])
    worse = [
        _finding(gate, cut, one, found, p) for (cut, one, found), p in zip(tested, adjusted, strict=True) if p < WARN_P
    ]
    worse.sort(key=lambda finding: (finding.verdict is not Verdict.FAIL, finding.p_adjusted))
    return tuple(worse), len(tested)


def slices_with_rows(
    rows: Rows, features: pa.Table, gate: Gate, blocks: Ints | None = None
) -> list[tuple[Cut, int, Sliced]]:
    """Every slice with enough rows: how its column is cut, which of the cut's slices it is, and what was found.

    Raises ValueError for a declared column that is not there.
    """
    absent = [name for name in gate.slices if name not in features.schema.names]
    if absent:
        raise ValueError(
            f'There is no column "{absent[0]}" to slice by; there are {", ".join(features.schema.names[:20])}.'
        )
    tested: list[tuple[Cut, int, Sliced]] = []
    for cut in _chosen(rows, features, gate):
        found = sliced(gate.metric, rows, cut.codes, len(cut.names), blocks)
        enough = found.rows >= gate.slice_min_rows
        if rows.task is Task.CLASSIFICATION:
            enough &= found.smallest_class >= gate.slice_min_class
        tested += [(cut, int(one), found) for one in np.flatnonzero(enough)]
    return tested


def _finding(gate: Gate, cut: Cut, one: int, found: Sliced, p: float) -> SliceFinding:
    metric = METRICS[gate.metric]
    champion, candidate = float(found.champion[one]), float(found.candidate[one])
    estimate, half = candidate - champion, z_factor(gate.confidence) * float(found.error[one])
    interval = Interval(estimate, estimate - half, estimate + half)
    gain = estimate if metric.greater_is_better else -estimate
    failed = p < FAIL_P and gain < -FAIL_MARGINS * gate.margin.absolute(champion)
    rows = int(found.rows[one])
    reason = (
        f"Where {cut.column} is {cut.names[one]}, {change(metric, champion, candidate, interval, gate.confidence)} "
        f"on {rows:,} rows ({_p(p)} after correction)."
    )
    verdict = Verdict.FAIL if failed else Verdict.INCONCLUSIVE
    return SliceFinding(cut.column, cut.names[one], rows, champion, candidate, interval, p, verdict, reason)


def _p(value: float) -> str:
    return "p < 0.0001" if value < 1e-4 else f"p = {value:.2g}"


def _chosen(rows: Rows, features: pa.Table, gate: Gate) -> Iterable[Cut]:
    """The declared columns, and of those with large enough slices the ones with which the answers vary most.

    Labels play no part in that: looking for where it errs most would find what is there by chance.
    """
    declared = [cut for name in gate.slices if (cut := cut_column(name, features[name])) is not None]
    answers = rows.candidate.values
    if answers is None:
        codes = rows.candidate.codes
        answers = np.zeros(len(rows)) if codes is None else codes.astype(np.float64)
    found = []
    if gate.find_slices:
        for name in features.schema.names:
            if name not in gate.slices and name != gate.blocks:
                cut = cut_column(name, features[name])
                share = 0.0 if cut is None else _explained(cut, answers, gate.slice_min_rows)
                if cut is not None and share > 0:
                    found.append((share, name, cut))
    found.sort(key=lambda one: (-one[0], one[1]))
    return declared + [cut for _, _, cut in found[: gate.find_slices]]


def _explained(cut: Cut, answers: Floats, least: int) -> float:
    """The share of the answers' variance that lies between the slices that have enough rows, less what chance alone
    gives so many slices: a column of identifiers explains much and means nothing. 0 where no slice is large enough."""
    counts = np.bincount(cut.codes[cut.codes >= 0], minlength=len(cut.names))
    large = np.flatnonzero(counts >= least)
    inside = np.isin(cut.codes, large)
    if not len(large):
        return 0.0
    codes, values = cut.codes[inside], answers[inside] - answers.mean()
    sums = np.bincount(codes, weights=values, minlength=len(cut.names))
    total = float(np.square(values).sum())
    between = float((np.square(sums) / np.maximum(counts, 1)).sum())
    by_chance = len(large) / max(len(values), 1)
    return max(between / total - by_chance, 0.0) + 1e-12 if total > 0 else 1e-12


def cut_column(name: str, column: pa.ChunkedArray) -> Cut | None:
    """Categories of text, booleans and whole numbers with few values; quartiles of other numbers; None for the rest."""
    kind = column.type
    if pa.types.is_dictionary(kind):
        column, kind = column.cast(kind.value_type), kind.value_type
    if pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_boolean(kind):
        return _categories(name, column)
    if not (pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind)):
        return None
    if pa.types.is_integer(kind) and pc.count_distinct(column).as_py() <= 30:
        return _categories(name, column)
    return _quartiles(name, column.cast(pa.float64(), safe=False).to_numpy())


def _categories(name: str, column: pa.ChunkedArray) -> Cut | None:
    encoded = column.combine_chunks().dictionary_encode()
    if isinstance(encoded, pa.ChunkedArray):
        encoded = encoded.combine_chunks()
    values = encoded.dictionary.to_pylist()
    codes = encoded.indices.fill_null(len(values)).to_numpy(zero_copy_only=False).astype(np.int64)
    names = [str(value)[:60] for value in values] + ["missing"]
    counts = np.bincount(codes, minlength=len(names))
    kept = np.argsort(-counts, kind="stable")[: min(MAX_VALUES, int((counts > 0).sum()))]
    lookup = np.full(len(names), -1, dtype=np.int64)
    lookup[kept] = np.arange(len(kept))
    return Cut(name, lookup[codes], tuple(names[one] for one in kept)) if len(kept) > 1 else None


def _quartiles(name: str, values: Floats) -> Cut | None:
    finite = np.isfinite(values)
    if not finite.any():
        return None
    edges = np.unique(np.quantile(values[finite], [0.25, 0.5, 0.75]))
    low, high = float(values[finite].min()), float(values[finite].max())
    edges = edges[edges > low]
    codes = np.where(finite, np.searchsorted(edges, np.where(finite, values, low), side="right"), len(edges) + 1)
    bounds = [low, *edges.tolist(), high]
    names = [f"{number(bounds[one])} to {number(bounds[one + 1])}" for one in range(len(edges) + 1)] + ["missing"]
    return Cut(name, codes.astype(np.int64), tuple(names)) if len(edges) else None
