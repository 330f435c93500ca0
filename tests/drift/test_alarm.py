"""The alarm: what must be seen, what must not, and the words for it."""

import numpy as np
import pyarrow as pa
import pytest
from scipy.stats import chi2_contingency, fisher_exact

from lifecycle.drift import Alarm, DriftReport, Override, Profile, Watch, compare
from lifecycle.drift.numbers import chi_square_p, holm, likelihood_p, rate_p

M = 20_000


def people(rng, rows):
    return {
        "temp": rng.normal(20, 5, rows),
        "income": rng.lognormal(10, 1, rows),
        "visits": rng.poisson(4, rows),
        "miles": rng.gamma(3, 100, rows),
        "carrier": rng.choice(["AA", "DL", "UA", "WN"], rows, p=[0.4, 0.3, 0.2, 0.1]),
        "code": np.array([f"c{one}" for one in rng.integers(0, 200, rows)]),
        "prediction": rng.beta(2, 5, rows),
    }


@pytest.fixture(scope="module")
def reference():
    return Profile.of(pa.table(people(np.random.default_rng(0), M)))


def look(reference, rows=2000, seed=1, watch=None, **changed):
    columns = people(np.random.default_rng(seed), rows)
    columns |= {name: change(columns) if callable(change) else change for name, change in changed.items()}
    window = pa.table({name: values for name, values in columns.items() if values is not None})
    return compare(reference, Profile.of(window, like=reference), watch)


@pytest.mark.parametrize("rows", [30, 50, 200, 2000, 20_000])
def test_nothing_moved_and_nothing_is_said(reference, rows):
    for seed in range(1, 9):
        report = look(reference, rows, seed)
        assert report.verdict is Alarm.CLEAN, report.sentence
        assert not report.moved


def by_name(report, name):
    return next(one for one in report.columns if one.name == name)


def test_a_warm_month(reference):
    report = look(reference, temp=lambda one: one["temp"] + 15)
    worst = report.columns[0]
    assert (worst.name, worst.verdict) == ("temp", Alarm.ALARM)
    assert worst.reason.startswith("temp: mean 20.0 → 34.9, 16 % of rows")
    assert "higher than anything in training" in worst.reason
    assert report.moved == (worst,)
    assert "1 of 7 columns has moved on 2,000 rows" in report.sentence


@pytest.mark.parametrize("rows", [200, 2000])
def test_another_unit(reference, rows):
    report = look(reference, rows, miles=lambda one: one["miles"] * 1.609)
    assert report.columns[0].name == "miles"
    assert report.verdict is Alarm.ALARM


def test_columns_swapped(reference):
    report = look(reference, temp=lambda one: one["miles"], miles=lambda one: one["temp"])
    assert {one.name for one in report.moved} == {"temp", "miles"}


def test_ten_per_cent_missing(reference):
    def holes(one):
        return pa.array(one["income"], mask=np.arange(len(one["income"])) % 10 == 0)

    report = look(reference, 500, income=holes)
    assert by_name(report, "income").verdict is Alarm.ALARM
    assert "10 % of rows are missing" in by_name(report, "income").reason


def test_sixty_per_cent_nan_is_no_clean_window(reference):
    report = look(reference, income=lambda one: np.where(np.arange(2000) % 10 < 6, np.nan, one["income"]))
    assert by_name(report, "income").verdict is Alarm.ALARM
    assert "most rows (60 %) are missing" in by_name(report, "income").reason


def test_two_per_cent_of_a_value_never_seen(reference):
    report = look(reference, carrier=lambda one: np.where(np.arange(2000) % 50 == 0, "XX", one["carrier"]))
    found = by_name(report, "carrier")
    assert found.verdict is Alarm.WARN
    assert "2.0 % of rows have values that training did not have (“XX”)" in found.reason


def test_one_outlier_hides_nothing_and_is_nothing(reference):
    def with_outlier(values, outlier):
        return np.append(values[:-1], outlier)

    for outlier in (50, 1e6, 1e300):
        quiet = look(reference, temp=lambda one, far=outlier: with_outlier(one["temp"], far))
        assert quiet.verdict is Alarm.CLEAN
        moved = look(reference, temp=lambda one, far=outlier: with_outlier(one["temp"] + 5, far))
        assert by_name(moved, "temp").verdict is Alarm.ALARM


def test_infinities_are_seen(reference):
    report = look(reference, temp=lambda one: np.where(np.arange(2000) % 10 == 0, np.inf, one["temp"]))
    assert "10 % of rows are infinite" in by_name(report, "temp").reason
    assert report.verdict is Alarm.ALARM


def test_a_column_that_is_gone_and_one_of_another_kind(reference):
    report = look(reference, temp=None, carrier=lambda one: one["carrier"], visits=lambda one: np.repeat("many", 2000))
    gone, other = by_name(report, "temp"), by_name(report, "visits")
    assert gone.verdict is other.verdict is report.verdict is Alarm.ALARM
    assert gone.reason == "temp is not there any more."
    assert other.reason == "visits held numbers in training and holds text now."
    assert gone.p is None


def test_numbers_written_as_text_are_numbers(reference):
    assert look(reference, temp=lambda one: [f"{value:.3f}" for value in one["temp"]]).verdict is Alarm.CLEAN


