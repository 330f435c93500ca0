"""The programs that run inside the sandbox, the jobs that run them, and how their output is read.

Fitting is the repository's own command; predicting and serving are ours. Theirs is the model's environment, so the
programs in this folder use the standard library and what the model's requirements bring.
"""

import importlib
from pathlib import Path
from typing import TYPE_CHECKING

from lifecycle.executors import Job, Limits
from lifecycle.executors.sandbox import BadOutput, collect

if TYPE_CHECKING:
    from lifecycle.jobs.reading import Predictions, read_predictions, refusal

__all__ = ["BadOutput", "Predictions", "collect", "predict_job", "read_predictions", "refusal", "serve_job"]

PROGRAMS = Path(__file__).parent
# One row at a time is what serving is about: threads that wait for each other make it several times slower.
ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")


def predict_job(
    name: str,
    model_folder: Path,
    rows: Path,
    requirements: str,
    limits: Limits,
    trusted: bool,
    sample: Path | None = None,
    may_refuse: bool = False,
) -> Job:
    """A job that predicts every row of a parquet file of features; `read_predictions` reads its output.

    sample: a few rows on which the costs of an answer are measured; the first of `rows` where there is none.
    may_refuse: rows that lack what the model wants do not fail the job; `refusal` reads why.
    """
    return Job(
        name=name,
        command=("python", "predict.py"),
        tree=PROGRAMS,
        requirements=requirements,
        inputs={"LIFECYCLE_MODEL": model_folder, "LIFECYCLE_ROWS": rows}
        | ({"LIFECYCLE_SAMPLE": sample} if sample else {}),
        values=ONE_THREAD | ({"LIFECYCLE_MAY_REFUSE": "1"} if may_refuse else {}),
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
        values=ONE_THREAD,
        limits=limits,
        trusted=trusted,
    )


def __getattr__(name: str) -> object:
    """What reads predictions loads Arrow, so it is imported when first asked for."""
    if name not in ("Predictions", "read_predictions", "refusal"):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module("lifecycle.jobs.reading"), name)
