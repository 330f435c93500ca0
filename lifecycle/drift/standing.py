"""What a row of windows amounts to: nothing, a comment, or a reason to retrain (pure; the newest window last)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from lifecycle.drift.report import Alarm, DriftReport


class Call(StrEnum):
    """What the newest window asks for."""

    NOTHING = "NOTHING"
    COMMENT = "COMMENT"
    RETRAIN = "RETRAIN"


class Signal(StrEnum):
    """What asks for it, the weightiest first."""

    METRIC = "metric"
    PREDICTIONS = "predictions"
    ESTIMATE = "estimate"
    COLUMNS = "columns"


@dataclass(frozen=True, slots=True)
class Standing:
    """clean: windows without an alarm at the end of the row; alarmed: of the last ``of`` windows; signal: of the call,
    None for NOTHING."""

    call: Call
    reason: str
    clean: int
    alarmed: int
    signal: Signal | None = None


def standing(
    windows: Sequence[DriftReport],
    *,
    worse: bool = False,
    probably_worse: bool = False,
    needed: int = 2,
    of: int = 3,
) -> Standing:
    """worse: the realised metric certainly got worse in the newest window; probably_worse: an estimate of it did, which
    counts where columns alarm as well.

    A retrain needs a worse metric; predictions that moved, with an alarm of their own or of columns; or columns that
    alarm in ``needed`` of the last ``of`` windows. Columns that moved once are a comment.
    """
    if not 1 <= needed <= of:
        raise ValueError(f"{needed} of {of} windows can never alarm.")
    recent = [one.verdict is Alarm.ALARM for one in windows[-of:]]
    alarmed, clean = sum(recent), _clean_run(windows)
    newest = windows[-1] if windows else None
    if worse:
        return Standing(Call.RETRAIN, "The model's answers have become worse.", clean, alarmed, Signal.METRIC)
    if newest is None or newest.verdict is Alarm.CLEAN:
        return Standing(Call.NOTHING, "Nothing moved." if newest else "There is no window yet.", clean, alarmed)
    moved = [one for one in newest.moved if one.role == "prediction"]
    if moved and newest.verdict is Alarm.ALARM:  # their own alarm, or columns' that has reached the answers
        reason = f"The model answers differently now: {moved[0].reason}"
        return Standing(Call.RETRAIN, reason, clean, alarmed, Signal.PREDICTIONS)
    if probably_worse and newest.verdict is Alarm.ALARM:
        reason = "Columns moved, and the model's answers are probably worse there."
        return Standing(Call.RETRAIN, reason, clean, alarmed, Signal.ESTIMATE)
    if alarmed >= needed and recent[-1]:
        reason = f"Columns moved in {alarmed} of the last {len(recent)} windows."
        return Standing(Call.RETRAIN, reason, clean, alarmed, Signal.COLUMNS)
    return Standing(Call.COMMENT, newest.sentence, clean, alarmed, Signal.COLUMNS)


def _clean_run(windows: Sequence[DriftReport]) -> int:
    count = 0
    for one in reversed(windows):
        if one.verdict is not Alarm.CLEAN:
            break
        count += 1
    return count
