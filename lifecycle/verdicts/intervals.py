"""Intervals for a metric of one model, or for the difference of two on the same rows; each by the method that fits it.

Every function takes ``blocks``: n codes of groups of rows that depend on each other, or None for independent rows.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np

from lifecycle.verdicts.findings import Interval
from lifecycle.verdicts.rows import Floats, Ints

SEED = 20_111_231  # fixed: the same rows give the same verdict, today and tomorrow
MAX_GROUPS = 10_000
DRAWS = 2_000


def t_factor(groups: float, confidence: float) -> float:
    """Student's two-sided quantile with one degree of freedom less than there are groups."""
    from scipy.special import stdtrit

    return float(stdtrit(max(groups - 1, 1), (1 + confidence) / 2))


def z_factor(confidence: float) -> float:
    """The normal's two-sided quantile: 1.96 for 0.95."""
    from scipy.special import ndtri

    return float(ndtri((1 + confidence) / 2))


def mean_interval(values: Floats, confidence: float, blocks: Ints | None = None) -> Interval:
    """Student's interval of a mean; with blocks the linearised cluster variance (Cochran 1977)."""
    return influence_interval(float(values.mean()), (values - values.mean()) / len(values), confidence, blocks)


def influence_interval(
    estimate: float, influence: Floats, confidence: float, blocks: Ints | None = None, strata: Ints | None = None
) -> Interval:
    """From each row's contribution to the estimate's error (adding up to 0); rows of a block are added up first.

    strata: n codes of parts (classes) whose errors are averaged apart: a small one makes the interval as wide as it is
    uncertain (Welch 1947), and says nothing of itself with one row.
    """
    parts = influence if blocks is None else np.bincount(blocks, weights=influence)
    groups = len(parts)
    if groups < 2:
        raise ValueError("All rows are in one block; an interval needs at least two blocks.")
    half = math.sqrt(groups / (groups - 1) * float(np.square(parts).sum()))
    if strata is None or blocks is not None:
        half *= t_factor(groups, confidence)
    else:
        half = half * t_factor(welch(influence, strata) + 1, confidence) + _unknown(strata)
    return Interval(estimate, estimate - half, estimate + half)


def welch(influence: Floats, strata: Ints) -> float:
    """Degrees of freedom of a sum of independent parts' errors (Welch-Satterthwaite)."""
    rows = np.bincount(strata)
    parts = np.bincount(strata, weights=np.square(influence))
    spread = float((np.square(parts) / np.maximum(rows - 1, 1)).sum())
    return float(parts.sum()) ** 2 / spread if spread > 0 else float(len(influence) - 1)


def _unknown(strata: Ints) -> float:
    """What parts of a single row may add, each of them counting for its share of the area's range from -1 to 1."""
    rows = np.bincount(strata)
    return 2 * float((rows == 1).sum() / (rows > 0).sum())


def unseen(rows: int, confidence: float) -> float:
    """The largest share that something may have which none of ``rows`` showed (Wilson 1927)."""
    square = z_factor(confidence) ** 2
    return square / (rows + square)


def proportion_interval(hits: int, rows: int, confidence: float) -> Interval:
    """One share, by Wilson's score interval (1927): all of fifty rows right does not mean always right."""
    square, share = z_factor(confidence) ** 2, hits / rows
    middle = (hits + square / 2) / (rows + square)
    half = math.sqrt(square * (rows * share * (1 - share) + square / 4)) / (rows + square)
    return Interval(share, min(share, middle - half), max(share, middle + half))


def share_interval(wins: int, losses: int, rows: int, confidence: float) -> Interval:
    """The difference of two accuracies on the same rows: Tango's score interval (1998), no bolder than exact McNemar.

    wins: rows where only the candidate is right; losses: where only the champion is. The score interval is widened by
    the exact conditional one (Clopper-Pearson on these rows), so it excludes 0 only where McNemar's exact test does.
    """
    from scipy.special import betaincinv

    estimate = (wins - losses) / rows
    z = z_factor(confidence)
    low = _tango_bound(wins, losses, rows, z, -1.0)
    high = _tango_bound(wins, losses, rows, z, 1.0)
    odd = wins + losses
    if odd:
        tail = (1 - confidence) / 2
        least = 0.0 if wins == 0 else float(betaincinv(wins, losses + 1, tail))
        most = 1.0 if losses == 0 else float(betaincinv(wins + 1, losses, 1 - tail))
        low = min(low, (2 * least - 1) * odd / rows)
        high = max(high, (2 * most - 1) * odd / rows)
    return Interval(estimate, low, high)


