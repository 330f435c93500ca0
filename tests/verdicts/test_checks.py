"""Is the held-back data fit to judge by: what each check finds, and that it finds nothing where nothing is."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pyarrow as pa
import pytest

from lifecycle.verdicts import Outcome, data_checks
from lifecycle.verdicts.checks import Columns, row_hashes


@pytest.fixture
def tables():
    rng = np.random.default_rng(0)

    def make(start, rows):
        when = [datetime(2026, 1, 1, tzinfo=UTC) + timedelta(hours=start + at) for at in range(rows)]
        return pa.table(
            {
                "when": when,
                "customer": [f"c{start + at}" for at in range(rows)],
                "x": rng.normal(size=rows),
                "y": rng.normal(size=rows),
            }
        )

    return make(0, 2000), make(2000, 500)


ALL = Columns("y", time="when", entity="customer")


def outcomes(train, holdout, columns=ALL, task="regression"):
    return {one.name: one for one in data_checks(train, holdout, columns, task)}


def test_a_clean_split(tables):
    found = outcomes(*tables)
    assert set(found) == {"overlap", "time order", "entities", "leakage", "target shift"}
    assert {one.outcome for one in found.values()} == {Outcome.OK}


def test_rows_that_are_in_both(tables):
    train, holdout = tables
    found = outcomes(pa.concat_tables([train, holdout.slice(0, 50)]), holdout)
    assert found["overlap"].outcome is Outcome.FAIL
    assert "50 of 500 held-back rows (10.0%)" in found["overlap"].sentence
    assert found["entities"].outcome is Outcome.WARN
    assert found["time order"].outcome is Outcome.WARN


def test_a_column_that_is_the_answer(tables):
    train, holdout = tables
    holdout = holdout.append_column("copy", pa.array(holdout["y"].to_numpy() * 3 + 1))
    assert "copy alone" in outcomes(train, holdout)["leakage"].sentence
    label = (holdout["y"].to_numpy() > 0).astype(int)
    binary = holdout.set_column(holdout.schema.get_field_index("y"), "y", pa.array(label))
    known = train.set_column(3, "y", pa.array((train["y"].to_numpy() > 0).astype(int)))
    assert "copy alone" in outcomes(known, binary, task="classification")["leakage"].sentence


def test_a_target_that_moved(tables):
    train, holdout = tables
    moved = holdout.set_column(3, "y", pa.array(holdout["y"].to_numpy() + 2))
    assert outcomes(train, moved)["target shift"].outcome is Outcome.WARN
    words = outcomes(
        train.set_column(3, "y", pa.array(["a", "b"] * 1000)),
        holdout.set_column(3, "y", pa.array(["a"] * 450 + ["b"] * 50)),
        task="classification",
    )
    assert words["target shift"].outcome is Outcome.WARN


def test_a_missing_target_is_an_error(tables):
    with pytest.raises(ValueError, match='no column "z"'):
        data_checks(*tables, "z", "regression")


def test_equal_rows_have_equal_hashes_whatever_their_chunks():
    one = pa.table({"a": [1.0, 0.0, None], "b": ["x", None, "x"]})
    other = pa.concat_tables([one.slice(2), one.slice(0, 2)]).select(["b", "a"])
    assert row_hashes(other).tolist() == [row_hashes(one)[at] for at in (2, 0, 1)]
    assert len(set(row_hashes(one).tolist())) == 3
    assert row_hashes(pa.table({"a": [-0.0]})) == row_hashes(pa.table({"a": [0]}))


def test_copies_at_another_time_are_found_and_natural_repetition_is_not(tables):
    train, holdout = tables
    copies = train.slice(0, 100).set_column(0, "when", holdout["when"].slice(0, 100))
    found = outcomes(train, pa.concat_tables([copies, holdout.slice(100)]))["overlap"]
    assert found.outcome is Outcome.FAIL
    assert "but for when" in found.sentence
    few = {"x": pa.array([at % 7 for at in range(700)]), "y": pa.array([float(at % 7) for at in range(700)])}
    repeating = pa.table(few)
    assert outcomes(repeating, repeating.slice(0, 100), Columns("y"))["overlap"].outcome is Outcome.OK


def test_a_category_that_is_the_answer():
    rng = np.random.default_rng(3)
    secret = rng.integers(0, 20, 1500)
    numbers = pa.table({"code": [f"k{one}" for one in secret], "x": rng.normal(size=1500), "y": secret * 2.5})
    assert "code alone" in outcomes(numbers.slice(0, 1000), numbers.slice(1000), Columns("y"))["leakage"].sentence
    classes = pa.table({"code": [f"k{one}" for one in secret], "y": [["a", "b", "c"][one % 3] for one in secret]})
    found = outcomes(classes.slice(0, 1000), classes.slice(1000), Columns("y"), "classification")
    assert "code alone" in found["leakage"].sentence
    honest = pa.table({"code": numbers["code"], "y": rng.choice(["a", "b", "c"], 1500)})
    found = outcomes(honest.slice(0, 1000), honest.slice(1000), Columns("y"), "classification")
    assert found["leakage"].outcome is Outcome.OK
