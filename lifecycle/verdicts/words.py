"""How numbers and changes read in a sentence."""

from __future__ import annotations

import math

from lifecycle.verdicts.findings import Interval
from lifecycle.verdicts.metrics import Metric


def number(value: float) -> str:
    """Three digits that matter: 0.00421, 45.1, 12,345."""
    if value == 0 or not math.isfinite(value):
        return f"{value:g}"
    size = abs(value)
    if size >= 1000:
        return f"{value:,.0f}" if size < 1e9 else f"{value:.3g}"
    if size < 1e-5:
        return f"{value:.2e}"
    decimals = max(0, 2 - math.floor(math.log10(size)))
    return f"{value:.{decimals}f}"


def pair(one: float, other: float) -> tuple[str, str]:
    """Two numbers with as many digits as it takes to tell them apart (up to six that matter)."""
    if one == other:
        return number(one), number(other)
    decimals = 0 if abs(one - other) >= 100 else max(0, 1 - math.floor(math.log10(abs(one - other))))
    size = max(abs(one), abs(other))
    least = max(0, 2 - math.floor(math.log10(size))) if size > 0 else 0
    decimals = min(max(decimals, least), 6 if size > 1e-4 else 12)
    first, second = (f"{round(value, decimals) + 0.0:,.{decimals}f}" for value in (one, other))  # + 0.0: never "-0"
    return first, second


def change(metric: Metric, old: float, new: float, difference: Interval, confidence: float) -> str:
    """As in "mae fell from 45.1 to 31.2 (better by 30 %, 95 % interval 27 % to 34 %)"; shares in the metric's units."""
    before, after = pair(old, new)
    verb = "rose" if new > old else "fell" if new < old else "stayed"
    moved = f"{verb} from {before} to {after}" if new != old else f"stayed at {after}"
    sign = 1.0 if metric.greater_is_better else -1.0
    gain = sign * difference.estimate
    bounds = sorted((sign * difference.low, sign * difference.high))
    word = "better" if gain >= 0 else "worse"
    turn = 1.0 if gain >= 0 else -1.0
    low, high = sorted((turn * bounds[0], turn * bounds[1]))
    relative = not metric.greater_is_better and old > 0
    show = (lambda value: _percent(value / old)) if relative else number
    interval = f"{confidence * 100:g} % interval {show(low)} to {show(high)}"
    return f"{metric.name} {moved} ({word} by {show(abs(gain))}, {interval})"


def _percent(share: float) -> str:
    """A share as a percentage with two digits that matter."""
    value = share * 100
    if abs(value) >= 10 or value == 0:
        return f"{value:.0f} %"
    return f"{value:.1f} %" if abs(value) >= 1 else f"{value:.2g} %"
