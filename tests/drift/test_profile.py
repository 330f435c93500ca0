"""Profiles: as exact as their cells, they add up, survive storage, and take any column that people have."""

import math
from datetime import UTC, datetime

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import ks_2samp, wasserstein_distance

from lifecycle.drift import Profile, compare, profile
from lifecycle.drift.columns import CategoryColumn, NumericColumn, Unwatched
from lifecycle.drift.grid import Shape

ROWS = 20_000
SHAPES = {
    "normal": (lambda rng, n: rng.normal(10, 3, n), Shape.LINEAR),
    "lognormal": (lambda rng, n: rng.lognormal(0, 1.5, n), Shape.BENT),
    "pareto": (lambda rng, n: rng.pareto(1.1, n), Shape.BENT),
    "extreme": (lambda rng, n: 10.0 ** rng.uniform(-30, 30, n), Shape.EDGES),
    "counts": (lambda rng, n: rng.poisson(3, n), Shape.LINEAR),
    "mostly zero": (lambda rng, n: np.where(rng.random(n) < 0.7, 0, rng.exponential(size=n)), Shape.LINEAR),
}


def table(**columns):
    return pa.table(columns)


@pytest.mark.parametrize("name", SHAPES)
def test_distances_from_cells_are_those_from_rows(name):
    make, shape = SHAPES[name]
    rng = np.random.default_rng(5)
    before, now = make(rng, ROWS), make(rng, ROWS) * 1.1
    reference = Profile.of(table(x=before))
    assert reference.columns["x"].grid.shape is shape
    found = compare(reference, Profile.of(table(x=now), like=reference)).columns[0]
    assert found.ks == pytest.approx(ks_2samp(before, now).statistic, abs=0.004)
    if shape is Shape.LINEAR:
        expected = wasserstein_distance(before, now) / np.std(before)
        assert found.wasserstein == pytest.approx(expected, abs=0.012)


@pytest.mark.parametrize("name", SHAPES)
def test_no_cell_is_too_full(name):
    make, _ = SHAPES[name]
    values = make(np.random.default_rng(6), ROWS)
    column = Profile.of(table(x=values)).columns["x"]
    common = sum(share for share in column.atoms.values())
    assert column.counts.sum() == ROWS
    assert max(column.counts[1:-1]) / ROWS <= max([0.0, *column.atoms.values()]) + 1 / 256 + 0.001
    assert common <= 1 + 1e-9


def test_sums_are_those_of_the_rows():
    values = np.random.default_rng(0).normal(1e6, 2, ROWS)
    column = Profile.of(table(x=values)).columns["x"]
    assert column.mean == pytest.approx(values.mean(), rel=1e-12)
    assert column.deviation == pytest.approx(values.std(), rel=1e-9)
    assert (column.low, column.high) == (values.min(), values.max())


def test_a_month_is_the_sum_of_its_days():
    rng = np.random.default_rng(1)
    everything = table(
        x=pa.array(rng.lognormal(0, 2, 3000), mask=rng.random(3000) < 0.1),
        y=rng.integers(0, 9, 3000),
        c=pa.array(rng.choice(["a", "b", "c", "new"], 3000)),
    )
    reference = Profile.of(everything.slice(0, 1000).set_column(2, "c", pa.array(rng.choice(["a", "b"], 1000))))
    whole = Profile.of(everything, like=reference)
    days = [Profile.of(everything.slice(at, 100), like=reference) for at in range(0, 3000, 100)]
    total = days[0]
    for day in days[1:]:
        total = total.add(day)
    assert total.rows == whole.rows
    for name, column in whole.columns.items():
        same = total.columns[name]
        assert (same.counts == column.counts).all()
        assert (same.rows, same.missing) == (column.rows, column.missing)
    assert total.columns["x"].mean == pytest.approx(whole.columns["x"].mean)
    assert total.columns["c"].unseen == whole.columns["c"].unseen
    assert compare(reference, total).columns[0].psi == compare(reference, whole).columns[0].psi


def test_profiles_in_other_cells_do_not_add_up():
    one, other = (Profile.of(table(x=np.random.default_rng(at).normal(size=100))) for at in (0, 1))
    with pytest.raises(ValueError, match=r'"x" were made with different cells'):
        one.add(other)
    with pytest.raises(ValueError, match="like=reference"):
        compare(one, other)


def test_storage_keeps_everything_and_is_small():
    rng = np.random.default_rng(2)
    columns = {f"x{at}": rng.normal(size=5000) for at in range(40)}
    columns |= {f"c{at}": pa.array([f"v{one}" for one in rng.integers(0, 300, 5000)]) for at in range(10)}
    made = Profile.of(pa.table(columns))
    stored = made.to_bytes()
    again = Profile.from_bytes(stored)
    assert again.to_bytes() == stored
    assert len(stored) < 250_000
    window = Profile.of(pa.table(columns).slice(0, 1000), like=again)
    assert compare(again, window) == compare(made, Profile.of(pa.table(columns).slice(0, 1000), like=made))


