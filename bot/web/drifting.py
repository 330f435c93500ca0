"""Drift over time as a drawing: each window's worst column, the thresholds, and the times of drift. Pure."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

from bot.web.format import number
from bot.web.scales import Span, Stretch, Tick, Upright
from lifecycle import Alarm, DriftReport, Episode, Window

HEIGHT = 180  # pixels of the drawing's plane
LEAST = 0.01  # corrected PSI that is nothing; the axis begins there
WARN, ALARM = 0.1, 0.2  # the usual thresholds; a model's own may be higher for columns that follow the seasons
LABELS = 4  # dates under the drawing: as many as a phone has room for


@dataclass(frozen=True, slots=True)
class Point:
    """One window: its place (per cent from the left, pixels from the top), and what it says when pointed at."""

    x: float
    y: float
    verdict: str
    title: str
    run: int


@dataclass(frozen=True, slots=True)
class Chart:
    """Everything that the drawing shows; `changes` are where another version was watched from."""

    height: int
    points: Sequence[Point]
    lines: Sequence[tuple[Point, Point]]
    ticks: Sequence[Tick]
    thresholds: Sequence[tuple[str, Tick]]
    dates: Sequence[Tick]
    shades: Sequence[Stretch]
    changes: Sequence[Tick]
    summary: str


def report_of(plain: Mapping[str, Any]) -> DriftReport | None:
    """The report, if this version can read it."""
    try:
        return DriftReport.from_json(json.dumps(plain))
    except (KeyError, TypeError, ValueError):
        return None


def chart(newest_first: Sequence[Window], episodes: Sequence[Episode]) -> Chart:
    """The drawing of at least one window."""
    windows = sorted(newest_first, key=lambda one: (one.until, one.run))
    span, places = _time(windows), Upright(LEAST, max(1.0, *(one.worst * 1.3 for one in windows)), HEIGHT)
    points = [
        Point(span.at(one.until.timestamp()), places.at(one.worst), one.verdict, _title(one), one.run)
        for one in windows
    ]
    return Chart(
        height=HEIGHT,
        points=points,
        lines=list(pairwise(points)),
        ticks=places.ticks(),
        thresholds=[("warn", Tick(places.at(WARN), f"{WARN}")), ("alarm", Tick(places.at(ALARM), f"{ALARM}"))],
        dates=_dates(span),
        shades=[_shade(span, *ends) for ends in times_of_drift(windows, episodes)],
        changes=[
            Tick(span.at((one.until.timestamp() + other.until.timestamp()) / 2), f"v{other.number}")
            for one, other in pairwise(windows)
            if one.number != other.number
        ],
        summary=_summary(windows),
    )


def times_of_drift(windows: Sequence[Window], episodes: Sequence[Episode]) -> Sequence[tuple[datetime, datetime]]:
    """From each window that alarmed to the first clean one after it; an open episode reaches to the last window."""
    opened = {one.opened_by for one in episodes}
    found: list[tuple[datetime, datetime]] = []
    since: Window | None = None
    still_open = False
    for one in windows:
        if since is None and (one.verdict == Alarm.ALARM or one.run in opened):
            since = one
        still_open = since is not None and (still_open or one.run in opened)
        if since is not None and one.verdict == Alarm.CLEAN and not still_open:
            found.append((since.since, one.since))
            since = None
    return [*found, (since.since, windows[-1].until)] if since else found


def _time(windows: Sequence[Window]) -> Span:
    first, last = windows[0].until, windows[-1].until
    room = max((last - first) * 0.04, (windows[0].until - windows[0].since) / 2, timedelta(hours=1))
    return Span((first - room).timestamp(), (last + room).timestamp())


def _shade(span: Span, start: datetime, end: datetime) -> Stretch:
    left, right = span.at(start.timestamp()), span.at(end.timestamp())
    return Stretch(left, max(1.0, round(right - left, 2)))


def _dates(span: Span) -> Sequence[Tick]:
    long = span.high - span.low > timedelta(days=300).total_seconds()
    short = span.high - span.low < timedelta(days=3).total_seconds()
    form = "%b %Y" if long else "%d %b %H:%M" if short else "%d %b"
    step = (span.high - span.low) / LABELS
    moments = (span.low + step * (index + 0.5) for index in range(LABELS))
    # The zone is UTC throughout, as everywhere on these pages.
    return [Tick(span.at(at), datetime.fromtimestamp(at, tz=UTC).strftime(form).lstrip("0")) for at in moments]


def _title(window: Window) -> str:
    days = f"{window.since:%Y-%m-%d} to {window.until:%Y-%m-%d}"
    worst = next((one.get("name") for one in window.report.get("columns", ()) if isinstance(one, dict)), None)
    column = f" ({worst})" if worst else ""
    return f"{window.verdict}: {days}, v{window.number}, worst PSI {number(window.worst)}{column}, {window.rows:,} rows"


def _summary(windows: Sequence[Window]) -> str:
    last, alarms = windows[-1], sum(one.verdict == Alarm.ALARM for one in windows)
    counted = f"{len(windows)} window{'s' if len(windows) != 1 else ''}, {alarms} with an alarm"
    return f"Drift over time: {counted}; the last one is {last.verdict} with a worst PSI of {number(last.worst)}."
