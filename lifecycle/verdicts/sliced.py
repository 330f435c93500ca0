"""A metric of both models on every slice of a column at once, with the standard error of the difference."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from lifecycle.verdicts.losses import cell_value, hard, row_losses
from lifecycle.verdicts.metrics import METRICS, Kind, Task
from lifecycle.verdicts.ranking import ranking
from lifecycle.verdicts.rows import Floats, Ints, Rows, Scores

MAX_RANKED = 100_000  # rows looked at per column when every slice must be sorted


@dataclass(frozen=True, slots=True)
class Sliced:
    """S values each. error: standard error of candidate - champion; p_worse: one-sided, small where it is worse."""

    rows: Ints
    smallest_class: Ints
    champion: Floats
    candidate: Floats
    error: Floats
    p_worse: Floats


@dataclass(frozen=True, slots=True)
class _Parts:
    """S values of both models and the n influences of rows on their slice's difference (adding up to 0 in each)."""

    champion: Floats
    candidate: Floats
    influence: Floats


def sliced(metric: str, rows: Rows, codes: Ints, count: int, blocks: Ints | None = None) -> Sliced:
    """codes: n slice numbers below ``count``, -1 for rows in no slice."""
    from scipy.special import ndtr

    chosen = np.flatnonzero(codes >= 0)
    if METRICS[metric].kind is Kind.RANK and len(chosen) > MAX_RANKED:
        chosen = chosen[:: -(-len(chosen) // MAX_RANKED)]
    inside = codes[chosen]
    parts = _parts(metric, rows, inside, chosen, count)
    error = np.sqrt(_variance(parts.influence, inside, count, None if blocks is None else blocks[chosen]))
    difference = parts.candidate - parts.champion
    gain = difference if METRICS[metric].greater_is_better else -difference
    steps = np.divide(gain, error, out=np.where(gain < 0, -40.0, 40.0), where=error > 0)
    return Sliced(
        np.bincount(inside, minlength=count),
        _smallest_class(rows, inside, chosen, count),
        parts.champion,
        parts.candidate,
        error,
        np.where(gain < 0, ndtr(steps), 1.0),
    )


def _smallest_class(rows: Rows, inside: Ints, chosen: Ints, count: int) -> Ints:
    inside_all: Ints = np.bincount(inside, minlength=count)
    if rows.task is Task.REGRESSION or len(rows.classes) != 2:
        return inside_all
    ones = np.bincount(inside, weights=rows.codes[chosen], minlength=count).astype(np.int64)
    fewer: Ints = np.minimum(ones, inside_all - ones)
    return fewer


def _variance(influence: Floats, inside: Ints, count: int, blocks: Ints | None) -> Floats:
    """Of each slice's difference: the sum of squared influences, those of a block added up first."""
    if blocks is None:
        return np.bincount(inside, weights=np.square(influence), minlength=count).astype(np.float64)
    pairs, at = np.unique(inside * (int(blocks.max()) + 1) + blocks, return_inverse=True)
    sums = np.bincount(at, weights=influence)
    return np.bincount(pairs // (int(blocks.max()) + 1), weights=np.square(sums), minlength=count).astype(np.float64)


def _parts(metric: str, rows: Rows, inside: Ints, chosen: Ints, count: int) -> _Parts:
    champion = _champion(rows)
    kind = METRICS[metric].kind
    if kind is Kind.RANK and len(rows.classes) == 2:
        return _ranked(rows, inside, chosen, count)
    if kind is Kind.CELLS and len(rows.classes) == 2:
        return _of_cells(metric, rows, inside, chosen, count)
    values = [_row_values(metric, rows, one)[chosen] for one in (champion, rows.candidate)]
    return _of_means(values, inside, count, np.sqrt if metric == "rmse" else None)


def _champion(rows: Rows) -> Scores:
    if rows.champion is None:
        raise ValueError("Without a champion no slice can have become worse.")
    return rows.champion


def _row_values(metric: str, rows: Rows, scores: Scores) -> Floats:
    """Values whose mean over a slice is the metric there. r2 counts against the variance of all rows, so slices add up;
    for several classes the metrics of tables and ranks are replaced by accuracy and Brier score."""
    if metric == "rmse":
        return row_losses("mse", rows, scores)
    if metric == "r2":
        return 1 - row_losses("mse", rows, scores) / max(float(np.var(rows.labels)), 1e-300)
    if METRICS[metric].kind is Kind.RANK:
        return -row_losses("brier", rows, scores)
    if METRICS[metric].kind is Kind.CELLS:
        return row_losses("accuracy", rows, scores)
    return row_losses(metric, rows, scores)


def _of_means(values: list[Floats], inside: Ints, count: int, root: Callable[[Floats], Floats] | None) -> _Parts:
    """Means per slice, or their square roots (with the delta method's influence)."""
    rows = np.maximum(np.bincount(inside, minlength=count), 1)
    means = [np.bincount(inside, weights=one, minlength=count) / rows for one in values]
    away = [one - mean[inside] for one, mean in zip(values, means, strict=True)]
    if root is not None:
        means = [root(mean) for mean in means]
        away = [one / np.maximum(2 * mean, 1e-300)[inside] for one, mean in zip(away, means, strict=True)]
    return _Parts(means[0], means[1], (away[1] - away[0]) / rows[inside])


def _of_cells(metric: str, rows: Rows, inside: Ints, chosen: Ints, count: int) -> _Parts:
    """Delta method on the eight counts (truth, champion's answer, candidate's answer) of each slice."""
    answers = [hard(one, metric)[chosen] for one in (_champion(rows), rows.candidate)]
    cells = rows.codes[chosen] * 4 + answers[0] * 2 + answers[1]
    counts = np.bincount(inside * 8 + cells, minlength=count * 8).reshape(count, 8).astype(np.float64)
    true, first, second = (np.eye(2)[np.arange(8) // by % 2] for by in (4, 2, 1))

    def value(at: Floats, answer: Floats) -> Floats:
        return cell_value(metric, at @ (answer * true), at @ answer, at @ true)

    step = 1e-4 * np.maximum(counts.sum(axis=1), 1)
    slopes = np.empty((count, 8))
    for one in range(8):
        up, down = counts.copy(), counts.copy()
        up[:, one] += step
        down[:, one] -= step
        rise = value(up, second) - value(up, first) - value(down, second) + value(down, first)
        slopes[:, one] = rise / (2 * step)
    return _Parts(value(counts, first), value(counts, second), slopes[inside, cells])


def _ranked(rows: Rows, inside: Ints, chosen: Ints, count: int) -> _Parts:
    scores = [one.values[chosen] for one in (_champion(rows), rows.candidate) if one.values is not None]
    labels = rows.codes[chosen] == 1
    areas = np.full((2, count), 0.5)
    influence = np.zeros(len(inside))
    order = np.argsort(inside, kind="stable")
    starts = np.searchsorted(inside[order], np.arange(count + 1))
    for one in range(count):
        at = order[starts[one] : starts[one + 1]]
        if labels[at].any() and not labels[at].all():
            old = ranking(labels[at], scores[0][at])
            new = ranking(labels[at], scores[1][at])
            areas[:, one] = old.area, new.area
            influence[at] = new.influence - old.influence
    return _Parts(areas[0], areas[1], influence)
