"""What cannot be judged is refused in a sentence; anything else is judged."""

import contextlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lifecycle.verdicts import Gate, Judgement, judge


@pytest.mark.parametrize(
    ("labels", "candidate", "metric", "sentence"),
    [
        ([], [], "mae", "no rows"),
        ([1.0], [1.0], "mae", "only one row"),
        ([1.0, 2.0], [1.0], "mae", "2 labels but 1 predictions"),
        ([1.0, None], [1.0, 2.0], "mae", "1 of 2 labels are missing"),
        ([1.0, 2.0], [1.0, float("nan")], "mae", "NaN or infinite"),
        ([1.0, 2.0], [1.0, float("inf")], "mae", "NaN or infinite"),
        ([1.0, 2.0], ["a", "b"], "mae", "must be numbers"),
        ([0, 1, 1], [0.1, 0.2, 1.7], "logloss", "needs probabilities"),
        ([0, 1, 1], [0, 1, 1], "brier", "needs probabilities"),
        ([0, 1, 2], [0.1, 0.2, 0.7], "accuracy", "probability for each of the 3 classes"),
        (["a", "b"], ["a", "z"], "f1", None),
        ([1, 1, 1], [0.1, 0.2, 0.3], "auc", "only one"),
        ([0, 1], [[0.5, 0.1], [0.5, 0.5]], "auc", "not probabilities"),
        ([0, 1], [[0.5, 0.3, 0.2], [0.5, 0.3, 0.2]], "auc", "3 probabilities a row for 2 classes"),
        ([0.0, 1.0, 2.0], [1.0, 2.0, 3.0], "mape", "mape is not defined"),
    ],
)
def test_what_cannot_be_judged_is_said(labels, candidate, metric, sentence):
    task = "regression" if metric in ("mae", "mape") else "classification"
    if sentence is None:
        assert judge(labels, candidate, None, task=task, gate=Gate.of(metric))
        return
    with pytest.raises(ValueError, match=sentence) as told:
        judge(labels, candidate, None, task=task, gate=Gate.of(metric))
    assert "\n" not in str(told.value)


def test_a_metric_of_the_other_task_is_refused():
    with pytest.raises(ValueError, match="mae is a metric for regression, not for classification"):
        judge([0, 1], [0, 1], None, task="classification", gate=Gate.of("mae"))


NUMBERS = st.lists(st.tuples(*[st.floats(-1e300, 1e300)] * 3), min_size=2, max_size=40)


@settings(max_examples=120, deadline=None)
@given(NUMBERS, st.sampled_from(["mae", "rmse", "r2"]))
def test_any_numbers_are_judged_or_refused(rows, metric):
    labels, one, other = (np.array(values) for values in zip(*rows, strict=True))
    with contextlib.suppress(ValueError):
        found = judge(labels, one, other, task="regression", gate=Gate.of(metric))
        assert Judgement.from_json(found.to_json()) == found


CLASSES = st.lists(st.tuples(st.booleans(), st.floats(0, 1), st.floats(0, 1)), min_size=2, max_size=60)


@settings(max_examples=150, deadline=None)
@given(CLASSES, st.sampled_from(["auc", "logloss", "brier", "accuracy", "f1", "precision", "recall", "mcc"]))
def test_any_probabilities_are_judged_or_refused(rows, metric):
    labels, one, other = (np.array(values) for values in zip(*rows, strict=True))
    with contextlib.suppress(ValueError):
        found = judge(labels, one, other, task="classification", gate=Gate.of(metric))
        assert found.primary.difference.low <= found.primary.difference.estimate <= found.primary.difference.high
        assert Judgement.from_json(found.to_json()) == found
