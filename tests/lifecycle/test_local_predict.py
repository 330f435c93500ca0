"""Predicting in the sandbox, and reading what came out as hostile data."""

import json
import shutil
import textwrap
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from lifecycle.executors import JobState, Limits
from lifecycle.jobs import BadOutput, predict_job, read_predictions
from tests.lifecycle.conftest import MODEL_REQUIREMENTS, Bench, MakeBench

ROWS = 300


@pytest.fixture
def bench(make_bench: MakeBench) -> Bench:
    return make_bench("auto")


@pytest.fixture
def rows(tmp_path: Path) -> Path:
    table = {
        "when": pa.array(range(ROWS), pa.timestamp("us")),
        "kind": pa.array(["a", "b", "c"] * 100),
        "temp": np.linspace(0, 1, ROWS),
        "hour": np.arange(ROWS) % 24,
    }
    pq.write_table(pa.table(table), tmp_path / "rows.parquet")
    return tmp_path / "rows.parquet"


def predict(bench: Bench, name: str, folder: Path, rows: Path, requirements: str = MODEL_REQUIREMENTS) -> Path:
    bench.executor.submit(predict_job(name, folder, rows, requirements, Limits(), trusted=True))
    status = bench.end(name, 120)
    assert status.state is JobState.SUCCEEDED, bench.log(name)
    return bench.executor.output(name)


def test_numbers(bench: Bench, models: Path, rows: Path):
    read = read_predictions(predict(bench, "n", models / "number", rows), ROWS, "regression")
    table = pq.read_table(rows)
    wanted = table["temp"].to_numpy() * 10 + table["hour"].to_numpy()
    assert np.allclose(read.table["prediction"].to_numpy()[1::3], wanted[1::3])
    assert np.allclose(read.table["prediction"].to_numpy()[0::3], wanted[0::3] + 5)
    assert read.table.column_names == ["prediction"]
    assert read.load_seconds > 0
    assert read.seconds > 0
    assert 0 < read.p95_row_ms < 1000
    assert read.memory_mb > 20
    assert read.tail(10).table.equals(read.table.slice(ROWS - 10))


def test_without_a_sandbox_it_is_the_same(make_bench: MakeBench, models: Path, rows: Path):
    read = read_predictions(predict(make_bench("off"), "bare", models / "number", rows), ROWS, "regression")
    assert read.table.num_rows == ROWS


def test_classes_and_their_probabilities(bench: Bench, models: Path, rows: Path):
    words = read_predictions(predict(bench, "w", models / "word", rows), ROWS, "classification").table
    assert words.column_names == ["prediction", "probability_high", "probability_low"]
    assert words["prediction"][0].as_py() == "low"
    codes = read_predictions(predict(bench, "c", models / "code", rows), ROWS, "classification").table
    assert codes["prediction"].type == pa.int64()
    assert codes["prediction"][ROWS - 1].as_py() == 1


def fails(bench: Bench, name: str, folder: Path, rows: Path) -> str:
    bench.executor.submit(predict_job(name, folder, rows, MODEL_REQUIREMENTS, Limits(), trusted=True))
    status = bench.end(name, 120)
    assert status.state is JobState.FAILED
    return status.reason


def test_what_cannot_be_predicted_is_said(bench: Bench, models: Path, rows: Path, tmp_path: Path):
    pq.write_table(pq.read_table(rows).drop_columns(["hour"]), tmp_path / "less.parquet")
    assert "columns that are not there: hour" in fails(bench, "l", models / "number", tmp_path / "less.parquet")
    (tmp_path / "empty").mkdir()
    assert "neither model.skops nor model.joblib" in fails(bench, "e", tmp_path / "empty", rows)


def test_classes_of_the_repository_are_found_in_code(bench: Bench, rows: Path, tmp_path: Path):
    """The repository has a predict.py too, which must not be mistaken for ours."""
    (bench.tree / "predict.py").write_text("class Half:\n    def predict(self, rows): return rows['temp'] / 2\n")
    code = """
        import os, joblib, sys
        sys.path.insert(0, ".")
        from predict import Half
        joblib.dump(Half(), os.environ["LIFECYCLE_OUTPUT"] + "/model.joblib")
    """
    bench.run("fit", textwrap.dedent(code), requirements=MODEL_REQUIREMENTS, seconds=120)
    folder = tmp_path / "folder"
    shutil.copytree(bench.executor.output("fit"), folder)
    (folder / "code").mkdir()
    shutil.copy(bench.tree / "predict.py", folder / "code")
    read = read_predictions(predict(bench, "half", folder, rows), ROWS, "regression")
    assert np.allclose(read.table["prediction"].to_numpy(), np.linspace(0, 0.5, ROWS))


