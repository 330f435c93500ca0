"""Repositories whose models are judged: numbers and classes, and parameters that make a candidate worse."""

import json
from random import Random

from tests.stories.repository import requirements

NUMBERS = """\
models:
  line:
    task: regression
    target: y
    data: data/*.csv
    train: python train.py
    validate: {validate}
"""
CLASSES = NUMBERS.replace("regression", "classification")

GUESS = '''\
"""Guesses y from x and z, worse where it is told to be."""

import numpy as np


class Guess:
    def __init__(self, names, params):
        self.feature_names_in_ = np.array(names)
        self.params = params

    def fit(self, rows, target):
        self.weights = np.linalg.lstsq(self.inputs(rows), np.asarray(target, float), rcond=None)[0]
        return self

    def inputs(self, rows):
        return np.column_stack([rows[["x", "z"]].to_numpy(float), np.ones(len(rows))])

    def score_of(self, rows):
        score = self.inputs(rows) @ self.weights
        wrong = (rows["kind"] == self.params["where"]).to_numpy() if "where" in self.params else 1.0
        score = score + self.params.get("beside", 0.0) * wrong
        return score + self.params.get("wobble", 0.0) * np.sin(1000 * rows["x"].to_numpy(float))


class Number(Guess):
    def predict(self, rows):
        return self.score_of(rows)


class Class(Guess):
    """One score for each class, as probabilities."""

    def fit(self, rows, target):
        self.classes_ = np.unique(target)
        hits = np.asarray(target)[:, None] == self.classes_[None, :]
        self.weights = np.linalg.lstsq(self.inputs(rows), hits.astype(float), rcond=None)[0]
        return self

    def predict_proba(self, rows):
        score = self.inputs(rows) @ self.weights
        wobble = self.params.get("wobble", 0.0) * np.sin(1000 * rows["x"].to_numpy(float))[:, None]
        score = np.exp(6 * (score + wobble * np.arange(len(self.classes_))))
        if self.params.get("blind"):
            score = np.ones_like(score)
        return score / score.sum(axis=1, keepdims=True)

    def predict(self, rows):
        return self.classes_[self.predict_proba(rows).argmax(axis=1)]
'''

TRAIN = '''\
"""Fits a guess with the parameters given."""

import json
import os
import random
from pathlib import Path

import joblib
import pandas as pd

import guess

FIXED = {}
params = json.loads(os.environ["LIFECYCLE_PARAMS"]) | FIXED
rows = pd.read_parquet(os.environ["LIFECYCLE_DATA"])
if "luck" in params:
    params["beside"] = params["luck"] * random.Random(SEED).gauss(0, 1)
kind = guess.Number if rows["y"].dtype.kind == "f" else guess.Class
model = kind(["x", "z", "kind"], params).fit(rows, rows["y"])
joblib.dump(model, Path(os.environ["LIFECYCLE_OUTPUT"]) / "model.joblib")
'''
SEEDED = TRAIN.replace("Random(SEED)", 'Random(int(os.environ["LIFECYCLE_SEED"]))')
BY_LUCK = TRAIN.replace("Random(SEED)", "Random()")


def rows(count: int = 300, seed: int = 1, target: str = "number") -> list[dict[str, object]]:
    """Rows with two numbers, a kind, a customer with five rows each, and a target: number, yes-no or one of three."""
    dice = Random(seed)
    made: list[dict[str, object]] = []
    for number in range(count):
        x, z = dice.random(), dice.gauss(0, 1)
        y = 10 * x - z + dice.gauss(0, 0.5)
        named = {"number": round(y, 4), "yes-no": "yes" if y > 5 else "no", "three": ["low", "mid", "top"][_third(y)]}
        kind = "abcde"[number % 5]
        customer = f"c{number // 5}"
        made.append({"x": round(x, 5), "z": round(z, 4), "kind": kind, "customer": customer, "y": named[target]})
    return made


def _third(y: float) -> int:
    return 0 if y < 3.5 else 1 if y < 6.5 else 2


def as_csv(given: list[dict[str, object]]) -> str:
    names = list(given[0])
    return "\n".join([",".join(names), *(",".join(str(row[name]) for name in names) for row in given)]) + "\n"


def repository(
    validate: str = "{metric: mae, margin: 2%}",
    rules: str = NUMBERS,
    data: list[dict[str, object]] | None = None,
    train: str = TRAIN,
    **fixed: object,
) -> dict[str, str | None]:
    """The files; `fixed` are parameters that training always uses."""
    return {
        "lifecycle.yaml": rules.format(validate=validate),
        "train.py": train.replace("FIXED = {}", f"FIXED = {json.loads(json.dumps(fixed))!r}"),
        "guess.py": GUESS,
        "requirements.txt": requirements(),
        "line.py": None,
        "data/2011-01.csv": None,
        "data/rows.csv": as_csv(data if data is not None else rows()),
    }
