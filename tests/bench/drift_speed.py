"""How long a window takes beside pure parquet decoding of the same file, and beside Evidently; prints JSON.

    python tests/bench/drift_speed.py [--rows 1000000] [--evidently] [--large 50000000] [--wide] [--judge]

Every measurement is a process of its own (``--child``), so that imports, memory and caches are those of one task alone;
the compared ones take turns, and the best of three counts. ``--evidently`` needs the package evidently in this
interpreter, or in the one that EVIDENTLY_PYTHON names.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

LEVELS = (2, 3, 5, 10, 20, 50, 100, 150, 200, 300)
MAKERS = (
    lambda rng, rows: rng.normal(10, 3, rows),
    lambda rng, rows: rng.lognormal(0, 1, rows),
    lambda rng, rows: rng.exponential(5, rows),
    lambda rng, rows: rng.uniform(0, 1, rows),
    lambda rng, rows: rng.poisson(20, rows).astype(np.float64),
)


def batch(rng, rows, numbers=40, words=10):
    """40 numeric columns of five families, every fourth with 2 % nulls, and 10 categorical ones."""
    columns = {}
    for at in range(numbers):
        values = MAKERS[at % len(MAKERS)](rng, rows)
        columns[f"n{at}"] = pa.array(values, mask=rng.random(rows) < 0.02 if at % 4 == 0 else None)
    for at in range(words):
        codes = pa.array(rng.integers(0, LEVELS[at % len(LEVELS)], rows, dtype=np.int32))
        names = pa.array([f"value_{one}" for one in range(LEVELS[at % len(LEVELS)])])
        columns[f"c{at}"] = pa.DictionaryArray.from_arrays(codes, names).cast(pa.string())
    return pa.table(columns)


def write(path, rows, seed, **shape):
    rng = np.random.default_rng(seed)
    block = batch(rng, min(rows, 1_000_000), **shape)
    with pq.ParquetWriter(path, block.schema) as out:
        left = rows
        while left > 0:
            out.write_table(block.slice(0, left), row_group_size=131_072)
            left -= len(block)


def child_decode(path, threads):
    """Every batch decoded and thrown away, as the reader for drift asks for it."""
    schema = pq.read_schema(path)
    words = [field.name for field in schema if pa.types.is_string(field.type)]
    for _ in pq.ParquetFile(path, read_dictionary=words).iter_batches(65_536, use_threads=threads):
        pass


def child_drift(profile, path):
    from lifecycle.__main__ import main

    if main(["drift", profile, path, "--json"]) not in (0, 3, 4):
        raise SystemExit("drift did not work")


def child_profile(path, out):
    from lifecycle.__main__ import main

    if main(["profile", path, "--out", out]):
        raise SystemExit("profile did not work")


def child_evidently(reference, window):
    from evidently import Report
    from evidently.presets import DataDriftPreset

    before, now = (pq.read_table(path).to_pandas() for path in (reference, window))
    Report([DataDriftPreset()]).run(now, before)


def child_judge(metric, rows):
    from lifecycle.verdicts import METRICS, Gate, judge

    rng = np.random.default_rng(0)
    if METRICS[metric].task == "regression":
        labels = rng.gamma(2, 50, rows) + 1
        one, other = (labels + rng.normal(0, 10, rows) for _ in range(2))
    else:
        chance = rng.beta(1, 3, rows)
        labels = (rng.random(rows) < chance).astype(int)
        one, other = (np.clip(chance + rng.normal(0, 0.1, rows), 0.001, 0.999) for _ in range(2))
    start = time.perf_counter()
    found = judge(labels, one, other, task=METRICS[metric].task, gate=Gate.of(metric))
    return {"judge_seconds": round(time.perf_counter() - start, 3), "verdict": found.verdict}


def child(words):
    kind, *rest = words
    start = time.perf_counter()
    extra = {
        "decode": lambda: child_decode(rest[0], threads=True),
        "decode1": lambda: child_decode(rest[0], threads=False),
        "drift": lambda: child_drift(*rest),
        "profile": lambda: child_profile(*rest),
        "evidently": lambda: child_evidently(*rest),
        "judge": lambda: child_judge(rest[0], int(rest[1])),
    }[kind]()
    usage = resource.getrusage(resource.RUSAGE_SELF)
    seconds = time.perf_counter() - start
    told = {
        "inside": seconds,
        "cpu": usage.ru_utime + usage.ru_stime,
        "peak_mb": peak_mb(),
        **(extra or {}),
    }
    print("\n" + json.dumps(told), file=sys.stderr)


def peak_mb():
    """Of this process alone: getrusage would count what the parent held when it forked."""
    status = Path("/proc/self/status")
    if status.exists():
        return int(status.read_text().partition("VmHWM:")[2].split()[0]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20  # macOS counts bytes


def measure(*words, python=sys.executable):
    start = time.perf_counter()
    done = subprocess.run(
        [python, __file__, "--child", *map(str, words)], capture_output=True, text=True, check=False,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
    )  # fmt: skip
    if done.returncode:
        raise SystemExit(done.stderr[-2000:])
    found = json.loads(done.stderr.strip().splitlines()[-1])
    return {**found, "seconds": time.perf_counter() - start}


def best(runs):
    least = min(runs, key=lambda one: one["seconds"])
    return {key: round(value, 3) if isinstance(value, float) else value for key, value in least.items()}


def check(folder, rows):
    """The window's check beside decoding, taking turns; seconds are of whole processes and of the work inside them."""
    reference, window, stored = folder / "reference.parquet", folder / "window.parquet", folder / "profile"
    write(reference, rows, 1)
    write(window, rows, 2)
    made = measure("profile", reference, stored)
    runs = {name: [] for name in ("decode", "decode1", "drift")}
    for _ in range(3):
        runs["decode"].append(measure("decode", window))
        runs["decode1"].append(measure("decode1", window))
        runs["drift"].append(measure("drift", stored, window))
    found = {name: best(each) for name, each in runs.items()}
    return {
        "rows": rows,
        "columns": 50,
        "profile_kb": round(stored.stat().st_size / 1024),
        "profile": best([made]),
        **found,
        "drift_to_decode": round(found["drift"]["seconds"] / found["decode"]["seconds"], 2),
        "drift_to_decode_inside": round(found["drift"]["inside"] / found["decode"]["inside"], 2),
        "drift_to_decode_cpu": round(found["drift"]["cpu"] / found["decode"]["cpu"], 2),
    }


