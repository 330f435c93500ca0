"""What to watch for, and what a comparison with the training data found; plain values that survive JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any

SCHEMA = 1


class Alarm(StrEnum):
    """CLEAN: as in training. WARN: it moved, worth a look. ALARM: it moved so far that the model is on new ground."""

    CLEAN = "CLEAN"
    WARN = "WARN"
    ALARM = "ALARM"

    @property
    def rank(self) -> int:
        """0, 1, 2: the larger the worse."""
        return list(Alarm).index(self)


@dataclass(frozen=True, slots=True)
class Override:
    """Other thresholds for one column; None: as for all."""

    psi_warn: float | None = None
    psi_alarm: float | None = None


@dataclass(frozen=True, slots=True)
class Watch:
    """When a column counts as moved; the defaults were measured to alarm falsely in under 1 % of windows.

    p: on Holm-adjusted p-values of the chi-square test. psi_warn, psi_alarm: on the bias-corrected PSI. Both must hold.
    quality_*: for missing values, values never seen and values out of range: a change of at least ``quality_warn`` of
    the rows with an adjusted p below ``quality_p``; an alarm from ``quality_alarm`` on.
    ignore: columns not to look at. columns: other thresholds of single ones.
    usual_rows: what a window usually holds; fewer than half or more than double warns. None: not watched.
    min_rows: with fewer nothing is said about columns.
    """

    psi_warn: float = 0.1
    psi_alarm: float = 0.2
    p: float = 0.01
    quality_warn: float = 0.01
    quality_alarm: float = 0.05
    quality_p: float = 0.001
    ignore: tuple[str, ...] = ()
    columns: Mapping[str, Override] = field(default_factory=dict)
    min_rows: int = 30
    usual_rows: float | None = None

    def __post_init__(self) -> None:
        if not 0 < self.psi_warn <= self.psi_alarm:
            raise ValueError(
                f"psi_warn must be above 0 and at most psi_alarm, not {self.psi_warn} and {self.psi_alarm}."
            )
        if not (0 < self.p < 1 and 0 < self.quality_p < 1):
            raise ValueError("p and quality_p are probabilities between 0 and 1.")
        if self.usual_rows is not None and not 0 <= self.usual_rows < float("inf"):
            raise ValueError(f"The usual number of rows is a number from 0, not {self.usual_rows:g}.")

    def thresholds(self, column: str) -> tuple[float, float]:
        """PSI from which on this column warns, and alarms."""
        own = self.columns.get(column, Override())
        return (
            self.psi_warn if own.psi_warn is None else own.psi_warn,
            self.psi_alarm if own.psi_alarm is None else own.psi_alarm,
        )


@dataclass(frozen=True, slots=True)
class ColumnDrift:
    """One column of a window held against training.

    kind: "numeric" or "category". p: adjusted. psi, psi_corrected: over the bins tested; ks: the largest distance of
    the cumulated shares (numbers only); js: Jensen-Shannon distance over these bins; wasserstein: in standard
    deviations of training (numbers only). missing: share of rows without a value. reason: direction and size, in words.
    role: "feature" or "prediction".
    """

    name: str
    kind: str
    p: float | None
    psi: float | None
    psi_corrected: float | None
    ks: float | None
    verdict: Alarm
    reason: str
    role: str = "feature"
    missing: float = 0.0
    js: float | None = None
    wasserstein: float | None = None


@dataclass(frozen=True, slots=True)
class DriftReport:
    """What a window looks like beside training; ``columns`` are the watched ones, worst first.

    unwatched: names of columns that are not looked at, each with the reason. extra: columns that training did not have.
    """

    verdict: Alarm
    columns: tuple[ColumnDrift, ...]
    rows: int
    sentence: str
    reference_rows: int = 0
    unwatched: Mapping[str, str] = field(default_factory=dict)
    extra: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def moved(self) -> tuple[ColumnDrift, ...]:
        """The columns that are not clean."""
        return tuple(column for column in self.columns if column.verdict is not Alarm.CLEAN)

    def to_json(self) -> str:
        """One line of JSON, keys as the fields are called, with the number of its schema."""
        return json.dumps({"schema": SCHEMA, **asdict(self)}, ensure_ascii=False, allow_nan=False)

    @classmethod
    def from_json(cls, text: str | bytes) -> DriftReport:
        """Raises ValueError for a schema that this version does not know."""
        plain: dict[str, Any] = json.loads(text)
        if plain.pop("schema", None) != SCHEMA:
            raise ValueError(f"This drift report has another schema than {SCHEMA}, which this version reads.")
        columns = tuple(ColumnDrift(**{**one, "verdict": Alarm(one["verdict"])}) for one in plain["columns"])
        return cls(
            **{
                **plain,
                "verdict": Alarm(plain["verdict"]),
                "columns": columns,
                "extra": tuple(plain["extra"]),
                "notes": tuple(plain["notes"]),
            }
        )
