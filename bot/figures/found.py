"""Which figures a validation has, and what each shows; from the stage's result, whatever version wrote it. Pure."""

import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from lifecycle import Comparison, Judgement

GOOD, BAD, CALM = "good", "bad", "calm"
LONGEST = 34  # characters of a row's name
MOST_ROWS = 12
FAR = 4.0  # times the first row's reach: what lies beyond is cut, so that one wild interval leaves the rest readable


@dataclass(frozen=True, slots=True)
class Reach:
    """A difference with its interval, as shares of the champion's value and turned so that more is better."""

    name: str
    low: float
    middle: float
    high: float
    margin: float | None = None
    rows: int = 0

    @property
    def tone(self) -> str:
        """Surely better, surely worse, or neither."""
        return GOOD if self.low > 0 else BAD if self.high < 0 else CALM


@dataclass(frozen=True, slots=True)
class Intervals:
    """Differences one below the other; `name` is the figure's place in an address."""

    name: str
    title: str
    alt: str
    rows: tuple[Reach, ...]


@dataclass(frozen=True, slots=True)
class Point:
    """One bin of rows."""

    x: float
    low: float
    y: float
    high: float
    rows: int


@dataclass(frozen=True, slots=True)
class Series:
    """One model's bins."""

    name: str
    points: tuple[Point, ...]


@dataclass(frozen=True, slots=True)
class Bins:
    """What two models did in bins of their answers. `diagonal`: right is y = x (calibration); else y = 0."""

    name: str
    title: str
    alt: str
    x: str
    y: str
    series: tuple[Series, ...]
    diagonal: bool


Figure = Intervals | Bins


def figures_of(result: Mapping[str, Any]) -> tuple[Figure, ...]:
    """The figures of a validate stage's result; none where this version cannot read it or there is nothing to draw."""
    judged = judgement_of(result)
    if judged is None:
        return ()
    plots: Mapping[str, Any] = result.get("plots") or {}
    found: list[Figure | None] = [_differences(judged, result.get("champion"))]
    with suppress(KeyError, TypeError, ValueError, AttributeError):
        found += [_slices(judged, plots), _calibration(plots), _residuals(plots)]
    return tuple(figure for figure in found if figure)


def judgement_of(result: Mapping[str, Any]) -> Judgement | None:
    """The judgement that a validate stage found, if it found one that this version can read."""
    try:
        return Judgement.from_json(json.dumps(result["judgement"]))
    except (KeyError, TypeError, ValueError, AttributeError):
        return None


def _differences(judged: Judgement, champion: object) -> Intervals | None:
    rows = [reach for one in (judged.primary, *judged.others) if (reach := _reach(one))]
    if not rows:
        return None
    against = f"v{champion}" if isinstance(champion, int) else "the champion"
    words = {GOOD: "better", BAD: "worse", CALM: "not clearly different"}
    alt = "; ".join(f"{row.name} {percent(row.middle)} ({words[row.tone]})" for row in rows)
    return Intervals("differences", f"Candidate against {against}", f"Differences: {alt}.", tuple(rows))


def _reach(one: Comparison) -> Reach | None:
    found = one.difference
    if found is None or not one.champion:
        return None
    size = abs(one.champion) * (1 if one.greater_is_better else -1)
    low, high = sorted((found.low / size, found.high / size))
    margin = None if one.margin is None else one.margin / abs(one.champion)
    return Reach(one.metric, low, found.estimate / size, high, margin, one.rows)


def _slices(judged: Judgement, plots: Mapping[str, Any]) -> Intervals | None:
    turn = 1 if judged.primary.greater_is_better else -1
    whole = _reach(judged.primary)
    rows = []
    for one in list(plots.get("slices") or [])[:MOST_ROWS]:
        if not one["champion"]:
            continue
        size = turn * abs(one["champion"])
        low, high = sorted((one["low"] / size, one["high"] / size))
        name = shortened(f"{one['column']} = {one['value']}")
        rows.append(Reach(name, low, one["difference"] / size, high, None, int(one["rows"])))
    if whole is None or len(rows) < 2:
        return None
    first = Reach("all rows", whole.low, whole.middle, whole.high, whole.margin, whole.rows)
    worse = sum(row.tone == BAD for row in rows)
    alt = f"{judged.primary.metric} in {len(rows)} parts of the held-back rows, worst first; {worse} look worse."
    return Intervals("slices", f"{judged.primary.metric}, part by part", alt, (first, *rows))


def _calibration(plots: Mapping[str, Any]) -> Bins | None:
    series = _series(plots.get("calibration"), "low", "observed")
    if not series:
        return None
    alt = "How often it came true against how likely the model said it was; on the diagonal both agree."
    return Bins("calibration", "Do probabilities mean what they say?", alt, "the model says", "came true", series, True)


def _residuals(plots: Mapping[str, Any]) -> Bins | None:
    series = _series(plots.get("residuals"), "low", "middle")
    if not series:
        return None
    alt = "How far answers lie above or below the truth, for small to large answers: the median and the middle 80 %."
    return Bins("residuals", "How far off, small answers to large?", alt, "answer", "answer − truth", series, False)


def _series(models: Mapping[str, Sequence[Mapping[str, Any]]] | None, low: str, middle: str) -> tuple[Series, ...]:
    found = []
    for name in ("candidate", "champion"):
        bins = (models or {}).get(name) or []
        points = [
            Point(float(b["predicted"]), float(b[low]), float(b[middle]), float(b["high"]), int(b["rows"]))
            for b in bins[:50]
        ]
        if len(points) >= 2 and points[0].x < points[-1].x:
            found.append(Series(name, tuple(points)))
    return tuple(found)


def shortened(text: str, most: int = LONGEST) -> str:
    """Text as one line of at most so many characters that can be seen."""
    plain = "".join(letter if letter.isprintable() else " " for letter in text)
    return plain if len(plain) <= most else plain[: most - 1] + "…"


def percent(share: float) -> str:
    """A signed share as per cent with two digits that matter; a real minus sign."""
    value = share * 100
    text = f"{value:+.0f}" if abs(value) >= 9.95 or value == 0 else f"{value:+.1f}"
    return f"{'0' if float(text) == 0 else text.replace('-', '−')} %"
