"""Judgements as a team meets them: who passes, who fails, what is said, and what cannot be judged."""

import contextlib
import json

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as sk

from lifecycle.verdicts import (
    Check,
    Gate,
    Interval,
    Judgement,
    Limits,
    Margin,
    Outcome,
    TargetSummary,
    Verdict,
    judge,
    realised,
)
from lifecycle.verdicts.rows import align
from lifecycle.verdicts.slices import find_regressions

ROWS = 2000


@pytest.fixture
def hours():
    rng = np.random.default_rng(0)
    truth = rng.gamma(2, 70, ROWS)
    region = rng.choice(["north", "south", "west"], ROWS)
    features = pa.table({"region": region, "temp": rng.normal(size=ROWS), "hour": rng.integers(0, 24, ROWS)})
    return truth, truth + rng.normal(0, 20, ROWS), features, rng


def by_mae(truth, candidate, champion, **rest):
    gate = rest.pop("gate", Gate.of("mae", "2%"))
    return judge(truth, candidate, champion, task="regression", gate=gate, **rest)


def test_a_better_model_passes_and_says_by_how_much(hours):
    truth, champion, features, rng = hours
    found = by_mae(truth, truth + rng.normal(0, 14, ROWS), champion, features=features)
    assert found.verdict is Verdict.PASS
    assert found.primary.better
    assert found.sentence.startswith("mae fell from 15.")
    assert "(better by 2" in found.sentence
    assert "% interval" in found.sentence
    assert found.sentence.endswith("on 2,000 held-back rows.")
    assert not found.slices
    assert found.slices_tested == 3 + 4 + 0  # regions, quartiles of temp; no hour has 200 rows
    assert [one.metric for one in found.others] == ["rmse", "r2"]


def test_a_worse_model_fails_and_the_dummy_is_still_beaten(hours):
    truth, champion, _, rng = hours
    found = by_mae(truth, truth + rng.normal(0, 30, ROWS), champion)
    assert found.verdict is Verdict.FAIL
    assert "worse by" in found.sentence
    assert found.baseline.verdict is Verdict.PASS


def test_the_same_model_passes(hours):
    truth, champion, features, _ = hours
    found = by_mae(truth, champion.copy(), champion, features=features)
    assert found.verdict is Verdict.PASS
    assert found.primary.difference == Interval(0, 0, 0)
    assert "the same as the champion's" in found.sentence
    assert by_mae(truth, champion, champion, gate=Gate.of("mae", require_improvement=True)).verdict is Verdict.FAIL


def test_too_few_rows_are_not_decided_on(hours):
    truth, champion, _, rng = hours
    found = by_mae(truth[:20], truth[:20] + 100, champion[:20])
    assert found.primary.verdict is Verdict.INCONCLUSIVE
    assert found.primary.rows_needed >= 30
    assert "fewer than 30 rows" in found.sentence
    few = by_mae(truth[:60], truth[:60] + rng.normal(0, 20, 60), champion[:60])
    assert few.verdict is Verdict.INCONCLUSIVE
    assert few.primary.rows_needed > 60
    assert "rows would tell" in few.sentence


def test_without_a_champion_a_dummy_is_to_be_beaten(hours):
    truth, champion, _, rng = hours
    first = by_mae(truth, champion, None)
    assert first.verdict is Verdict.PASS
    assert (first.primary.champion, first.primary.difference) == (None, None)
    assert "there is no champion" in first.sentence
    useless = by_mae(truth, rng.permutation(truth), None)
    assert useless.verdict is Verdict.FAIL
    assert "does not beat a dummy" in useless.sentence


def test_the_dummy_knows_the_training_target_only(hours):
    truth, champion, _, _ = hours
    summary = TargetSummary.of(truth + 1000, "regression")
    assert TargetSummary(**summary.to_plain()) == summary
    assert by_mae(truth, champion, None, baseline=summary).baseline.champion == pytest.approx(
        np.abs(np.median(truth) + 1000 - truth).mean()
    )


def test_one_bad_region_fails_a_model_that_is_better_on_the_whole(hours):
    truth, champion, features, rng = hours
    south = np.array(features["region"].to_pylist()) == "south"
    candidate = truth + rng.normal(0, 10, ROWS)
    candidate[south] = truth[south] + rng.normal(0, 40, south.sum())
    found = by_mae(truth, candidate, champion, features=features, gate=Gate.of("mae", "20%"))
    assert found.verdict is Verdict.FAIL
    worst = found.slices[0]
    assert (worst.name, worst.value, worst.verdict) == ("region", "south", Verdict.FAIL)
    assert worst.champion == pytest.approx(np.abs(champion - truth)[south].mean())
    assert "Where region is south, mae rose" in found.sentence


def test_slices_are_seldom_blamed_for_nothing():
    blamed = 0
    for seed in range(30):
        rng = np.random.default_rng(seed)
        truth = rng.normal(size=3000)
        features = pa.table({f"f{at}": rng.normal(size=3000) for at in range(12)})
        one, other = (truth + rng.normal(0, 1, 3000) for _ in range(2))
        blamed += bool(find_regressions(align(truth, one, other, "regression"), features, Gate.of("mae"))[0])
    assert blamed <= 5  # 5 % of 30 is 1.5


def test_limits_and_checks_belong_to_the_verdict(hours):
    truth, champion, _, _ = hours
    limited = by_mae(truth, champion, champion, gate=Gate.of("mae", limits=Limits(at_most=5)))
    assert limited.verdict is Verdict.FAIL
    assert "at most 5.00 is asked" in limited.sentence
    leak = Check("leakage", Outcome.FAIL, "The target is a feature.")
    assert by_mae(truth, champion, champion, checks=[leak]).verdict is Verdict.FAIL
    warned = by_mae(truth, champion, champion, checks=[Check("cost", Outcome.WARN, "Slower.")])
    assert warned.verdict is Verdict.PASS
    assert warned.checks[-1].name == "cost"


def test_judgements_survive_json(hours):
    truth, champion, features, rng = hours
    found = by_mae(truth, champion + rng.normal(0, 30, ROWS), champion, features=features)
    assert found.slices
    assert Judgement.from_json(found.to_json()) == found
    plain = json.loads(found.to_json())
    assert plain["schema"] == 1
    with pytest.raises(ValueError, match="schema 2"):
        Judgement.from_json(json.dumps(plain | {"schema": 2}))


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


def test_constant_everything_is_judged():
    same = np.full(50, 3.0)
    assert by_mae(same, same, same + 1, gate=Gate.of("mae", beat_baseline=False)).verdict is Verdict.PASS
    with pytest.raises(ValueError, match="r2 is not defined: all labels are the same"):
        by_mae(same, same + 1, same, gate=Gate("r2", Margin(0.1), beat_baseline=False))


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


def test_labels_that_arrive_late():
    rng = np.random.default_rng(8)
    truth = rng.normal(size=1000)
    reference = Interval(0.80, 0.77, 0.83)
    same = realised(truth, truth + rng.normal(size=1000), reference, metric="mae")
    worse = realised(truth, truth + rng.normal(0, 2, 1000), reference, metric="mae")
    few = realised(truth[:10], truth[:10] + 50, reference, metric="mae")
    assert same.verdict is Verdict.PASS
    assert worse.verdict is Verdict.FAIL
    assert few.verdict is Verdict.INCONCLUSIVE
    assert "on 1,000 rows whose labels have arrived" in worse.reason
    assert worse.difference.low < worse.difference.estimate < worse.difference.high
