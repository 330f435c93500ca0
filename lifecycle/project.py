"""What a model repository says of itself: `lifecycle.yaml`, parsed and checked, every mistake with its line."""

import shlex
from fnmatch import fnmatchcase
from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, field_validator, model_validator

from lifecycle.monitoring import Monitoring, Part
from lifecycle.verdicts import METRICS, Margin, misfit, names_of
from lifecycle.verdicts import Limits as AbsoluteLimits
from lifecycle.verdicts import Task as TaskName
from lifecycle.yamlfile import Mistake, Mistakes, parse

__all__ = [
    "FILE",
    "Mistake",
    "Mistakes",
    "Model",
    "Monitoring",
    "Project",
    "Task",
    "Validation",
    "metric_names",
    "read_project",
]

FILE = "lifecycle.yaml"
AUTO: Literal["auto"] = "auto"
NONE = "none"
Task = Literal["regression", "classification"]
Name = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$")]


class Validation(Part):
    """The gate: which metric decides, how much worse is still as good, where to look closer."""

    metric: str = ""
    margin: str = ""
    at_least: float | None = None
    at_most: float | None = None
    require_improvement: bool = False
    baseline: bool = True
    slices: tuple[str, ...] = ()
    find_slices: int = Field(default=10, ge=0, le=1000)
    holdout: float = Field(default=0.2, ge=0.05, le=0.5)
    blocks: str = AUTO
    seeds: Annotated[int, Field(ge=1, le=20)] | Literal["auto"] = AUTO
    positive: str | None = None

    @field_validator("metric")
    @classmethod
    def known_metric(cls, value: str) -> str:
        if value and value not in METRICS:
            raise ValueError(f"unknown metric {value!r}; known are {', '.join(sorted(METRICS))}")
        return value

    @field_validator("margin", mode="before")
    @classmethod
    def readable_margin(cls, value: object) -> str:
        if str(value):
            Margin.parse(str(value))
        return str(value)

    @field_validator("positive", mode="before")
    @classmethod
    def as_text(cls, value: object) -> object:
        return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else value

    @model_validator(mode="after")
    def possible_limits(self) -> Self:
        AbsoluteLimits(self.at_least, self.at_most)
        return self


class Resources(Part):
    """What one training or scoring job may use."""

    memory_mb: int = Field(default=4096, ge=64)
    minutes: int = Field(default=60, ge=1)


class Model(Part):
    """One model of a repository."""

    task: Task
    target: str
    data: str
    train: str
    time: str | None = None
    entity: str | None = None
    paths: tuple[str, ...] = ("**",)
    requirements: str = "requirements.txt"
    params: dict[str, str | int | float | bool] = Field(default_factory=dict)
    validate_: Validation = Field(default=Validation(), alias="validate")
    monitor: Monitoring = Monitoring()
    retrain: Literal["propose", "auto"] = "propose"
    limits: Resources = Resources()

    @field_validator("train")
    @classmethod
    def readable_command(cls, value: str) -> str:
        try:
            words = shlex.split(value)
        except ValueError:
            raise ValueError("a quote is not closed in this command") from None
        if not words:
            raise ValueError("expected a command such as python train.py")
        return value

    @model_validator(mode="after")
    def fitting_metric(self) -> Self:
        if self.validate_.metric and self.validate_.metric not in metric_names(self.task):
            known = ", ".join(metric_names(self.task))
            raise ValueError(f"{self.validate_.metric} is no metric for {self.task}; there are {known}")
        if self.validate_.margin and (wrong := misfit(self.metric, Margin.parse(self.validate_.margin))):
            raise ValueError(wrong)
        return self

    def touches(self, path: str) -> bool:
        """Whether a file of the repository is one of this model's."""
        patterns = (FILE, self.requirements, *self.paths)
        return any(fnmatchcase(path, pattern.replace("**", "*")) for pattern in patterns)

    @property
    def metric(self) -> str:
        """The metric that decides."""
        return self.validate_.metric or ("mae" if self.task == "regression" else "logloss")


class Project(Part):
    """The whole file."""

    models: dict[Name, Model] = Field(min_length=1)


def metric_names(task: str) -> tuple[str, ...]:
    """The metrics that a model of that task can be judged by."""
    return names_of(TaskName(task))


def read_project(text: str, where: str = FILE) -> Project:
    """Parse the file's text. Raises Mistakes, holding every one of them with file and line."""
    return parse(text, Project, where)
