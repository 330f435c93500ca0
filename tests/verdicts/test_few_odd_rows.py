"""Intervals where hardly any row tells the models apart: what fifty rows did not show may be there all the same."""

import numpy as np
import pytest

from lifecycle.verdicts import Gate, Verdict, judge, measure
from lifecycle.verdicts.estimates import estimate
from lifecycle.verdicts.rows import align

CELLS = ("f1", "precision", "recall", "balanced_accuracy", "mcc")


def answers(rng, rows, share, apart, worse):
    """Labels and two models' probabilities that seldom disagree; the candidate is worse by ``worse``."""
    labels = (rng.random(rows) < share).astype(int)
    score = rng.normal(size=rows) + 1.6 * labels
    odds = np.log(share / (1 - share)) - 1.28
    one, other = (score + apart * rng.normal(size=rows) for _ in range(2))
    return labels, *(1 / (1 + np.exp(-(1.6 * each + odds))) for each in (one, other - worse * labels))


@pytest.mark.parametrize(("rows", "share", "most"), [(50, 0.5, 0.1), (200, 0.5, 0.1), (200, 0.05, 0.12)])
def test_intervals_hold_the_truth_where_models_seldom_disagree(rows, share, most):
    rng = np.random.default_rng(7)
    labels, one, other = answers(np.random.default_rng(1), 500_000, share, 0.05, 0.1)
    truth = {}
    for metric in ("f1", "recall", "mcc", "auc"):
        found = estimate(metric, align(labels, other, one, "classification"), 0.95)
        truth[metric] = found.candidate - (found.champion or 0.0)
    missed = dict.fromkeys(truth, 0)
    draws = 100
    for _ in range(draws):
        labels, one, other = answers(rng, rows, share, 0.05, 0.1)
        if 1 < labels.sum() < rows:
            pair = align(labels, other, one, "classification")
            for metric, value in truth.items():
                interval = estimate(metric, pair, 0.95).interval
                missed[metric] += not interval.low <= value <= interval.high
    assert {metric: count / draws for metric, count in missed.items() if count / draws > most} == {}


@pytest.mark.parametrize("metric", [*CELLS, "accuracy", "auc"])
def test_models_that_differ_are_not_called_the_same_for_lack_of_a_row_that_shows_it(metric):
    rng = np.random.default_rng(0)
    labels = np.repeat([0, 1], 20)
    one, other = (np.where(labels, rng.uniform(0.8, 1, 40), rng.uniform(0, 0.2, 40)) for _ in range(2))
    gate = Gate.of(metric, 0.005)
    found = judge(labels, one, other, task="classification", gate=gate)
    assert found.primary.verdict is Verdict.INCONCLUSIVE
    assert found.primary.rows_needed > 200
    assert found.primary.difference.low < 0 == found.primary.difference.estimate < found.primary.difference.high
    assert judge(labels, one, one.copy(), task="classification", gate=gate).primary.verdict is Verdict.PASS
    several = labels + rng.integers(0, 2, 40) * 2
    same = judge(several, several, several.copy(), task="classification", gate=Gate.of("f1"))
    assert same.primary.verdict is Verdict.PASS
    blocks = np.repeat(np.arange(20), 2)
    dependent = judge(labels, one, other, task="classification", gate=gate, groups=blocks)
    assert dependent.primary.verdict is Verdict.INCONCLUSIVE


def test_the_same_order_has_the_same_area():
    rng = np.random.default_rng(0)
    labels = np.repeat([0, 1], 20)
    chance = np.where(labels, rng.uniform(0.8, 1, 40), rng.uniform(0, 0.2, 40))
    found = judge(labels, chance**3, chance, task="classification", gate=Gate.of("auc"))
    assert (found.primary.verdict, found.primary.difference.high) == (Verdict.PASS, 0)


@pytest.mark.parametrize("metric", [*CELLS, "accuracy", "auc"])
def test_a_perfect_model_on_few_rows_may_be_less_than_perfect(metric):
    labels = np.repeat([0, 1], 20)
    found = measure(labels, labels * 0.8 + 0.1, metric)
    assert found.low < 0.96
    assert found.estimate == found.high == 1
