"""How a model does on labels that arrive later, held against how it did when it was validated (different rows)."""

from __future__ import annotations

import math

import numpy as np

from lifecycle.verdicts.estimates import estimate
from lifecycle.verdicts.findings import Comparison, Interval
from lifecycle.verdicts.gate import Gate, Margin, Verdict
from lifecycle.verdicts.metrics import METRICS
from lifecycle.verdicts.rows import align
from lifecycle.verdicts.words import change


def measure(
    labels: object,
    predictions: object,
    metric: str,
    *,
    confidence: float = 0.95,
    groups: object | None = None,
    positive: str | None = None,
) -> Interval:
    """One model's metric with its interval; inputs as for ``judge``. This is what a version's manifest keeps."""
    rows = align(labels, predictions, None, METRICS[metric].task, positive)
    blocks = None if groups is None else np.unique(np.asarray(groups), return_inverse=True)[1].astype(np.int64)
    return estimate(metric, rows, confidence, blocks).interval


def realised(
    labels: object,
    predictions: object,
    reference: Interval,
    *,
    metric: str,
    margin: Margin | None = None,
    confidence: float = 0.95,
    groups: object | None = None,
    positive: str | None = None,
    min_rows: int = 30,
) -> Comparison:
    """The metric on a window's labels against ``reference``, the version's own metric when it was validated.

    In the answer ``champion`` is the reference, ``candidate`` the window. The rows differ, so the interval of the
    difference joins both intervals (MOVER, Zou & Donner 2008). FAIL: certainly worse, and by more than the margin
    (default: 10 % of a loss, 0.02 of a share). PASS: certainly not worse by the margin. Raises ValueError for inputs
    that do not fit.
    """
    known = METRICS[metric]
    rows = align(labels, predictions, None, known.task, positive)
    allowed = margin or (Margin(0.02) if known.greater_is_better else Margin(0.1, relative=True))
    window = measure(labels, predictions, metric, confidence=confidence, groups=groups, positive=positive)
    difference = unpaired(window, reference)
    gate = Gate(metric, allowed, confidence=confidence, min_rows=min_rows)
    return _decided(gate, reference, window, difference, len(rows), "on {:,} rows whose labels have arrived")


def expected(
    window: Interval, reference: Interval, *, metric: str, margin: Margin | None = None, rows: int, min_rows: int = 30
) -> Comparison:
    """The same for a metric that was estimated without labels (``Cbpe``, ``expected_loss``)."""
    allowed = margin or (Margin(0.02) if METRICS[metric].greater_is_better else Margin(0.1, relative=True))
    gate = Gate(metric, allowed, min_rows=min_rows)
    difference = unpaired(window, reference)
    return _decided(gate, reference, window, difference, rows, "on {:,} rows", "Estimated without labels: ")


def unpaired(one: Interval, other: Interval) -> Interval:
    """one - other for independent estimates, from their own intervals (MOVER)."""
    estimate_ = one.estimate - other.estimate
    low = math.hypot(one.estimate - one.low, other.high - other.estimate)
    high = math.hypot(one.high - one.estimate, other.estimate - other.low)
    return Interval(estimate_, estimate_ - low, estimate_ + high)


def _decided(
    gate: Gate, reference: Interval, window: Interval, difference: Interval, rows: int, said: str, how: str = ""
) -> Comparison:
    from lifecycle.verdicts.deciding import oriented, verdict_of

    known = METRICS[gate.metric]
    margin = gate.margin.absolute(reference.estimate)
    gain = oriented(difference, known.greater_is_better)
    verdict = verdict_of(gain, margin, require_improvement=False) if rows >= gate.min_rows else Verdict.INCONCLUSIVE
    text = change(known, reference.estimate, window.estimate, difference, gate.confidence)
    return Comparison(
        metric=gate.metric,
        champion=reference.estimate,
        candidate=window.estimate,
        difference=difference,
        margin=margin,
        verdict=verdict,
        rows=rows,
        rows_needed=None,
        reason=f"{how}{text} {said.format(rows)}.",
        better=gain.estimate > 0,
        greater_is_better=known.greater_is_better,
        against="validation",
    )
