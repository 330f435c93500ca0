"""From an interval to one of three verdicts, the rows that would make it clear, and the sentence that says so."""

from __future__ import annotations

import math
from dataclasses import replace

from lifecycle.verdicts.estimates import Estimate
from lifecycle.verdicts.findings import Comparison, Interval
from lifecycle.verdicts.gate import Gate, Limits, Verdict
from lifecycle.verdicts.metrics import METRICS
from lifecycle.verdicts.words import change, number


def oriented(interval: Interval, greater_is_better: bool) -> Interval:
    """The same interval with the sign that makes more of it better."""
    return interval if greater_is_better else Interval(-interval.estimate, -interval.high, -interval.low)


def verdict_of(gain: Interval, margin: float, require_improvement: bool) -> Verdict:
    """The gate's rule on a difference where positive is better (docs/verdicts.md has its measured error rates).

    PASS: certainly not worse by the margin or more. FAIL: certainly worse, and by more than the margin as far as seen.
    With ``require_improvement`` PASS is: certainly better; FAIL: certainly not.
    """
    if require_improvement:
        return Verdict.PASS if gain.low > 0 else Verdict.FAIL if gain.high <= 0 else Verdict.INCONCLUSIVE
    if gain.low > -margin or gain.low == gain.high == 0:
        return Verdict.PASS
    return Verdict.FAIL if gain.high < 0 and gain.estimate < -margin else Verdict.INCONCLUSIVE


def rows_needed(gain: Interval, margin: float, require_improvement: bool, rows: int) -> int | None:
    """Rows at which the interval is as narrow as the margin: n (half-width / margin)^2; None where no number would do.

    Where that is already so, the rows at which the difference seen would be clear of the nearer border.
    """
    half = gain.half_width
    if not require_improvement and margin > 0 and half > margin:
        return _rows(rows, half / margin)
    near_zero = require_improvement or gain.estimate <= -margin
    distance = abs(gain.estimate) if near_zero else gain.estimate + margin
    return _rows(rows, half / distance) if distance > 0 else None


def _rows(rows: int, times_narrower: float) -> int | None:
    """An interval shrinks with the square root of the rows."""
    return math.ceil(rows * times_narrower**2) if times_narrower < 1e6 else None


def compared(gate: Gate, found: Estimate, metric: str, rows: int, against: str = "champion") -> Comparison:
    """The comparison of two models by one metric, decided; ``found`` must have a champion's value."""
    known = METRICS[metric]
    if found.champion is None:
        raise ValueError("There is no champion to compare with.")
    margin = gate.margin.absolute(found.champion)
    gain = oriented(found.interval, known.greater_is_better)
    verdict = verdict_of(gain, margin, gate.require_improvement)
    same = found.interval.low == found.interval.high == 0
    if rows < gate.min_rows and not same:
        verdict = Verdict.INCONCLUSIVE
    needed = rows_needed(gain, margin, gate.require_improvement, rows) if verdict is Verdict.INCONCLUSIVE else None
    if needed is not None and needed <= rows:
        needed = gate.min_rows if rows < gate.min_rows else rows + 1
    comparison = Comparison(
        metric=metric,
        champion=found.champion,
        candidate=found.candidate,
        difference=found.interval,
        margin=margin,
        verdict=verdict,
        rows=rows,
        rows_needed=needed,
        reason="",
        better=gain.estimate > 0,
        greater_is_better=known.greater_is_better,
        against=against,
    )
    return replace(comparison, reason=_reason(gate, comparison, found))


def _reason(gate: Gate, one: Comparison, found: Estimate) -> str:
    on = f"on {one.rows:,} held-back rows"
    if one.champion is None or found.interval.low == found.interval.high == 0:
        return f"{one.metric} is {number(one.candidate)}, the same as the {one.against}'s, {on}."
    text = f"{change(METRICS[one.metric], one.champion, one.candidate, found.interval, gate.confidence)} {on}"
    margin = f"{one.margin:.3g}"
    match one.verdict:
        case Verdict.PASS:
            return f"{text}." if one.better else f"{text}: within the margin of {margin}."
        case Verdict.FAIL:
            return (
                f"{text}; an improvement is required."
                if gate.require_improvement
                else f"{text}; the margin is {margin}."
            )
    if one.rows < gate.min_rows:
        return f"{text}: fewer than {gate.min_rows} rows tell nothing."
    more = f"; about {_round(one.rows_needed):,} rows would tell" if one.rows_needed else ""
    return f"{text}: not distinguishable{more}."


def _round(value: int) -> int:
    """Two digits are all that such an estimate deserves; upwards."""
    step = int(10 ** max(len(str(value)) - 2, 0))
    return -(-value // step) * step


def within(limits: Limits, metric: str, value: float) -> str | None:
    """A sentence if the candidate's value is outside the absolute limits."""
    if limits.at_least is not None and value < limits.at_least:
        return f"{metric} is {number(value)}; at least {number(limits.at_least)} is asked."
    if limits.at_most is not None and value > limits.at_most:
        return f"{metric} is {number(value)}; at most {number(limits.at_most)} is asked."
    return None


def alone(gate: Gate, found: Estimate, metric: str, rows: int) -> Comparison:
    """The metric of a candidate that has no champion to be compared with: it passes as far as this goes."""
    low, high = number(found.interval.low), number(found.interval.high)
    reason = (
        f"{metric} is {number(found.candidate)} ({gate.confidence * 100:g} % interval {low} to {high}) "
        f"on {rows:,} held-back rows; there is no champion to compare with."
    )
    return Comparison(
        metric, None, found.candidate, None, None, Verdict.PASS, rows, None, reason,
        greater_is_better=METRICS[metric].greater_is_better,
    )  # fmt: skip
