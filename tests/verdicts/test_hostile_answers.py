"""Answers as people hand them over: perfect, decimal, in another order, beyond every margin; judged or refused."""

import decimal
import json
import re

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from lifecycle.__main__ import main

ROWS = 600


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def answers():
    rng = np.random.default_rng(3)
    label = (rng.random(ROWS) < 0.4).astype(int)
    score = rng.normal(size=ROWS) + 1.5 * label
    return label, *(1 / (1 + np.exp(-score - 0.05 * rng.normal(size=ROWS))) for _ in range(2))


def judged(capsys, label, champion, candidate, metric, *more):
    words = ["judge", "--metric", metric, "--json", *more]
    tables = {"labels": ("label", label), "champion": ("prediction", champion), "candidate": ("prediction", candidate)}
    for name, (column, values) in tables.items():
        pq.write_table(pa.table(values if isinstance(values, dict) else {column: values}), f"{name}.parquet")
        words += [f"--{name}", f"{name}.parquet"]
    status = main(words)
    told = capsys.readouterr()
    assert (told.out == "") == (status == 2)
    assert told.err.count("\n") == (1 if status == 2 else 0)
    return status, (json.loads(told.out) if told.out else told.err)


@pytest.mark.parametrize("metric", ["logloss", "brier", "auc", "accuracy"])
@pytest.mark.parametrize("kind", [np.int64, np.float64, np.str_])
def test_a_perfect_model_and_one_that_always_says_no(capsys, answers, metric, kind):
    label, champion, _ = answers
    status, found = judged(capsys, label.astype(kind), champion, label.astype(float), metric)
    assert (status, found["candidate"]) == (0, pytest.approx(1 if metric in ("auc", "accuracy") else 0, abs=1e-9))
    status, found = judged(capsys, label.astype(kind), champion, np.zeros(ROWS), metric)
    assert status == (3 if metric == "accuracy" else 4)  # most labels are no


def test_whole_numbers_are_classes_and_have_no_log_loss(capsys, answers):
    label, champion, _ = answers
    assert judged(capsys, label, champion, label, "logloss")[1].endswith("the predictions are classes.\n")


def test_probabilities_of_every_class_need_no_column_of_answers(capsys):
    rng = np.random.default_rng(1)
    label = rng.choice(["ant", "bee", "cat"], ROWS)
    table = rng.dirichlet([1, 1, 1], ROWS)
    for at, name in enumerate(("ant", "bee", "cat")):
        table[label == name, at] += 1
    columns = {f"probability_{name}": table[:, at] / table.sum(axis=1) for at, name in enumerate(("ant", "bee", "cat"))}
    assert judged(capsys, label, columns, columns, "logloss")[0] == 0


def test_decimals_are_numbers(capsys, answers):
    label, champion, candidate = answers
    exact = [decimal.Decimal(f"{value:.6f}") for value in candidate]
    status, found = judged(capsys, [decimal.Decimal(int(one)) for one in label], champion, exact, "auc")
    assert (status, found["verdict"]) == (0, "PASS")
    assert found["candidate"] == pytest.approx(found["champion"], abs=0.01)


@pytest.mark.parametrize(
    ("label", "champion", "candidate", "metric", "sentence"),
    [
        (np.zeros(99, int), np.full(99, 0.1), np.full(99, 0.2), "f1", "no row of the positive class"),
        (np.zeros(99, int), np.full(99, 0.1), np.full(99, 0.2), "recall", "no row of the positive class"),
        (np.zeros(99, int), np.full(99, 0.1), np.full(99, 0.2), "precision", "no row of the positive class"),
        (np.ones(99, int), np.full(99, 0.1), np.full(99, 0.2), "mcc", "only one class"),
        (np.full(99, 3.0), np.full(99, 3.0), np.full(99, 9.0), "r2", "all labels are the same"),
        (np.arange(99).astype("M8[s]"), np.ones(99), np.ones(99), "mae", "must be numbers"),
        (np.array(["a", "b", "c"] * 33), np.ones(99), np.ones(99), "mae", "must be numbers, not text such as 'a'"),
        (np.arange(99) % 2, [[0.1]] * 99, np.ones(99), "auc", "one value a row, not list"),
        (np.arange(99) % 2, np.ones(99) / 2, np.arange(99) % 3, "accuracy", "needs classes, or probabilities between"),
    ],
)
def test_what_has_no_value_is_refused(capsys, label, champion, candidate, metric, sentence):
    status, told = judged(capsys, label, champion, candidate, metric)
    assert status == 2
    assert re.search(sentence, told), told


@pytest.mark.parametrize(("metric", "margin"), [("auc", "2"), ("accuracy", "1"), ("f1", "5")])
def test_a_margin_that_lets_everything_pass_is_refused(capsys, answers, metric, margin):
    label, champion, candidate = answers
    status, told = judged(capsys, label, champion, 1 - candidate, metric, "--margin", margin)
    assert status == 2
    assert "would let every candidate pass" in told


def test_rows_in_another_order_are_found_by_their_key_or_refused(capsys, answers):
    label, champion, candidate = answers
    key = np.array([f"row {at}" for at in range(ROWS)])
    order = np.random.default_rng(0).permutation(ROWS)
    asked = {"label": label, "id": key}
    one, other = {"prediction": champion, "id": key}, {"prediction": candidate[order], "id": key[order]}
    plain = judged(capsys, label, champion, candidate, "auc")
    status, told = judged(capsys, asked, one, other, "auc")
    assert status == 2
    assert told == (
        'lifecycle: labels.parquet and candidate.parquet have their rows in another order, says the column "id"; '
        "give --key id.\n"
    )
    assert judged(capsys, asked, one, other, "auc", "--key", "id")[1]["difference"] == plain[1]["difference"]
    more = {"prediction": np.append(candidate, 0.5), "id": np.append(key, "another row")}
    assert judged(capsys, asked, one, more, "auc", "--key", "id")[1]["difference"] == plain[1]["difference"]
    fewer = {"prediction": candidate[:-2], "id": key[:-2]}
    told = judged(capsys, asked, one, fewer, "auc", "--key", "id")[1]
    assert told == 'lifecycle: candidate.parquet has no row for 2 of the 600 labels, such as "row 598" in "id".\n'
    twice = {"prediction": np.append(candidate, 0.5), "id": np.append(key, "row 5")}
    told = judged(capsys, asked, one, twice, "auc", "--key", "id")[1]
    assert told == 'lifecycle: candidate.parquet has two rows with the same "id", such as "row 5".\n'
    told = judged(capsys, label, one, other, "auc", "--key", "id")[1]
    assert 'labels.parquet has no column "id"' in told


def test_slices_may_be_named_one_by_one(capsys, answers):
    label, champion, candidate = answers
    rng = np.random.default_rng(0)
    wide = {"label": label, "a,b": rng.choice(["x", "y"], ROWS), "day": rng.choice(["x", "y"], ROWS)}
    worse = np.where(wide["a,b"] == "x", 1 - candidate, candidate)
    found = judged(capsys, wide, champion, worse, "accuracy", "--slices", "day", "--slices", "a,b")[1]
    assert {one["name"] for one in found["slices"]} == {"a,b", "day"}
    assert judged(capsys, wide, champion, worse, "accuracy", "--slices", "day", "a,b")[1]["slices"] == found["slices"]