@pytest.mark.parametrize("stored", [b"", b"nonsense", b"\x1f\x8b\x08\x00broken", b"{}"])
def test_what_is_no_profile_is_refused(stored):
    with pytest.raises(ValueError, match=r"not a profile"):
        Profile.from_bytes(stored)


def test_a_profile_of_the_future_is_refused():
    import gzip
    import json

    plain = {"format": "lifecycle-profile", "version": 99, "rows": 0, "columns": {}, "extra": []}
    with pytest.raises(ValueError, match="version 99"):
        Profile.from_bytes(gzip.compress(json.dumps(plain).encode()))
    plain |= {"version": 1, "columns": {"x": {"kind": "numeric"}}}
    with pytest.raises(ValueError, match="damaged"):
        Profile.from_bytes(gzip.compress(json.dumps(plain).encode()))


def test_a_stream_is_read_once_and_equals_the_table():
    rows = table(x=np.random.default_rng(3).normal(size=5000), c=pa.array(["a", "b"] * 2500))
    stream = iter(rows.to_batches(max_chunksize=700))
    streamed, whole = profile(stream).columns, Profile.of(rows).columns
    assert (streamed["x"].counts == whole["x"].counts).all()
    assert streamed["x"].mean == pytest.approx(whole["x"].mean)
    assert (streamed["c"].counts == whole["c"].counts).all()
    assert next(stream, None) is None


def test_kinds_that_are_not_watched_are_named():
    made = Profile.of(
        table(
            when=pa.array([datetime(2026, 1, 1, tzinfo=UTC)] * 200),
            row=np.arange(200),
            text=[f"comment number {at}" for at in range(200)],
            nothing=pa.nulls(200),
            parts=pa.array([[1, 2]] * 200),
            raw=pa.array([b"\x00"] * 200),
            flag=[True, False] * 100,
            money=pa.array([1, 2] * 100, pa.decimal128(9, 2)),
        )
    )
    skipped = {name: one.why for name, one in made.columns.items() if isinstance(one, Unwatched)}
    assert set(skipped) == {"when", "row", "text", "nothing", "parts", "raw"}
    assert "identifier" in skipped["row"]
    assert "200 different values" in skipped["text"]
    assert made.columns["flag"].values == ("false", "true")
    assert made.columns["money"].mean == 1.5


def test_columns_left_out_and_the_models_answers():
    made = Profile.of(table(x=[1.0] * 9, y=[2.0] * 9, prediction=[0.5] * 9, probability_a=[0.1] * 9), exclude=["y"])
    assert "y" not in made.columns
    assert [one.role for one in made.columns.values()] == ["feature", "prediction", "prediction"]


def test_missing_and_infinite_values_are_counted_apart():
    values = pa.array([1.0, None, math.nan, math.inf, -math.inf, 2.0])
    column = Profile.of(table(x=values)).columns["x"]
    assert (column.rows, column.null, column.nan, column.plus_inf, column.minus_inf) == (6, 1, 1, 1, 1)
    assert column.finite == 2
    assert column.mean == 1.5


def test_a_thousand_rare_values_go_into_buckets():
    rng = np.random.default_rng(4)
    words = [f"zip{one}" for one in rng.integers(0, 3000, 30_000)] + ["common"] * 5000
    made = Profile.of(table(c=words))
    column = made.columns["c"]
    assert not column.complete
    assert column.values == ("common",)
    assert column.counts.sum() + column.buckets.sum() == 35_000
    other = Profile.of(table(c=[f"zip{one}" for one in rng.integers(0, 3000, 2000)] + ["common"] * 333), like=made)
    assert compare(made, other).verdict == "CLEAN"


UGLY = st.one_of(
    st.lists(st.one_of(st.none(), st.floats(allow_nan=True, allow_infinity=True, width=64)), min_size=1, max_size=60),
    st.lists(st.one_of(st.none(), st.integers(-(2**63), 2**63 - 1)), min_size=1, max_size=60),
    st.lists(st.one_of(st.none(), st.text(max_size=5)), min_size=1, max_size=60),
    st.lists(st.one_of(st.none(), st.booleans()), min_size=1, max_size=60),
    st.lists(st.none(), min_size=1, max_size=60),
)


@settings(max_examples=150, deadline=None)
@given(UGLY, UGLY)
def test_ugly_columns_are_profiled_stored_and_compared(before, now):
    reference = Profile.from_bytes(Profile.of(pa.table({"x": before})).to_bytes())
    window = Profile.of(pa.table({"x": now}), like=reference)
    assert Profile.from_bytes(window.to_bytes()).to_bytes() == window.to_bytes()
    report = compare(reference, window)
    assert report.sentence
    assert type(report).from_json(report.to_json()) == report
    both = window.add(window)
    assert both.rows == 2 * len(now)
    match reference.columns["x"]:
        case NumericColumn() | CategoryColumn() as column:
            assert column.rows == len(before)
        case Unwatched():
            assert not report.columns
