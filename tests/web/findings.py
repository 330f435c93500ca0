"""Reports as validation and monitoring leave them, for the pages' tests."""

from typing import Any

from lifecycle.drift import Alarm, ColumnDrift, DriftReport
from lifecycle.verdicts import Check, Comparison, Interval, Judgement, Outcome, SliceFinding, Verdict

# What a validate stage keeps besides its judgement.
EVIDENCE: dict[str, Any] = {
    "costs": {
        "candidate": {"p95_row_ms": 4.1, "load_seconds": 0.3, "mb": 1.4, "memory_mb": 210.0},
        "champion": {"p95_row_ms": 2.2, "load_seconds": 0.3, "mb": 1.1, "memory_mb": None},
    },
    "reproducible": {"sentence": "Run 7 gave the same answers.", "digests": {"data": "d" * 64, "code": "c" * 64}},
    "baseline": {"version": 3, "commit": "a" * 40, "age_days": 120, "rows": 2142},
    "changed": {
        "data": True,
        "requirements": False,
        "parameters": {"max_depth": [4, 6]},
        "here": ["train.py"],
        "others": [{"sha": "b" * 40, "author": "Jonas `Berg`", "subject": "Faster", "files": ["train.py"]}],
        "others_count": 9,
        "elsewhere": 2,
    },
}


def comparison(metric: str, old: float | None, new: float, half: float, verdict: Verdict, **more: Any) -> Comparison:
    """A metric of two models, its difference with an interval of that half width."""
    difference = None if old is None else Interval(new - old, new - old - half, new - old + half)
    values: dict[str, Any] = {"margin": None if old is None else 0.02 * abs(old), "greater_is_better": False, **more}
    better = None if old is None else (new > old) == values["greater_is_better"]
    said = f"{metric} is {new:g}" if old is None else f"{metric} went from {old:g} to {new:g} on 536 held-back rows"
    return Comparison(
        metric, old, new, difference, values.pop("margin"), verdict, 536, None, f"{said}.", better, **values
    )


CHECKS = (
    Check("overlap", Outcome.OK, "No held-back row is also a training row."),
    Check("time", Outcome.OK, "Training ends on 2025-02-21, before the first held-back row."),
    Check("speed", Outcome.WARN, "One row takes 4.1 ms at the 95th percentile; the champion took 2.2 ms."),
)


def judgement(verdict: Verdict = Verdict.PASS, old: float | None = 45.1, new: float = 38.2) -> Judgement:
    """A whole report: five metrics, the baseline, slices where it got worse, and checks."""
    ratio = 1.0 if old is None else new / old
    others = (
        comparison("rmse", old and 66.3, 66.3 * ratio, 3.4, verdict),
        comparison("r2", old and 0.832, 0.832 + (1 - ratio) * 0.3, 0.02, verdict, greater_is_better=True),
        comparison("mape", old and 0.41, 0.41 * ratio, 0.19, Verdict.INCONCLUSIVE),
    )
    slices: tuple[SliceFinding, ...] = ()
    if verdict is Verdict.FAIL and old:
        slices = (
            _slice("weathersit", "light rain", 214, old, 1.31, Verdict.FAIL),
            _slice("hr", "17 to 19", 402, old, 1.12, Verdict.INCONCLUSIVE),
        )
    said = {"PASS": "better by 15 %", "FAIL": "worse by 23 %", "INCONCLUSIVE": "not distinguishable"}[verdict]
    sentence = f"mae went from {old} to {new:g} ({said}, 95 % interval 12 % to 34 %) on 536 held-back rows."
    return Judgement(
        verdict=verdict,
        primary=comparison("mae", old, new, 2.1, verdict),
        others=others,
        baseline=comparison("mae", 121.0, new, 6.0, Verdict.PASS, margin=0.0, against="mean of the training rows"),
        slices=slices,
        checks=CHECKS,
        sentence=sentence if old else f"mae is {new:g}; there is no champion to compare with.",
        slices_tested=46,
    )


def _slice(name: str, value: str, rows: int, old: float, worse: float, verdict: Verdict) -> SliceFinding:
    difference = Interval(old * (worse - 0.9), old * 0.1, old * (2 * worse - 1.9))
    said = f"Where {name} is {value}, mae rose by half on {rows} rows (p = 0.004 after correction)."
    return SliceFinding(name, value, rows, old * 0.9, old * worse, difference, 0.004, verdict, said)


def drift_report(worst: float) -> DriftReport:
    """A window whose worst column has that corrected PSI."""
    verdict = Alarm.ALARM if worst >= 0.2 else Alarm.WARN if worst >= 0.1 else Alarm.CLEAN
    moved = "mostly higher: median 0.61 instead of 0.24" if worst > 0.1 else "as in training"
    columns = (
        ColumnDrift("temp", "numeric", 1e-9, worst + 0.01, worst, min(0.99, worst / 2), verdict, f"temp is {moved}."),
        ColumnDrift("hum", "numeric", 0.2, 0.05, 0.03, 0.08, Alarm.CLEAN, "hum is as in training."),
        ColumnDrift("sky", "category", 0.6, 0.02, 0.004, None, Alarm.CLEAN, "sky is as in training.", missing=0.012),
        ColumnDrift("answer", "numeric", 0.01, worst, worst / 2.2, 0.2, Alarm.CLEAN, "It moved along.", "prediction"),
    )  # fmt: skip
    count = sum(one.verdict is not Alarm.CLEAN for one in columns)
    sentence = (
        f"{count} of 4 columns moved, temp most (PSI {worst:g})." if count else "All 4 columns are as in training."
    )
    return DriftReport(verdict, columns, 743, sentence, 2142, {"instant": "it counts rows"}, (), ())
