"""The item of an episode of drift: what happened to whom, with the evidence, kept up to date."""

from collections.abc import Sequence
from typing import Any

from bot.wording.words import cell, day, name
from bot.world import World
from lifecycle import Episode, Window

ICONS = {"ALARM": "🔴", "WARN": "🟡", "CLEAN": "🟢"}
MOST_WINDOWS = 8


def drift_item(episode: Episode, windows: Sequence[Window], world: World) -> tuple[str, str]:
    """Title and text; `windows` newest first."""
    seen = [window for window in windows if window.run >= episode.opened_by]
    first = seen[-1] if seen else None
    since = day(first.since) if first else day(episode.opened)
    title = f"Retrain {episode.model}: requests since {since} are unlike its training data"
    lines = [_opening(episode, since, world), "", *_worst(seen), *_table(seen, world), "", _ending(episode)]
    return title, "\n".join(lines)


def drift_over(episode: Episode, world: World) -> str:
    """What is said when the episode closes."""
    page = world.page(f"models/{episode.project}/{episode.model}")
    if episode.retrained:
        return (
            f"**Over.** v{episode.retrained} of [{name(episode.model)}]({page}) serves, and what it is asked looks "
            "like what it was trained on. This item closes itself."
        )
    return (
        f"**Closed by hand.** [{name(episode.model)}]({page}) v{episode.champion} still serves; a new alarm opens a "
        "new item."
    )


def severity(episode: Episode, world: World) -> int:
    """1 (worst) to 4, by how far the worst column of the newest alarm has moved."""
    windows = world.life.shop.watching.windows(episode.project, episode.model, limit=20)
    worst = max((window.worst for window in windows if window.run >= episode.opened_by), default=0.0)
    return 1 if worst >= 2 else 2 if worst >= 0.5 else 3


def _opening(episode: Episode, since: str, world: World) -> str:
    page = world.page(f"models/{episode.project}/{episode.model}")
    return (
        f"Since {since}, what [{name(episode.model)}]({page}) v{episode.champion} is asked no longer looks like what "
        "it learnt from, so its answers there are guesses. Training it again on newer data is the usual remedy: "
        "`/retrain` in a comment here."
    )


def _worst(seen: Sequence[Window]) -> list[str]:
    alarming = next((window for window in seen if window.verdict == "ALARM"), None)
    columns: list[dict[str, Any]] = list(alarming.report.get("columns", [])) if alarming else []
    moved = [one for one in columns if one["verdict"] != "CLEAN"]
    if not moved:
        return []
    lines = ["**What changed most**", "", *(f"- {one['reason']}" for one in moved[:5])]
    return [*lines, *([f"- … and {len(moved) - 5} more columns"] if len(moved) > 5 else []), ""]


def _table(seen: Sequence[Window], world: World) -> list[str]:
    lines = ["| window | requests | compared with | worst PSI | | evidence |", "|---|--:|---|--:|---|---|"]
    for window in seen[:MOST_WINDOWS]:
        span = cell(f"{window.since:%Y-%m-%d} – {window.until:%Y-%m-%d}")
        evidence = f"[run {window.run}]({world.run_page(window.run)})"
        lines.append(
            f"| {span} | {window.rows:,} | v{window.number} | {window.worst:.2f} | "
            f"{ICONS.get(window.verdict, '')} {window.verdict.lower()} | {evidence} |"
        )
    return lines


def _ending(episode: Episode) -> str:
    if episode.closed:
        return "This item is closed."
    if episode.retrained:
        return f"v{episode.retrained} was promoted since; the item closes itself after a clean window."
    return (
        "The item stays one item while the drift lasts, and closes itself after a promoted retrain and a clean window."
    )
