"""What a monitoring run's comment says: what moved, how the model did, and what became of it."""

from typing import Any

from bot.wording.words import cell, name, plain
from lifecycle import Run, Stage, StageRecord


def monitored(monitor: StageRecord) -> list[str]:
    """The lines."""
    return [monitor.note, "", *_columns(monitor), "", *_follows(monitor)]


def answers_worse(run: Run) -> bool:
    """Whether the labels that have arrived say so."""
    record = run.stage(Stage.MONITOR)
    found = record.result.get("performance", {}) if record else {}
    return bool(found) and found["how"] == "realised" and found["verdict"] == "FAIL"


def _columns(monitor: StageRecord) -> list[str]:
    columns = [one for one in monitor.result.get("report", {}).get("columns", []) if one["verdict"] != "CLEAN"]
    if not columns:
        return []
    rows = [f"| {name(one['name'])} | {one['verdict'].lower()} | {cell(_what(one))} |" for one in columns[:8]]
    more = [f"\n… and {len(columns) - 8} more, on the run's page."] if len(columns) > 8 else []
    return ["| column | | what changed |", "|---|---|---|", *rows, *more]


def _what(column: dict[str, Any]) -> str:
    """What changed, without the column's name, which stands beside it."""
    return str(column["reason"]).removeprefix(f"{column['name']}: ")


def _follows(monitor: StageRecord) -> list[str]:
    """What the window did to the retrain item."""
    said = {
        "open": "A retrain item was opened.",
        "reopen": "The retrain item was opened again.",
        "keep": "The open retrain item was brought up to date.",
        "count": "The open retrain item counts it as a clean window.",
        "close": "The retrain item was closed.",
        "remark": f"No item was opened. {plain(str(monitor.result.get('because', '')))}",
    }.get(str(monitor.result.get("step")), "")
    return [said, ""] if said else []
