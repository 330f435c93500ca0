"""The judgement of a candidate: the metric that decides, the usual others, the dummy, the slices, in one verdict."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import replace

import numpy as np
import pyarrow as pa

from lifecycle.verdicts.baseline import TargetSummary, against_dummy, metric_against_dummy
from lifecycle.verdicts.calibration import calibration_check
from lifecycle.verdicts.deciding import alone, compared, within
from lifecycle.verdicts.dependence import group_codes
from lifecycle.verdicts.estimates import estimate
from lifecycle.verdicts.findings import Check, Comparison, Judgement, Outcome, SliceFinding
from lifecycle.verdicts.gate import Gate, Margin, Verdict, default_margin
from lifecycle.verdicts.losses import applicable
from lifecycle.verdicts.metrics import METRICS, USUAL, Task
from lifecycle.verdicts.rows import Ints, Rows, align
from lifecycle.verdicts.seeds import across_seeds
from lifecycle.verdicts.slices import find_regressions


@np.errstate(over="ignore", invalid="ignore", divide="ignore")  # what is not finite is refused, in a sentence
def judge(
    labels: object,
    candidate: object,
    champion: object | None = None,
    *,
    task: Task | str,
    gate: Gate,
    features: pa.Table | None = None,
    groups: object | None = None,
    baseline: TargetSummary | None = None,
    checks: Iterable[Check] = (),
    seeds: Sequence[object] = (),
) -> Judgement:
    """Judge a candidate on held-back rows by the gate.

    labels, candidate, champion: the same n rows in the same order; numpy, pyarrow or lists. Regression: numbers.
    Classification: classes, or the positive class's probability, or a table with ``prediction`` and
    ``probability_<class>``, or an n x K array of probabilities in the order of the sorted classes.
    features: the held-back rows' columns, for slices and ``gate.blocks``. groups: n block ids instead.
    baseline: what a dummy knows of the training target; without it the dummy knows the held-back labels.
    checks: findings made elsewhere (``data_checks``, cost, repeatability) that belong to the verdict; FAIL fails it.
    seeds: answers of further candidates of the same recipe; the metric that decides is then the average of all.
    Raises ValueError with a sentence for people where the inputs do not fit.
    """
    _fits(gate, Task(task))
    rows = align(labels, candidate, champion, task, gate.positive)
    if features is not None and len(features) != len(rows):
        raise ValueError(f"There are {len(rows):,} labels but {len(features):,} rows of features.")
    blocks = block_numbers(gate, features, groups, len(rows))
    primary = _compared(gate, gate.metric, rows, blocks)
    if seeds and champion is not None:
        primary = across_seeds(labels, [candidate, *seeds], champion, gate=gate, groups=blocks)
    dummy = _baseline(gate, rows, baseline, blocks) if gate.beat_baseline else None
    slices: tuple[SliceFinding, ...] = ()
    tested = 0
    if rows.champion is not None and features is not None:
        slices, tested = find_regressions(rows, features, gate, blocks)
    looked = (*_limits(gate, primary), *calibration_check(rows), *checks)
    verdict = _verdict(primary, dummy, slices, looked)
    sentence = _sentence(primary, dummy, slices, looked)
    others = _others(gate, rows, blocks)
    return Judgement(verdict, primary, others, dummy, slices, looked, sentence, tested)


def _fits(gate: Gate, task: Task) -> None:
    if METRICS[gate.metric].task is not task:
        raise ValueError(f"{gate.metric} is a metric for {METRICS[gate.metric].task}, not for {task}.")


def block_numbers(gate: Gate, features: pa.Table | None, groups: object | None, rows: int) -> Ints | None:
    """n block numbers from 0 without gaps, or None: rows are independent."""
    if groups is None and gate.blocks is not None:
        if features is None or gate.blocks not in features.schema.names:
            raise ValueError(f'There is no column "{gate.blocks}" that says which rows belong together.')
        groups = features[gate.blocks]
    if groups is None:
        return None
    column = groups if isinstance(groups, pa.Array | pa.ChunkedArray) else pa.array(np.asarray(groups))
    if len(column) != rows:
        raise ValueError(f"There are {rows:,} labels but {len(column):,} block ids.")
    return group_codes(column)


def _compared(gate: Gate, metric: str, rows: Rows, blocks: Ints | None, against: str = "champion") -> Comparison:
    found = estimate(metric, rows, gate.confidence, blocks)
    if rows.champion is None:
        return alone(gate, found, metric, len(rows))
    return compared(gate, found, metric, len(rows), against)


def _others(gate: Gate, rows: Rows, blocks: Ints | None) -> tuple[Comparison, ...]:
    """The usual metrics of the task, for people to see; they decide nothing."""
    shown = replace(gate, require_improvement=False)
    names = [name for name in USUAL[rows.task] if name != gate.metric and applicable(name, rows)]
    found = []
    for name in names:
        with suppress(ValueError):  # one that is not defined for these rows is not shown
            found.append(_compared(replace(shown, metric=name, margin=default_margin(name)), name, rows, blocks))
    return tuple(found)


def _baseline(gate: Gate, rows: Rows, summary: TargetSummary | None, blocks: Ints | None) -> Comparison:
    metric = metric_against_dummy(gate.metric)
    strict = replace(gate, metric=metric, margin=Margin(0.0), require_improvement=True)
    return _compared(strict, metric, against_dummy(rows, metric, summary), blocks, against="dummy")


def _limits(gate: Gate, primary: Comparison) -> tuple[Check, ...]:
    outside = within(gate.limits, gate.metric, primary.candidate)
    if gate.limits.at_least is None and gate.limits.at_most is None:
        return ()
    if outside is None:
        return (Check("limits", Outcome.OK, f"{gate.metric} is within its absolute limits."),)
    return (Check("limits", Outcome.FAIL, outside),)


def _verdict(
    primary: Comparison, dummy: Comparison | None, slices: tuple[SliceFinding, ...], checks: tuple[Check, ...]
) -> Verdict:
    """The worst of the metric, the dummy, failed slices and failed checks."""
    each = [primary.verdict] + ([] if dummy is None else [dummy.verdict])
    if any(one.verdict is Verdict.FAIL for one in slices) or any(one.outcome is Outcome.FAIL for one in checks):
        return Verdict.FAIL
    for worst in (Verdict.FAIL, Verdict.INCONCLUSIVE):
        if worst in each:
            return worst
    return Verdict.PASS


def _sentence(
    primary: Comparison,
    dummy: Comparison | None,
    slices: tuple[SliceFinding, ...],
    checks: tuple[Check, ...],
) -> str:
    """The metric's sentence, and whatever else made the verdict what it is."""
    parts = [primary.reason]
    if dummy is not None and dummy.verdict is not Verdict.PASS:
        surely = "does not beat" if dummy.verdict is Verdict.FAIL else "is not surely better than"
        parts.append(f"The candidate {surely} a dummy that answers the same for every row: {dummy.reason}")
    failed = [one for one in slices if one.verdict is Verdict.FAIL]
    if failed and primary.verdict is not Verdict.FAIL:
        parts.append(failed[0].reason)
    parts += [one.sentence for one in checks if one.outcome is Outcome.FAIL]
    return " ".join(part[0].upper() + part[1:] if at else part for at, part in enumerate(parts))
