"""How often the drift rule alarms falsely and what it sees, and how often the gate errs; prints JSON.

    python tests/bench/error_rates.py [--quick] [--only drift|power|gate|evidently]

Every drift window is fresh data from the same (or a shifted) law, profiled and compared by the code that the bot runs;
a new training sample of 20,000 rows is drawn for every ten windows. ``--only evidently`` needs the package in the
interpreter that EVIDENTLY_PYTHON names: its defaults judge the same kind of windows.
"""

import argparse
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pyarrow as pa

TRAINING = 20_000
WINDOWS_A_TRAINING = 10
CELLS = {  # (rows, columns): windows
    (50, 5): 300, (50, 50): 200, (50, 200): 100,
    (200, 5): 200, (200, 50): 200, (200, 200): 100,
    (1000, 5): 200, (1000, 50): 200, (1000, 200): 100,
    (10_000, 5): 200, (10_000, 50): 100, (10_000, 200): 40,
    (100_000, 5): 100, (100_000, 50): 30, (100_000, 200): 10,
}  # fmt: skip
KINDS = ("normal", "lognormal", "pareto", "counts", "mostly zero", "nulls", 2, 10, 50, 300)


def column(kind, rng, rows):
    match kind:
        case "normal":
            return pa.array(rng.normal(size=rows))
        case "lognormal":
            return pa.array(rng.lognormal(0, 1.5, rows))
        case "pareto":
            return pa.array(rng.pareto(1.1, rows))
        case "counts":
            return pa.array(rng.poisson(3, rows))
        case "mostly zero":
            return pa.array(np.where(rng.random(rows) < 0.6, 0, rng.exponential(size=rows)))
        case "nulls":
            return pa.array(rng.normal(size=rows), mask=rng.random(rows) < 0.05)
    share = np.arange(1, kind + 1) ** -0.7
    edges = np.cumsum(share / share.sum())[:-1]
    codes = np.searchsorted(edges, rng.random(rows), side="right").astype(np.int32)
    return pa.DictionaryArray.from_arrays(pa.array(codes), pa.array([f"v{at}" for at in range(kind)]))


def table(rng, rows, columns):
    return pa.table({f"c{at}": column(KINDS[at % len(KINDS)], rng, rows) for at in range(columns)})


def false_alarms(quick):
    """Per cell: windows, and the share of them that did more than stay silent."""
    from lifecycle.drift import Alarm, Profile, compare

    found = []
    for (rows, columns), windows in CELLS.items():
        windows, hits, alarms = windows // 10 if quick else windows, 0, 0
        for at in range(windows):
            if at % WINDOWS_A_TRAINING == 0:
                rng = np.random.default_rng([rows, columns, at])
                reference = Profile.of(table(rng, TRAINING, columns))
            report = compare(reference, Profile.of(table(rng, rows, columns), like=reference))
            hits += report.verdict is not Alarm.CLEAN
            alarms += report.verdict is Alarm.ALARM
        found.append({"rows": rows, "columns": columns, "windows": windows, "warned": hits, "alarmed": alarms})
        print(json.dumps(found[-1]), file=sys.stderr)
    total = sum(one["windows"] for one in found)
    return {
        "cells": found,
        "windows": total,
        "rate": sum(one["warned"] for one in found) / total,
        "worst_size": max(rate_of([one for one in found if one["rows"] == rows]) for rows, _ in CELLS),
    }


def rate_of(cells):
    return round(sum(one["warned"] for one in cells) / sum(one["windows"] for one in cells), 4)


def shifts():
    """What befalls one of twenty columns (or two of them)."""

    def moved(name, change):
        def apply(window):
            at = window.schema.get_field_index(name)
            return window.set_column(at, name, pa.array(change(window[name].to_numpy())))

        return apply

    def nulls(window):
        values = window["c0"].to_numpy()
        return window.set_column(0, "c0", pa.array(values, mask=np.arange(len(values)) % 10 == 0))

    def category(window):
        words = np.array(window["c7"].cast(pa.string()).to_pylist(), dtype=object)
        words[::50] = "never seen"
        return window.set_column(7, "c7", pa.array(words))

    def swapped(window):
        return window.set_column(1, "c1", window["c3"].cast(pa.float64())).set_column(3, "c3", window["c1"])

    found = {
        f"mean +{size} sd": moved("c0", lambda values, size=size: values + size) for size in (0.1, 0.2, 0.3, 0.5, 1)
    }
    found |= {
        "unit changed (x 1.609)": moved("c1", lambda values: values * 1.609),
        "unit changed (x 1000)": moved("c1", lambda values: values * 1000),
        "spread x 1.5": moved("c0", lambda values: values * 1.5),
        "10 % missing": nulls,
        "2 % of a new category": category,
        "two columns swapped": swapped,
    }
    return found


def power(quick):
    """Share of windows in which the shifted column is seen at all (warn or alarm), and in which it alarms."""
    from lifecycle.drift import Alarm, Profile, compare

    windows = 20 if quick else 100
    found = []
    for rows in (50, 200, 1000, 10_000):
        seen = dict.fromkeys(shifts(), 0)
        alarmed = dict.fromkeys(seen, 0)
        for at in range(windows):
            if at % WINDOWS_A_TRAINING == 0:
                rng = np.random.default_rng([7, rows, at])
                reference = Profile.of(table(rng, TRAINING, 20))
            window = table(rng, rows, 20)
            for name, shift in shifts().items():
                report = compare(reference, Profile.of(shift(window), like=reference))
                seen[name] += report.verdict is not Alarm.CLEAN
                alarmed[name] += report.verdict is Alarm.ALARM
        found += [
            {"rows": rows, "shift": name, "seen": seen[name] / windows, "alarmed": alarmed[name] / windows}
            for name in seen
        ]
        print(json.dumps(found[-len(seen) :]), file=sys.stderr)
    return found


