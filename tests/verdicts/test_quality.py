"""A table beside another one: columns that go, gaps that open, values that nobody knew."""

import numpy as np
import pyarrow as pa

from lifecycle.drift import Profile
from lifecycle.verdicts import Outcome
from lifecycle.verdicts.quality import quality_checks


def table(rows=2000, seed=0, **more):
    rng = np.random.default_rng(seed)
    return pa.table({"x": rng.normal(size=rows), "sky": rng.choice(["clear", "cloudy"], rows), **more})


def said(one, other):
    reference = Profile.of(one)
    found = quality_checks(reference, Profile.of(other, like=reference), "the data", "v1's data")
    return {check.name: (check.outcome, check.sentence) for check in found}


def test_more_of_the_same_is_fine():
    found = said(table(), table(seed=1))
    assert set(found) == {"schema", "null rates", "new categories"}
    assert {outcome for outcome, _ in found.values()} == {Outcome.OK}
    assert found["schema"][1] == "The columns are those of v1's data."


def test_columns_that_came_went_and_changed():
    other = table(seed=1).drop_columns(["sky"]).append_column("wind", pa.array(np.ones(2000)))
    assert said(table(), other)["schema"] == (
        Outcome.WARN,
        "Compared with v1's data: sky is gone, wind is new.",
    )
    words = table(seed=1).set_column(0, "x", pa.array(["much"] * 2000))
    assert "x held number" in said(table(), words)["schema"][1].replace("numbers", "number")


def test_gaps_and_new_values_are_named_with_their_share():
    other = table(seed=1)
    gaps = pa.array([None if at % 4 == 0 else value for at, value in enumerate(other["x"].to_pylist())])
    new = pa.array(["snow" if at % 10 == 0 else value for at, value in enumerate(other["sky"].to_pylist())])
    found = said(table(), other.set_column(0, "x", gaps).set_column(1, "sky", new))
    assert found["null rates"] == (Outcome.WARN, "25.0% of x are missing.")
    assert found["new categories"] == (Outcome.WARN, '10.0% of sky are new ("snow").')


def test_a_few_gaps_and_single_new_values_are_not_worth_a_word():
    other = table(seed=1)
    new = pa.array(["snow" if at < 5 else value for at, value in enumerate(other["sky"].to_pylist())])
    assert {outcome for outcome, _ in said(table(), other.set_column(1, "sky", new)).values()} == {Outcome.OK}
