"""What reports draw: a few dozen finite numbers that say what the rows say."""

import json

import numpy as np
import pyarrow as pa
import pytest

from lifecycle.verdicts import Gate, plot_facts

ROWS = 4_000
DICE = np.random.default_rng(4)
GATE = Gate.of("mae")


def test_residuals_show_where_a_model_answers_too_high() -> None:
    truth = DICE.uniform(0, 100, ROWS)
    noise = DICE.normal(0, 1, ROWS)
    answers = truth + noise + np.where(truth > 90, 20.0, 0.0)
    found = plot_facts(truth, answers, truth + noise, task="regression", gate=GATE)["residuals"]
    assert len(found["candidate"]) == len(found["champion"]) == 10
    assert sum(one["rows"] for one in found["candidate"]) == ROWS
    assert found["candidate"][-1]["middle"] == pytest.approx(20, abs=1)
    assert found["champion"][0]["low"] == pytest.approx(-1.28, abs=0.25)  # the 10th percentile of a standard normal


def test_calibration_of_an_honest_model_lies_on_the_diagonal() -> None:
    chance = DICE.uniform(0, 1, ROWS)
    labels = (DICE.uniform(0, 1, ROWS) < chance).astype(int)
    found = plot_facts(labels, chance, None, task="classification", gate=Gate.of("auc"))["calibration"]
    assert list(found) == ["candidate"]
    inside = [one["low"] <= one["predicted"] <= one["high"] for one in found["candidate"]]
    assert sum(inside) >= 8


def test_slices_are_worst_first_and_small_ones_left_out() -> None:
    truth, where = DICE.normal(0, 1, ROWS), DICE.choice(["north", "south", "pole"], ROWS, p=[0.5, 0.48, 0.02])
    champion = truth + DICE.normal(0, 1, ROWS)
    candidate = champion + np.where(where == "south", 2.0, 0.0)
    features = pa.table({"where": where})
    found = plot_facts(truth, candidate, champion, task="regression", gate=GATE, features=features)["slices"]
    assert [one["value"] for one in found] == ["south", "north"]
    assert found[0]["low"] > 0 > found[1]["low"] - 1e-9


@pytest.mark.parametrize("rows", [1, 7, 25])
def test_few_rows_and_constant_answers_still_give_plain_json(rows: int) -> None:
    truth = np.arange(rows, dtype=float)
    found = plot_facts(truth, np.zeros(rows), np.full(rows, 1e300), task="regression", gate=GATE)
    assert "NaN" not in json.dumps(found)
    json.dumps(found, allow_nan=False)


def test_all_of_it_is_small() -> None:
    features = pa.table({f"a column with a rather long name {n}": DICE.normal(0, 1, ROWS) for n in range(12)})
    truth = DICE.normal(0, 1, ROWS)
    found = plot_facts(truth, truth + 0.1, truth + 0.2, task="regression", gate=GATE, features=features)
    assert len(found["slices"]) == 12
    assert len(json.dumps(found)) < 6_000
