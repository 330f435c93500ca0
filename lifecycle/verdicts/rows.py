"""Labels and answers of models as aligned arrays: every way in which people hand them over becomes one."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from lifecycle.verdicts.metrics import Task

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

PROBABILITY = "probability_"  # columns of a prediction table: probability_<class>


@dataclass(frozen=True, slots=True)
class Scores:
    """What one model answered on n rows.

    values: n floats; regression: the answers; two classes: a score that grows with the positive class, if there is one.
    codes: n class numbers (classification). probabilities: n x K, rows adding up to 1, or None.
    sure: n fractions that are all 0.0 or 1.0: taken for classes, unless a metric needs probabilities.
    """

    values: Floats | None
    codes: Ints | None = None
    probabilities: Floats | None = None
    sure: Floats | None = None


@dataclass(frozen=True, slots=True)
class Rows:
    """The held-back rows: labels (numbers, or class codes into ``classes``) and who answered what."""

    task: Task
    labels: Floats | Ints
    classes: tuple[str, ...]
    candidate: Scores
    champion: Scores | None

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def codes(self) -> Ints:
        """The labels as class codes."""
        return self.labels.astype(np.int64, copy=False)


@dataclass(frozen=True, slots=True)
class _Answers:
    """One model's answers before the classes are known: either given per row, or a table of probabilities."""

    who: str
    given: npt.NDArray[Any] | None
    table: Floats | None
    names: tuple[str, ...] = ()


def align(
    labels: object, candidate: object, champion: object | None, task: Task | str, positive: str | None = None
) -> Rows:
    """Labels and predictions (numpy, pyarrow, lists; predictions also as a table) of the same rows in the same order.

    A prediction table has the column ``prediction`` (value, class, or probability of the positive class), and may have
    ``probability_<class>`` for every class. Raises ValueError with a sentence for everything that does not fit.
    """
    task = Task(task)
    truth = _column(labels, "labels", "label")
    answers = [_answers(candidate, "candidate")] + ([] if champion is None else [_answers(champion, "champion")])
    if len(truth) == 0:
        raise ValueError("There are no rows to judge on.")
    for one in answers:
        rows = len(one.given if one.given is not None else one.table)  # type: ignore[arg-type]
        if rows != len(truth):
            raise ValueError(f"There are {len(truth):,} labels but {rows:,} predictions of the {one.who}.")
    if task is Task.REGRESSION:
        scores = [Scores(_numbers(_given(one), f"predictions of the {one.who}")) for one in answers]
        return Rows(task, _numbers(truth, "labels"), (), scores[0], scores[1] if champion is not None else None)
    return _classified(truth, answers, positive)


def _classified(truth: npt.NDArray[Any], answers: list[_Answers], positive: str | None) -> Rows:
    from lifecycle.verdicts.classes import Classes

    classes = Classes.found(truth, [one.given for one in answers], [one.names for one in answers], positive)
    scores = [classes.scores(one.given, one.table, one.names, one.who) for one in answers]
    return Rows(
        Task.CLASSIFICATION,
        classes.codes(truth, "labels"),
        classes.names,
        scores[0],
        scores[1] if len(scores) > 1 else None,
    )


def _given(one: _Answers) -> npt.NDArray[Any]:
    if one.given is None:
        raise ValueError(f"A regression needs one number a row from the {one.who}, not a table of probabilities.")
    return one.given


def _answers(predictions: object, who: str) -> _Answers:
    what = f"predictions of the {who}"
    if isinstance(predictions, pa.Table | pa.RecordBatch):
        names = [name for name in predictions.schema.names if name.startswith(PROBABILITY)]
        table = (
            np.column_stack([_numbers(to_numpy(predictions[name], what), what) for name in names]) if names else None
        )
        given = _column(predictions, what, "prediction") if "prediction" in predictions.schema.names else None
        if given is None and table is None:
            raise ValueError(f'The {what} have no column "prediction".')
        return _Answers(who, given, table, tuple(name.removeprefix(PROBABILITY) for name in names))
    array = to_numpy(predictions, what)
    if array.ndim == 2 and array.shape[1] == 1:
        array = array[:, 0]
    if array.ndim == 2:
        return _Answers(who, None, _numbers(array, what))
    return _Answers(who, array, None)


def _column(given: object, what: str, name: str) -> npt.NDArray[Any]:
    if isinstance(given, pa.Table | pa.RecordBatch):
        if name not in given.schema.names:
            raise ValueError(f'The {what} have no column "{name}".')
        given = given[name]
    array = to_numpy(given, what)
    if array.ndim == 2 and array.shape[1] == 1:
        array = array[:, 0]
    if array.ndim != 1:
        raise ValueError(f"The {what} must be one value a row, not an array of shape {array.shape}.")
    return array


def to_numpy(given: Any, what: str) -> npt.NDArray[Any]:
    """Anything like a column as numpy; text as objects. Raises ValueError where values are missing."""
    if isinstance(given, pa.Array | pa.ChunkedArray):
        missing = given.null_count
        if missing:
            raise ValueError(f"{missing:,} of {len(given):,} {what} are missing.")
        if pa.types.is_dictionary(given.type):
            given = given.cast(given.type.value_type)
        if pa.types.is_nested(given.type):
            raise ValueError(f"The {what} must be one value a row, not {given.type}.")
        if pa.types.is_decimal(given.type):
            given = given.cast(pa.float64())
        array: npt.NDArray[Any] = (
            given.to_numpy(zero_copy_only=False) if isinstance(given, pa.Array) else given.to_numpy()
        )
        return array
    array = np.asarray(given if not isinstance(given, Iterable) or hasattr(given, "__array__") else list(given))
    if array.dtype.kind == "O" and (missing := sum(value is None or value != value for value in array.ravel())):
        raise ValueError(f"{missing:,} of {len(array):,} {what} are missing.")
    return array


def _numbers(array: npt.NDArray[Any], what: str) -> Floats:
    try:
        if array.dtype.kind in "mM":
            raise TypeError
        numbers = array.astype(np.float64)
    except (TypeError, ValueError):
        kind = "text" if isinstance(array.ravel()[0], str) else str(array.dtype)
        raise ValueError(f"The {what} must be numbers, not {kind} such as {str(array.ravel()[0])!r}.") from None
    bad = int(np.count_nonzero(~np.isfinite(numbers)))
    if bad:
        raise ValueError(f"{bad:,} of {numbers.shape[0]:,} {what} are NaN or infinite.")
    return numbers
