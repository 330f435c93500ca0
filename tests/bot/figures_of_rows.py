"""Results of validate stages as they are stored, computed from rows, for tests of reports and their figures."""

import json
from functools import cache
from typing import Any

import numpy as np
import pyarrow as pa

from lifecycle.verdicts import Gate, judge, plot_facts

HOSTILE = '`|<script>alert(1)</script> %%{init}%% ](x) @octo/all "\n### out'


@cache
def _regression(worse: float, seed: int, rows: int) -> str:
    dice = np.random.default_rng(seed)
    truth = dice.gamma(2, 80, rows)
    noise = dice.normal(0, 30, rows)
    where = dice.choice(["clear", "mist", HOSTILE], rows)
    candidate = truth + noise * (1 + worse) + dice.normal(0, 3, rows)
    candidate = candidate + np.where(where == HOSTILE, worse * 60 * dice.normal(0, 1, rows), 0)
    features = pa.table({"weathersit": where, "temp": dice.normal(0, 1, rows), HOSTILE: dice.integers(0, 3, rows)})
    gate = Gate.of("mae", "2%", slices=("weathersit",))
    said: dict[str, Any] = {"task": "regression", "gate": gate, "features": features}
    judged = judge(truth, candidate, truth + noise, **said)
    plots = plot_facts(truth, candidate, truth + noise, **said)
    return json.dumps({"judgement": json.loads(judged.to_json()), "champion": 3, "plots": plots})


def regression(worse: float = 0.3, seed: int = 1, rows: int = 3_000) -> dict[str, Any]:
    """A candidate whose errors are larger by that share, most so in one hostile slice."""
    found: dict[str, Any] = json.loads(_regression(worse, seed, rows))
    return found


def classification(rows: int = 3_000) -> dict[str, Any]:
    """A candidate that is too sure of itself."""
    dice = np.random.default_rng(2)
    chance = dice.beta(0.6, 3, rows)
    labels = (dice.random(rows) < chance).astype(int)
    said: dict[str, Any] = {"task": "classification", "gate": Gate.of("auc")}
    answers = np.clip(chance * 1.3, 0, 1), np.clip(chance + dice.normal(0, 0.1, rows), 0, 1)
    judged, plots = judge(labels, *answers, **said), plot_facts(labels, *answers, **said)
    return {"judgement": json.loads(judged.to_json()), "champion": 3, "plots": plots}
