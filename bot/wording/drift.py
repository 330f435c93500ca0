"""The item of an episode of drift: what happened to whom, with the evidence, kept up to date."""

from collections.abc import Sequence
from typing import Any

from bot.wording.words import cell, day, moment, name, number, plain
from bot.world import World
from lifecycle import Episode, Outcome, Size, Window

ICONS = {"ALARM": "🔴", "WARN": "🟡", "CLEAN": "🟢"}
WORDS = {1: "critical", 2: "high", 3: "medium", 4: "low"}
BARS = "▁▂▃▄▅▆▇█"
MOST_WINDOWS, MOST_BARS, MOST_COLUMNS = 8, 24, 5


def drift_item(episode: Episode, windows: Sequence[Window], world: World) -> tuple[str, str]:
    """Title and text; `windows` newest first."""
    seen = [window for window in windows if window.run >= episode.opened_by]
    since = day(seen[-1].since) if seen else day(episode.opened)
    metric = _signal(episode) == "metric"
    what = "answers worse than it did" if metric else "is asked about what it did not learn"
    title = f"Retrain {episode.model}: since {since} it {what}"
    lines = [
        _opening(episode, since, world, _estimated_worse(seen)),
        "",
        *_metric(seen),
        *_worst(seen),
        *_trend(seen),
        *_table(seen, world),
    ]
    return title, "\n".join([*lines, "", *_state(episode)])


def drift_over(episode: Episode, world: World) -> str:
    """What is said when the episode closes."""
    model = _model(episode, world)
    if episode.outcome is Outcome.OVER:
        return (
            f"**Over.** v{episode.retrained or episode.champion} of {model} serves, and what it is asked looks like "
            "what it was trained on. This item closes itself."
        )
    serving = f"v{episode.retrained or episode.champion}"
    kept = (
        f"{model} {serving} still serves. The same drift opens no item again; one that is clearly larger, is in other "
        "columns or befalls another version does."
    )
    if episode.outcome is Outcome.WONTFIX:
        because = f": {plain(episode.note, 500)}" if episode.note else "."
        return f"**Not to be mended**, says {name(episode.by)}{because}\n\n{kept}"
    return f"**Closed by hand.** {kept}"


def drift_back(episode: Episode, windows: Sequence[Window], world: World) -> str:
    """What is said when an item opens again."""
    model = _model(episode, world)
    if episode.by:
        return f"**Open again**, because {episode.by}. What {model} is asked is watched on."
    why = windows[0].said if windows else ""
    return f"**It is back.** {plain(why, 500)} This is the same item as before, since that was not long ago."


def snooze_over(windows: Sequence[Window]) -> str:
    """What is said when the time of silence has passed and the drift has not."""
    return f"**The snooze is over, and the drift is still there.** {plain(windows[0].said if windows else '', 500)}"


def remark(window: Window, world: World, because: str) -> str:
    """What is told without an item: columns that moved once, or what somebody did not want mended."""
    page = f"[run {window.run}]({world.run_page(window.run)})"
    model = f"[{name(window.model)}]({world.page(f'models/{window.project}/{window.model}')}) v{window.number}"
    span = f"{day(window.since)} to {day(window.until)}"
    if window.call == "NOTHING":
        heading = f"### ✅ {name(window.model)} is asked what it was trained for"
        return f"{heading}\n\nWhat had moved is as in training again ({page})."
    moved = [one for one in window.report.get("columns", []) if one["verdict"] != "CLEAN"]
    lines = [f"### 🟡 Requests to {name(window.model)} have moved", ""]
    lines += [f"From {span}, {model} was asked about rows unlike its training data ({page}):", ""]
    lines += [f"- {_reason(one)}" for one in moved[:MOST_COLUMNS]]
    lines += [f"- {plain(one)}" for one in window.report.get("notes", [])]
    return "\n".join([*lines, "", f"No item was opened. {plain(because, 500)}"])


def severity(episode: Episode) -> int:
    """1 (worst) to 4."""
    return Size.of(episode.size).severity if episode.size else 3


def _signal(episode: Episode) -> str:
    return Size.of(episode.size).signal


def _model(episode: Episode, world: World) -> str:
    return f"[{name(episode.model)}]({world.page(f'models/{episode.project}/{episode.model}')})"


def _estimated_worse(seen: Sequence[Window]) -> bool:
    """Whether the newest that is known of how well it does is an estimate, and a bad one."""
    found = next((window.performance for window in seen if window.performance), {})
    return found.get("how") == "estimated" and found.get("verdict") == "FAIL"


