"""Where things stand on a drawing: places in per cent of its width, round numbers for its axis. Pure."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Tick:
    """A mark on an axis: its place (per cent, or pixels from the top on an upright axis) and what is written there."""

    at: float
    label: str


@dataclass(frozen=True, slots=True)
class Span:
    """From a value at the left edge to one at the right."""

    low: float
    high: float

    def at(self, value: float) -> float:
        """The place of a value, in per cent; outside values stand at the edge."""
        share = (value - self.low) / (self.high - self.low)
        return round(100 * min(1.0, max(0.0, share)), 2)

    def holds(self, value: float) -> bool:
        """Whether the value is inside."""
        return self.low <= value <= self.high


def around(values: Iterable[float], room: float = 0.08) -> Span:
    """A span that holds zero and all values, with some room at both ends."""
    held = [0.0, *values]
    low, high = min(held), max(held)
    width = (high - low) or 1.0
    return Span(low - width * room, high + width * room)


def round_steps(span: Span, most: int) -> Sequence[float]:
    """At most `most` round numbers inside the span, evenly apart: 1, 2 or 5 times a power of ten."""
    rough = (span.high - span.low) / most
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(power * factor for factor in (1, 2, 5, 10) if power * factor >= rough)
    first = math.ceil(span.low / step)
    return [step * index for index in range(first, math.floor(span.high / step) + 1)]


@dataclass(frozen=True, slots=True)
class Upright:
    """An upright logarithmic axis from `low` at the bottom to `high` at the top, `height` pixels."""

    low: float
    high: float
    height: float

    def at(self, value: float) -> float:
        """Pixels from the top; what is not above `low` lies on the bottom."""
        if value <= self.low:
            return self.height
        share = math.log(value / self.low) / math.log(self.high / self.low)
        return round(self.height * (1 - min(1.0, share)), 1)

    def ticks(self) -> Sequence[Tick]:
        """Every power of ten."""
        first, last = math.ceil(math.log10(self.low) - 1e-9), math.floor(math.log10(self.high) + 1e-9)
        return [Tick(self.at(10.0**power), f"{10.0**power:g}") for power in range(first, last + 1)]


@dataclass(frozen=True, slots=True)
class Stretch:
    """A stretch of time on a drawing: where it begins and how wide it is, in per cent."""

    left: float
    width: float


def stretch(start: datetime | None, end: datetime, first: datetime, last: datetime) -> Stretch | None:
    """Where start to end lies between first and last; thin ones stay visible."""
    if start is None:
        return None
    whole = max((last - first).total_seconds(), 0.001)
    left = min(max((start - first).total_seconds() / whole, 0.0), 1.0) * 100
    width = max((end - start).total_seconds() / whole * 100, 1.0)
    return Stretch(round(min(left, 99.0), 2), round(min(width, 100 - min(left, 99.0)), 2))
