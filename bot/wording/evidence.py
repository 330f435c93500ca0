"""What stands behind a verdict, folded under the report: age, changes, cost, data, digests, how to repeat it. Pure.

Every part is left out where the stage's result does not have it: older runs know less.
"""

import json
from collections.abc import Mapping
from typing import Any

from bot.arguments import asked_for
from bot.wording.style import Style
from bot.wording.words import cell, name, number, plain, sha
from bot.world import World
from lifecycle import Judgement, Run, Stage

MOST_CHANGES = 5
OLD_DAYS = 90
COSTS = (
    ("p95_row_ms", "one row, 95th percentile", "ms"),
    ("load_seconds", "loading", "s"),
    ("mb", "the model's files", "MB"),
    ("memory_mb", "memory", "MB"),
)

Facts = Mapping[str, Any]


def context(result: Facts) -> list[str]:
    """Above the fold, two lines at most: how old the champion is, and what else has changed since it was made."""
    return [line for line in (_age(result.get("baseline")), _changed(result.get("changed"))) if line]


def _age(baseline: Facts | None) -> str:
    if not baseline:
        return ""
    days = int(baseline.get("age_days") or 0)
    age = "today" if days == 0 else "a day ago" if days == 1 else f"{days:,} days ago"
    rows = f", on {baseline['rows']:,} rows" if baseline.get("rows") else ""
    old = " That is long ago: `/retrain` would make a fairer rival." if days >= OLD_DAYS else ""
    return f"**Compared with** v{baseline['version']}, made {age} from {sha(str(baseline['commit']))}{rows}.{old}"


def _changed(changed: Facts | None) -> str:
    """Who else changed what since: a difference may be theirs."""
    if not changed:
        return ""
    parts = []
    others = list(changed.get("others") or [])
    count = int(changed.get("others_count") or len(others))
    if count:
        who = list(dict.fromkeys(plain(str(one.get("author", "")), 40) for one in others))
        more = " and others" if len(who) > 3 else ""
        parts.append(f"{_count(count, 'change')} by {', '.join(who[:3])}{more}")
    parts += ["other data"] if changed.get("data") else []
    parts += ["other packages"] if changed.get("requirements") else []
    names = list(changed.get("parameters") or {})
    parts += [f"{_count(len(names), 'other parameter')}"] if names else []
    return f"**Since then also** {'; '.join(parts)}." if parts else ""


def details(run: Run, judged: Judgement, result: Facts, world: World, style: Style) -> list[str]:
    """The folded parts."""
    validate = run.stage(Stage.TRAIN)
    trained: Facts = validate.result if validate else {}
    lines = style.folded("How this was judged", _judging(judged, result))
    lines += style.folded("Latency and cost", _costs(result.get("costs")))
    lines += style.folded("Data", _data(judged, trained))
    lines += style.folded("What changed since the champion", _changes(result.get("changed"), run, world))
    lines += style.folded(
        "Configuration, digests, how to reproduce", _configuration(run, judged, result, trained, style)
    )
    return lines


def _judging(judged: Judgement, result: Facts) -> list[str]:
    one = judged.primary
    lines = [f"- {plain(judged.sentence, 1500)}"]
    if judged.verdict == "INCONCLUSIVE" and one.rows_needed:
        lines.append(f"- A clear answer would need about {one.rows_needed:,} held-back rows; there are {one.rows:,}.")
    if judged.baseline is not None:
        lines.append(f"- Against a dummy that answers the same for every row: {plain(judged.baseline.reason, 400)}")
    if judged.slices_tested:
        lines.append(f"- {judged.slices_tested} slices were tested, corrected for their number (Holm).")
    blocks = result.get("blocks")
    if blocks:
        lines.append(f"- Rows of the same {plain(str(blocks['by']), 80)} count as one: {blocks['groups']:,} groups.")
    lines += [f"- Calibration: {plain(check.sentence)}" for check in judged.checks if check.name == "calibration"]
    lines += _seeds(result.get("seeds"))
    lines.append("- ↓: less is better, ↑: more is better. The brackets hold the difference with 95 % confidence; both "
                 "models predicted the same held-back rows without seeing the answers.")  # fmt: skip
    return lines


def _seeds(seeds: Facts | None) -> list[str]:
    sentence = (seeds or {}).get("why")
    return [f"- {plain(str(sentence), 500)}"] if sentence else []


