"""Do probabilities mean what they say: mean gap and slope of the candidate's, held against the champion's."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lifecycle.verdicts.findings import Check, Outcome
from lifecycle.verdicts.rows import Floats, Rows

SLOPES = (0.8, 1.25)
GAP = 0.02
WORSE_THAN_CHAMPION = 0.01
MIN_ROWS = 200
MIN_CLASS = 30
ENOUGH = 200_000  # rows, for a slope to two digits


@dataclass(frozen=True, slots=True)
class Calibration:
    """gap: mean probability minus the share of positives; slope: of logit(truth) on logit(probability), ideally 1
    (Cox 1958); below 1 the answers are too sure, above 1 not sure enough."""

    gap: float
    slope: float


def calibration(labels: Floats, probability: Floats) -> Calibration:
    """labels: n zeros and ones, both present; probability: n, of a one."""
    clipped = np.clip(probability, 1e-6, 1 - 1e-6)
    step = -(-len(labels) // ENOUGH)
    slope = _slope(labels[::step], np.log(clipped / (1 - clipped))[::step])
    return Calibration(float(probability.mean() - labels.mean()), slope)


def _slope(labels: Floats, logit: Floats) -> float:
    """Logistic regression with one input by Newton's method; 2 parameters, so 25 steps are plenty."""
    if np.ptp(logit) == 0:
        return 0.0
    centre, spread = float(logit.mean()), float(logit.std())
    inputs = np.column_stack([np.ones(len(logit)), (logit - centre) / spread])
    beta = np.zeros(2)
    for _ in range(25):
        chance = 1 / (1 + np.exp(-np.clip(inputs @ beta, -30, 30)))
        weights = np.maximum(chance * (1 - chance), 1e-9)
        step = np.linalg.solve(inputs.T @ (inputs * weights[:, None]) + 1e-9 * np.eye(2), inputs.T @ (labels - chance))
        beta = beta + np.clip(step, -4, 4)
        if np.abs(step).max() < 1e-9:
            break
    return float(beta[1] / spread)


def calibration_check(rows: Rows) -> tuple[Check, ...]:
    """One check for two classes with probabilities and enough rows; nothing otherwise. It warns, it never fails."""
    if rows.task != "classification" or len(rows.classes) != 2 or rows.candidate.probabilities is None:
        return ()
    ones = int(rows.codes.sum())
    if len(rows) < MIN_ROWS or min(ones, len(rows) - ones) < MIN_CLASS:
        return ()
    labels = rows.codes.astype(np.float64)
    own = calibration(labels, rows.candidate.probabilities[:, 1])
    other = None
    if rows.champion is not None and rows.champion.probabilities is not None:
        other = calibration(labels, rows.champion.probabilities[:, 1])
    return (Check("calibration", *_outcome(own, other)),)


def _outcome(own: Calibration, other: Calibration | None) -> tuple[Outcome, str]:
    allowed = GAP if other is None else max(GAP, abs(other.gap) + WORSE_THAN_CHAMPION)
    words = []
    if abs(own.gap) > allowed:
        words.append(f"probabilities are {'too high' if own.gap > 0 else 'too low'} by {abs(own.gap):.3f} on average")
    low, high = SLOPES
    if other is not None:
        low, high = min(low, other.slope), max(high, other.slope)
    if own.slope < low:
        words.append(f"answers are too sure (slope {own.slope:.2f})")
    elif own.slope > high:
        words.append(f"answers are not sure enough (slope {own.slope:.2f})")
    if words:
        text = " and ".join(words)
        return Outcome.WARN, f"{text[0].upper()}{text[1:]}."
    size = f"{own.gap:+.3f} on average, slope {own.slope:.2f}"
    if other is not None and (abs(own.gap) > GAP or not SLOPES[0] <= own.slope <= SLOPES[1]):
        return Outcome.OK, f"Probabilities are off by {size}, no more than the champion's."
    return Outcome.OK, f"Probabilities mean what they say (off by {size})."
