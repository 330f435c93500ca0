"""Classes however data and models spell them: truth values, whole numbers, floats, texts."""

import numpy as np
import pyarrow as pa
import pytest

from lifecycle.verdicts import Gate, judge


@pytest.mark.parametrize(
    ("classes", "spelled"),
    [
        ([False, True], ["False", "True"]),
        ([0, 1], ["0", "1"]),
        ([0.0, 1.0], ["0.0", "1.0"]),
        ([1.0, 2.0, 3.0], ["1.0", "2.0", "3.0"]),
        ([-1, 1], ["-1", "1"]),
        ([10**15, 10**15 + 1], [str(10**15), str(10**15 + 1)]),
        (["no", "yes"], ["no", "yes"]),
        (["1", "2"], ["1", "2"]),
    ],
)
def test_labels_answers_and_probabilities_meet(classes, spelled):
    rng = np.random.default_rng(0)
    codes = rng.integers(0, len(classes), 400)
    chances = rng.dirichlet(np.ones(len(classes)), 400)
    answers = pa.table(
        {
            "prediction": [classes[one] for one in chances.argmax(axis=1)],
            **{f"probability_{name}": chances[:, at] for at, name in enumerate(spelled)},
        }
    )
    labels = pa.chunked_array([pa.array([classes[one] for one in codes])])
    for metric, positive in (("logloss", None), ("f1", spelled[0])):
        found = judge(labels, answers, answers, task="classification", gate=Gate.of(metric, positive=positive))
        assert found.primary.verdict == "PASS"


def test_several_classes_are_calibrated_by_how_sure_the_answer_is():
    rng = np.random.default_rng(1)
    chances = rng.dirichlet(np.ones(3), 3000)
    codes = np.array([rng.choice(3, p=one) for one in chances])
    sure = chances**4 / (chances**4).sum(axis=1, keepdims=True)
    for table, outcome in ((chances, "OK"), (sure, "WARN")):
        found = judge(codes, table, task="classification", gate=Gate.of("logloss"))
        assert {one.name: one.outcome for one in found.checks}["calibration"] == outcome
