"""Predicts rows with a model, inside the sandbox: LIFECYCLE_MODEL and LIFECYCLE_ROWS in, predictions.parquet out.

Runs with the model's own packages. It is on the model's side of the wall: whatever it writes is checked by `reading`.
"""

from __future__ import annotations

import json
import os
import resource
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lifecycle.jobs.lifecycle_loading import Unloadable, fitting, load, one_dimensional
else:
    from lifecycle_loading import Unloadable, fitting, load, one_dimensional

SINGLE_ROWS = 200
SINGLE_SECONDS = 3.0


def main() -> int:
    output = Path(os.environ["LIFECYCLE_OUTPUT"])
    sys.path.pop(0)  # ours; the model's code must not find our programs by their names
    try:
        import pandas as pd  # type: ignore[import-untyped,import-not-found,unused-ignore]
    except ModuleNotFoundError:
        sys.exit("the model's requirements must bring pandas, and pyarrow to read parquet")
    begun = time.perf_counter()
    try:
        model = load(Path(os.environ["LIFECYCLE_MODEL"]))
    except Unloadable as trouble:
        sys.exit(f"the model cannot be loaded: {trouble}")
    loaded = time.perf_counter()
    rows = pd.read_parquet(os.environ["LIFECYCLE_ROWS"])
    features = fitting(model, rows)
    asked = time.perf_counter()
    answers = predicted(model, features)
    answered = time.perf_counter()
    answers.to_parquet(output / "predictions.parquet", index=False)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    meta = {
        "load_seconds": loaded - begun,
        "rows": len(rows),
        "seconds": answered - asked,
        "p95_row_ms": p95_row_ms(model, features),
        "memory_mb": peak / (1024 if sys.platform == "linux" else 1 << 20),
    }
    (output / "meta.json").write_text(json.dumps(meta), encoding="utf-8")
    print(f"{len(rows)} rows predicted in {answered - asked:.2f} s")  # noqa: T201
    return 0


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
    """The 95th percentile of predicting one row alone, in milliseconds, over at most 200 rows or three seconds."""
    times: list[float] = []
    begun = time.perf_counter()
    for number in range(min(SINGLE_ROWS, len(features))):
        row = features.iloc[number : number + 1]
        start = time.perf_counter()
        model.predict(row)
        times.append(time.perf_counter() - start)
        if time.perf_counter() - begun > SINGLE_SECONDS:
            break
    times.sort()
    return 1000 * times[int(0.95 * (len(times) - 1))] if times else 0.0


if __name__ == "__main__":
    sys.exit(main())
