"""Models to predict with, trained as users train them: by a job, with the packages of its requirements."""

import json
import textwrap
from pathlib import Path

from tests.lifecycle.conftest import Bench

TRAIN = """
    import os, joblib, numpy as np, pandas as pd
    from sklearn.compose import make_column_transformer
    from sklearn.linear_model import LinearRegression, LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder

    rows = pd.DataFrame({"temp": np.linspace(0, 1, 200), "hour": np.arange(200) % 24, "kind": ["a", "b"] * 100})
    output = os.environ["LIFECYCLE_OUTPUT"]
    columns = make_column_transformer((OneHotEncoder(handle_unknown="ignore"), ["kind"]), remainder="passthrough")
    for name, model, target in (
        ("number", LinearRegression(), rows.temp * 10 + rows.hour + (rows.kind == "a") * 5),
        ("word", LogisticRegression(max_iter=1000), np.where(rows.temp > 0.5, "high", "low")),
        ("code", LogisticRegression(max_iter=1000), np.where(rows.temp > 0.5, 1.0, 0.0)),
    ):
        os.makedirs(f"{output}/{name}")
        joblib.dump(make_pipeline(columns, model).fit(rows, target), f"{output}/{name}/model.joblib")
"""
SIGNATURE = [
    {"name": "when", "type": "timestamp[us]"},
    {"name": "temp", "type": "double"},
    {"name": "hour", "type": "int64"},
    {"name": "kind", "type": "string"},
]


def train(bench: Bench, requirements: str) -> Path:
    """A folder with the model folders `number`, `word` and `code`."""
    status = bench.run("train-models", textwrap.dedent(TRAIN), seconds=180, requirements=requirements)
    assert status.exit_code == 0, bench.log("train-models")
    folder = bench.executor.output("train-models")
    for name in ("number", "word", "code"):
        (folder / name / "signature.json").write_text(json.dumps({"columns": SIGNATURE}))
        (folder / name / "requirements.txt").write_text(requirements)
    return folder
