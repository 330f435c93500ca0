"""Predicts rows with a model, inside the sandbox: LIFECYCLE_MODEL and LIFECYCLE_ROWS in, predictions.parquet out.

What an answer costs is measured first, on the few rows of LIFECYCLE_SAMPLE, before the rest can make the process large:
the same rows and the same steps for every model. Runs with the model's own packages. It is on the model's side of the
wall: whatever it writes is checked by `reading`. With LIFECYCLE_MAY_REFUSE, a model that wants columns that are not
there is no failure: the sentence that says so is what is left.
"""

from __future__ import annotations

import importlib.metadata
import json
import os
import resource
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lifecycle.jobs.lifecycle_clock import Stopwatch
    from lifecycle.jobs.lifecycle_loading import Unfit, Unloadable, fitting, load, one_dimensional
else:
    from lifecycle_clock import Stopwatch
    from lifecycle_loading import Unfit, Unloadable, fitting, load, one_dimensional

SINGLE_ROWS = 200
SINGLE_SECONDS = 4.0
ROUNDS = 5


def main() -> int:
    output = Path(os.environ["LIFECYCLE_OUTPUT"])
    sys.path.pop(0)  # ours; the model's code must not find our programs by their names
    try:
        import pandas as pd  # type: ignore[import-untyped,import-not-found,unused-ignore]
    except ModuleNotFoundError:
        sys.exit("the model's requirements must bring pandas, and pyarrow to read parquet")
    loading = Stopwatch()
    try:
        model = load(Path(os.environ["LIFECYCLE_MODEL"]))
    except Unloadable as trouble:
        sys.exit(f"the model cannot be loaded: {trouble}")
    load_seconds = loading.seconds()
    sample = pd.read_parquet(os.environ.get("LIFECYCLE_SAMPLE", os.environ["LIFECYCLE_ROWS"])).head(SINGLE_ROWS)
    try:
        meta = {"load_seconds": load_seconds, **costs(model, fitting(model, sample))}
    except Unfit as trouble:
        if "LIFECYCLE_MAY_REFUSE" not in os.environ:
            raise
        (output / "meta.json").write_text(json.dumps({"refused": str(trouble)}), encoding="utf-8")
        return 0
    meta |= answered(model, pd.read_parquet(os.environ["LIFECYCLE_ROWS"]), output)
    (output / "meta.json").write_text(json.dumps(meta | {"packages": packages()}), encoding="utf-8")
    return 0


def costs(model: Any, sample: Any) -> dict[str, float]:
    """What single answers cost; the first of all only makes the model ready."""
    model.predict(sample)
    return {"p95_row_ms": p95_row_ms(model, sample), "memory_mb": peak_mb()}


def answered(model: Any, rows: Any, output: Path) -> dict[str, float]:
    """Predict all rows into the output; how many, and in which time."""
    features = fitting(model, rows)
    asked = time.perf_counter()
    answers = predicted(model, features)
    seconds = time.perf_counter() - asked
    answers.to_parquet(output / "predictions.parquet", index=False)
    print(f"{len(features)} rows predicted in {seconds:.2f} s")  # noqa: T201
    return {"rows": len(features), "seconds": seconds}


def predicted(model: Any, features: Any) -> Any:
    """A frame with `prediction`, and `probability_<class>` where the model gives any."""
    import numpy as np
    import pandas as pd  # type: ignore[import-untyped,import-not-found,unused-ignore]

    answers = one_dimensional(model.predict(features))
    if answers.dtype.kind == "f" and not hasattr(model, "classes_"):
        return pd.DataFrame({"prediction": answers.astype("float64")})
    if answers.dtype.kind == "f" and np.all(answers == np.round(answers)):
        answers = answers.astype("int64")  # classes that were kept as floats
    columns = {"prediction": answers if answers.dtype.kind in "iub" else [str(answer) for answer in answers]}
    if hasattr(model, "predict_proba"):
        chances = np.asarray(model.predict_proba(features), dtype="float64")
        for number, name in enumerate(model.classes_):
            columns[f"probability_{name}"] = chances[:, number]
    return pd.DataFrame(columns)


def p95_row_ms(model: Any, features: Any) -> float:
    """The 95th percentile of predicting one row alone, in milliseconds; of each row its quickest of several rounds.

    What else the machine does only ever makes an answer slower, and seldom the same row's every time. Waiting for a
    processor that others use is not the model's.
    """
    rows = [features.iloc[number : number + 1] for number in range(len(features))]
    begun = time.perf_counter()
    best: dict[int, float] = {}
    for number, row in enumerate(rows * ROUNDS):
        watch = Stopwatch()
        model.predict(row)
        took = watch.seconds()
        best[number % len(rows)] = min(best.get(number % len(rows), took), took)
        if time.perf_counter() - begun > SINGLE_SECONDS:
            break
    times = sorted(best.values())
    return 1000 * times[int(0.95 * (len(times) - 1))] if times else 0.0


def peak_mb() -> float:
    """The most memory that this process has held so far."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (1024 if sys.platform == "linux" else 1 << 20)


def packages() -> dict[str, str]:
    """What is installed beside the model, by name."""
    return {one.metadata["Name"]: one.version for one in importlib.metadata.distributions()}


if __name__ == "__main__":
    sys.exit(main())
