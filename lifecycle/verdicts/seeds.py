"""Several candidates of one recipe: does it pass on the average of its seeds, and is one seed enough?"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from lifecycle.verdicts.deciding import compared
from lifecycle.verdicts.estimates import Estimate, estimate
from lifecycle.verdicts.findings import Comparison, Interval
from lifecycle.verdicts.gate import Gate
from lifecycle.verdicts.intervals import t_factor, z_factor
from lifecycle.verdicts.metrics import METRICS
from lifecycle.verdicts.rows import align
from lifecycle.verdicts.words import number


def across_seeds(
    labels: object,
    candidates: Sequence[object],
    champion: object,
    *,
    gate: Gate,
    groups: object | None = None,
) -> Comparison:
    """The recipe against the champion: the mean of its candidates' metrics; inputs as for ``judge``.

    The interval joins what the rows leave open (the mean of the candidates' own variances, for they share the rows) and
    what the seeds do (Student's on their spread). Raises ValueError for fewer than two candidates.
    """
    if len(candidates) < 2:
        raise ValueError("The spread between seeds needs at least two candidates.")
    blocks = None if groups is None else np.unique(np.asarray(groups), return_inverse=True)[1].astype(np.int64)
    task = METRICS[gate.metric].task
    found = [
        estimate(gate.metric, align(labels, one, champion, task, gate.positive), gate.confidence, blocks)
        for one in candidates
    ]
    joined = _joined(found, gate.confidence)
    rows = len(align(labels, candidates[0], champion, task, gate.positive))
    told = compared(gate, joined, gate.metric, rows)
    low, high = (number(pick(one.candidate for one in found)) for pick in (min, max))
    return replace(told, reason=f"{told.reason[:-1]}, on average over {len(found)} seeds ({low} to {high}).")


def _joined(found: Sequence[Estimate], confidence: float) -> Estimate:
    differences = np.array([one.interval.estimate for one in found])
    centre = float(differences.mean())
    by_rows = np.mean([(one.interval.half_width / z_factor(confidence)) ** 2 for one in found])
    by_seeds = differences.var(ddof=1) / len(found)
    seeds_half = t_factor(len(found), confidence) * math.sqrt(by_seeds)
    half = math.hypot(z_factor(confidence) * math.sqrt(by_rows), seeds_half)
    candidate = float(np.mean([one.candidate for one in found]))
    return Estimate(candidate, found[0].champion, Interval(centre, centre - half, centre + half))


def spread_exceeds(values: Sequence[float], margin: float) -> bool:
    """Whether one training is not enough: the standard deviation between seeds' metrics is above the margin."""
    return len(values) > 1 and float(np.std(values, ddof=1)) > margin
