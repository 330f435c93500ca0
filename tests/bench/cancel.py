"""How soon `/cancel` ends a training, on the machine that took the comment and on another one; JSON.

    python -m tests.bench.cancel [--runs 10]

Two machines share a PostgreSQL. Seconds are from the comment until no process of the training is left.
"""

import argparse
import json
import os
import statistics
import tempfile
import time
from pathlib import Path

from tests.bench.postgres import postgres
from tests.machines.machines import Machine, Machines, machines
from tests.stories.test_cancel import alive

HANDLED_BY = """
SELECT executors.host FROM dbos.workflow_status JOIN executors ON executors.id = executor_id
WHERE name = 'handle' AND workflow_uuid LIKE :key
"""


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--runs", type=int, default=10)
    said = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, postgres() as url, machines(Path(folder), url) as both:
        found: dict[str, list[float]] = {"same": [], "other": []}
        for number in range(said.runs):
            where, seconds = _cancelled(both, f"cancel-{number}-{os.getpid()}")
            found[where].append(round(seconds, 2))
    report = {
        where: {"runs": len(all_), "median": statistics.median(all_), "longest": max(all_)}
        for where, all_ in found.items()
        if all_
    }
    print(json.dumps(report, indent=1))


def _cancelled(both: Machines, name: str) -> tuple[str, float]:
    """Whether the comment was handled where the run was, and how long it took until the training was gone."""
    issue = both.world.issue("shares")
    issue.comment(f"/train sleep=600 name={name}")
    both.world.eventually(lambda: alive(name), "it trains", patience=180)
    run = both.run_of("shares", issue.number)
    _send_to(both, both.other(both.on(run.host)))  # whose worker hears of the comment first
    began = time.monotonic()
    comment = issue.comment("/cancel", by="jonas")
    while alive(name):
        assert time.monotonic() - began < 60, "it still trains"
        time.sleep(0.02)
    took = time.monotonic() - began
    issue.says("was cancelled")
    hosts = {row.host for row in both.ask(HANDLED_BY, key=f"%{comment}%")}
    return ("same" if run.host in hosts else "other"), took


def _send_to(both: Machines, machine: Machine) -> None:
    for app in both.world.stage.github.world.apps.values():
        assert app.hook
        app.hook.url = f"{machine.url}/webhooks/github"


if __name__ == "__main__":
    main()