def test_codes_written_as_numbers_are_codes():
    rng = np.random.default_rng(0)
    reference = Profile.of(pa.table({"code": [str(one) for one in rng.integers(100, 110, 5000)]}))
    for values in (rng.integers(100, 110, 1000), rng.integers(100, 110, 1000).astype(float)):
        assert compare(reference, Profile.of(pa.table({"code": values}), like=reference)).verdict is Alarm.CLEAN


def test_new_columns_are_named_and_do_not_alarm(reference):
    report = look(reference, request_id=lambda one: np.arange(2000))
    assert report.verdict is Alarm.CLEAN
    assert report.extra == ("request_id",)


def test_a_constant_column_may_tremble_but_not_change():
    reference = Profile.of(pa.table({"k": np.full(1000, 1.0)}))
    trembling = Profile.of(pa.table({"k": np.full(1000, 1.0002)}), like=reference)
    changed = Profile.of(pa.table({"k": np.full(1000, 2.0)}), like=reference)
    assert compare(reference, trembling).verdict is Alarm.CLEAN
    assert compare(reference, changed).verdict is Alarm.ALARM
    assert "all rows are higher than anything in training" in compare(reference, changed).sentence


def test_identical_data_is_clean(reference):
    same = pa.table(people(np.random.default_rng(0), M))
    report = compare(reference, Profile.of(same, like=reference))
    assert report.verdict is Alarm.CLEAN
    assert all(one.psi == 0 and (one.ks or 0) == 0 for one in report.columns)


def test_the_models_own_answers(reference):
    report = look(reference, prediction=lambda one: one["prediction"] + 0.3)
    assert report.columns[0].role == "prediction"
    assert "The model's own answers moved." in report.sentence


def test_few_rows_say_nothing(reference):
    report = look(reference, 12, temp=lambda one: one["temp"] + 50)
    assert report.verdict is Alarm.CLEAN
    assert "12 rows are too few" in report.sentence


def test_volume_has_its_own_rule(reference):
    assert look(reference, 900, watch=Watch(usual_rows=2000)).verdict is Alarm.WARN
    assert look(reference, 1100, watch=Watch(usual_rows=2000)).verdict is Alarm.CLEAN
    assert "900 rows arrived where 2,000 are usual" in look(reference, 900, watch=Watch(usual_rows=2000)).sentence


def test_thresholds_of_single_columns_and_columns_left_alone(reference):
    def warm(one):
        return one["temp"] + 3

    assert look(reference, temp=warm).verdict is Alarm.ALARM
    assert look(reference, temp=warm, watch=Watch(columns={"temp": Override(5, 9)})).verdict is Alarm.CLEAN
    ignored = look(reference, temp=warm, watch=Watch(ignore=("temp",)))
    assert ignored.verdict is Alarm.CLEAN
    assert ignored.unwatched == {"temp": "ignored"}


def test_impossible_watches_are_refused():
    with pytest.raises(ValueError, match="psi_warn"):
        Watch(psi_warn=0.3)
    with pytest.raises(ValueError, match="probabilities"):
        Watch(p=5)


def test_reports_survive_json(reference):
    report = look(reference, temp=lambda one: one["temp"] + 9, extra=lambda one: one["temp"])
    assert DriftReport.from_json(report.to_json()) == report
    with pytest.raises(ValueError, match="schema"):
        DriftReport.from_json(report.to_json().replace('"schema": 1', '"schema": 2'))


def test_chi_square_and_likelihood_as_scipy():
    rng = np.random.default_rng(0)
    for _ in range(20):
        pair = rng.integers(1, 90, (2, 7)).astype(float)
        assert chi_square_p(*pair) == pytest.approx(chi2_contingency(pair, correction=False).pvalue, rel=1e-9)
        ratio = chi2_contingency(pair, correction=False, lambda_="log-likelihood").pvalue
        assert likelihood_p(*pair) == pytest.approx(ratio, rel=1e-9)


@pytest.mark.parametrize("pair", [(0, 100, 5, 80), (3, 50, 20, 60), (10, 1000, 0, 400), (5, 10, 5, 10), (0, 9, 0, 9)])
def test_rates_as_fishers_exact_test_one_sided_twice(pair):
    count, rows, now, here = pair
    sides = [
        fisher_exact([[now, here - now], [count, rows - count]], alternative=side).pvalue
        for side in ("less", "greater")
    ]
    assert rate_p(*pair) == pytest.approx(min(1.0, 2 * min(sides)), rel=1e-6)


def test_holm_by_hand():
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert holm([]) == []


def test_a_column_that_is_clean_only_by_its_own_limit_is_said_to_be_so(reference):
    warm = np.random.default_rng(3).normal(24, 5, 2000)
    found = look(reference, temp=warm, watch=Watch(columns={"temp": Override(5, 9)}))
    (temp,) = (one for one in found.columns if one.name == "temp")
    assert temp.reason == "temp: differs from training as a whole, within its own limit (PSI 5.00)."
    assert found.sentence.startswith("Nothing moved beyond its limit, on 2,000 rows. temp differs from training")
    assert (found.verdict, temp.verdict, len(found.notes)) == (Alarm.CLEAN, Alarm.CLEAN, 1)
    assert look(reference).notes == ()
