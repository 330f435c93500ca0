"""Seeds, costs and errors expected before labels arrive."""

import numpy as np
import pyarrow as pa
import pytest

from lifecycle.verdicts import (
    Cbpe,
    Cost,
    Gate,
    Outcome,
    Verdict,
    across_seeds,
    cost_check,
    expected_loss,
    judge,
    spread_exceeds,
)


def test_seeds_that_differ_widen_the_interval():
    rng = np.random.default_rng(0)
    truth = rng.normal(size=4000)
    champion = truth + rng.normal(0, 1, 4000)

    def recipe(noise):
        return truth + rng.normal(0, noise, 4000)

    alike = across_seeds(truth, [recipe(0.9) for _ in range(3)], champion, gate=Gate.of("mae", "2%"))
    apart = across_seeds(truth, [recipe(noise) for noise in (0.7, 0.9, 1.1)], champion, gate=Gate.of("mae", "2%"))
    one = judge(truth, recipe(0.9), champion, task="regression", gate=Gate.of("mae", "2%")).primary
    assert alike.verdict is Verdict.PASS
    assert apart.verdict is Verdict.INCONCLUSIVE
    assert one.difference.half_width < 1.6 * alike.difference.half_width < apart.difference.half_width
    assert "on average over 3 seeds (0.55" in apart.reason
    assert spread_exceeds([0.7, 0.9, 1.1], 0.02)
    assert not spread_exceeds([0.9, 0.9001], 0.02)
    with pytest.raises(ValueError, match="at least two"):
        across_seeds(truth, [champion], champion, gate=Gate.of("mae"))


def test_the_coverage_over_seeds_is_honest():
    """A recipe whose seeds really differ: the interval holds the recipe's own mean about as often as it says."""
    rng = np.random.default_rng(1)
    held = 0
    for _ in range(120):
        truth = rng.normal(size=400)
        champion = truth + rng.normal(0, 1, 400)
        seeds = [truth + rng.normal(0, 1, 400) + rng.normal(0, 0.3) for _ in range(3)]
        found = across_seeds(truth, seeds, champion, gate=Gate.of("mse", "2%")).difference
        held += found.low <= 0.09 <= found.high
    assert held >= 0.9 * 120


def test_costs_against_the_champion_and_the_budget():
    cheap = Cost(p95_row_ms=2, load_seconds=0.5, mb=10, memory_mb=100)
    assert cost_check(cheap).outcome is Outcome.OK
    assert cost_check(Cost(p95_row_ms=3.9, mb=19), cheap).outcome is Outcome.OK
    slow = cost_check(Cost(p95_row_ms=5, mb=10), cheap)
    assert slow.outcome is Outcome.WARN
    assert slow.sentence == "Answering one row takes 5.00 ms (95th percentile), the champion's 2.00."
    assert cost_check(Cost(mb=500)).outcome is Outcome.WARN
    assert cost_check(Cost(p95_row_ms=2.9), Cost(p95_row_ms=0.1)).outcome is Outcome.OK
    assert cost_check(Cost()).sentence == "Nothing was measured."


def test_errors_to_expect_on_harder_rows():
    rng = np.random.default_rng(2)

    def rows(count, hard):
        place = np.where(rng.random(count) < hard, "hill", "plain")
        slope = np.where(place == "hill", rng.uniform(1, 2, count), rng.uniform(0, 1, count))
        loss = np.abs(rng.normal(0, 1 + 3 * slope))
        return pa.table({"place": place, "slope": slope, "prediction": rng.normal(size=count)}), loss

    known, losses = rows(3000, 0.2)
    same, same_losses = rows(3000, 0.2)
    harder, harder_losses = rows(3000, 0.9)
    for window, truly in ((same, same_losses), (harder, harder_losses)):
        found = expected_loss(known, losses, window)
        assert found.low <= truly.mean() <= found.high
        assert found.half_width < 0.5
    with pytest.raises(ValueError, match="at least 200"):
        expected_loss(known.slice(0, 50), losses[:50], same)
    with pytest.raises(ValueError, match="no column in common"):
        expected_loss(known.select(["slope"]), losses, same.select(["place"]))
    with pytest.raises(ValueError, match="3,000 known rows but 2 losses"):
        expected_loss(known, [1.0, 2.0], same)


def test_estimates_without_labels_refuse_what_they_cannot_do():
    rng = np.random.default_rng(3)
    chance = rng.random(2000)
    label = (rng.random(2000) < chance).astype(int)
    estimator = Cbpe.fit(label, chance)
    for metric, expected in (("accuracy", 0.75), ("brier", 1 / 6), ("logloss", 0.5)):
        found = estimator.estimate(rng.random(5000), metric)
        assert found.low - 0.02 <= expected <= found.high + 0.02
    with pytest.raises(ValueError, match="not of f1"):
        estimator.estimate(chance, "f1")
    with pytest.raises(ValueError, match="between 0 and 1"):
        estimator.estimate([0.5, 1.5])
    with pytest.raises(ValueError, match="two classes"):
        Cbpe.fit(["a", "b", "c"], ["a", "b", "c"])
