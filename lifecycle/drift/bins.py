"""From stored counts to the few bins that are tested: tenths of training or its categories, and missing values."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lifecycle.drift.columns import CategoryColumn, NumericColumn
from lifecycle.drift.grid import Counts

BINS = 10
EXPECTED = 5.0  # rows that a bin should get in the window, for the chi-square approximation to hold


@dataclass(frozen=True, slots=True)
class Bins:
    """k counts of training and of the window; labels for categories, cell ranges [from, to) for numbers."""

    reference: Counts
    window: Counts
    labels: tuple[str, ...]
    cells: tuple[tuple[int, int], ...] = ()


def number_bins(reference: NumericColumn, window: NumericColumn) -> Bins:
    """At most ten bins of equal shares of training, ending where cells end; one for infinite, one for missing."""
    most = int(np.clip(min(reference.rows, window.rows) // EXPECTED, 2, BINS))
    cuts = _cuts(reference.counts, most)
    ranges = tuple(zip([0, *cuts], [*cuts, len(reference.counts)], strict=True))
    pairs = [(int(reference.counts[a:b].sum()), int(window.counts[a:b].sum())) for a, b in ranges]
    infinite = (reference.minus_inf + reference.plus_inf, window.minus_inf + window.plus_inf)
    labels = ["" for _ in ranges]
    for label, pair in (("infinite", infinite), ("missing", (reference.missing, window.missing))):
        if _enough(*pair, reference.rows, window.rows):
            pairs.append(pair)
            labels.append(label)
    table = np.array(pairs, dtype=np.int64)
    return Bins(table[:, 0], table[:, 1], tuple(labels), ranges)


def _enough(count: int, now: int, rows: int, here: int) -> bool:
    """Whether so rare a bin may be tested; otherwise only its own rule looks at it (a rate, tested exactly)."""
    return (count + now) * min(rows, here) >= EXPECTED * (rows + here)


def _cuts(counts: Counts, most: int) -> list[int]:
    """Cells at which the cumulated share first reaches 1/k, 2/k, ...; a heavy cell swallows the cuts inside it."""
    total = int(counts.sum())
    if not total:
        return []
    reached = np.cumsum(counts) / total
    after = np.searchsorted(reached, np.arange(1, most) / most - 1e-12) + 1
    before = after - 1  # a cell with much of the mass ends nearer to the cut on its left side
    left = np.where(before > 0, reached[np.maximum(before - 1, 0)], 0.0)
    wanted = np.arange(1, most) / most
    cuts = np.where(wanted - left < reached[after - 1] - wanted, before, after)
    filled = [int(cut) for cut in np.unique(cuts) if 0 < reached[cut - 1] < 1] if len(cuts) else []
    kept: list[int] = []
    for cut in filled:
        if not kept or reached[cut - 1] > reached[kept[-1] - 1]:
            kept.append(cut)
    return kept


def category_bins(reference: CategoryColumn, window: CategoryColumn) -> Bins:
    """Values frequent enough to be tested alone; rarer ones in groups that together are. How frequent is judged by both
    tables together: by training's counts alone, the rare values would seem to become more frequent by mere chance."""
    units = sorted(_units(reference, window), key=lambda unit: (-unit[1] - unit[2], unit[0]))
    rows, here = reference.rows - reference.missing, window.rows - window.missing
    found: list[tuple[str, int, int]] = []
    held = now = names = 0
    for label, count, other in units:
        held, now, names = held + count, now + other, names + 1
        if _enough(held, now, rows, here):
            found.append((label if names == 1 else f"{names} rare values", held, now))
            held = now = names = 0
    if found and names:
        last = found.pop()
        found.append((last[0] if not held + now else "rare values", last[1] + held, last[2] + now))
    if _enough(reference.missing, window.missing, reference.rows, window.rows):
        found.append(("missing", reference.missing, window.missing))
    table = np.array([pair[1:] for pair in found], dtype=np.int64).reshape(-1, 2)
    return Bins(table[:, 0], table[:, 1], tuple(label for label, _, _ in found))


def _units(reference: CategoryColumn, window: CategoryColumn) -> list[tuple[str, int, int]]:
    """The smallest parts that are counted in both, with both counts."""
    pairs = zip(reference.values, reference.counts.tolist(), window.counts.tolist(), strict=True)
    if reference.complete:
        unseen = [(value, 0, count) for value, count in window.unseen.items()]
        return [*pairs, *unseen, ("new values", 0, window.more_unseen)]
    buckets = zip(reference.buckets.tolist(), window.buckets.tolist(), strict=True)
    return [*pairs, *(("rare values", one, other) for one, other in buckets)]
