"""A replay as a table for people and as JSON for programs (pure)."""

import json
from typing import Any

from lifecycle.backtest.replaying import Replay, Turn
from lifecycle.drift import Call
from lifecycle.verdicts.words import number

SCHEMA = 1
CALLS = {Call.NOTHING: "–", Call.COMMENT: "comment", Call.RETRAIN: "RETRAIN ITEM"}


def as_table(found: Replay) -> str:
    """Aligned columns, what happened first, and the sums below."""
    rows: list[tuple[str, ...]] = [
        ("window", "rows", "by", "verdict", "what would have happened", found.metric, "v1's", "gain in the next")
    ]
    rows += [_row(turn) for turn in found.turns]
    widths = [max(len(row[at]) for row in rows) for at in range(len(rows[0]))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    reasons = [f"{turn.since:%Y-%m-%d}: {turn.reason}" for turn in found.turns if turn.call is Call.RETRAIN]
    return "\n".join([*lines, "", _sum(found), *([""] if reasons else []), *reasons])


def _row(turn: Turn) -> tuple[str, ...]:
    gain = turn.gain.difference if turn.gain else None
    sign = 1 if turn.gain and turn.gain.greater_is_better else -1
    shown = ""
    if gain is not None:
        low, high = sorted((sign * gain.low, sign * gain.high))
        shown = f"{number(sign * gain.estimate)} [{number(low)}, {number(high)}]"
    return (
        f"{turn.since:%Y-%m-%d} – {turn.until:%Y-%m-%d}",
        f"{turn.rows:,}",
        f"v{turn.version}",
        str(turn.report.verdict),
        CALLS[turn.call],
        "" if turn.value is None else number(turn.value),
        "" if turn.first is None else number(turn.first),
        shown,
    )


def _means(found: Replay) -> tuple[float | None, float | None]:
    """The metric over all windows, each weighted by its rows: as watched, and of the first version throughout."""
    known = [turn for turn in found.turns if turn.value is not None and turn.first is not None]
    rows = sum(turn.rows for turn in known)
    if not rows:
        return None, None
    return tuple(sum((getattr(turn, name) or 0.0) * turn.rows for turn in known) / rows for name in ("value", "first"))  # type: ignore[return-value]


def _sum(found: Replay) -> str:
    items = sum(turn.call is Call.RETRAIN for turn in found.turns)
    remarks = sum(turn.call is Call.COMMENT for turn in found.turns)
    watched, never = _means(found)
    said = (
        f"{len(found.turns)} windows: {items} would have asked for a retraining, {remarks} would have been a comment."
    )
    if watched is None or never is None:
        return said
    return f"{said} {found.metric} on average {number(watched)}, without any retraining {number(never)}."


def as_json(found: Replay) -> str:
    """One line: schema, model, metric, windows (each with its columns that moved), and the sums."""
    watched, never = _means(found)
    plain = {
        "schema": SCHEMA,
        "model": found.model,
        "metric": found.metric,
        "retrained": found.retrained,
        "mean": watched,
        "mean_without_retraining": never,
        "windows": [_plain(turn) for turn in found.turns],
    }
    return json.dumps(plain, ensure_ascii=False, allow_nan=False)


def _plain(turn: Turn) -> dict[str, Any]:
    gain = turn.gain.difference if turn.gain else None
    return {
        "since": turn.since.isoformat(),
        "until": turn.until.isoformat(),
        "rows": turn.rows,
        "version": turn.version,
        "verdict": str(turn.report.verdict),
        "call": str(turn.call),
        "reason": turn.reason,
        "value": turn.value,
        "first_version": turn.first,
        "columns": [
            {"name": one.name, "verdict": str(one.verdict), "psi_corrected": one.psi_corrected, "reason": one.reason}
            for one in turn.report.moved
        ],
        "gain": None if gain is None else {"difference": gain.estimate, "low": gain.low, "high": gain.high},
    }
