"""Judgements as a team meets them: who passes, who fails, what is said, and of labels that arrive late."""

import json

import numpy as np
import pyarrow as pa
import pytest

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


def test_constant_everything_is_judged():
    same = np.full(50, 3.0)
    assert by_mae(same, same, same + 1, gate=Gate.of("mae", beat_baseline=False)).verdict is Verdict.PASS
    with pytest.raises(ValueError, match="r2 is not defined: all labels are the same"):
        by_mae(same, same + 1, same, gate=Gate("r2", Margin(0.1), beat_baseline=False))


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