def _costs(costs: Facts | None) -> list[str]:
    if not costs or not costs.get("candidate"):
        return []
    own, theirs = costs["candidate"], costs.get("champion") or {}
    rows = [
        f"| {words} | {_measured(theirs.get(key), unit)} | {_measured(own.get(key), unit)} |"
        for key, words, unit in COSTS
        if own.get(key) is not None
    ]
    return ["| measured in the sandbox | champion | candidate |", "|---|--:|--:|", *rows] if rows else []


def _measured(value: Any, unit: str) -> str:
    return "–" if value is None else f"{number(float(value))} {unit}"


def _data(judged: Judgement, trained: Facts) -> list[str]:
    lines = []
    for key, words in (("trained_on", "trained on"), ("held_back_span", "held back")):
        span = trained.get(key)
        rows = trained.get("rows" if key == "trained_on" else "held_back")
        if rows:
            when = f", {plain(str(span[0]), 40)} to {plain(str(span[1]), 40)}" if span else ""
            lines.append(f"- {words}: {rows:,} rows{when}")
    return lines + [f"- {plain(one.name, 40)}: {plain(one.sentence)}" for one in judged.checks if one.outcome == "OK"]


def _changes(changed: Facts | None, run: Run, world: World) -> list[str]:
    if not changed:
        return []
    lines = [f"- this commit: {cell(name(str(path)[:200]))}" for path in list(changed.get("here") or [])[:10]]
    for key, (old, new) in list((changed.get("parameters") or {}).items())[:20]:
        lines.append(f"- parameter {name(str(key)[:60])}: {_value(old)} → {_value(new)}")
    for one in list(changed.get("others") or [])[:MOST_CHANGES]:
        where = f"[{sha(str(one['sha']))}]({world.commit_page(run.spec.project, str(one['sha']))})"
        lines.append(f"- {where} {plain(str(one.get('subject', '')), 100)}, by {plain(str(one.get('author', '')), 60)}")
    more = int(changed.get("others_count") or 0) - MOST_CHANGES
    lines += [f"- … and {_count(more, 'more change')} that touch this model"] if more > 0 else []
    elsewhere = int(changed.get("elsewhere") or 0)
    return lines + ([f"- {_count(elsewhere, 'change')} elsewhere in the repository"] if elsewhere else [])


def _configuration(run: Run, judged: Judgement, result: Facts, trained: Facts, style: Style) -> list[str]:
    one, repeat = judged.primary, result.get("reproducible") or {}
    asked = asked_for(run.spec.options)
    params = json.dumps(dict(run.spec.params), ensure_ascii=False, sort_keys=True)
    margin = "" if one.margin is None else f", margin {number(one.margin)}"
    lines = [f"- decided by {one.metric}{margin}" + "".join(f", {name(f'{k}={v}')}" for k, v in asked.items())]
    lines.append(f"- parameters asked for: {name(params[:1500])}")
    if repeat.get("sentence"):
        lines.append(f"- {plain(str(repeat['sentence']), 500)}")
    lines += _digests(repeat.get("digests"), trained, style)
    commands = [
        f"git checkout {run.spec.commit}",
        "export LIFECYCLE_DATA=rows.parquet LIFECYCLE_OUTPUT=out  # the training rows, an empty folder",
        f"LIFECYCLE_PARAMS={_quoted(params[:1500])} …  # the command that lifecycle.yaml names as train",
        f"python -m lifecycle judge --labels … --champion … --candidate … --metric {one.metric}",
    ]
    return [*lines, "", "```sh", *commands, "```"]


def _digests(digests: Facts | None, trained: Facts, style: Style) -> list[str]:
    known = dict(digests or {})
    if "data" not in known and trained.get("data_version"):
        known["data"] = trained["data_version"]
    if style is Style.PLAIN and known:  # nothing is folded there: what tells them apart will do
        short = ", ".join(f"{plain(key, 30)} {name(str(value)[:12])}" for key, value in known.items())
        return [f"- sha256: {short}"]
    return [f"- sha256 of {plain(key, 30)}: {name(str(value)[:64])}" for key, value in known.items()]


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "'\\''").replace("\n", " ") + "'"


def _value(value: object) -> str:
    return name(json.dumps(value, ensure_ascii=False, default=str)[:80])


def _count(count: int, noun: str) -> str:
    return f"{count:,} {noun}" + ("" if count == 1 else "s")
