"""What an answer costs: latency, size, time to load and memory of the candidate, held against the champion's."""

from __future__ import annotations

from dataclasses import dataclass

from lifecycle.verdicts.findings import Check, Outcome
from lifecycle.verdicts.words import number


@dataclass(frozen=True, slots=True)
class Cost:
    """As measured in the sandbox; None where nobody measured. p95_row_ms: of single rows; mb: of the model's files."""

    p95_row_ms: float | None = None
    load_seconds: float | None = None
    mb: float | None = None
    memory_mb: float | None = None


@dataclass(frozen=True, slots=True)
class Budget:
    """times: how much more than the champion's; most: whatever the champion's; least: below it nothing matters."""

    times: float
    most: float
    least: float


BUDGETS = {
    "p95_row_ms": Budget(2.0, 50.0, 3.0),  # a shared machine can be half as fast a minute later
    "load_seconds": Budget(2.0, 30.0, 1.0),
    "mb": Budget(2.0, 200.0, 5.0),
    "memory_mb": Budget(1.5, 2000.0, 50.0),
}
_WORDS = {
    "p95_row_ms": ("answering one row takes", "ms (95th percentile)"),
    "load_seconds": ("loading takes", "s"),
    "mb": ("the model's files take", "MB"),
    "memory_mb": ("memory is", "MB"),
}


def cost_check(candidate: Cost, champion: Cost | None = None) -> Check:
    """WARN where something costs much more than the champion's, or more than its budget."""
    over: list[str] = []
    fine: list[str] = []
    for name, budget in BUDGETS.items():
        value: float | None = getattr(candidate, name)
        if value is None:
            continue
        old: float | None = None if champion is None else getattr(champion, name)
        before, unit = _WORDS[name]
        beside = "" if old is None else f", the champion's {number(old)}"
        words = f"{before} {number(value)} {unit}{beside}"
        dearer = old is not None and value > max(budget.times * old, budget.least)
        (over if dearer or value > budget.most else fine).append(words)
    said = "; ".join(over or fine) or "nothing was measured"
    return Check("cost", Outcome.WARN if over else Outcome.OK, f"{said[0].upper()}{said[1:]}.")
