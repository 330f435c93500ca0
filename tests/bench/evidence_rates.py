"""How often a verdict errs where rows depend, where training is a lottery, and where calibration is chance; JSON.

    python tests/bench/evidence_rates.py [--quick] [--only blocks|seeds|calibration]

blocks: how often a 95 % interval of two equal models' difference misses 0, when the rows of a day have a share of
their variance in common: as the bot finds the days, and with rows taken for independent. seeds: how often an equally
good recipe fails or passes when the metric differs between seeds by twice the margin. calibration: how often true
probabilities are called wrong, by the thresholds alone and as the check does it.
"""

import argparse
import json
import sys
from datetime import UTC, datetime, timedelta

import numpy as np
import pyarrow as pa

DAYS, SHARES, HOURS = (10, 30, 90), (0.0, 0.05, 0.2, 0.5), 24
LUCK = 2.0  # times the margin


def blocks(quick):
    from lifecycle.verdicts.dependence import found
    from lifecycle.verdicts.intervals import mean_interval
    from lifecycle.verdicts.rows import align

    told, rng = [], np.random.default_rng(0)
    for days in DAYS:
        start = datetime(2026, 1, 1, tzinfo=UTC)
        times = pa.chunked_array([pa.array([start + timedelta(hours=at) for at in range(days * HOURS)])])
        for share in SHARES:
            missed, runs = [0, 0], 200 if quick else 1000
            for _ in range(runs):
                together = np.sqrt(share) * np.repeat(rng.normal(size=days), HOURS)
                errors = together + np.sqrt(1 - share) * rng.standard_t(4, size=days * HOURS) / np.sqrt(2)
                rows = align(np.zeros(len(errors)), 100 + errors, np.full(len(errors), 100.0), "regression")
                seen = found({"at": times}, rows)
                for at, codes in enumerate((seen.codes if seen else None, None)):
                    interval = mean_interval(errors, 0.95, codes)
                    missed[at] += not interval.low <= 0 <= interval.high
            told.append({"days": days, "share": share, "found": missed[0] / runs, "independent": missed[1] / runs})
    return told


def seeds(quick):
    """The champion is as good as the recipe is on average; only the candidates are drawn."""
    from lifecycle.verdicts import Gate, across_seeds
    from lifecycle.verdicts.deciding import compared
    from lifecycle.verdicts.estimates import estimate
    from lifecycle.verdicts.rows import align

    told, rng, rows = [], np.random.default_rng(1), 2000
    gate = Gate.of("mae", 0.02)
    for worse in (0.0, 0.08):
        for count in (1, 3, 5):
            verdicts, runs = [], 200 if quick else 1000
            for _ in range(runs):
                truth, error = rng.normal(size=rows), rng.choice([-1.0, 1.0], rows) * rng.random(rows) * 2
                own = [truth + error * max(0.05, 1.0 + worse + LUCK * 0.02 * rng.normal()) for _ in range(count)]
                if count > 1:
                    found = across_seeds(truth, own, truth + error, gate=gate)
                else:
                    known = align(truth, own[0], truth + error, "regression")
                    found = compared(gate, estimate("mae", known, gate.confidence), "mae", rows)
                verdicts.append(str(found.verdict))
            shares = {name: verdicts.count(name) / runs for name in ("PASS", "INCONCLUSIVE", "FAIL")}
            told.append({"worse": worse, "seeds": count, **shares})
    return told


def calibration(quick):
    from lifecycle.verdicts.calibration import GAP, SLOPES, _outcome, calibration

    told, rng = [], np.random.default_rng(2)
    for rows in (200, 500, 2000, 10_000):
        thresholds = check = seen = 0
        runs = 200 if quick else 1000
        for _ in range(runs):
            chance = rng.beta(1, 3, rows)
            came = (rng.random(rows) < chance).astype(np.float64)
            own = calibration(came, chance)
            thresholds += abs(own.gap) > GAP or not SLOPES[0] <= own.slope <= SLOPES[1]
            check += _outcome(own, None)[0] == "WARN"
            seen += _outcome(calibration(came, np.clip(chance + 0.06, 0, 1)), None)[0] == "WARN"
        told.append({"rows": rows, "thresholds": thresholds / runs, "check": check / runs, "off_by_0.06": seen / runs})
    return told


def main():
    words = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    words.add_argument("--quick", action="store_true", help="a fifth of the draws")
    words.add_argument("--only", choices=("blocks", "seeds", "calibration"))
    chosen = words.parse_args()
    parts = {"blocks": blocks, "seeds": seeds, "calibration": calibration}
    told = {name: make(chosen.quick) for name, make in parts.items() if chosen.only in (None, name)}
    json.dump(told, sys.stdout, indent=1)


if __name__ == "__main__":
    main()
