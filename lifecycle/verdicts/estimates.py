"""One metric on the held-back rows: each model's value, and the interval of the difference or of one model alone."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from lifecycle.verdicts.findings import Interval
from lifecycle.verdicts.intervals import (
    cells_interval,
    dealt,
    influence_interval,
    mean_interval,
    poisson_interval,
    proportion_interval,
    share_interval,
    unseen,
)
from lifecycle.verdicts.losses import cell_value, hard, row_losses, smooth_sums, smooth_value
from lifecycle.verdicts.metrics import METRICS, Kind, NotDefined
from lifecycle.verdicts.ranking import midranks, rankings
from lifecycle.verdicts.rows import Floats, Ints, Rows, Scores

FEW_ODD_ROWS = 200  # below so many rows on which exactly one model is right, accuracy gets the exact interval


@dataclass(frozen=True, slots=True)
class Estimate:
    """candidate: value; champion: value or None; interval: of candidate - champion, or of the candidate alone."""

    candidate: float
    champion: float | None
    interval: Interval


@np.errstate(over="ignore", invalid="ignore", divide="ignore")
def estimate(metric: str, rows: Rows, confidence: float, blocks: Ints | None = None) -> Estimate:
    """Raises ValueError with a sentence where the metric is not defined for these rows."""
    if len(rows) < 2:
        raise ValueError("There is only one row to judge on; an interval needs at least two.")
    found = _estimate(metric, rows, confidence, blocks)
    interval = found.interval
    for value in (found.candidate, found.champion, interval.estimate, interval.low, interval.high):
        if value is not None and not math.isfinite(value):
            raise ValueError(f"{metric} cannot be computed: labels or predictions are too large.")
    return found


def _estimate(metric: str, rows: Rows, confidence: float, blocks: Ints | None) -> Estimate:
    match METRICS[metric].kind:
        case Kind.MEAN:
            return _mean(metric, rows, confidence, blocks)
        case Kind.RANK:
            return _rank(rows, confidence, blocks)
        case Kind.CELLS:
            return _cells(metric, rows, confidence, blocks)
        case Kind.SMOOTH:
            return _smooth(metric, rows, confidence, blocks)


def _mean(metric: str, rows: Rows, confidence: float, blocks: Ints | None) -> Estimate:
    own = row_losses(metric, rows, rows.candidate)
    if rows.champion is None:
        hits = int(own.sum())
        rare = metric == "accuracy" and blocks is None and min(hits, len(rows) - hits) < FEW_ODD_ROWS
        interval = proportion_interval(hits, len(rows), confidence) if rare else mean_interval(own, confidence, blocks)
        return Estimate(float(own.mean()), None, interval)
    other = row_losses(metric, rows, rows.champion)
    difference = own - other
    if metric == "accuracy" and blocks is None:
        wins, losses = int((difference > 0).sum()), int((difference < 0).sum())
        if 0 < wins + losses < FEW_ODD_ROWS or (wins + losses == 0 and not _same(rows)):
            interval = share_interval(wins, losses, len(rows), confidence)
            return Estimate(float(own.mean()), float(other.mean()), interval)
    interval = mean_interval(difference, confidence, blocks)
    if metric == "accuracy" and blocks is not None and not difference.any() and not _same(rows):
        half = unseen(int(blocks.max()) + 1, confidence)
        interval = Interval(0.0, -half, half)
    return Estimate(float(own.mean()), float(other.mean()), interval)


def _same(rows: Rows) -> bool:
    """Whether both models say the same on every row, and not only the same class."""
    one, other = rows.candidate, rows.champion
    if other is None:
        return False
    pairs = ((one.probabilities, other.probabilities), (one.values, other.values), (one.codes, other.codes))
    return next((bool(np.array_equal(a, b)) for a, b in pairs if a is not None and b is not None), False)


def _rank(rows: Rows, confidence: float, blocks: Ints | None) -> Estimate:
    own = _ranking(rows, rows.candidate)
    if rows.champion is None:
        interval = influence_interval(*own, confidence, blocks, rows.codes)
        return Estimate(own[0], None, _within_areas(interval, rows, own[1], confidence, 0.0))
    other = _ranking(rows, rows.champion)
    apart = own[1] - other[1]
    interval = influence_interval(own[0] - other[0], apart, confidence, blocks, rows.codes)
    return Estimate(own[0], other[0], _within_areas(interval, rows, apart, confidence, -1.0))


def _same_order(rows: Rows) -> bool:
    """Whether both models rank the rows alike, or one model ranks nothing: then areas are equal on any rows."""
    tables = []
    for one in (rows.candidate, rows.champion or rows.candidate):
        table = one.values[:, None] if one.values is not None else one.probabilities
        if table is None:
            return False
        tables.append(np.column_stack([midranks(scores) for scores in table.T]))
    same = tables[0].shape == tables[1].shape and bool(np.array_equal(tables[0], tables[1]))
    return same and (rows.champion is not None or not np.ptp(tables[0]))


def _within_areas(interval: Interval, rows: Rows, influence: Floats, confidence: float, least: float) -> Interval:
    """No area is above 1; and where no row tells anything, as many of the rarest class as are there may hide it."""
    half = 0.0
    if not influence.any() and not _same_order(rows):
        counts = np.bincount(rows.codes)
        half = unseen(int(counts[counts > 0].min()), confidence)
    middle = interval.estimate
    return Interval(middle, max(min(interval.low, middle - half), least), min(max(interval.high, middle + half), 1.0))


def _ranking(rows: Rows, scores: Scores) -> tuple[float, Floats]:
    found = rankings(rows.codes, len(rows.classes), scores.probabilities, scores.values)
    return found.area, found.influence


def _smooth(metric: str, rows: Rows, confidence: float, blocks: Ints | None) -> Estimate:
    if metric == "r2" and rows.labels.min() == rows.labels.max():
        raise NotDefined("r2 is not defined: all labels are the same. Use mae.")
    parts = smooth_sums(metric, rows, rows.candidate)
    width = len(parts)
    if rows.champion is not None:
        parts += smooth_sums(metric, rows, rows.champion)
    sums = dealt([*parts, np.ones(len(rows))], blocks)

    def value(at: Floats) -> Floats:
        means = at / at[..., -1:]
        own = smooth_value(metric, means[..., :width])
        return own if rows.champion is None else own - smooth_value(metric, means[..., width : 2 * width])

    whole = np.array([part.mean() for part in parts])
    own = float(smooth_value(metric, whole[:width]))
    other = None if rows.champion is None else float(smooth_value(metric, whole[width : 2 * width]))
    return Estimate(own, other, poisson_interval(sums, value, confidence))


def _cells(metric: str, rows: Rows, confidence: float, blocks: Ints | None) -> Estimate:
    _defined(metric, rows)
    models = [rows.candidate] + ([] if rows.champion is None else [rows.champion])
    codes = [rows.codes, *(hard(one, metric) for one in models)]
    extra = [] if _same(rows) else _assumed(rows, len(models))
    cells, occupied = _occupied([np.append(*pair) for pair in zip(codes, extra, strict=True)] if extra else codes, rows)
    value = _value_of_cells(metric, occupied, len(rows.classes))
    counts = np.bincount(cells[: len(rows)], minlength=len(occupied[0]))
    each = [float(part) for part in value(counts.astype(np.float64))]

    def difference(at: Floats) -> Floats:
        found = value(at)
        return found[0] - found[1] if len(found) > 1 else found[0]

    seen = cells[: len(rows)]
    if blocks is None:
        assumed = np.bincount(cells[len(rows) :], minlength=len(counts))
        interval = cells_interval(counts, difference, confidence, assumed)
    else:
        table = np.zeros((int(blocks.max()) + 1, len(counts)))
        np.add.at(table, (blocks, seen), 1.0)
        alike = bool((occupied[-2][seen] == occupied[-1][seen]).all())
        table = _with_assumed(table, cells[len(rows) :], table.sum() / len(table) if alike else 1.0)
        drawn = poisson_interval(table, difference, confidence)
        middle = each[0] - each[1] if len(each) > 1 else each[0]
        interval = Interval(middle, min(drawn.low, middle), max(drawn.high, middle))
    return Estimate(each[0], each[1] if len(each) > 1 else None, interval)


def _defined(metric: str, rows: Rows) -> None:
    """A table that gives every model the same value tells nothing. Raises ValueError."""
    counts = np.bincount(rows.codes, minlength=len(rows.classes))
    if metric == "mcc" and np.count_nonzero(counts) < 2:
        raise NotDefined("mcc is not defined: there is only one class among the labels. Use accuracy.")
    if metric in ("f1", "precision", "recall") and len(counts) == 2 and not counts[1]:
        wanted = f'no row of the positive class, "{rows.classes[1]}"'
        raise NotDefined(f"{metric} is not defined: there is {wanted}. Use accuracy, or name another one.")


def _with_assumed(table: Floats, cells: Ints, size: float) -> Floats:
    """Groups x cells, and one group more of each assumed row: of that row alone, or as large as groups are where none
    showed anything."""
    each = np.zeros((len(cells), table.shape[1]))
    each[np.arange(len(cells)), cells] = size
    return np.concatenate([table, each])


def _assumed(rows: Rows, models: int) -> list[Ints]:
    """Rows that nobody saw, so that a table without an error is not taken for one that cannot have any: of each class
    two, one that only the first model gets right and one that only the second does (of one model: right and wrong).
    Truths, and each model's answers. The wrong answer is the most frequent other class."""
    counts = np.bincount(rows.codes, minlength=len(rows.classes))
    truths = np.flatnonzero(counts)
    if len(rows.classes) < 2:
        return []
    order = np.argsort(-counts, kind="stable")
    wrong = np.where(truths == order[0], order[1], order[0])
    answers = [np.concatenate([truths, wrong]), np.concatenate([wrong, truths])]
    return [np.concatenate([truths, truths]), *answers[:models]]


def _occupied(codes: list[Ints], rows: Rows) -> tuple[Ints, list[Ints]]:
    """Each row's cell among those that occur, and for each cell its truth and each model's answer."""
    size = len(rows.classes)
    whole = codes[0].copy()
    for one in codes[1:]:
        whole = whole * size + one
    found, cells = np.unique(whole, return_inverse=True)
    parts = []
    for _ in codes:
        parts.append(found % size)
        found = found // size
    return cells.astype(np.int64), parts[::-1]


def _value_of_cells(metric: str, occupied: list[Ints], size: int) -> Callable[[Floats], list[Floats]]:
    """Counts per cell on the last axis -> the metric of each model."""
    one_hot = np.eye(size)
    true = one_hot[occupied[0]]
    models = [(one_hot[answer] * true, one_hot[answer]) for answer in occupied[1:]]

    def value(counts: Floats) -> list[Floats]:
        truth = counts @ true
        return [cell_value(metric, counts @ hits, counts @ answered, truth) for hits, answered in models]

    return value
