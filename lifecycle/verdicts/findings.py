"""What a judgement consists of, as plain values that survive a round trip through JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

from lifecycle.verdicts.gate import Verdict

SCHEMA = 1


@dataclass(frozen=True, slots=True)
class Interval:
    """An estimate and the bounds between which the truth lies with the gate's confidence."""

    estimate: float
    low: float
    high: float

    @property
    def half_width(self) -> float:
        """Half of the interval's width, in the metric's units."""
        return (self.high - self.low) / 2


@dataclass(frozen=True, slots=True)
class Comparison:
    """One metric of two models on the same rows.

    champion: the other model's value (None where there is none); ``against`` says who the other is.
    difference: candidate minus champion in the metric's units, so its sign depends on the metric;
    better: whether the candidate's value is the better one, whatever the metric's direction (None without a champion).
    margin: in the metric's units. rows_needed: held-back rows at which the verdict would likely be clear.
    reason: one plain sentence.
    """

    metric: str
    champion: float | None
    candidate: float
    difference: Interval | None
    margin: float | None
    verdict: Verdict
    rows: int
    rows_needed: int | None
    reason: str
    better: bool | None = None
    greater_is_better: bool = True
    against: str = "champion"

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> Comparison:
        """The inverse of ``dataclasses.asdict``."""
        difference = plain["difference"]
        return cls(
            **{
                **plain,
                "difference": None if difference is None else Interval(**difference),
                "verdict": Verdict(plain["verdict"]),
            }
        )


@dataclass(frozen=True, slots=True)
class SliceFinding:
    """A part of the held-back rows on which the candidate got worse; ``difference`` as in Comparison."""

    name: str
    value: str
    rows: int
    champion: float
    candidate: float
    difference: Interval
    p_adjusted: float
    verdict: Verdict
    reason: str

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> SliceFinding:
        """The inverse of ``dataclasses.asdict``."""
        return cls(
            **{**plain, "difference": Interval(**plain["difference"]), "verdict": Verdict(plain["verdict"])},
        )


class Outcome(StrEnum):
    """Of a check: nothing to say, worth a look, or not to be trusted."""

    OK = "OK"
    WARN = "WARN"
    FAIL = "FAIL"


@dataclass(frozen=True, slots=True)
class Check:
    """Something else than the metric that was looked at: data, calibration, cost, repeatability."""

    name: str
    outcome: Outcome
    sentence: str

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> Check:
        """The inverse of ``dataclasses.asdict``."""
        return cls(plain["name"], Outcome(plain["outcome"]), plain["sentence"])


@dataclass(frozen=True, slots=True)
class Judgement:
    """The verdict on a candidate with everything that led to it; ``sentence`` is all that most people read."""

    verdict: Verdict
    primary: Comparison
    others: tuple[Comparison, ...]
    baseline: Comparison | None
    slices: tuple[SliceFinding, ...]
    checks: tuple[Check, ...]
    sentence: str
    slices_tested: int = 0

    def to_json(self) -> str:
        """One line of JSON, keys as the fields are called, with the number of its schema."""
        return json.dumps({"schema": SCHEMA, **asdict(self)}, ensure_ascii=False, allow_nan=False)

    @classmethod
    def from_json(cls, text: str | bytes) -> Judgement:
        """Raises ValueError for a schema that this version does not know."""
        plain = json.loads(text)
        if plain.get("schema") != SCHEMA:
            raise ValueError(f"This judgement has schema {plain.get('schema')}; this version reads {SCHEMA}.")
        return cls(
            verdict=Verdict(plain["verdict"]),
            primary=Comparison.from_plain(plain["primary"]),
            others=tuple(map(Comparison.from_plain, plain["others"])),
            baseline=None if plain["baseline"] is None else Comparison.from_plain(plain["baseline"]),
            slices=tuple(map(SliceFinding.from_plain, plain["slices"])),
            checks=tuple(map(Check.from_plain, plain["checks"])),
            sentence=plain["sentence"],
            slices_tested=plain["slices_tested"],
        )
