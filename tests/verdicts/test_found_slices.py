"""Which columns are sliced when nobody names any: those that matter to the answers and have rows enough to tell."""

import numpy as np
import pyarrow as pa

from lifecycle.verdicts import Gate
from lifecycle.verdicts.rows import align
from lifecycle.verdicts.slices import slices_with_rows

ROWS = 3000


def columns_looked_at(find: int, **more: object) -> set[str]:
    rng = np.random.default_rng(0)
    features = pa.table(
        {
            "identity": [f"row {at}" for at in range(ROWS)],
            "shop": [f"s{at % 90}" for at in range(ROWS)],
            "noise": rng.normal(size=ROWS),
            "kind": rng.choice(["a", "b", "c"], ROWS),
            "size": rng.normal(size=ROWS),
        }
    )
    answers = features["size"].to_numpy() * 3 + (np.asarray(features["kind"].to_pylist()) == "a") * 2.0
    rows = align(np.zeros(ROWS), answers, answers + 0.1, "regression")
    gate = Gate.of("mae", find_slices=find, **more)
    return {cut.column for cut, _, _ in slices_with_rows(rows, features, gate)}


def test_what_the_answers_hang_on_comes_first_and_small_slices_do_not_count():
    assert columns_looked_at(1) == {"size"}
    assert columns_looked_at(2) == {"size", "kind"}
    assert columns_looked_at(10) == {"size", "kind", "noise"}
    assert columns_looked_at(0) == set()


def test_declared_columns_are_always_looked_at():
    assert columns_looked_at(1, slices=("noise",)) == {"size", "noise"}
    assert columns_looked_at(10, slice_min_rows=20) >= {"shop"}
