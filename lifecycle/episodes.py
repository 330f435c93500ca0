"""What becomes of an alarm: a new item, the one there was, a remark, silence; and when an item closes itself (pure)."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from lifecycle.drift import Call, Signal, Standing
from lifecycle.monitoring import Monitoring
from lifecycle.watching import Episode, Outcome, Window

SAME = 1.25  # times what somebody has seen and did not want mended: windows vary, and only more than that is news
WORST, BAD = 2.0, 0.5  # corrected PSI


class Step(StrEnum):
    """What a window does to the item."""

    NOTHING = "nothing"
    REMARK = "remark"
    OPEN = "open"
    REOPEN = "reopen"
    KEEP = "keep"
    COUNT = "count"
    CLOSE = "close"


@dataclass(frozen=True, slots=True)
class Size:
    """How far things have moved: `columns` are corrected PSIs of those that alarm, `metric` how much worse in margins.

    `signal` is the weightiest reason so far.
    """

    signal: str = ""
    columns: Mapping[str, float] = field(default_factory=dict)
    metric: float | None = None

    @classmethod
    def of(cls, plain: Mapping[str, Any]) -> "Size":
        """From what an episode keeps."""
        return cls(plain.get("signal", ""), dict(plain.get("columns", {})), plain.get("metric"))

    @classmethod
    def seen(cls, window: Window, signal: Signal | None) -> "Size":
        """What one window shows."""
        moved = [one for one in window.report.get("columns", ()) if one["verdict"] == "ALARM"]
        columns = {str(one["name"]): float(one["psi_corrected"] or WORST) for one in moved}
        return cls(signal.value if signal else "", columns, worse_by(window) if signal is Signal.METRIC else None)

    def plain(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)

    def joined(self, other: "Size") -> "Size":
        """The larger of both, of each."""
        columns = dict(self.columns)
        for name, psi in other.columns.items():
            columns[name] = max(psi, columns.get(name, 0.0))
        metrics = [one for one in (self.metric, other.metric) if one is not None]
        order = [one.value for one in Signal]
        signals = sorted((one for one in (self.signal, other.signal) if one), key=order.index)
        return Size(next(iter(signals), ""), columns, max(metrics, default=None))

    def within(self, other: "Size") -> bool:
        """Whether this is no more than what the other was: the same columns, none clearly further, no worse metric."""
        if self.metric is not None and (other.metric is None or self.metric > other.metric * SAME):
            return False
        return all(psi <= other.columns.get(name, 0.0) * SAME for name, psi in self.columns.items())

    @property
    def severity(self) -> int:
        """1 (worst) to 4: answers that got worse weigh more than answers that moved, and these more than columns."""
        far = max(self.columns.values(), default=0.0)
        if self.metric is not None:
            return 1 if self.metric >= 2 else 2
        if self.signal in (Signal.PREDICTIONS, Signal.ESTIMATE):
            return 1 if far >= WORST else 2
        return 2 if far >= WORST else 3 if far >= BAD else 4


@dataclass(frozen=True, slots=True)
class Decision:
    """What is done, to which episode, and one sentence why where that is not plain."""

    step: Step
    episode: Episode | None = None
    sentence: str = ""


def worse_by(window: Window) -> float | None:
    """By how many margins the metric got worse; None where it did not, or is not known."""
    found = window.performance
    if not found or found.get("verdict") != "FAIL" or not found.get("margin") or not found.get("difference"):
        return None
    return abs(float(found["difference"]["estimate"])) / float(found["margin"])


def decide(
    now: Standing, window: Window, open_one: Episode | None, closed: Sequence[Episode], rules: Monitoring, at: datetime
) -> Decision:
    """What a window does. `closed` are the model's ended episodes, newest first."""
    if open_one is not None:
        return _going_on(now, window, open_one, rules)
    if now.call is Call.NOTHING:
        return Decision(Step.NOTHING)
    if now.call is Call.COMMENT:
        return Decision(Step.REMARK, sentence="Columns moved once: no item before they stay away.")
    return _asked_for(Size.seen(window, now.signal), now, window, closed, rules, at)


def _asked_for(
    size: Size, now: Standing, window: Window, closed: Sequence[Episode], rules: Monitoring, at: datetime
) -> Decision:
    last = closed[0] if closed else None
    if last is None or last.closed is None:
        return Decision(Step.OPEN)
    unwanted = last.outcome in (Outcome.WONTFIX, Outcome.HAND) and _serving(last) == window.number
    if unwanted and size.within(Size.of(last.size)):
        how = "said not to mend this" if last.outcome is Outcome.WONTFIX else "closed the item"
        return Decision(Step.REMARK, last, f"{last.by or 'Somebody'} {how}, and it is no worse than it was then.")
    if now.signal is not Signal.METRIC and at < last.closed + rules.length("cool_down"):
        return Decision(Step.REMARK, last, f"The last item was closed less than {rules.cool_down} ago.")
    if at < last.closed + rules.length("reopen"):
        return Decision(Step.REOPEN, last)
    return Decision(Step.OPEN)


def _serving(episode: Episode) -> int:
    return episode.retrained or episode.champion


def _going_on(now: Standing, window: Window, episode: Episode, rules: Monitoring) -> Decision:
    if now.call is Call.RETRAIN or window.verdict == "ALARM":
        return Decision(Step.KEEP, episode)
    if window.verdict != "CLEAN" and not only_volume(window):
        return Decision(Step.NOTHING, episode)
    unknown = Size.of(episode.size).signal == Signal.METRIC and not window.performance
    if window.run <= episode.counted or unknown:
        return Decision(Step.NOTHING, episode)
    served = episode.retrained is not None and window.number == episode.retrained
    if not served or episode.clean + 1 < rules.clean_windows:
        return Decision(Step.COUNT, episode)
    if episode.autoclose and rules.autoclose:
        return Decision(Step.CLOSE, episode)
    return Decision(Step.COUNT, episode, "It is over, and closing the item is left to people.")


def only_volume(window: Window) -> bool:
    """Whether nothing but the number of requests was odd."""
    return all(one["verdict"] == "CLEAN" for one in window.report.get("columns", ()))
