"""The gate's words and its rule."""

import contextlib
import dataclasses
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lifecycle.verdicts import METRICS, Gate, Interval, Limits, Margin, Verdict, default_margin, names_of
from lifecycle.verdicts.deciding import rows_needed, verdict_of


@pytest.mark.parametrize(
    ("text", "value", "relative"),
    [("2%", 0.02, True), ("2 %", 0.02, True), ("0.005", 0.005, False), (".5%", 0.005, True), ("1e-3", 0.001, False)],
)
def test_margins_are_numbers_or_shares(text, value, relative):
    margin = Margin.parse(text)
    assert margin.value == pytest.approx(value)
    assert margin.relative is relative
    assert Margin.parse(str(margin)) == margin


@pytest.mark.parametrize("text", ["", "two", "-1", "-1%", "1%%", "inf", "nan", "1,5", "100%", True, "1e999"])
def test_other_margins_are_refused_in_a_sentence(text):
    with pytest.raises(ValueError, match=r"margin.*\.$"):
        Margin.parse(text)


@given(st.text(max_size=12))
def test_a_margin_is_read_or_refused(text):
    with contextlib.suppress(ValueError):
        assert 0 <= Margin.parse(text).value < math.inf


def test_a_share_is_of_the_champions_value():
    assert Margin.parse("2%").absolute(-50) == 1
    assert Margin.parse("0.5").absolute(-50) == 0.5


def test_every_metric_has_a_usual_margin():
    for name in names_of():
        assert default_margin(name).relative is not METRICS[name].greater_is_better
        assert Gate.of(name).margin == default_margin(name)


def test_impossible_gates_are_refused():
    with pytest.raises(ValueError, match='no metric "auroc"'):
        Gate.of("auroc")
    with pytest.raises(ValueError, match="Confidence"):
        Gate("auc", Margin(0.1), confidence=95)
    with pytest.raises(ValueError, match="at least 2 and at most 1"):
        Limits(2, 1)


@pytest.mark.parametrize(
    ("low", "estimate", "high", "verdict"),
    [
        (-0.5, 0.0, 0.5, Verdict.PASS),  # certainly not worse by 1
        (0.5, 2.0, 3.0, Verdict.PASS),
        (-0.9, -0.5, -0.1, Verdict.PASS),  # certainly worse, but certainly by less than the margin
        (-3.0, -2.0, -1.5, Verdict.FAIL),
        (-3.0, -2.0, -0.1, Verdict.FAIL),
        (-3.0, -2.0, 0.1, Verdict.INCONCLUSIVE),  # perhaps not worse at all
        (-1.5, -0.9, -0.1, Verdict.INCONCLUSIVE),  # worse, by less than the margin as far as seen
        (-1.5, 0.0, 1.5, Verdict.INCONCLUSIVE),
    ],
)
def test_three_verdicts_with_a_margin_of_one(low, estimate, high, verdict):
    assert verdict_of(Interval(estimate, low, high), 1.0, require_improvement=False) is verdict


@pytest.mark.parametrize(
    ("low", "high", "verdict"),
    [(0.1, 1, Verdict.PASS), (-0.1, 1, Verdict.INCONCLUSIVE), (-1, -0.1, Verdict.FAIL), (0, 0, Verdict.FAIL)],
)
def test_an_improvement_may_be_required(low, high, verdict):
    assert verdict_of(Interval((low + high) / 2, low, high), 1.0, require_improvement=True) is verdict


def test_equal_models_pass_even_without_a_margin():
    assert verdict_of(Interval(0.0, 0.0, 0.0), 0.0, require_improvement=False) is Verdict.PASS


def test_rows_needed_shrink_the_half_width_to_the_margin():
    assert rows_needed(Interval(0.0, -4.0, 4.0), 1.0, False, 100) == 1600
    assert rows_needed(Interval(0.0, -4.0, 4.0), 0.0, False, 100) is None
    assert rows_needed(Interval(1.0, -1.0, 3.0), 0.0, True, 100) == 400


@given(st.floats(-10, 10), st.floats(0.001, 10), st.floats(0.001, 10), st.booleans(), st.integers(30, 10**6))
def test_more_rows_are_asked_for_whenever_there_is_doubt(estimate, half, margin, strict, rows):
    gain = Interval(estimate, estimate - half, estimate + half)
    if verdict_of(gain, margin, strict) is Verdict.INCONCLUSIVE:
        needed = rows_needed(gain, margin, strict, rows)
        assert needed is None or needed >= rows * 0.999


def test_the_gate_is_a_plain_value():
    gate = Gate.of("mae", "2%", slices=("region",))
    assert dataclasses.replace(gate, metric="mse").slices == ("region",)
