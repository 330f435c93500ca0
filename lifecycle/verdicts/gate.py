"""What a team asks of a candidate before it may replace the champion, and the three answers there are."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field
from enum import StrEnum

from lifecycle.verdicts.metrics import METRICS, names_of


class Verdict(StrEnum):
    """PASS: good enough, for sure. FAIL: worse, for sure. INCONCLUSIVE: the rows at hand cannot tell."""

    PASS = "PASS"  # noqa: S105 - not a password
    FAIL = "FAIL"
    INCONCLUSIVE = "INCONCLUSIVE"


_MARGIN = re.compile(r"\s*((?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]{1,3})?)\s*(%?)\s*")


@dataclass(frozen=True, slots=True)
class Margin:
    """How much worse than the champion is still as good: in the metric's units, or as a share of its value."""

    value: float
    relative: bool = False

    def __post_init__(self) -> None:
        if not (math.isfinite(self.value) and self.value >= 0):
            raise ValueError(f"A margin is zero or a positive number, not {self.value}.")
        if self.relative and self.value >= 1:
            raise ValueError(f"A margin of {self.value:.0%} would let every candidate pass; give less than 100 %.")

    @classmethod
    def parse(cls, text: str | float) -> Margin:
        """``"2%"`` is a fraction of the champion's value, ``"0.005"`` (or the number) is in the metric's own units.

        Raises ValueError with a sentence for people.
        """
        if isinstance(text, bool):
            raise ValueError(f'A margin is a number such as 0.005 or a share such as 2%, not "{text}".')
        found = _MARGIN.fullmatch(str(text))
        if not found:
            raise ValueError(f'A margin is a number such as 0.005 or a share such as 2%, not "{text}".')
        number = float(found[1])
        return cls(number / 100, relative=True) if found[2] else cls(number)

    def absolute(self, champion: float) -> float:
        """The margin in the metric's units, given the champion's value."""
        return self.value * abs(champion) if self.relative else self.value

    def __str__(self) -> str:
        return f"{self.value * 100:g}%" if self.relative else f"{self.value:g}"


def default_margin(metric: str) -> Margin:
    """0.005 for shares where more is better (AUC, accuracy, ...), 1 % of the champion's value for losses."""
    return Margin(0.005) if METRICS[metric].greater_is_better else Margin(0.01, relative=True)


def misfit(metric: str, margin: Margin) -> str:
    """Why that margin would let every candidate pass; empty when it would not."""
    if METRICS[metric].greater_is_better and not margin.relative and margin.value >= 1:
        return f"A margin of {margin} would let every candidate pass: {metric} is at most 1. Give less, as in 0.01."
    return ""


@dataclass(frozen=True, slots=True)
class Limits:
    """Absolute bounds on the candidate's own value, whatever the champion's; None where there is none."""

    at_least: float | None = None
    at_most: float | None = None

    def __post_init__(self) -> None:
        low, high = self.at_least, self.at_most
        if low is not None and high is not None and low > high:
            raise ValueError(f"No value is at least {low:g} and at most {high:g}.")


@dataclass(frozen=True, slots=True)
class Gate:
    """The rule by which a candidate passes; the defaults were measured to have the error rates in docs/verdicts.md.

    blocks: a column whose equal values (days for timestamps) mark rows that depend on each other; None: independent.
    slices: columns whose every value or quartile is looked at; ``find_slices``: how many more are found by themselves.
    slice_min_class: of each of two classes in a slice. min_rows: with fewer held-back rows nothing is decided.
    positive: the class that probabilities are of; None: the last in order.
    """

    metric: str
    margin: Margin
    require_improvement: bool = False
    limits: Limits = field(default_factory=Limits)
    confidence: float = 0.95
    blocks: str | None = None
    slices: tuple[str, ...] = ()
    slice_min_rows: int = 200
    slice_min_class: int = 30
    find_slices: int = 10
    min_rows: int = 30
    beat_baseline: bool = True
    positive: str | None = None

    def __post_init__(self) -> None:
        if self.metric not in METRICS:
            raise ValueError(f'There is no metric "{self.metric}"; there are {", ".join(names_of())}.')
        if wrong := misfit(self.metric, self.margin):
            raise ValueError(wrong)
        if not 0.5 <= self.confidence < 1:
            raise ValueError(f"Confidence is a share from 0.5 to just under 1, such as 0.95, not {self.confidence}.")

    @classmethod
    def of(cls, metric: str, margin: str | float | None = None, **more: object) -> Gate:
        """A gate from words as people write them; without a margin the metric's usual one."""
        if metric not in METRICS:
            raise ValueError(f'There is no metric "{metric}"; there are {", ".join(names_of())}.')
        return cls(metric, default_margin(metric) if margin is None else Margin.parse(margin), **more)  # type: ignore[arg-type]
