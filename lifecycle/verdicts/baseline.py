"""The dummy that every model must beat: it answers the same for every row, from what the training data's target was."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from lifecycle.verdicts.losses import cell_value
from lifecycle.verdicts.metrics import METRICS, Kind, Task
from lifecycle.verdicts.rows import Rows, Scores, to_numpy


@dataclass(frozen=True, slots=True)
class TargetSummary:
    """What the dummy knows of the training target: mean and median, or the classes' shares."""

    mean: float | None = None
    median: float | None = None
    shares: Mapping[str, float] = field(default_factory=dict)

    @classmethod
    def of(cls, target: object, task: Task | str) -> TargetSummary:
        """From the training rows' target (numpy, pyarrow, list). Raises ValueError for missing or infinite numbers."""
        array = to_numpy(target, "target values")
        if Task(task) is Task.REGRESSION:
            values = array.astype(np.float64)
            if not len(values) or not np.isfinite(values).all():
                raise ValueError("The target has no rows, or values that are NaN or infinite.")
            return cls(mean=float(values.mean()), median=float(np.median(values)))
        from lifecycle.verdicts.classes import Classes

        classes = Classes.found(array, [], [], None)
        counts = np.bincount(classes.codes(array, "target values"), minlength=len(classes.names))
        return cls(shares={name: int(count) / len(array) for name, count in zip(classes.names, counts, strict=True)})

    def to_plain(self) -> dict[str, Any]:
        """For JSON; the inverse is ``TargetSummary(**plain)``."""
        return {"mean": self.mean, "median": self.median, "shares": dict(self.shares)}


def metric_against_dummy(metric: str) -> str:
    """Recall is perfect for who always says yes, so there the mean recall of all classes is compared instead."""
    return "balanced_accuracy" if metric == "recall" else metric


def against_dummy(rows: Rows, metric: str, summary: TargetSummary | None) -> Rows:
    """The same rows with the dummy in the champion's place; without a summary it knows the held-back labels."""
    if rows.task is Task.REGRESSION:
        return replace(rows, champion=Scores(np.full(len(rows), _constant(rows, metric, summary))))
    shares = _shares(rows, summary)
    code = _constant_class(metric, shares)
    return replace(
        rows,
        champion=Scores(
            np.full(len(rows), shares[1]) if len(shares) == 2 else None,
            np.full(len(rows), code, dtype=np.int64),
            np.broadcast_to(shares, (len(rows), len(shares))).copy(),
        ),
    )


def _constant(rows: Rows, metric: str, summary: TargetSummary | None) -> float:
    """The median minimises absolute errors, the mean squared ones."""
    if metric in ("mae", "mape"):
        return float(np.median(rows.labels)) if summary is None or summary.median is None else summary.median
    return float(np.mean(rows.labels)) if summary is None or summary.mean is None else summary.mean


def _shares(rows: Rows, summary: TargetSummary | None) -> np.ndarray[Any, np.dtype[np.float64]]:
    if summary is None or not summary.shares:
        counts = np.bincount(rows.codes, minlength=len(rows.classes)).astype(np.float64)
    else:
        counts = np.array([summary.shares.get(name, 0.0) for name in rows.classes])
    if counts.sum() <= 0:
        raise ValueError("No class of the training target occurs in the held-back labels.")
    shares: np.ndarray[Any, np.dtype[np.float64]] = counts / counts.sum()
    return shares


def _constant_class(metric: str, shares: np.ndarray[Any, np.dtype[np.float64]]) -> int:
    """The class that serves the metric best when always said; the most frequent one for the rest."""
    if METRICS[metric].kind is not Kind.CELLS:
        return int(shares.argmax())
    size = len(shares)
    values = [float(cell_value(metric, np.eye(size)[one] * shares, np.eye(size)[one], shares)) for one in range(size)]
    return int(np.argmax(values))
