"""How large a regression's errors probably are before labels arrive: direct loss estimation (as NannyML calls it).

A second model learns, on rows with labels, how large the first one's error is for such features and such an answer;
its mean over new rows is the error to expect. It sees harder inputs. It cannot see that the same inputs now have other
answers.
"""

from __future__ import annotations

import math

import numpy as np
import pyarrow as pa

from lifecycle.verdicts.findings import Interval
from lifecycle.verdicts.intervals import SEED, z_factor
from lifecycle.verdicts.rows import Floats

MIN_ROWS = 200


def expected_loss(known: pa.Table, losses: object, window: pa.Table, *, confidence: float = 0.95) -> Interval:
    """The mean loss to expect on ``window``'s rows.

    known, window: features and the model's ``prediction``, same columns (those of one alone are ignored). losses: what
    the model lost on the known rows (absolute or squared errors), which it was not trained on. The interval holds
    the rows' own noise and that of the second model's mean (out of three folds). Raises ValueError for fewer than 200
    known rows.
    """
    values = np.asarray(losses, dtype=np.float64)
    if len(values) != len(known) or not np.isfinite(values).all():
        raise ValueError(
            f"There are {len(known):,} known rows but {len(values):,} losses, all of which must be finite."
        )
    if len(known) < MIN_ROWS or not len(window):
        raise ValueError(f"An estimate without labels needs at least {MIN_ROWS} rows with labels, and a window.")
    before, now = _matrices(known, window)
    from sklearn.ensemble import HistGradientBoostingRegressor
    from sklearn.model_selection import KFold, cross_val_predict
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped, unused-ignore]

    learner = HistGradientBoostingRegressor(
        loss="squared_error",
        max_iter=60,
        learning_rate=0.08,
        max_leaf_nodes=15,
        min_samples_leaf=30,
        random_state=SEED,
    )
    with threadpool_limits(1):  # small work: more threads would mostly wait for each other
        left_open = values - cross_val_predict(learner, before, values, cv=KFold(3, shuffle=True, random_state=SEED))
        expected = learner.fit(before, values).predict(now)
    noise = float(left_open.var())
    half = z_factor(confidence) * math.sqrt(noise / len(now) + noise / len(known) + float(expected.var()) / len(now))
    centre = max(float(expected.mean()), 0.0)
    return Interval(centre, max(centre - half, 0.0), centre + half)


def _matrices(known: pa.Table, window: pa.Table) -> tuple[Floats, Floats]:
    """Numbers as they are; texts by how frequent they are among the known rows (unseen: 0)."""
    columns = []
    for name in known.schema.names:
        if name in window.schema.names:
            pair = _numbers(known[name], window[name])
            if pair is not None:
                columns.append(pair)
    if not columns:
        raise ValueError("The known rows and the window have no column in common that could tell how large errors are.")
    before, now = (np.column_stack([pair[at] for pair in columns]) for at in (0, 1))
    return before, now


def _numbers(known: pa.ChunkedArray, window: pa.ChunkedArray) -> tuple[Floats, Floats] | None:
    from lifecycle.drift.asked_as import as_numbers, as_texts

    parts = [column.combine_chunks() for column in (known, window)]
    numbers = [part for part in map(as_numbers, parts) if part is not None]
    if len(numbers) == len(parts):
        before, now = (part.cast(pa.float64()).to_numpy(zero_copy_only=False) for part in numbers)
        return before, now
    texts = [part for part in map(as_texts, parts) if part is not None]
    if len(texts) < len(parts):
        return None
    counts = {entry["values"]: entry["counts"] for entry in texts[0].value_counts().to_pylist()}
    before, now = (np.array([counts.get(word, 0) for word in part.to_pylist()], np.float64) for part in texts)
    return before, now
