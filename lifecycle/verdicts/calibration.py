"""Do probabilities mean what they say: mean gap and slope of the candidate's, held against the champion's."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from lifecycle.verdicts.findings import Check, Outcome
from lifecycle.verdicts.rows import Floats, Rows

SLOPES = (0.8, 1.25)
GAP = 0.02
WORSE_THAN_CHAMPION = 0.01
SURE = 2.58  # standard errors; a warning must be more than chance (1 %)
MIN_ROWS = 200
MIN_CLASS = 30
ENOUGH = 200_000  # rows, for a slope to two digits


@dataclass(frozen=True, slots=True)
class Calibration:
    """gap: mean probability minus the share of positives; slope: of logit(truth) on logit(probability), ideally 1
    (Cox 1958); below 1 the answers are too sure, above 1 not sure enough. Each with its standard error."""

    gap: float
    slope: float
    gap_error: float
    slope_error: float


def calibration(labels: Floats, probability: Floats) -> Calibration:
    """labels: n zeros and ones, both present; probability: n, of a one."""
    clipped = np.clip(probability, 1e-6, 1 - 1e-6)
    step = -(-len(labels) // ENOUGH)
    slope, error = _slope(labels[::step], np.log(clipped / (1 - clipped))[::step])
    gap_error = float(np.std(labels - probability)) / math.sqrt(len(labels))
    return Calibration(float(probability.mean() - labels.mean()), slope, gap_error, error)


def _slope(labels: Floats, logit: Floats) -> tuple[float, float]:
    """Logistic regression with one input by Newton's method; 2 parameters, so 25 steps are plenty."""
    if np.ptp(logit) == 0:
        return 0.0, 0.0
    centre, spread = float(logit.mean()), float(logit.std())
    inputs = np.column_stack([np.ones(len(logit)), (logit - centre) / spread])
    beta, information = np.zeros(2), np.eye(2)
    for _ in range(25):
        chance = 1 / (1 + np.exp(-np.clip(inputs @ beta, -30, 30)))
        weights = np.maximum(chance * (1 - chance), 1e-9)
        information = inputs.T @ (inputs * weights[:, None]) + 1e-9 * np.eye(2)
        step = np.linalg.solve(information, inputs.T @ (labels - chance))
        beta = beta + np.clip(step, -4, 4)
        if np.abs(step).max() < 1e-9:
            break
    return float(beta[1] / spread), float(math.sqrt(np.linalg.inv(information)[1, 1]) / spread)


def calibration_check(rows: Rows) -> tuple[Check, ...]:
    """One check where there are probabilities and enough rows; nothing otherwise. It warns, it never fails.

    Two classes: the positive one's probability. Several: that of the class that is answered, against being right.
    """
    if rows.task != "classification" or len(rows.classes) < 2 or rows.candidate.probabilities is None:
        return ()
    own = _measured(rows, rows.candidate.probabilities)
    if own is None:
        return ()
    other = None
    if rows.champion is not None and rows.champion.probabilities is not None:
        other = _measured(rows, rows.champion.probabilities)
    return (Check("calibration", *_outcome(own, other)),)


def _measured(rows: Rows, table: Floats) -> Calibration | None:
    """None where too few rows are of one kind."""
    if len(rows.classes) == 2:
        came, said = rows.codes.astype(np.float64), table[:, 1]
    else:
        came, said = (table.argmax(axis=1) == rows.codes).astype(np.float64), table.max(axis=1)
    ones = int(came.sum())
    if len(rows) < MIN_ROWS or min(ones, len(rows) - ones) < MIN_CLASS:
        return None
    return calibration(came, said)


def _outcome(own: Calibration, other: Calibration | None) -> tuple[Outcome, str]:
    allowed = GAP if other is None else max(GAP, abs(other.gap) + WORSE_THAN_CHAMPION)
    words = []
    if abs(own.gap) > max(allowed, SURE * own.gap_error):
        words.append(f"probabilities are {'too high' if own.gap > 0 else 'too low'} by {abs(own.gap):.3f} on average")
    low, high = SLOPES
    if other is not None:
        low, high = min(low, other.slope), max(high, other.slope)
    if own.slope < min(low, 1 - SURE * own.slope_error):
        words.append(f"answers are too sure (slope {own.slope:.2f})")
    elif own.slope > max(high, 1 + SURE * own.slope_error):
        words.append(f"answers are not sure enough (slope {own.slope:.2f})")
    size = f"{own.gap:+.3f} on average, slope {own.slope:.2f}"
    if words:
        text = " and ".join(words)
        return Outcome.WARN, f"{text[0].upper()}{text[1:]}."
    if abs(own.gap) <= GAP and SLOPES[0] <= own.slope <= SLOPES[1]:
        return Outcome.OK, f"Probabilities mean what they say (off by {size})."
    if other is not None and abs(own.gap) <= allowed and low <= own.slope <= high:
        return Outcome.OK, f"Probabilities are off by {size}, no more than the champion's."
    return Outcome.OK, f"Probabilities are off by {size}, which so few rows do not tell from chance."
