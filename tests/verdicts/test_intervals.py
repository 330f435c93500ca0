"""Every interval beside a bootstrap that does nothing clever: rows (or blocks) drawn again and scored again."""

import numpy as np
import pytest
from scipy.stats import rankdata
from sklearn import metrics as sk

from lifecycle.verdicts import METRICS, Gate, Task, Verdict, judge, measure, names_of
from lifecycle.verdicts.intervals import share_interval
from lifecycle.verdicts.ranking import midranks

ROWS, DRAWS = 1200, 600


def by_scikit_learn(name, truth, answer):
    hard = (answer >= 0.5).astype(int) if METRICS[name].task is Task.CLASSIFICATION else answer
    match name:
        case "rmse":
            return sk.root_mean_squared_error(truth, answer)
        case "auc":
            return sk.roc_auc_score(truth, answer)
        case "logloss":
            return sk.log_loss(truth, answer)
        case "brier":
            return sk.brier_score_loss(truth, answer)
        case "mcc":
            return sk.matthews_corrcoef(truth, hard)
    known = {
        "mae": sk.mean_absolute_error, "mse": sk.mean_squared_error, "r2": sk.r2_score,
        "mape": sk.mean_absolute_percentage_error, "accuracy": sk.accuracy_score, "f1": sk.f1_score,
        "precision": sk.precision_score, "recall": sk.recall_score, "balanced_accuracy": sk.balanced_accuracy_score,
    }  # fmt: skip
    return known[name](truth, hard)


