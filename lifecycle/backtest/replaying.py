"""Replays history window by window: what would have alarmed, and what a retraining would have gained."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import numpy as np
import pyarrow as pa

from lifecycle.backtest.history import History, read_history
from lifecycle.backtest.workshop import Made, Workshop
from lifecycle.dailies import Seen
from lifecycle.drift import Alarm, Call, DriftReport, Profile, compare, profile, standing
from lifecycle.executors import Executor
from lifecycle.performance import estimated
from lifecycle.project import Model
from lifecycle.reference import PROFILE, left_out
from lifecycle.troubles import BadData
from lifecycle.usual import watch_of
from lifecycle.verdicts import Comparison, Gate, Margin, NotDefined, judge, measure, realised

FEWEST = 30


@dataclass(frozen=True, slots=True)
class Asked:
    """What is to be replayed: files of history, the length of windows, and how many of them are learnt from first.

    `labels`: let the realised metric alarm, as if labels came at once. `keep`: never put a retrained version to work.
    """

    data: tuple[str, ...]
    window: str
    learn: int = 3
    labels: bool = False
    keep: bool = False


@dataclass(frozen=True, slots=True)
class Turn:
    """One window: what it looked like to version `version`, how that did, and how the first version would have done.

    `gain`: of a version trained up to the end of this window over the one before, in the next window.
    """

    since: datetime
    until: datetime
    rows: int
    version: int
    report: DriftReport
    call: Call
    reason: str
    value: float | None
    first: float | None
    gain: Comparison | None = None


@dataclass(slots=True)
class Replay:
    """All windows, and the metric they are measured by."""

    model: str
    metric: str
    turns: list[Turn] = field(default_factory=list)
    retrained: int = 0


def replay(
    name: str, model: Model, repository: Path, asked: Asked, executor: Executor, root: Path, said: Callable[[str], None]
) -> Replay:
    """Train on the first windows, then go through the others. Raises BadData and Trouble with what to do."""
    history = read_history(asked.data, model)
    windows = history.windows(asked.window)
    if len(windows) <= asked.learn:
        raise BadData(
            f"The data holds {len(windows)} windows of {asked.window}, of which {asked.learn} are learnt from; "
            "there must be more."
        )
    shop = Workshop(repository, root, executor, model, history, said)
    rows = history.between(windows[0][0], windows[asked.learn - 1][1]).stop
    said(f"training v1 on {rows:,} rows, to {windows[asked.learn - 1][1]:%Y-%m-%d}")
    watcher = _Watcher(model, history, asked, shop, shop.make(rows))
    found = Replay(name, model.metric)
    for place in range(asked.learn, len(windows)):
        following = windows[place + 1] if place + 1 < len(windows) else None
        turn = watcher.turn(windows[place], following)
        found.turns += [turn] if turn else []
    found.retrained = len(shop.made) - 1
    return found


@dataclass(slots=True)
class _Watcher:
    model: Model
    history: History
    asked: Asked
    shop: Workshop
    serving: Made
    reports: list[DriftReport] = field(default_factory=list)
    rows: list[int] = field(default_factory=list)

    def turn(self, span: tuple[datetime, datetime], following: tuple[datetime, datetime] | None) -> Turn | None:
        """Look at one window; None where it holds no row."""
        part = self.history.between(*span)
        if part.stop == part.start:
            return None
        made = self.serving
        report, seen = self._compared(part)
        found = self._realised(made, part)
        guess = estimated(self.model, made.measured, made.known, seen) if report.verdict != Alarm.CLEAN else None
        needed, of = self.model.monitor.needed
        now = standing(
            [*self.reports[-of:], report],
            worse=self.asked.labels and found is not None and found.verdict == "FAIL",
            probably_worse=not self.asked.labels and guess is not None and guess.verdict == "FAIL",
            needed=needed,
            of=of,
        )
        self.reports.append(report)
        gain = self._retrain(part, following) if now.call is Call.RETRAIN and following else None
        self.shop.said(f"{span[0]:%Y-%m-%d} to {span[1]:%Y-%m-%d}: {report.verdict}, {now.call}")
        first = self._value(self.shop.made[0], part)
        value = self._value(made, part)
        return Turn(*span, report.rows, made.number, report, now.call, now.reason, value, first, gain)

    def _compared(self, part: slice) -> tuple[DriftReport, Seen]:
        made, rows = self.serving, self.history.rows.slice(part.start, part.stop - part.start)
        table = rows.drop_columns(left_out(self.model, rows.column_names))
        for name in made.answers.column_names:
            table = table.append_column(name, made.answers.column(name).slice(part.start, part.stop - part.start))
        reference = Profile.from_bytes((made.package / PROFILE).read_bytes())
        usual = float(np.median(self.rows)) if len(self.rows) >= 3 else None
        self.rows.append(table.num_rows)
        seen = profile(table, like=reference)
        sample = table.take(pa.array(range(0, table.num_rows, -(-table.num_rows // 20_000))))
        return compare(reference, seen, watch_of(self.model, made.package, usual)), Seen(seen, sample)

    def _realised(self, made: Made, part: slice) -> Comparison | None:
        reference = made.measured.metrics.get(self.model.metric)
        if reference is None or part.stop - part.start < FEWEST:
            return None
        asked = self.model.monitor.margin
        with suppress(NotDefined):
            return realised(
                self._labels(part),
                made.answers.slice(part.start, part.stop - part.start),
                reference,
                metric=self.model.metric,
                margin=Margin.parse(asked) if asked else None,
                groups=self.history.days(part),
                positive=self.model.validate_.positive,
            )
        return None

    def _labels(self, part: slice) -> pa.ChunkedArray:
        return self.history.rows.column(self.model.target).slice(part.start, part.stop - part.start)

    def _value(self, made: Made, part: slice) -> float | None:
        answers = made.answers.slice(part.start, part.stop - part.start)
        try:
            found = measure(self._labels(part), answers, self.model.metric, positive=self.model.validate_.positive)
        except ValueError:
            return None  # not defined for so few rows
        return found.estimate

    def _retrain(self, part: slice, following: tuple[datetime, datetime]) -> Comparison | None:
        """Train on everything up to the end of this window, and hold both versions against the next one."""
        self.shop.said(f"training v{len(self.shop.made) + 1} on {part.stop:,} rows")
        before, after = self.serving, self.shop.make(part.stop)
        if not self.asked.keep:
            self.serving, self.reports, self.rows = after, [], []
        later = self.history.between(*following)
        if later.stop - later.start < FEWEST:
            return None
        answers = [one.answers.slice(later.start, later.stop - later.start) for one in (after, before)]
        gate = Gate.of(self.model.metric, self.model.validate_.margin or None, positive=self.model.validate_.positive)
        days: Sequence[str] = self.history.days(later)
        return judge(self._labels(later), *answers, task=self.model.task, gate=gate, groups=np.array(days)).primary