def test_a_folder_as_mlflow_writes_it_is_loaded_without_mlflow(bench: Bench, models: Path, rows: Path, tmp_path: Path):
    folder = tmp_path / "mlflow"
    folder.mkdir()
    shutil.copy(models / "number" / "model.joblib", folder / "model.pkl")
    described = """
        flavors:
          python_function:
            loader_module: mlflow.sklearn
            model_path: model.pkl
            predict_fn: predict
          sklearn:
            code: null
            pickled_model: model.pkl
    """
    (folder / "MLmodel").write_text(textwrap.dedent(described))
    assert read_predictions(predict(bench, "m", folder, rows), ROWS, "regression").table.num_rows == ROWS
    own = tmp_path / "own"
    (own / "code").mkdir(parents=True)
    loader = "class M:\n    def predict(self, rows): return [[1.5]] * len(rows)\ndef _load_pyfunc(path): return M()\n"
    (own / "code" / "my_loader.py").write_text(loader)
    flavor = "flavors:\n  python_function:\n    loader_module: my_loader\n    code: code\n    data: .\n"
    (own / "MLmodel").write_text(flavor)
    answers = read_predictions(predict(bench, "o", own, rows), ROWS, "regression").table
    assert set(answers["prediction"].to_pylist()) == {1.5}


def hostile(folder: Path, **columns: object) -> Path:
    folder.mkdir(exist_ok=True)
    pq.write_table(pa.table(columns), folder / "predictions.parquet")
    return folder


@pytest.mark.parametrize(
    ("task", "columns", "words"),
    [
        ("regression", {"prediction": [1.0, 2.0]}, "2 predictions for 3 rows"),
        ("regression", {"guess": [1.0, 2.0, 3.0]}, "no column 'prediction'"),
        ("regression", {"prediction": [1.0, None, 3.0]}, "gaps"),
        ("regression", {"prediction": [1.0, float("nan"), 3.0]}, "finite"),
        ("regression", {"prediction": [1.0, float("inf"), 3.0]}, "finite"),
        ("regression", {"prediction": ["1", "2", "3"]}, "needs numbers"),
        ("regression", {"prediction": [[1.0]] * 3}, "which it cannot be"),
        ("classification", {"prediction": [1.5, 2.0, 3.0]}, "texts or whole numbers"),
        ("classification", {"prediction": ["x" * 1_000_000] * 3}, "more than 1000 characters"),
        ("classification", {"prediction": ["a", "b", "a"], "probability_a": ["1", "1", "1"]}, "which it cannot be"),
        ("classification", {"prediction": ["a", "b", "a"], "probability_a": [1.0, 2.0, 0.0]}, "between 0 and 1"),
        (
            "classification",
            {"prediction": ["a", "b", "a"], "probability_a": [0.5, 0.5, 0.5], "probability_b": [0.5, 0.5, 0.1]},
            "add up to 1",
        ),
        (
            "classification",
            {"prediction": ["a"] * 3, "probability_a": [float("nan")] * 3},
            "between 0 and 1",
        ),
    ],
)
def test_hostile_predictions_are_refused_in_a_sentence(tmp_path: Path, task, columns, words):
    with pytest.raises(BadOutput, match=words) as told:
        read_predictions(hostile(tmp_path / "o", **columns), 3, task)
    assert "\n" not in str(told.value)


def test_hostile_files_are_refused(tmp_path: Path):
    with pytest.raises(BadOutput, match=r"left no predictions.parquet"):
        read_predictions(tmp_path, 3, "regression")
    (tmp_path / "predictions.parquet").write_bytes(b"PAR1" + b"\xff" * 100 + b"PAR1")
    with pytest.raises(BadOutput, match="cannot be read"):
        read_predictions(tmp_path, 3, "regression")
    (tmp_path / "predictions.parquet").unlink()
    (tmp_path / "predictions.parquet").symlink_to("/etc/passwd")
    with pytest.raises(BadOutput, match="not a plain file"):
        read_predictions(tmp_path, 3, "regression")


@pytest.mark.parametrize(
    "meta", ["", "[]", "{", '{"seconds": "x"}', '{"seconds": 1e999}', "[" * 5000, '{"seconds": true}']
)
def test_nonsense_about_itself_is_ignored(tmp_path: Path, meta: str):
    folder = hostile(tmp_path / "o", prediction=[1.0, 2.0, 3.0])
    (folder / "meta.json").write_text(meta)
    assert read_predictions(folder, 3, "regression").seconds in (0.0, 1.0)


def test_fine_answers_pass(tmp_path: Path):
    whole = read_predictions(hostile(tmp_path / "i", prediction=[1, 2, 3]), 3, "regression")
    assert whole.table["prediction"].to_pylist() == [1.0, 2.0, 3.0]
    coded = pa.array(["a", "b", "a"]).dictionary_encode()
    read = read_predictions(hostile(tmp_path / "d", prediction=coded, other=[1, 2, 3]), 3, "classification")
    assert read.table.column_names == ["prediction"]
    assert read.table["prediction"].to_pylist() == ["a", "b", "a"]
    (tmp_path / "d" / "meta.json").write_text(json.dumps({"p95_row_ms": 1.5}))
    assert read_predictions(tmp_path / "d", 3, "classification").p95_row_ms == 1.5