@pytest.fixture(scope="module")
def answers():
    rng = np.random.default_rng(7)
    level = np.repeat(rng.normal(size=ROWS // 20), 20)  # rows come in blocks of 20 that are alike
    signal = rng.normal(size=ROWS)
    numbers = 20 + 3 * signal + rng.normal(size=ROWS)
    label = (signal + rng.normal(size=ROWS) > 0.3).astype(int)
    regression = (
        numbers,
        20 + 3 * signal + level + rng.normal(size=ROWS),
        20 + 3 * signal + rng.normal(size=ROWS) * 1.1,
    )
    chance = [1 / (1 + np.exp(-1.5 * (signal + noise * rng.normal(size=ROWS)) + level * lift)) for noise, lift in
              ((0.5, 0.5), (0.8, 0.0))]  # fmt: skip
    return {Task.REGRESSION: regression, Task.CLASSIFICATION: (label, *chance)}


def by_definition(name, truth, answer):
    """The same in a few array operations, for hundreds of draws."""
    if METRICS[name].task is Task.REGRESSION:
        error = answer - truth
        squares = np.mean(error**2)
        return {"mae": np.mean(np.abs(error)), "mse": squares, "rmse": squares**0.5,
                "r2": 1 - squares / np.var(truth), "mape": np.mean(np.abs(error / truth))}[name]  # fmt: skip
    if name == "auc":
        ones = truth.sum()
        return (rankdata(answer)[truth == 1].sum() - ones * (ones + 1) / 2) / (ones * (len(truth) - ones))
    if name == "brier":
        return np.mean((answer - truth) ** 2)
    if name == "logloss":
        return -np.mean(np.log(np.where(truth == 1, answer, 1 - answer)))
    said = answer >= 0.5
    hit, false, missed = (said & (truth == 1)).sum(), (said & (truth == 0)).sum(), (~said & (truth == 1)).sum()
    right = len(truth) - hit - false - missed
    recall, passed = hit / (hit + missed), right / (right + false)
    below = float(hit + false) * (hit + missed) * (right + false) * (right + missed)
    return {"accuracy": (hit + right) / len(truth), "precision": hit / (hit + false), "recall": recall,
            "f1": 2 * hit / (2 * hit + false + missed), "balanced_accuracy": (recall + passed) / 2,
            "mcc": (hit * right - false * missed) / below**0.5}[name]  # fmt: skip


def drawn_again(name, truth, champion, candidate, draws, rng):
    found = []
    for _ in range(DRAWS):
        rows = draws(rng)
        one, other = (by_definition(name, truth[rows], answer[rows]) for answer in (candidate, champion))
        found.append(one - other)
    return float(np.std(found))


@pytest.mark.parametrize("name", names_of())
def test_intervals_of_differences_as_drawn_again(name, answers):
    truth, champion, candidate = answers[METRICS[name].task]
    judged = judge(truth, candidate, champion, task=METRICS[name].task, gate=Gate.of(name)).primary
    assert judged.champion == pytest.approx(by_scikit_learn(name, truth, champion), rel=1e-9)
    assert judged.candidate == pytest.approx(by_scikit_learn(name, truth, candidate), rel=1e-9)
    assert judged.difference.estimate == pytest.approx(judged.candidate - judged.champion, rel=1e-9)
    brute = drawn_again(
        name, truth, champion, candidate, lambda rng: rng.integers(0, ROWS, ROWS), np.random.default_rng(1)
    )
    assert judged.difference.half_width == pytest.approx(1.96 * brute, rel=0.12)


@pytest.mark.parametrize("name", ["mae", "r2", "accuracy", "auc", "f1"])
def test_blocks_of_rows_that_depend_on_each_other(name, answers):
    truth, champion, candidate = answers[METRICS[name].task]
    blocks = np.arange(ROWS) // 20
    judged = judge(truth, candidate, champion, task=METRICS[name].task, gate=Gate.of(name), groups=blocks).primary
    table = np.arange(ROWS).reshape(-1, 20)

    def draws(rng):
        return table[rng.integers(0, len(table), len(table))].ravel()

    brute = drawn_again(name, truth, champion, candidate, draws, np.random.default_rng(2))
    assert judged.difference.half_width == pytest.approx(2.0 * brute, rel=0.15)  # 2.0: Student's, 59 degrees of freedom


@pytest.mark.parametrize("name", names_of())
def test_one_model_alone(name, answers):
    truth, _, candidate = answers[METRICS[name].task]
    found = measure(truth, candidate, name)
    rng = np.random.default_rng(3)
    drawn = []
    for _ in range(DRAWS):
        rows = rng.integers(0, ROWS, ROWS)
        drawn.append(by_definition(name, truth[rows], candidate[rows]))
    assert found.half_width == pytest.approx(1.96 * float(np.std(drawn)), rel=0.12)


def test_many_rows_are_dealt_into_groups_without_a_change_of_width(answers):
    truth, champion, candidate = (np.tile(values, 20) for values in answers[Task.REGRESSION])
    judged = judge(truth, candidate, champion, task="regression", gate=Gate.of("r2")).primary
    truth, champion, candidate = answers[Task.REGRESSION]
    small = judge(truth, candidate, champion, task="regression", gate=Gate.of("r2")).primary
    assert judged.difference.half_width * np.sqrt(20) == pytest.approx(small.difference.half_width, rel=0.08)


def test_the_same_rows_give_the_same_verdict(answers):
    truth, champion, candidate = answers[Task.CLASSIFICATION]
    one, other = (judge(truth, candidate, champion, task="classification", gate=Gate.of("f1")) for _ in range(2))
    assert one == other


def test_delong_by_its_definition(answers):
    """The covariance of the placement values, written down as in the paper, for a few rows."""
    truth, champion, candidate = (values[:150] for values in answers[Task.CLASSIFICATION])
    ones, zeros = np.flatnonzero(truth == 1), np.flatnonzero(truth == 0)

    def placements(answer):
        wins = (answer[ones][:, None] > answer[zeros]) + 0.5 * (answer[ones][:, None] == answer[zeros])
        return wins.mean(axis=1), wins.mean(axis=0)

    parts = [placements(answer) for answer in (candidate, champion)]
    variance = sum(
        np.var(parts[0][at] - parts[1][at], ddof=1) / count for at, count in ((0, len(ones)), (1, len(zeros)))
    )
    found = judge(truth, candidate, champion, task="classification", gate=Gate.of("auc")).primary.difference
    assert found.half_width / 1.976 == pytest.approx(np.sqrt(variance), rel=0.01)


def test_ties_share_their_rank():
    assert midranks(np.array([3.0, 1.0, 3.0, 2.0])).tolist() == [3.5, 1.0, 3.5, 2.0]


def test_tangos_published_example():
    """Tango 1998, crossover trial of soft contact lenses: 0 and 1 discordant of 44 rows... and 12, 2 of 14 by hand."""
    found = share_interval(0, 1, 44, 0.95)
    assert found.estimate == pytest.approx(-0.0227, abs=1e-4)
    assert found.low == pytest.approx(-0.1184, abs=5e-4)
    assert found.high == pytest.approx(0.0593, abs=5e-4)


@pytest.mark.parametrize(("wins", "losses"), [(0, 5), (0, 6), (1, 8), (2, 9), (2, 10), (10, 24), (10, 25), (40, 64)])
def test_accuracy_agrees_with_mcnemars_exact_test(wins, losses):
    from scipy.stats import binomtest

    certain = binomtest(wins, wins + losses).pvalue < 0.05
    found = share_interval(wins, losses, 500, 0.95)
    if found.high < 0:
        assert certain
    else:
        assert not certain or found.high < 1e-3


def test_a_single_block_has_no_interval(answers):
    truth, champion, candidate = answers[Task.REGRESSION]
    with pytest.raises(ValueError, match="one block"):
        judge(truth, candidate, champion, task="regression", gate=Gate.of("mae"), groups=np.zeros(ROWS))


def test_better_models_are_better_in_every_metric(answers):
    for name in names_of():
        truth, champion, _ = answers[METRICS[name].task]
        perfect = truth.astype(float) if METRICS[name].task is Task.CLASSIFICATION else truth
        if METRICS[name].needs_probabilities:
            perfect = np.clip(perfect, 0.001, 0.999)
        judged = judge(truth, perfect, champion, task=METRICS[name].task, gate=Gate.of(name))
        assert judged.primary.better, name
        assert judged.verdict is Verdict.PASS, judged.sentence
