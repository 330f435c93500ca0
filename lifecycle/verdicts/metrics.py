"""The metrics we judge by: their names, direction, and which interval is sound for each (no numerics, light)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType


class NotDefined(ValueError):
    """A metric has no value on these rows, whatever the answers are; the message is one sentence for people."""


class Task(StrEnum):
    """What a model answers: a number, or one of several classes."""

    REGRESSION = "regression"
    CLASSIFICATION = "classification"


class Kind(StrEnum):
    """How a metric is made of rows, which decides the interval (sources in intervals.py)."""

    MEAN = "mean"  # the mean of a row's loss: closed-form paired standard error
    RANK = "rank"  # pairs of rows: DeLong
    CELLS = "cells"  # counts of (truth, answer): multinomial bootstrap over cells
    SMOOTH = "smooth"  # a function of several means: Poisson bootstrap


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric; ``words`` explains its name, ``needs_probabilities`` says that bare classes are not enough."""

    name: str
    task: Task
    greater_is_better: bool
    kind: Kind
    words: str
    needs_probabilities: bool = False


_R, _C = Task.REGRESSION, Task.CLASSIFICATION

METRICS: Mapping[str, Metric] = MappingProxyType(
    {
        metric.name: metric
        for metric in (
            Metric("mae", _R, False, Kind.MEAN, "mean absolute error"),
            Metric("mse", _R, False, Kind.MEAN, "mean squared error"),
            Metric("rmse", _R, False, Kind.SMOOTH, "root mean squared error"),
            Metric("r2", _R, True, Kind.SMOOTH, "share of variance explained"),
            Metric("mape", _R, False, Kind.MEAN, "mean absolute percentage error"),
            Metric("accuracy", _C, True, Kind.MEAN, "share of right answers"),
            Metric("logloss", _C, False, Kind.MEAN, "log loss", needs_probabilities=True),
            Metric("brier", _C, False, Kind.MEAN, "Brier score", needs_probabilities=True),
            Metric("auc", _C, True, Kind.RANK, "area under the ROC curve", needs_probabilities=True),
            Metric("f1", _C, True, Kind.CELLS, "F1 score"),
            Metric("precision", _C, True, Kind.CELLS, "precision"),
            Metric("recall", _C, True, Kind.CELLS, "recall"),
            Metric("balanced_accuracy", _C, True, Kind.CELLS, "mean recall of the classes"),
            Metric("mcc", _C, True, Kind.CELLS, "Matthews correlation"),
        )
    }
)

USUAL: Mapping[Task, tuple[str, ...]] = MappingProxyType(
    {_R: ("mae", "rmse", "r2"), _C: ("auc", "logloss", "brier", "accuracy", "f1")}
)


def names_of(task: Task | None = None) -> tuple[str, ...]:
    """The metrics of one task, or all."""
    return tuple(name for name, metric in METRICS.items() if task is None or metric.task is task)