def _opening(episode: Episode, since: str, world: World, estimated_worse: bool) -> str:
    who = f"{_model(episode, world)} v{episode.champion}"
    match _signal(episode):
        case "metric":
            what = f"Since {since}, the answers of {who} are clearly worse than when it was validated."
        case "predictions" if estimated_worse:
            what = (
                f"Since {since}, {who} is asked about situations that it did not learn from. It answers differently "
                "than it ever did in training, and is probably wrong more often than when it was validated."
            )
        case "predictions":
            what = (
                f"Since {since}, {who} is asked about situations that it did not learn from, and it answers "
                "differently than it ever did in training; how good these answers are, it cannot know."
            )
        case "estimate":
            what = (
                f"Since {since}, {who} is asked about rows on which it is probably wrong more often than when it was "
                "validated."
            )
        case _:
            what = (
                f"Since {since}, what {who} is asked no longer looks like what it learnt from, so its answers there "
                "are guesses."
            )
    return f"{what} Training it again on newer data is the usual remedy: `/retrain` in a comment here."


def _metric(seen: Sequence[Window]) -> list[str]:
    """How well the model does, as far as that is known."""
    found = next((window.performance for window in seen if window.performance), None)
    return [f"**How well it does.** {plain(str(found['sentence']), 600)}", ""] if found else []


def _worst(seen: Sequence[Window]) -> list[str]:
    alarming = next((window for window in seen if window.verdict == "ALARM"), None)
    columns: list[dict[str, Any]] = list(alarming.report.get("columns", [])) if alarming else []
    moved = [one for one in columns if one["verdict"] != "CLEAN"]
    if not moved:
        return []
    more = [f"- … and {len(moved) - MOST_COLUMNS} more columns"] if len(moved) > MOST_COLUMNS else []
    return ["**What changed most**", "", *(f"- {_reason(one)}" for one in moved[:MOST_COLUMNS]), *more, ""]


def _reason(column: dict[str, Any]) -> str:
    """The column's name as code, the rest as text: names and values come from outside."""
    own, said = str(column["name"]), str(column["reason"])
    rest = said.removeprefix(f"{own}: ").removeprefix(own).strip()
    return f"{name(own)}: {plain(rest)}"


def _trend(seen: Sequence[Window]) -> list[str]:
    """How far the worst column was off in each window, as bars, oldest first."""
    if len(seen) < 3:
        return []
    far = [max(window.worst, 0.0) ** 0.5 for window in seen[:MOST_BARS]][::-1]  # roots, or one outlier hides the rest
    top = max(*far, 0.01)
    bars = "".join(BARS[min(round(one / top * (len(BARS) - 1)), len(BARS) - 1)] for one in far)
    return [f"**Trend**, oldest window first: {bars}", ""]


def _table(seen: Sequence[Window], world: World) -> list[str]:
    measured = any(window.performance for window in seen[:MOST_WINDOWS])
    metric = next((str(window.performance["metric"]) for window in seen if window.performance), "")
    extra, rule = (f" {metric} |", "--:|") if measured else ("", "")
    lines = [f"| window | requests | version | worst column | PSI |{extra} | evidence |"]
    lines += [f"|---|--:|---|---|--:|{rule}---|---|"]
    for window in seen[:MOST_WINDOWS]:
        span = cell(f"{window.since:%Y-%m-%d} – {window.until:%Y-%m-%d}")
        evidence = f"[run {window.run}]({world.run_page(window.run)})"
        shown = f" {_value(window)} |" if measured else ""
        lines.append(
            f"| {span} | {window.rows:,} | v{window.number} | {_worst_name(window)} | {window.worst:.2f} |{shown} "
            f"{ICONS.get(window.verdict, '')} {window.verdict.lower()} | {evidence} |"
        )
    return lines


def _worst_name(window: Window) -> str:
    columns = window.report.get("columns", [])
    return name(str(columns[0]["name"])) if columns and columns[0]["verdict"] != "CLEAN" else "–"


def _value(window: Window) -> str:
    if not window.performance:
        return "–"
    about = "≈ " if window.performance.get("how") == "estimated" else ""
    return f"{about}{number(window.performance['candidate'])}"


def _state(episode: Episode) -> list[str]:
    """Where the item stands, and what can be said to it."""
    if episode.closed:
        return ["This item is closed."]
    lines = [f"Severity: {WORDS[severity(episode)]}."]
    if episode.reopened:
        lines[0] += f" It came back {'once' if episode.reopened == 1 else f'{episode.reopened} times'}."
    if episode.snoozed:
        lines.append(f"Snoozed until {moment(episode.snoozed)} by {name(episode.by)}: until then it is not updated.")
    lines.append(_ending(episode))
    lines.append(
        "In a comment: `/retrain` trains again, `/snooze 14d` keeps this quiet for a while, `/wontfix reason` closes "
        "it and remembers, `/autoclose off` leaves closing to people."
    )
    return [line for one in lines for line in (one, "")][:-1]


def _ending(episode: Episode) -> str:
    clean = f" Clean windows in a row: {episode.clean}." if episode.clean else ""
    if not episode.autoclose:
        return f"It stays open until somebody closes it.{clean}"
    if episode.retrained:
        return f"v{episode.retrained} was promoted since; the item closes itself when its windows are clean.{clean}"
    return (
        f"It stays one item while the drift lasts, and closes itself after a promoted retrain and clean windows.{clean}"
    )
