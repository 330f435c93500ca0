"""Rows that err together are found, independent ones are left alone, and intervals keep what they promise."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pyarrow as pa
import pytest

from lifecycle.verdicts.dependence import declared, found, group_codes
from lifecycle.verdicts.intervals import mean_interval
from lifecycle.verdicts.rows import align


def hours(days, per_day=12):
    start = datetime(2026, 1, 1, tzinfo=UTC)
    return pa.chunked_array(
        [pa.array([start + timedelta(days=day, hours=2 * hour) for day in range(days) for hour in range(per_day)])]
    )


def rows(days, together, seed=0, per_day=12):
    """Two models whose errors differ; `together` is the share of the variance that all rows of a day have in common."""
    rng = np.random.default_rng(seed)
    shift = np.sqrt(together) * np.repeat(rng.normal(size=days), per_day)
    own = np.sqrt(1 - together) * rng.normal(size=days * per_day)
    return align(np.zeros(days * per_day), 10 + shift + own, np.full(days * per_day, 10.0), "regression")


def test_days_that_err_together_are_found():
    blocks = found({"at": hours(30)}, rows(30, 0.4))
    assert blocks is not None
    assert (blocks.by, blocks.groups) == ("day of at", 30)
    assert blocks.effect > 2
    assert blocks.p < 1e-6


def test_of_two_groupings_the_one_that_matters_more_counts():
    customers = pa.chunked_array([pa.array([f"c{at % 40}" for at in range(360)])])
    blocks = found({"customer": customers, "at": hours(30)}, rows(30, 0.4))
    assert blocks is not None
    assert blocks.column == "at"


def test_one_row_a_group_or_too_few_groups_are_no_grouping():
    assert found({"at": hours(200, 1)}, rows(200, 0.9, per_day=1)) is None
    assert found({"at": hours(3)}, rows(3, 0.9)) is None


def test_what_is_declared_is_taken_whatever_the_rows_say():
    kinds = pa.chunked_array([pa.array(["a", "b", None] * 120)])
    blocks = declared("kind", kinds, rows(30, 0.0))
    assert (blocks.by, blocks.groups, blocks.p) == ("kind", 3, None)
    assert group_codes(kinds)[:3].tolist() == [0, 1, 2]


@pytest.mark.parametrize("together", [0.0, 0.05, 0.3])
@pytest.mark.parametrize("days", [10, 40])
def test_intervals_miss_as_often_as_they_say(days, together):
    misses = 0
    for seed in range(400):
        one = rows(days, together, seed)
        blocks = found({"at": hours(days)}, one)
        errors = np.asarray(one.candidate.values) - 10
        interval = mean_interval(errors, 0.95, blocks.codes if blocks else None)
        misses += not interval.low <= 0 <= interval.high
    assert misses <= 0.09 * 400  # 5 % are promised; 400 trials tell 9 % from it