def answers(rng, rows, metric, worse):
    """Two models that err alike but not together; ``worse``: by how much the candidate errs more."""
    signal = rng.normal(size=rows)
    if metric == "mae":
        truth = signal * 10 + rng.normal(0, 3, rows)
        shared = rng.normal(0, 2, rows)
        return truth, *(signal * 10 + shared + rng.normal(0, 1 + more, rows) for more in (0.0, worse))
    truth = (rng.random(rows) < 1 / (1 + np.exp(-1.5 * signal + 1))).astype(int)
    logits = [1.5 * (signal + rng.normal(0, 0.35 + more, rows)) - 1 for more in (0.0, worse)]
    return truth, *(1 / (1 + np.exp(-one)) for one in logits)


def true_difference(metric, worse):
    """How much worse the candidate really is, on two million rows."""
    from lifecycle.verdicts import METRICS, measure

    truth, old, new = answers(np.random.default_rng(99), 2_000_000, metric, worse)
    lost = measure(truth, old, metric).estimate - measure(truth, new, metric).estimate
    return round(lost if METRICS[metric].greater_is_better else -lost, 5)


def gate(quick):
    """Shares of PASS, INCONCLUSIVE and FAIL, beside the rule "at least as good as the champion"."""
    from lifecycle.verdicts import METRICS, Gate, Task, Verdict, judge

    trials = 40 if quick else 200
    found = []
    for metric, margin, steps in (
        ("auc", 0.01, (0.0, 0.2, 0.6)),
        ("mae", "2%", (0.0, 0.3, 1.0)),
        ("f1", 0.01, (0.0, 0.3, 0.8)),
    ):
        task = METRICS[metric].task
        rule = Gate.of(metric, margin, beat_baseline=False)
        for worse in steps:
            lost = true_difference(metric, worse)
            for rows in (200, 1000, 5000, 20_000, 50_000):
                counts = dict.fromkeys(Verdict, 0)
                naive = 0
                for at in range(trials if rows <= 5000 else trials // 2):
                    rng = np.random.default_rng([11, rows, at, int(worse * 100)])
                    truth, old, new = answers(rng, rows, metric, worse)
                    one = judge(truth, new, old, task=Task(task), gate=rule).primary
                    counts[one.verdict] += 1
                    naive += not one.better
                total = sum(counts.values())
                found.append({"metric": metric, "margin": margin, "truly_worse_by": lost, "rows": rows, "trials": total,
                              **{name.value.lower(): round(count / total, 3) for name, count in counts.items()},
                              "naive_rejects": round(naive / total, 3)})  # fmt: skip
                print(json.dumps(found[-1]), file=sys.stderr)
    return found


def evidently_child(quick):
    """Evidently's defaults on windows without drift; runs under another interpreter."""
    from evidently import Report
    from evidently.presets import DataDriftPreset

    found = []
    for rows in (50, 200, 1000, 5000):
        windows = 5 if quick else 30
        column_hits = some = share = 0
        start = time.perf_counter()
        for at in range(windows):
            rng = np.random.default_rng([5, rows, at])
            before, now = (table(rng, size, 10).to_pandas() for size in (TRAINING, rows))
            told = Report([DataDriftPreset()]).run(now, before).dict()
            values = [one["value"] for one in told["metrics"]]
            value = next(one for one in values if isinstance(one, dict) and "share" in one)
            column_hits += value["count"] / 10
            some += value["count"] > 0
            share += value["share"] >= 0.5
        found.append(
            {
                "rows": rows,
                "columns": 10,
                "windows": windows,
                "columns_drifted": round(column_hits / windows, 3),
                "any_column": some / windows,
                "dataset": share / windows,
                "seconds_a_window": round((time.perf_counter() - start) / windows, 2),
            }
        )
    print(json.dumps(found))


def evidently(quick):
    python = os.environ.get("EVIDENTLY_PYTHON", sys.executable)
    words = [python, __file__, "--evidently-child", *(["--quick"] if quick else [])]
    path = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    done = subprocess.run(words, capture_output=True, text=True, check=False, env=path)
    lines = done.stdout.strip().splitlines()
    return json.loads(lines[-1]) if not done.returncode and lines else {"did_not_run": done.stderr.strip()[-200:]}


def main():
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("--quick", action="store_true", help="a tenth of everything, to see that it runs")
    words.add_argument("--only", choices=("drift", "power", "gate", "evidently"))
    words.add_argument("--evidently-child", action="store_true")
    chosen = words.parse_args()
    if chosen.evidently_child:
        return evidently_child(chosen.quick)
    parts = {"drift": false_alarms, "power": power, "gate": gate, "evidently": evidently}
    told = {name: make(chosen.quick) for name, make in parts.items() if chosen.only in (None, name)}
    print(json.dumps(told, indent=1))
    return None


if __name__ == "__main__":
    main()
