"""The statistics behind the alarm, from counts alone; scipy.special only, for scipy.stats takes a second to import."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from lifecycle.drift.grid import Counts, Floats

HALF = 0.5  # an empty bin counts as half a row: the logarithm needs something


@dataclass(frozen=True, slots=True)
class Tested:
    """Two rows of counts held against each other. p: that nothing moved; corrected: PSI less its mean by chance."""

    p: float
    psi: float
    corrected: float
    bins: int


def held_against(reference: Counts, window: Counts) -> Tested:
    """k counts each. Bins that are empty in both do not count; without two bins or without rows nothing moved."""
    used = (reference + window) > 0
    one, other = reference[used].astype(np.float64), window[used].astype(np.float64)
    rows, here = one.sum(), other.sum()
    if len(one) < 2 or rows == 0 or here == 0:
        return Tested(1.0, 0.0, 0.0, int(used.sum()))
    psi = _psi(one, other)
    # without drift PSI is about chi-square distributed with mean (k-1)(1/n + 1/m)
    by_chance = (len(one) - 1) * (1 / rows + 1 / here)
    p = max(chi_square_p(one, other), likelihood_p(one, other))
    return Tested(p, psi, float(psi - by_chance), len(one))


def chi_square_p(one: Floats, other: Floats) -> float:
    """Pearson's chi-square test of homogeneity on a 2 x k table without empty columns; no continuity correction."""
    from scipy.special import chdtrc

    both = one + other
    rows, here = one.sum(), other.sum()
    share = both / both.sum()
    statistic = float(
        (np.square(one - rows * share) / (rows * share) + np.square(other - here * share) / (here * share)).sum()
    )
    return float(chdtrc(len(one) - 1, statistic))


def likelihood_p(one: Floats, other: Floats) -> float:
    """The likelihood ratio's test of the same. Far out in the tail, where adjusted p-values are decided, each of
    the two calls chance drift two to ten times too often for bins of about five rows; both together never do."""
    from scipy.special import chdtrc, xlogy

    both = one + other
    rows, here = one.sum(), other.sum()
    share = both / both.sum()
    statistic = 2 * float((xlogy(one, one / (rows * share)) + xlogy(other, other / (here * share))).sum())
    return float(chdtrc(len(one) - 1, max(statistic, 0.0)))


def _psi(one: Floats, other: Floats) -> float:
    p, q = np.maximum(one, HALF) / one.sum(), np.maximum(other, HALF) / other.sum()
    return float(((q - p) * np.log(q / p)).sum())


def kolmogorov_smirnov(reference: Counts, window: Counts) -> float:
    """The largest distance of the cumulated shares, over cell borders."""
    if not reference.sum() or not window.sum():
        return 0.0
    return float(np.abs(np.cumsum(reference) / reference.sum() - np.cumsum(window) / window.sum()).max())


def jensen_shannon(reference: Counts, window: Counts) -> float:
    """The Jensen-Shannon distance in base 2: 0 for equal shares, 1 for nothing in common."""
    from scipy.special import rel_entr

    if not reference.sum() or not window.sum():
        return 0.0
    p, q = reference / reference.sum(), window / window.sum()
    middle = (p + q) / 2
    divergence = float((rel_entr(p, middle) + rel_entr(q, middle)).sum()) / 2
    return math.sqrt(max(divergence, 0.0) / math.log(2))


def wasserstein(reference: Counts, window: Counts, borders: Floats, unit: float) -> float | None:
    """The area between the cumulated shares inside the grid, in units of ``unit`` (training's standard deviation)."""
    inside = np.isfinite(borders)
    if not reference.sum() or not window.sum() or not unit > 0 or inside.sum() < 2:
        return None
    gap = np.abs(np.cumsum(reference) / reference.sum() - np.cumsum(window) / window.sum())[:-1][inside]
    widths = np.diff(borders[inside])
    area = float((gap[:-1] + gap[1:]) @ widths / 2 / unit)
    return area if math.isfinite(area) else None


def rate_p(reference: int, rows: int, window: int, here: int) -> float:
    """Fisher's exact test that two rates are equal: twice the smaller tail, at most 1."""
    if not rows or not here:
        return 1.0
    together = reference + window
    expected = here * together / (rows + here)
    tail = _tail(window, together, here, rows) if window >= expected else _tail(reference, together, rows, here)
    return min(1.0, 2 * tail)


def _tail(hits: int, together: int, here: int, rows: int) -> float:
    """P(at least ``hits`` of ``together`` marked rows fall among ``here``), of ``here + rows``: hypergeometric."""
    from scipy.special import gammaln

    most = min(together, here)
    count = np.arange(hits, min(most, hits + 20_000) + 1, dtype=np.float64)

    def choose(total: float, part: Floats) -> Floats:
        found: Floats = gammaln(total + 1) - gammaln(part + 1) - gammaln(total - part + 1)
        return found

    rest = together - count
    fits = (rest >= 0) & (rest <= rows)
    if not fits.any():
        return 0.0 if hits > most else 1.0
    count, rest = count[fits], rest[fits]
    logs = choose(here, count) + choose(rows, rest) - float(choose(rows + here, np.array([together]))[0])
    return float(min(1.0, math.fsum(np.exp(logs))))


def holm(p_values: list[float]) -> list[float]:
    """Holm's step-down adjusted p-values (1979), in the order given."""
    if not p_values:
        return []
    order = np.argsort(p_values, kind="stable")
    stepped = np.asarray(p_values)[order] * np.arange(len(p_values), 0, -1)
    adjusted = np.empty(len(p_values))
    adjusted[order] = np.minimum(np.maximum.accumulate(stepped), 1.0)
    return [float(value) for value in adjusted]
