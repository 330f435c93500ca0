"""What the commands print: reports as JSON for programs, as a few aligned lines for people."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lifecycle.drift import DriftReport
    from lifecycle.verdicts import Judgement


def drift_text(report: DriftReport) -> str:
    """The verdict, then a line for each column."""
    lines = [f"{report.verdict}: {report.sentence}", ""]
    rows = [("column", "verdict", "PSI", "p", "KS", "")]
    for one in report.columns:
        psi, p, ks = (f"{value:.3g}" if value is not None else "" for value in (one.psi_corrected, one.p, one.ks))
        rows.append((one.name, one.verdict.value, psi, p, ks, one.reason if one.verdict.value != "CLEAN" else ""))
    lines += _aligned(rows)
    lines += [f"Not watched: {name} ({why})." for name, why in report.unwatched.items()]
    return "\n".join(lines + ([f"Not in training: {', '.join(report.extra)}."] if report.extra else []))


def _aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    widths = [max(len(row[at]) for row in rows) for at in range(len(rows[0]))]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]


def judged_json(found: Judgement) -> str:
    """One line: the metric that decides at the top, the rest beside it."""
    whole = json.loads(found.to_json())
    interval = found.primary.difference
    flat = {key: whole["primary"][key] for key in ("metric", "champion", "candidate", "margin", "rows", "rows_needed")}
    flat |= {"difference": None, "low": None, "high": None}
    if interval is not None:
        flat |= {"difference": interval.estimate, "low": interval.low, "high": interval.high}
    rest = {key: whole[key] for key in ("schema", "verdict", "sentence", "slices", "checks", "others", "baseline")}
    return json.dumps(rest | flat | {"greater_is_better": found.primary.greater_is_better}, ensure_ascii=False)


def judged_text(found: Judgement) -> str:
    """The verdict, a table of metrics, then slices and checks."""
    from lifecycle.verdicts.words import number

    rows = [("metric", "champion", "candidate", "difference", "interval", "verdict")]
    for one in (found.primary, *found.others):
        change = one.difference
        old = "" if one.champion is None else number(one.champion)
        cells = (
            ("", "") if change is None else (number(change.estimate), f"{number(change.low)} to {number(change.high)}")
        )
        rows.append((one.metric, old, number(one.candidate), *cells, one.verdict.value))
    lines = [f"{found.verdict}: {found.sentence}", "", *_aligned(rows)]
    lines += [f"Slice, {one.verdict}: {one.reason}" for one in found.slices]
    return "\n".join(lines + [f"Check, {one.outcome}: {one.sentence}" for one in found.checks])