def _tango_bound(wins: int, losses: int, rows: int, z: float, far: float) -> float:
    """Where the score statistic of the difference equals z, by bisection between the estimate and ``far`` (-1 or 1)."""
    near = (wins - losses) / rows
    for _ in range(60):
        middle = (near + far) / 2
        if abs(_tango_score(wins, losses, rows, middle)) < z:
            near = middle
        else:
            far = middle
    return near


def _tango_score(wins: int, losses: int, rows: int, delta: float) -> float:
    """(b - c - n d) / sqrt(n (2 q + d (1 - d))), q the constrained estimate of the losses' share (Tango 1998)."""
    a = 2.0 * rows
    b = -wins - losses + (2 * rows - wins + losses) * delta
    c = -losses * delta * (1 - delta)
    q = (math.sqrt(max(b * b - 4 * a * c, 0.0)) - b) / (2 * a)
    variance = rows * (2 * q + delta * (1 - delta))
    excess = wins - losses - rows * delta
    if variance <= 0:
        return 0.0 if abs(excess) < 1e-12 else math.copysign(math.inf, excess)
    return excess / math.sqrt(variance)


def cells_interval(
    counts: Ints,
    value: Callable[[Floats], Floats],
    confidence: float,
    assumed: Ints | None = None,
    draws: int = 10_000,
) -> Interval:
    """Multinomial bootstrap over cells, the same law as resampling rows. ``value``: counts (..., C) -> (...).

    assumed: counts to draw from beside those seen, for what so few rows need not have shown.
    """
    rows = int(counts.sum())
    if counts.size * draws > 20_000_000:
        draws = max(500, 20_000_000 // counts.size)
    shares = counts if assumed is None else counts + assumed
    drawn = np.random.default_rng(SEED).multinomial(rows, shares / shares.sum(), size=draws)
    return _percentiles(float(value(counts.astype(np.float64))), value(drawn.astype(np.float64)), rows, confidence)


def poisson_interval(groups: Floats, value: Callable[[Floats], Floats], confidence: float) -> Interval:
    """Poisson bootstrap (Chamandy et al. 2012) of a function of sums; ``groups``: G x d sums.

    ``value`` takes sums: (..., d) -> (...).
    """
    rng = np.random.default_rng(SEED)
    table = _poisson_table()
    drawn = []
    for _ in range(0, DRAWS, 200):
        weights = table[rng.integers(0, len(table), size=(200, len(groups)), dtype=np.uint16)]
        drawn.append(weights.astype(np.float64) @ groups)
    return _percentiles(float(value(groups.sum(axis=0))), value(np.concatenate(drawn)), len(groups), confidence)


def dealt(columns: Sequence[Floats], blocks: Ints | None) -> Floats:
    """G x d sums of d columns: over blocks, or single rows. Independent rows beyond 10,000 are dealt into as many
    groups: the expected variance is the same, its relative error 1 %, the cost bounded."""
    if blocks is not None:
        return np.column_stack([np.bincount(blocks, weights=column) for column in columns])
    rows = len(columns[0])
    if rows <= MAX_GROUPS:
        return np.column_stack(columns)
    full = rows - rows % MAX_GROUPS
    groups = np.stack([column[:full].reshape(-1, MAX_GROUPS).sum(axis=0) for column in columns], axis=1)
    for at, column in enumerate(columns):
        groups[: rows - full, at] += column[full:]
    return groups


def _poisson_table() -> np.ndarray[tuple[int], np.dtype[np.uint8]]:
    """65,536 entries with the law of Poisson(1): a look-up per 16 random bits, six times as fast as drawing."""
    from scipy.special import pdtr

    edges = np.rint(pdtr(np.arange(12), 1.0) * 65_536).astype(np.int64)
    table: np.ndarray[tuple[int], np.dtype[np.uint8]] = np.searchsorted(edges, np.arange(65_536), side="right").astype(
        np.uint8
    )
    return table


def _percentiles(estimate: float, drawn: Floats, groups: int, confidence: float) -> Interval:
    """Percentiles of the draws, stretched about the estimate as Student's quantile exceeds the normal's."""
    tail = (1 - confidence) / 2
    low, high = np.quantile(drawn, [tail, 1 - tail])
    stretch = t_factor(groups, confidence) / z_factor(confidence) * math.sqrt(groups / max(groups - 1, 1))
    return Interval(
        estimate,
        min(estimate, estimate + (float(low) - estimate) * stretch),
        max(estimate, estimate + (float(high) - estimate) * stretch),
    )
