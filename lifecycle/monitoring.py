"""What lifecycle.yaml says about watching a model: when, what with, when it alarms, and what becomes of an alarm."""

import re
from datetime import timedelta
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from lifecycle.verdicts import Margin
from lifecycle.windows import length_of

CRON = re.compile(r"[0-9A-Za-z*,/-]{1,60}")
PERSISTS = re.compile(r"([1-9][0-9]?) of ([1-9][0-9]?)")


class Part(BaseModel):
    """A section of the file: unknown keys are mistakes, values never change."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Threshold(Part):
    """Other thresholds for one column."""

    psi_warn: float | None = Field(default=None, gt=0)
    psi_alarm: float | None = Field(default=None, gt=0)

    @model_validator(mode="after")
    def ordered(self) -> Self:
        if self.psi_warn is not None and self.psi_alarm is not None and self.psi_warn > self.psi_alarm:
            raise ValueError("psi_warn must not be above psi_alarm")
        return self


class Monitoring(Part):
    """The watch. `data` names requests that were scored elsewhere, `labels` true answers that arrive later."""

    schedule: str = ""
    window: str = "30d"
    ignore: tuple[str, ...] = ()
    psi_warn: float = Field(default=0.1, gt=0)
    psi_alarm: float = Field(default=0.2, gt=0)
    columns: dict[str, Threshold] = Field(default_factory=dict)
    persists: str = "2 of 3"
    clean_windows: int = Field(default=1, ge=1)
    cool_down: str = ""
    reopen: str = "14d"
    autoclose: bool = True
    data: str = ""
    labels: str = ""
    key: str = ""
    margin: str = ""

    @field_validator("window")
    @classmethod
    def readable_window(cls, value: str) -> str:
        length_of(value)
        return value

    @field_validator("cool_down", "reopen")
    @classmethod
    def readable_length(cls, value: str) -> str:
        if value:
            length_of(value)
        return value

    @field_validator("schedule")
    @classmethod
    def readable_schedule(cls, value: str) -> str:
        if value and not _is_cron(value.split()):
            raise ValueError('this is not a schedule; write five cron fields, as in "0 6 * * *"')
        return value

    @field_validator("persists")
    @classmethod
    def readable_persists(cls, value: str) -> str:
        match = PERSISTS.fullmatch(value)
        if match is None or int(match[1]) > int(match[2]):
            raise ValueError('expected how many of how many windows must alarm, as in "2 of 3"')
        return value

    @field_validator("margin", mode="before")
    @classmethod
    def readable_margin(cls, value: object) -> str:
        if str(value):
            Margin.parse(str(value))
        return str(value)

    @model_validator(mode="after")
    def ordered(self) -> Self:
        if self.psi_warn > self.psi_alarm:
            raise ValueError("psi_warn must not be above psi_alarm")
        return self

    @property
    def needed(self) -> tuple[int, int]:
        """How many of how many windows must alarm before columns alone ask for a retraining."""
        first, _, last = self.persists.partition(" of ")
        return int(first), int(last)

    def length(self, name: str) -> timedelta:
        """`cool_down` or `reopen` as a length of time; none is 0."""
        text = str(getattr(self, name))
        return length_of(text) if text else timedelta(0)


def _is_cron(fields: list[str]) -> bool:
    """Whether these can be minute, hour, day, month and weekday; names of months and weekdays may be words."""
    tops = (59, 23, 31, 12, 7)
    return len(fields) == 5 and all(
        CRON.fullmatch(field) and all(int(number) <= top for number in re.findall(r"(?<!/)\b[0-9]+", field))
        for field, top in zip(fields, tops, strict=True)
    )
