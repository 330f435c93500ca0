"""Where a number falls: 4096 cells with under- and overflow, counted at a few nanoseconds a value."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Counts = npt.NDArray[np.int64]

CELLS = 4096
BLOCK = 32_768  # values at a time: all that is made of them stays in the processor's cache
CENTRAL = (0.0005, 0.9995)
ROOM = 0.02
FULL = 1 / 256  # a cell that holds more of the rows than this, without one value that explains it, is too coarse
EDGES = 256
MAX_ATOMS = 32
SINGLE = 2.0**-23  # of a number: what single precision in one file and double in another differ by, twice over
CONSTANT = 1e-3  # a training column of one value may vary by this share of it: no model can have learned from it


class Shape(StrEnum):
    """linear: equal cells. bent: equal cells of u/(1+|u|), for long tails. edges: cells between stored quantiles."""

    LINEAR = "linear"
    BENT = "bent"
    EDGES = "edges"


@dataclass(frozen=True, slots=True)
class Grid:
    """linear: ``start`` is the first cell's left edge, ``unit`` a cell's width; bent: u = (x - start) / unit."""

    shape: Shape
    start: float
    unit: float
    edges: Floats | None = None

    @property
    def size(self) -> int:
        """Length of a count: one cell below all, the cells, one above."""
        return CELLS + 2 if self.edges is None else len(self.edges) + 1

    def count(self, values: npt.NDArray[Any]) -> Counts:
        """Counts per cell of finite values."""
        counts = np.zeros(self.size, dtype=np.int64)
        for at in range(0, len(values), BLOCK):
            counts += self._count(values[at : at + BLOCK])
        return counts

    def _count(self, values: npt.NDArray[Any]) -> Counts:
        if self.edges is not None:
            return np.bincount(np.searchsorted(self.edges, values, side="right"), minlength=self.size)
        bent = self.shape is Shape.BENT
        place = np.subtract(values, self.start if bent else self.start - self.unit, dtype=np.float64)
        np.multiply(place, 1 / self.unit, out=place)
        if bent:
            np.divide(place, np.abs(place) + 1, out=place)
            np.multiply(place, CELLS / 2, out=place)
            np.add(place, CELLS / 2 + 1, out=place)
        np.clip(place, 0, CELLS + 1, out=place)
        return np.bincount(place.astype(np.intp), minlength=CELLS + 2)

    def borders(self) -> Floats:
        """size - 1 values: the right edge of every cell but the last."""
        if self.edges is not None:
            return self.edges
        steps = np.arange(CELLS + 1, dtype=np.float64)
        if self.shape is Shape.LINEAR:
            return self.start + steps * self.unit
        bent = (steps - CELLS / 2) / (CELLS / 2)
        with np.errstate(divide="ignore"):
            borders: Floats = self.start + self.unit * np.divide(bent, 1 - np.abs(bent))
        return borders

    def to_plain(self) -> dict[str, Any]:
        """For JSON."""
        plain: dict[str, Any] = {"shape": self.shape.value, "start": self.start, "unit": self.unit}
        return plain if self.edges is None else {**plain, "edges": self.edges.tolist()}

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> Grid:
        """From what ``to_plain`` gave."""
        edges = plain.get("edges")
        return cls(
            Shape(plain["shape"]), plain["start"], plain["unit"], None if edges is None else np.array(edges, np.float64)
        )

    def same(self, other: Grid) -> bool:
        """Whether counts on both may be added."""
        if (self.shape, self.start, self.unit) != (other.shape, other.start, other.unit):
            return False
        if self.edges is None or other.edges is None:
            return self.edges is other.edges
        return bool(np.array_equal(self.edges, other.edges))


def quantile(ordered: Floats, share: float) -> float:
    """The nearest value of a sorted sample."""
    return float(ordered[round(share * (len(ordered) - 1))])


def atoms_of(ordered: Floats) -> dict[float, float]:
    """Single values of a sorted sample that hold more than a full cell's share, with their shares, frequent first."""
    if not len(ordered):
        return {}
    starts = np.flatnonzero(np.concatenate(([True], ordered[1:] != ordered[:-1])))
    lengths = np.diff(starts, append=len(ordered))
    common = np.flatnonzero(lengths >= max(FULL * len(ordered), 2))
    common = common[np.argsort(-lengths[common], kind="stable")][:MAX_ATOMS]
    return {float(ordered[starts[at]]): float(lengths[at]) / len(ordered) for at in common}


def grid_for(sample: Floats, atoms: Mapping[float, float]) -> Grid:
    """The first of the shapes that has no cell fuller than 1/256, but for atoms. Finite and sorted; may be none."""
    if not len(sample):
        return Grid(Shape.LINEAR, 0.0, 1.0)
    low, high = (quantile(sample, share) for share in CENTRAL)
    if low == high:
        low, high = float(sample[0]), float(sample[-1])
    linear = _linear(low, high)
    if linear is not None and not _too_full(linear, sample, atoms):
        return linear
    middle, spread = _middle(sample)
    if spread > 1e-300:
        bent = Grid(Shape.BENT, middle, spread)
        if not _too_full(bent, sample, atoms):
            return bent
    edges = np.unique(sample[np.rint(np.linspace(0, len(sample) - 1, EDGES + 1)).astype(np.intp)])
    return Grid(Shape.EDGES, 0.0, 1.0, np.append(edges, min(np.nextafter(edges[-1], np.inf), np.finfo(np.float64).max)))


def _linear(low: float, high: float) -> Grid | None:
    room = ROOM * (high - low) if high > low else max(abs(low), 1.0) * CONSTANT
    start, unit = low - room, (high - low + 2 * room) / CELLS
    # where floats are too coarse for so small steps, there are no equal cells
    fine = np.isfinite(unit) and unit > 1e-300 and start - unit < start < start + unit
    return Grid(Shape.LINEAR, start, unit) if fine else None


def _middle(sample: Floats) -> tuple[float, float]:
    """The median, and half the distance of the quartiles (or of wider quantiles, where these coincide)."""
    for tail in (0.25, 0.1, 0.02):
        low, middle, high = (quantile(sample, share) for share in (tail, 0.5, 1 - tail))
        if high > low and np.isfinite(high - low):
            return middle, (high - low) / 2
    return 0.0, 0.0


def _too_full(grid: Grid, sample: Floats, atoms: Mapping[float, float]) -> bool:
    counts = grid.count(sample) / len(sample)
    if atoms:
        cells = np.array([int(grid.count(np.array([value])).argmax()) for value in atoms])
        np.subtract.at(counts, cells, np.array(list(atoms.values())))
    # a handful of rows cannot fill 256 cells evenly: two rows in one are no sign of a long tail
    return bool(counts[1:-1].max() > max(FULL, 8 / len(sample)) + 1e-12)
