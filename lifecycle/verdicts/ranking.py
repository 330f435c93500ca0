"""The area under the ROC curve with each row's influence on it (DeLong, DeLong, Clarke-Pearson 1988)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from lifecycle.verdicts.metrics import NotDefined
from lifecycle.verdicts.rows import Floats, Ints


@dataclass(frozen=True, slots=True)
class Ranking:
    """The area and n influences: influence adds up to 0, and the sum of their squares is (nearly) DeLong's variance."""

    area: float
    influence: Floats


def midranks(scores: Floats) -> Floats:
    """Ranks from 1, ties sharing the mean of theirs (Sun & Xu 2014 compute DeLong's covariance from these)."""
    order = np.argsort(scores, kind="stable")
    ordered = scores[order]
    starts = np.flatnonzero(np.concatenate(([True], ordered[1:] != ordered[:-1])))
    ends = np.append(starts[1:], len(ordered))
    ranks = np.empty(len(scores))
    ranks[order] = np.repeat((starts + ends + 1) / 2, ends - starts)
    return ranks


def ranking(positive: npt.NDArray[np.bool_], scores: Floats) -> Ranking:
    """One model's area; ties count half. Raises ValueError if all rows are of one class."""
    ones = int(np.count_nonzero(positive))
    zeros = len(positive) - ones
    if not ones or not zeros:
        raise NotDefined("The area under the ROC curve needs both classes among the rows; there is only one.")
    above = _placements(positive, scores, ones, zeros)
    area = float(above[positive].mean())
    # n/(n-1) within each class makes the sum of squares DeLong's unbiased variance
    scale = np.where(positive, 1 / np.sqrt(ones * max(ones - 1, 1)), 1 / np.sqrt(zeros * max(zeros - 1, 1)))
    return Ranking(area, (above - area) * scale)


def _placements(positive: npt.NDArray[np.bool_], scores: Floats, ones: int, zeros: int) -> Floats:
    """For each row the share of the other class that it is on the right side of; from one sort for both classes."""
    order = np.argsort(scores, kind="stable")
    ordered, flags = scores[order], positive[order]
    starts = np.flatnonzero(np.concatenate(([True], ordered[1:] != ordered[:-1])))
    ties = np.diff(np.append(starts, len(ordered)))
    ones_in = np.add.reduceat(flags.astype(np.int64), starts)
    zeros_in = ties - ones_in
    for_ones = (np.cumsum(zeros_in) - zeros_in / 2) / zeros
    for_zeros = 1 - (np.cumsum(ones_in) - ones_in / 2) / ones
    above = np.empty(len(scores))
    above[order] = np.where(flags, np.repeat(for_ones, ties), np.repeat(for_zeros, ties))
    return above


def rankings(labels: Ints, classes: int, table: Floats | None, values: Floats | None) -> Ranking:
    """Two classes: by the score of the second. More: the mean over occurring classes of one against the rest."""
    if classes == 2:
        scores = values if values is not None else (table[:, 1] if table is not None else None)
        if scores is None:
            raise ValueError("auc needs a score or probability; the predictions are classes.")
        return ranking(labels == 1, scores)
    if table is None:
        raise ValueError("auc needs probabilities; the predictions are classes.")
    present = np.unique(labels)
    each = [ranking(labels == one, table[:, one]) for one in present]
    return Ranking(
        float(np.mean([one.area for one in each])),
        np.mean([one.influence for one in each], axis=0),
    )
