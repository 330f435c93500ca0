"""How well a classifier probably does before labels arrive: confidence-based performance estimation for two classes.

The method is NannyML's: calibrate probabilities where labels are known, then take each answer's expected confusion.
It sees harder inputs. It cannot see that the same inputs now have other answers; ``BLIND`` says so to people.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from lifecycle.verdicts.findings import Interval
from lifecycle.verdicts.intervals import SEED
from lifecycle.verdicts.losses import TINY
from lifecycle.verdicts.rows import Floats, align

BLIND = "This estimate cannot see it if the same inputs now have other right answers; only labels tell that."
DRAWS = 200
MAX_DRAWN = 100_000
METRICS_ESTIMATED = ("auc", "accuracy", "logloss", "brier")


@dataclass(frozen=True, slots=True)
class Cbpe:
    """A calibration curve (k scores, k chances, both rising) learned where labels were known; small enough for JSON."""

    scores: tuple[float, ...]
    chances: tuple[float, ...]

    @classmethod
    def fit(cls, labels: object, probability: object, positive: str | None = None) -> Cbpe:
        """Isotonic regression of n labels on n probabilities of the positive class, on rows not trained on."""
        from scipy.optimize import isotonic_regression

        rows = align(labels, probability, None, "classification", positive)
        if len(rows.classes) != 2 or rows.candidate.values is None:
            raise ValueError("The estimate without labels is for two classes and probabilities.")
        values, at, counts = np.unique(rows.candidate.values, return_inverse=True, return_counts=True)
        means = np.bincount(at, weights=rows.codes) / counts
        rising = np.asarray(isotonic_regression(means, weights=counts).x)
        flat = np.zeros(len(values), dtype=bool)  # inside a step: interpolation restores them
        flat[1:-1] = (rising[1:-1] == rising[:-2]) & (rising[1:-1] == rising[2:])
        return cls(tuple(map(float, values[~flat])), tuple(map(float, rising[~flat])))

    def chance(self, probability: Floats) -> Floats:
        """n probabilities as the model says them -> as they turned out where labels were known."""
        return np.interp(probability, self.scores, self.chances)

    def estimate(self, probability: object, metric: str = "auc", confidence: float = 0.95) -> Interval:
        """The metric (auc, accuracy, logloss, brier) to expect on these n rows.

        The interval is what labels drawn from the calibrated chances would show; it is only as good as the calibration.
        Raises ValueError for other metrics and for probabilities outside 0 to 1.
        """
        said = np.asarray(probability, dtype=np.float64).ravel()
        if metric not in METRICS_ESTIMATED:
            raise ValueError(f"Without labels there are estimates of {', '.join(METRICS_ESTIMATED)}, not of {metric}.")
        if not len(said) or not np.isfinite(said).all() or said.min() < 0 or said.max() > 1:
            raise ValueError("An estimate needs probabilities between 0 and 1, at least one.")
        chance = self.chance(said)
        expected = _expected(metric, said, chance)
        return Interval(expected, *_spread(metric, said, chance, expected, confidence))

    def to_plain(self) -> dict[str, Any]:
        """For JSON; the inverse is ``Cbpe.from_plain``."""
        return {"scores": list(self.scores), "chances": list(self.chances)}

    @classmethod
    def from_plain(cls, plain: dict[str, Any]) -> Cbpe:
        """From what ``to_plain`` gave."""
        return cls(tuple(plain["scores"]), tuple(plain["chances"]))


def _expected(metric: str, said: Floats, chance: Floats) -> float:
    if metric == "auc":
        return expected_area(said, chance)
    return float(np.mean(_expected_rows(metric, said, chance)))


def _expected_rows(metric: str, said: Floats, chance: Floats) -> Floats:
    if metric == "accuracy":
        return np.where(said >= 0.5, chance, 1 - chance)
    if metric == "brier":
        return chance * np.square(1 - said) + (1 - chance) * np.square(said)
    return -chance * np.log(np.maximum(said, TINY)) - (1 - chance) * np.log(np.maximum(1 - said, TINY))


def expected_area(said: Floats, chance: Floats) -> float:
    """Trapezoids under the expected ROC curve; rows with the same score are one step. Without both classes 0.5."""
    order = np.argsort(-said, kind="stable")
    last = np.flatnonzero(np.append(np.diff(said[order]) != 0, True))
    ones = np.concatenate(([0.0], np.cumsum(chance[order])[last]))
    zeros = np.concatenate(([0.0], np.cumsum(1 - chance[order])[last]))
    if ones[-1] <= 0 or zeros[-1] <= 0:
        return 0.5
    return float(np.trapezoid(ones, zeros) / (ones[-1] * zeros[-1]))


def _spread(metric: str, said: Floats, chance: Floats, expected: float, confidence: float) -> tuple[float, float]:
    """Percentiles over drawn labels; more rows than 100,000 are thinned and the width scaled back."""
    step = -(-len(said) // MAX_DRAWN)
    some, likely = said[::step], chance[::step]
    rng = np.random.default_rng(SEED)
    centre = _expected(metric, some, likely)
    drawn = [_expected(metric, some, (rng.random(len(some)) < likely).astype(np.float64)) for _ in range(DRAWS)]
    tail = (1 - confidence) / 2
    low, high = np.quantile(drawn, [tail, 1 - tail])
    shrink = 1 / np.sqrt(step)
    return min(expected, expected + (float(low) - centre) * shrink), max(
        expected, expected + (float(high) - centre) * shrink
    )
