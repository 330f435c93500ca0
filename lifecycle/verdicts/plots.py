"""What a report draws besides its intervals: calibration, residuals and slices, as a few dozen plain numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from lifecycle.verdicts.gate import Gate
from lifecycle.verdicts.intervals import z_factor
from lifecycle.verdicts.judging import block_numbers
from lifecycle.verdicts.metrics import METRICS, Task
from lifecycle.verdicts.rows import Floats, Rows, Scores, align
from lifecycle.verdicts.slices import slices_with_rows

SCHEMA = 1
BINS = 10
FEWEST = 10  # rows in a bin
MOST_SLICES = 12
MOST_VALUE = 40  # characters of a slice's name

Plain = dict[str, Any]


@np.errstate(over="ignore", invalid="ignore", divide="ignore")
def plot_facts(
    labels: object,
    candidate: object,
    champion: object | None,
    *,
    task: Task | str,
    gate: Gate,
    features: pa.Table | None = None,
    groups: object | None = None,
) -> Plain:
    """JSON for the plots; inputs as for ``judge``. Every number is finite, some 4 KB in all.

    schema: 1. calibration (two classes with probabilities): for ``candidate`` and ``champion`` (where there is one) up
    to ten bins of equally many rows, each {rows, predicted, observed, low, high}: mean probability, share of
    positives and its 95 % interval (Wilson). residuals (regression): the same for ten bins of the answers, each
    {rows, predicted, low, middle, high}: answer minus truth at the 10th, 50th and 90th percentile. slices: up to
    twelve, worst first, each {column, value, rows, champion, difference, low, high} with candidate minus champion and
    its uncorrected interval.
    """
    rows = align(labels, candidate, champion, task, gate.positive)
    models = {"candidate": rows.candidate} | ({"champion": rows.champion} if rows.champion else {})
    found: Plain = {"schema": SCHEMA}
    if rows.task is Task.REGRESSION:
        found["residuals"] = {name: _residuals(rows, one) for name, one in models.items()}
    elif len(rows.classes) == 2 and rows.candidate.probabilities is not None:
        found["calibration"] = {
            name: _calibration(rows, one.probabilities[:, 1])
            for name, one in models.items()
            if one.probabilities is not None
        }
    if rows.champion is not None and features is not None:
        found["slices"] = _slices(rows, features, gate, groups)
    return found


def _binned(values: Floats) -> Sequence[np.ndarray[Any, np.dtype[np.int64]]]:
    """Row numbers of up to ten bins with about equally many rows, by growing value; fewer where rows are few."""
    count = max(1, min(BINS, len(values) // FEWEST))
    order = np.argsort(values, kind="stable")
    return [part for part in np.array_split(order, count) if len(part)]


def _residuals(rows: Rows, scores: Scores) -> list[Plain]:
    answers = scores.values
    if answers is None:
        return []
    found = []
    for part in _binned(answers):
        low, middle, high = np.quantile(answers[part] - rows.labels[part], [0.1, 0.5, 0.9])
        bin_ = {"predicted": answers[part].mean(), "low": low, "middle": middle, "high": high}
        found.append(_finite({"rows": len(part), **bin_}))
    return [one for one in found if one]


def _calibration(rows: Rows, probability: Floats) -> list[Plain]:
    positive = rows.codes == 1
    found = []
    for part in _binned(probability):
        share = float(positive[part].mean())
        low, high = _wilson(share, len(part))
        found.append(
            _finite(
                {"rows": len(part), "predicted": probability[part].mean(), "observed": share, "low": low, "high": high}
            )
        )
    return [one for one in found if one]


def _wilson(share: float, rows: int, confidence: float = 0.95) -> tuple[float, float]:
    """Wilson's interval of a share (1927)."""
    z = z_factor(confidence)
    spread = z * np.sqrt(share * (1 - share) / rows + z * z / (4 * rows * rows))
    middle, size = share + z * z / (2 * rows), 1 + z * z / rows
    return max(0.0, (middle - spread) / size), min(1.0, (middle + spread) / size)


def _slices(rows: Rows, features: pa.Table, gate: Gate, groups: object | None) -> list[Plain]:
    turn = 1.0 if METRICS[gate.metric].greater_is_better else -1.0
    half = z_factor(gate.confidence)
    found = []
    for cut, one, values in slices_with_rows(rows, features, gate, block_numbers(gate, features, groups, len(rows))):
        champion, candidate = float(values.champion[one]), float(values.candidate[one])
        error = float(values.error[one])
        difference = candidate - champion
        place: Plain = {"column": cut.column[:MOST_VALUE], "value": cut.names[one][:MOST_VALUE]}
        facts = {"champion": champion, "difference": difference}
        facts |= {"low": difference - half * error, "high": difference + half * error}
        known = _finite({"rows": int(values.rows[one]), **facts})
        found.append((turn * difference / error if error > 0 else 0.0, place | known if known else {}))
    found.sort(key=lambda pair: pair[0])
    return [facts for _, facts in found if facts][:MOST_SLICES]


def _finite(facts: Mapping[str, Any]) -> Plain:
    """Numbers with six digits; nothing where one of them is none."""
    plain = {name: value if name == "rows" else float(f"{value:.6g}") for name, value in facts.items()}
    return plain if all(np.isfinite(value) for value in plain.values()) else {}
