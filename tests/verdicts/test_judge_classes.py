"""Judgements of classes: every writing of them, as scikit-learn computes, and chances that are too sure."""

import numpy as np
import pyarrow as pa
import pytest
from sklearn import metrics as sk

from lifecycle.verdicts import Gate, Outcome, judge


def chances(rng, rows, classes, strength):
    codes = rng.integers(0, classes, rows)
    table = rng.normal(size=(rows, classes))
    table[np.arange(rows), codes] += strength
    table = np.exp(table)
    return codes, table / table.sum(axis=1, keepdims=True)


@pytest.mark.parametrize("metric", ["accuracy", "logloss", "brier", "auc", "f1", "precision", "recall", "mcc"])
def test_several_classes_as_scikit_learn(metric):
    rng = np.random.default_rng(3)
    codes, table = chances(rng, 1500, 4, 1.5)
    names = np.array(["ant", "bee", "cat", "dog"])
    columns = {f"probability_{name}": table[:, at] for at, name in enumerate(names)}
    given = pa.table({"prediction": names[table.argmax(axis=1)], **columns})
    found = judge(names[codes], given, None, task="classification", gate=Gate.of(metric)).primary.candidate
    hard = table.argmax(axis=1)
    known = {
        "accuracy": lambda: sk.accuracy_score(codes, hard),
        "logloss": lambda: sk.log_loss(codes, table),
        "brier": lambda: np.mean(np.sum((table - np.eye(4)[codes]) ** 2, axis=1)),
        "auc": lambda: sk.roc_auc_score(codes, table, multi_class="ovr"),
        "f1": lambda: sk.f1_score(codes, hard, average="macro"),
        "precision": lambda: sk.precision_score(codes, hard, average="macro"),
        "recall": lambda: sk.recall_score(codes, hard, average="macro"),
        "mcc": lambda: sk.matthews_corrcoef(codes, hard),
    }
    assert found == pytest.approx(known[metric](), rel=1e-9)


def test_classes_in_every_writing():
    rng = np.random.default_rng(4)
    codes, table = chances(rng, 900, 2, 1.0)
    words = np.array(["no", "yes"])
    hard = table.argmax(axis=1)
    found = {
        judge(truth, answer, None, task="classification", gate=Gate.of("accuracy")).primary.candidate
        for truth, answer in (
            (codes, hard),
            (codes.tolist(), hard.tolist()),
            (codes.astype(bool), hard.astype(bool)),
            (words[codes], words[hard]),
            (pa.array(words[codes]).dictionary_encode(), pa.chunked_array([pa.array(words[hard])])),
            (codes, table[:, 1]),
            (codes, table),
            (words[codes], table[:, 1]),
            (pa.table({"label": codes}), pa.table({"prediction": hard})),
            (codes + 7, hard + 7.0),
        )
    }
    assert len(found) == 1


def test_the_positive_class_may_be_named():
    rng = np.random.default_rng(5)
    codes, table = chances(rng, 900, 2, 1.0)
    words = np.array(["sick", "healthy"])[codes]
    gate = Gate.of("auc", positive="sick")
    found = judge(words, table[:, 0], None, task="classification", gate=gate).primary.candidate
    assert found == pytest.approx(sk.roc_auc_score(words == "sick", table[:, 0]))


def test_calibration_warns():
    rng = np.random.default_rng(6)
    chance = rng.beta(2, 2, 4000)
    label = (rng.random(4000) < chance).astype(int)
    sure = chance**3 / (chance**3 + (1 - chance) ** 3)
    found = judge(label, sure, None, task="classification", gate=Gate.of("auc")).checks[0]
    assert (found.name, found.outcome) == ("calibration", Outcome.WARN)
    assert "too sure" in found.sentence
    honest = judge(label, chance, None, task="classification", gate=Gate.of("auc")).checks[0]
    assert honest.outcome is Outcome.OK
