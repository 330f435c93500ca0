"""The validation report: the verdict and one plain sentence first, then what led to it."""

from collections.abc import Mapping
from typing import Any

from bot.wording.words import cell, name, number, signed
from lifecycle import Comparison, Judgement

ICONS = {"PASS": "✅", "FAIL": "❌", "INCONCLUSIVE": "⚖️", "OK": "✅", "WARN": "⚠️"}
MOST_SLICES = 5


def judgement_of(result: Mapping[str, Any]) -> Judgement | None:
    """The judgement that a validate stage found, if it found one."""
    import json

    found = result.get("judgement")
    return Judgement.from_json(json.dumps(found)) if found else None


def report(judged: Judgement, champion: int | None) -> list[str]:
    """The report's lines, without its heading."""
    against = f"v{champion} (serves now)" if champion else "none"
    lines = [
        judged.sentence,
        "",
        f"| metric | champion: {against} | candidate | difference | |",
        "|---|--:|--:|--:|---|",
    ]
    lines += [_row(one, bold=one is judged.primary) for one in (judged.primary, *judged.others)]
    if judged.baseline is not None:
        lines += ["", f"{_icon(judged.baseline.verdict)} **Baseline.** {judged.baseline.reason}"]
    lines += _slices(judged)
    loud = [check for check in judged.checks if check.outcome != "OK"]
    if loud:
        lines += ["", "**Checks**", "", *(f"- {_icon(check.outcome)} {check.sentence}" for check in loud)]
    return lines + _details(judged)


def _row(one: Comparison, bold: bool) -> str:
    difference = one.difference
    shown = "–"
    if difference is not None:
        shown = f"{signed(difference.estimate)} [{signed(difference.low)}, {signed(difference.high)}]"
    metric = f"**{one.metric}**" if bold else one.metric
    arrow = "↑" if one.greater_is_better else "↓"
    return f"| {metric} {arrow} | {number(one.champion)} | {number(one.candidate)} | {shown} | {_mark(one, bold)} |"


def _mark(one: Comparison, bold: bool) -> str:
    if bold:
        return f"{_icon(one.verdict)} {one.verdict}"
    if one.difference is None:
        return ""
    sure = one.difference.low > 0 or one.difference.high < 0
    return ("better" if one.better else "worse") if sure else "no clear difference"


def _slices(judged: Judgement) -> list[str]:
    worse = judged.slices[:MOST_SLICES]
    if not worse:
        return []
    lines = ["", "**Where it got worse**", "", "| slice | rows | champion | candidate | difference | |"]
    lines += ["|---|--:|--:|--:|--:|---|"]
    for one in worse:
        difference = f"{signed(one.difference.estimate)} [{signed(one.difference.low)}, {signed(one.difference.high)}]"
        where = f"{cell(one.name)} = {name(one.value)}"
        values = f"{number(one.champion)} | {number(one.candidate)} | {difference}"
        lines.append(f"| {where} | {one.rows:,} | {values} | {_icon(one.verdict)} |")
    if len(judged.slices) > MOST_SLICES:
        lines.append(f"\n… and {len(judged.slices) - MOST_SLICES} more, on the run's page.")
    return lines


def _details(judged: Judgement) -> list[str]:
    quiet = [check for check in judged.checks if check.outcome == "OK"]
    rows = judged.primary.rows_needed
    lines = [f"- {check.sentence}" for check in quiet]
    if judged.verdict == "INCONCLUSIVE" and rows:
        lines.append(f"- A clear answer would need about {rows:,} held-back rows; there are {judged.primary.rows:,}.")
    lines.append("- ↓: less is better, ↑: more is better. The brackets hold the difference with 95 % confidence; both "
                 "models predicted the same held-back rows without seeing the answers.")  # fmt: skip
    return ["", "<details><summary>How this was judged</summary>", "", *lines, "", "</details>"]


def _icon(verdict: str) -> str:
    return ICONS.get(verdict, "")
