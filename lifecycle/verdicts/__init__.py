"""Is the candidate good enough? Metrics, paired intervals, the gate, slices and checks; no network, no database.

What computes (numpy, scipy) is imported when first asked for: the names here cost an idle process nothing.
"""

from typing import TYPE_CHECKING

from lifecycle.verdicts.findings import Check, Comparison, Interval, Judgement, Outcome, SliceFinding
from lifecycle.verdicts.gate import Gate, Limits, Margin, Verdict, default_margin, misfit
from lifecycle.verdicts.metrics import METRICS, USUAL, Metric, NotDefined, Task, names_of

if TYPE_CHECKING:
    from lifecycle.verdicts.baseline import TargetSummary
    from lifecycle.verdicts.cbpe import Cbpe
    from lifecycle.verdicts.checks import data_checks
    from lifecycle.verdicts.costs import Cost, cost_check
    from lifecycle.verdicts.direct_loss import expected_loss
    from lifecycle.verdicts.judging import judge
    from lifecycle.verdicts.late import expected, measure, realised
    from lifecycle.verdicts.plots import plot_facts
    from lifecycle.verdicts.seeds import across_seeds, spread_exceeds

__all__ = [
    "METRICS",
    "USUAL",
    "Cbpe",
    "Check",
    "Comparison",
    "Cost",
    "Gate",
    "Interval",
    "Judgement",
    "Limits",
    "Margin",
    "Metric",
    "NotDefined",
    "Outcome",
    "SliceFinding",
    "TargetSummary",
    "Task",
    "Verdict",
    "across_seeds",
    "cost_check",
    "data_checks",
    "default_margin",
    "expected",
    "expected_loss",
    "judge",
    "measure",
    "misfit",
    "names_of",
    "plot_facts",
    "realised",
    "spread_exceeds",
]

_HEAVY = {
    "Cbpe": "cbpe",
    "Cost": "costs",
    "TargetSummary": "baseline",
    "across_seeds": "seeds",
    "cost_check": "costs",
    "data_checks": "checks",
    "expected": "late",
    "expected_loss": "direct_loss",
    "judge": "judging",
    "measure": "late",
    "plot_facts": "plots",
    "realised": "late",
    "spread_exceeds": "seeds",
}


def __getattr__(name: str) -> object:
    if name not in _HEAVY:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    import importlib

    return getattr(importlib.import_module(f"{__name__}.{_HEAVY[name]}"), name)
