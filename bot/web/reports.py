"""A validation report as a page shows it: verdict, table, and differences with intervals on one axis. Pure."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from bot.web.format import aligned, number, percent
from bot.web.scales import Span, Tick, around, round_steps
from lifecycle import Comparison, Judgement

WIDEST = 4.0  # times the first row's reach: one wild interval must not squeeze the rest to dots


@dataclass(frozen=True, slots=True)
class Bar:
    """An interval on the axis, in per cent of its width; `cut_*` when it goes on beyond the edge."""

    low: float
    middle: float
    high: float
    cut_low: bool
    cut_high: bool
    margin: float | None


@dataclass(frozen=True, slots=True)
class Row:
    """One metric or slice: both values, the difference in words, its interval as a bar, the verdict and why."""

    name: str
    champion: str
    candidate: str
    difference: str
    relative: str
    verdict: str
    reason: str
    rows: int
    bar: Bar | None
    order: tuple[float, float, float]  # champion, candidate, gain: what columns are sorted by


@dataclass(frozen=True, slots=True)
class Forest:
    """Rows on one axis of relative differences; to the right is better. `drawn` when there is anything to draw."""

    rows: Sequence[Row]
    ticks: Sequence[Tick]
    zero: float
    drawn: bool


@dataclass(frozen=True, slots=True)
class Found:
    """What metrics and slices have in common; `difference` is estimate, low, high in the metric's units."""

    name: str
    champion: float | None
    candidate: float
    difference: tuple[float, float, float] | None
    margin: float | None
    greater: bool
    verdict: str
    reason: str
    rows: int


@dataclass(frozen=True, slots=True)
class Gain:
    """A difference as shares of the champion's value, more is better; `margin` is how much worse is fine."""

    estimate: float
    low: float
    high: float
    margin: float | None


def metrics(judgement: Judgement) -> Forest:
    """The primary metric, the others, and the trivial baseline."""
    found = [judgement.primary, *judgement.others, *([judgement.baseline] if judgement.baseline else [])]
    return forest([_metric(one) for one in found])


def slices(judgement: Judgement) -> Forest:
    """The parts of the held-back rows on which the candidate got worse."""
    greater = judgement.primary.greater_is_better
    return forest(
        [
            Found(
                name=f"{one.name}: {one.value}",
                champion=one.champion,
                candidate=one.candidate,
                difference=(one.difference.estimate, one.difference.low, one.difference.high),
                margin=None,
                greater=greater,
                verdict=one.verdict,
                reason=one.reason,
                rows=one.rows,
            )
            for one in judgement.slices
        ]
    )


def kept(metrics: Mapping[str, Any]) -> Sequence[Row]:
    """The metrics that a version keeps, the one that decided first; those of another schema are left out."""
    found = []
    for plain in metrics.values():
        with suppress(KeyError, TypeError, ValueError):
            found.append(_metric(Comparison.from_plain(plain)))
    return forest(found).rows


def forest(found: Sequence[Found]) -> Forest:
    """All of them on one axis, wide enough for the first and for whatever of the rest is not wild."""
    gains = [gain(one) for one in found]
    span = _span([one for one in gains if one])
    rows = [_row(one, part, span) for one, part in zip(found, gains, strict=True)]
    ticks = [Tick(span.at(value), percent(value)) for value in round_steps(span, 4)]
    return Forest(rows, ticks, span.at(0.0), any(gains))


def gain(one: Found) -> Gain | None:
    """The difference on the axis that all metrics share; None where there is no champion or its value is zero."""
    if one.difference is None or not one.champion:
        return None
    size = abs(one.champion)
    estimate, *ends = (value / size if one.greater else -value / size for value in one.difference)
    return Gain(estimate, min(ends), max(ends), None if one.margin is None else one.margin / size)


def _span(gains: Sequence[Gain]) -> Span:
    if not gains:
        return Span(-1.0, 1.0)
    first = gains[0]
    reach = max(abs(first.low), abs(first.high), 2 * (first.margin or 0.0), 1e-6) * WIDEST
    ends = [end for one in gains for end in (one.low, one.high, -(one.margin or 0.0))]
    return around(min(reach, max(-reach, end)) for end in ends)


def _metric(one: Comparison) -> Found:
    difference = one.difference
    return Found(
        name=one.metric if one.against == "champion" else f"{one.metric} against the {one.against}",
        champion=one.champion,
        candidate=one.candidate,
        difference=(difference.estimate, difference.low, difference.high) if difference else None,
        margin=one.margin,
        greater=one.greater_is_better,
        verdict=one.verdict,
        reason=one.reason,
        rows=one.rows,
    )


def _row(one: Found, part: Gain | None, span: Span) -> Row:
    return Row(
        name=one.name,
        champion=number(one.champion),
        candidate=number(one.candidate),
        difference=_difference(one.difference),
        relative=_relative(part),
        verdict=one.verdict,
        reason=one.reason,
        rows=one.rows,
        bar=_bar(part, span),
        order=(one.champion or 0.0, one.candidate, part.estimate if part else 0.0),
    )


def _bar(part: Gain | None, span: Span) -> Bar | None:
    if part is None:
        return None
    margin = span.at(-part.margin) if part.margin and span.holds(-part.margin) else None
    cut_low, cut_high = not span.holds(part.low), not span.holds(part.high)
    return Bar(span.at(part.low), span.at(part.estimate), span.at(part.high), cut_low, cut_high, margin)


def _difference(difference: tuple[float, float, float] | None) -> str:
    if difference is None:
        return "–"
    estimate, low, high = aligned(*difference)
    return f"{estimate} ({low} to {high})"


def _relative(part: Gain | None) -> str:
    if part is None:
        return ""
    if part.estimate == 0:
        return "the same"
    return f"{'better' if part.estimate > 0 else 'worse'} by {percent(abs(part.estimate)).lstrip('+')}"