def against_evidently(folder, seconds_a_row):
    reference, window = folder / "e_reference.parquet", folder / "e_window.parquet"
    write(reference, 100_000, 1)
    write(window, 100_000, 2)
    python = os.environ.get("EVIDENTLY_PYTHON", sys.executable)
    found = best([measure("evidently", reference, window, python=python)])
    return {**found, "rows": 100_000, "times_slower_a_row": round(found["seconds"] / 100_000 / seconds_a_row, 1)}


def main():
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("--rows", type=int, default=1_000_000)
    words.add_argument("--evidently", action="store_true")
    words.add_argument("--large", type=int, default=0, help="rows of a larger file, for its memory")
    words.add_argument("--wide", action="store_true", help="1,000 columns")
    words.add_argument("--judge", action="store_true", help="every metric on 1,000,000 rows")
    words.add_argument("--child", nargs=argparse.REMAINDER)
    chosen = words.parse_args()
    if chosen.child:
        return child(chosen.child)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        told = {"check": check(folder, chosen.rows)}
        if chosen.evidently:
            each = told["check"]["drift"]["seconds"] / chosen.rows
            told["evidently"] = against_evidently(folder, each)
        if chosen.large:
            write(folder / "large.parquet", chosen.large, 3)
            told["large"] = {
                "rows": chosen.large,
                **best([measure("drift", folder / "profile", folder / "large.parquet")]),
            }
        if chosen.wide:
            write(folder / "wide.parquet", 100_000, 4, numbers=800, words=200)
            stored = folder / "wide.profile"
            made = best([measure("profile", folder / "wide.parquet", stored)])
            seen = best([measure("drift", stored, folder / "wide.parquet")])
            told["wide"] = {"rows": 100_000, "columns": 1000, "profile": made, "drift": seen}
        if chosen.judge:
            from lifecycle.verdicts import names_of

            told["judge_1m"] = {name: best([measure("judge", name, 1_000_000)])["judge_seconds"] for name in names_of()}
    print(json.dumps(told, indent=1))
    return None


if __name__ == "__main__":
    main()
