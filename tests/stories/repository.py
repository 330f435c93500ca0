"""A model repository that trains in a moment: three hundred rows, a straight line, and ways to go wrong."""

import json
from random import Random

from bot.playground.stage import DATA

MODEL = "line"
ROWS = 300

RULES = """\
models:
  line:
    task: regression
    target: y
    data: data/*.csv
    time: at
    train: python train.py
    paths: [train.py, line.py, requirements.txt]
    requirements: requirements.txt
    validate: {metric: mae, margin: 2%}
    monitor: {window: 30d}
"""

LINE = '''\
"""A straight line through the rows, a little beside it if asked for."""

import numpy as np


class Line:
    def __init__(self, names, beside):
        self.feature_names_in_ = np.array(names)
        self.beside = beside

    def fit(self, features, target):
        x = np.column_stack([features.to_numpy(float), np.ones(len(features))])
        self.weights = np.linalg.lstsq(x, target.to_numpy(float), rcond=None)[0]
        return self

    def predict(self, features):
        x = np.column_stack([features.to_numpy(float), np.ones(len(features))])
        return x @ self.weights + self.beside
'''

TRAIN = '''\
"""Fits a line; parameters make it late, wrong or broken."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

print("reading the data", flush=True)

import joblib
import pandas as pd

from line import Line

BESIDE = 0.0

params = json.loads(os.environ["LIFECYCLE_PARAMS"])
rows = pd.read_parquet(os.environ["LIFECYCLE_DATA"])
print(f"{len(rows)} rows, parameters {params}", flush=True)
if params.get("fail"):
    sys.exit("the rows do not suit me")
if params.get("nothing"):
    sys.exit(0)
if params.get("sleep"):
    napping = "import sys, time; time.sleep(float(sys.argv[1]))"
    child = subprocess.Popen([sys.executable, "-c", napping, str(params["sleep"]), str(params.get("name", ""))])
    child.wait()
line = Line(["x", "z"], params.get("beside", BESIDE)).fit(rows[["x", "z"]], rows["y"])
joblib.dump(line, Path(os.environ["LIFECYCLE_OUTPUT"]) / "model.joblib")
print("fitted", flush=True)
'''


def requirements() -> str:
    """Of the playground's own model, so that no machine needs to fetch more, without what a line does not need."""
    lines = (DATA / "bikes" / "requirements.txt").read_text(encoding="utf-8").splitlines()
    return "".join(f"{line}\n" for line in lines if not line.startswith("scikit-learn"))


def rows(count: int = ROWS, *, month: int = 1, moved: float = 0.0, seed: int = 1) -> list[dict[str, object]]:
    """Hours of a month of 2011 with features `x` and `z` and the target `y`; `moved` shifts all of them."""
    dice = Random(seed)
    made: list[dict[str, object]] = []
    for number in range(count):
        x, z = moved + dice.random(), moved + dice.gauss(0, 1)
        day, hour = divmod(number * 2, 24)
        at = f"2011-{month:02d}-{day + 1:02d}T{hour:02d}:00:00"
        made.append(
            {"at": at, "x": round(x, 4), "z": round(z, 4), "y": round(10 * x - z + 5 * moved + dice.gauss(0, 0.5), 4)}
        )
    return made


def as_csv(given: list[dict[str, object]]) -> str:
    lines = ["at,x,z,y", *(f"{row['at']},{row['x']},{row['z']},{row['y']}" for row in given)]
    return "\n".join(lines) + "\n"


def as_requests(given: list[dict[str, object]]) -> list[dict[str, object]]:
    """What an application would ask: everything but the answers."""
    return [{name: value for name, value in row.items() if name != "y"} for row in given]


def files(**changed: str | None) -> dict[str, str | None]:
    """The repository's files; `changed` replaces some, by name without ending: rules, train, line, requirements."""
    found: dict[str, str | None] = {
        "lifecycle.yaml": changed.pop("rules", RULES),
        "train.py": changed.pop("train", TRAIN),
        "line.py": changed.pop("line", LINE),
        "requirements.txt": changed.pop("requirements", requirements()),
        "data/2011-01.csv": changed.pop("data", as_csv(rows())),
        "README.md": "A line.\n",
    }
    assert not changed, json.dumps(sorted(changed))
    return found


def beside(amount: float) -> str:
    """train.py whose line runs beside the rows."""
    return TRAIN.replace("BESIDE = 0.0", f"BESIDE = {amount}")


def slow(seconds: float, name: str = "") -> str:
    """train.py that sleeps in a child process of that name."""
    given = json.dumps({"sleep": seconds, "name": name})
    return TRAIN.replace("params = json.loads", f"params = {given} | json.loads")
