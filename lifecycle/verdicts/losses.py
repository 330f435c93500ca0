"""What each metric takes from a row, and how the rows' sums become its value."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from lifecycle.verdicts.metrics import METRICS, NotDefined
from lifecycle.verdicts.rows import Floats, Ints, Rows, Scores

TINY = 1e-15  # probabilities are clipped here, so that one wrong certainty costs 34.5 and not infinity


def row_losses(metric: str, rows: Rows, scores: Scores) -> Floats:
    """The n values whose mean is the metric (Kind.MEAN only). Raises ValueError where the metric is not defined."""
    match metric:
        case "mae":
            return np.abs(_answers(scores) - rows.labels)
        case "mse":
            squares: Floats = np.square(_answers(scores) - rows.labels)
            return squares
        case "mape":
            zeros = int(np.count_nonzero(rows.labels == 0))
            if zeros:
                raise NotDefined(f"mape is not defined: {zeros:,} of {len(rows):,} labels are 0. Use mae.")
            shares: Floats = np.abs((_answers(scores) - rows.labels) / rows.labels)
            return shares
        case "accuracy":
            right: Floats = (hard(scores, metric) == rows.codes).astype(np.float64)
            return right
        case "logloss":
            table = probabilities(scores, metric)
            own: Floats = np.maximum(table[np.arange(len(rows)), rows.codes], TINY)
            surprise: Floats = -np.log(own)
            return surprise
        case "brier":
            return _brier(probabilities(scores, metric), rows.codes)
    raise AssertionError(f"{metric} is not a mean over rows")


def _brier(table: Floats, codes: Ints) -> Floats:
    """Two classes: (p - y)^2, from 0 to 1 (as scikit-learn); more: the sum over classes, from 0 to 2 (Brier 1950)."""
    if table.shape[1] == 2:
        return np.square(table[:, 1] - codes)
    own = table[np.arange(len(table)), codes]
    losses: Floats = np.einsum("ij,ij->i", table, table) - 2 * own + 1
    return losses


def smooth_sums(metric: str, rows: Rows, scores: Scores) -> list[Floats]:
    """d times n values of rows whose means make rmse or r2; labels are centred, which keeps precision."""
    errors = np.square(_answers(scores) - rows.labels)
    if metric == "rmse":
        return [errors]
    centred = rows.labels - rows.labels.mean()
    return [errors, centred, np.square(centred)]


def smooth_value(metric: str, means: Floats) -> Floats:
    """The metric from means over rows; the last axis holds what smooth_sums gave."""
    if metric == "rmse":
        return np.sqrt(means[..., 0])
    variance = means[..., 2] - np.square(means[..., 1])
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(variance > 0, 1 - means[..., 0] / variance, 0.0)


def cell_value(metric: str, hits: Floats, answered: Floats, true: Floats) -> Floats:
    """A metric of the confusion table from three counts per class on the last axis; definitions as in scikit-learn.

    Two classes: of the positive (second) class. More: the mean over the classes that occur. Division by zero gives 0.
    """
    if metric == "mcc":
        return _mcc(hits, answered, true)
    if metric == "balanced_accuracy":
        return _mean_where(_ratio(hits, true), true > 0)
    top, bottom = {
        "precision": (hits, answered),
        "recall": (hits, true),
        "f1": (2 * hits, answered + true),
    }[metric]
    each = _ratio(top, bottom)
    return each[..., 1] if hits.shape[-1] == 2 else _mean_where(each, answered + true > 0)


def _ratio(top: Floats, bottom: Floats) -> Floats:
    return np.divide(top, bottom, out=np.zeros(np.broadcast(top, bottom).shape), where=bottom > 0)


def _mean_where(values: Floats, where: npt.NDArray[np.bool_]) -> Floats:
    return _ratio((values * where).sum(axis=-1), where.sum(axis=-1).astype(np.float64))


def _mcc(hits: Floats, answered: Floats, true: Floats) -> Floats:
    """Gorodkin's R_K (2004), which is Matthews' coefficient for two classes."""
    rows = true.sum(axis=-1)
    covariance = hits.sum(axis=-1) * rows - (answered * true).sum(axis=-1)
    spread = (rows**2 - (answered**2).sum(axis=-1)) * (rows**2 - (true**2).sum(axis=-1))
    return _ratio(covariance, np.sqrt(np.maximum(spread, 0)))


def counts_of(rows: Rows, scores: Scores, metric: str) -> tuple[Ints, Ints]:
    """Truth and answer as class codes."""
    return rows.codes, hard(scores, metric)


def hard(scores: Scores, metric: str) -> Ints:
    """The answers as classes, or a sentence why they are none."""
    if scores.codes is None:
        raise ValueError(f"{metric} needs classes, or probabilities between 0 and 1.")
    return scores.codes


def probabilities(scores: Scores, metric: str) -> Floats:
    """The answers as a table of probabilities, or a sentence why they are none."""
    if scores.probabilities is None and scores.sure is not None:
        return np.column_stack([1 - scores.sure, scores.sure])
    if scores.probabilities is None:
        raise ValueError(f"{metric} needs probabilities; the predictions are classes.")
    return scores.probabilities


def _answers(scores: Scores) -> Floats:
    if scores.values is None:
        raise ValueError("A regression needs one number a row.")
    return scores.values


def applicable(metric: str, rows: Rows) -> bool:
    """Whether the metric can be computed from what the models answered."""
    known = METRICS[metric]
    if known.task is not rows.task:
        return False
    models: list[Any] = [one for one in (rows.candidate, rows.champion) if one is not None]
    if metric == "auc":
        return len(np.unique(rows.codes)) > 1 and all(
            one.probabilities is not None or one.values is not None for one in models
        )
    if metric == "mape":
        return bool(np.all(rows.labels != 0))
    if known.task == "regression":
        return True
    return all((one.probabilities if known.needs_probabilities else one.codes) is not None for one in models)
