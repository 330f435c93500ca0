"""The programs that run inside the sandbox, the jobs that run them, and how their output is read.

Fitting is the repository's own command; predicting and serving are ours. Theirs is the model's environment, so the
programs in this folder use the standard library and what the model's requirements bring.
"""

from pathlib import Path

from lifecycle.executors import Job, Limits
from lifecycle.executors.sandbox import BadOutput, collect
from lifecycle.jobs.reading import Predictions, read_predictions

__all__ = ["BadOutput", "Predictions", "collect", "predict_job", "read_predictions", "serve_job"]

PROGRAMS = Path(__file__).parent


def predict_job(name: str, model_folder: Path, rows: Path, requirements: str, limits: Limits, trusted: bool) -> Job:
    """A job that predicts every row of a parquet file of features; `read_predictions` reads its output."""
    return Job(
        name=name,
        command=("python", "predict.py"),
        tree=PROGRAMS,
        requirements=requirements,
        inputs={"LIFECYCLE_MODEL": model_folder, "LIFECYCLE_ROWS": rows},
        limits=limits,
        trusted=trusted,
    )


def serve_job(name: str, model_folder: Path, requirements: str, limits: Limits, trusted: bool = True) -> Job:
    """A job that serves the model on the socket `serve.sock` in its output folder until it is cancelled."""
    return Job(
        name=name,
        command=("python", "serve.py"),
        tree=PROGRAMS,
        requirements=requirements,
        inputs={"LIFECYCLE_MODEL": model_folder},
        limits=limits,
        trusted=trusted,
    )
