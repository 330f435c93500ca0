"""How soon all goes on after a kill with many open runs, what an idle replica costs, what a second one brings; JSON.

    python -m tests.bench.recovery [--open 200] [--runs 500] [--idle 30] [--no-postgres]

Run it alone on the machine; README.md says what the figures are.
"""

import argparse
import contextlib
import json
import os
import signal
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sqlalchemy import create_engine, text

from tests.bench.postgres import postgres, programs
from tests.torture import processes
from tests.torture.commands import Book
from tests.torture.house import DRIFTING, House, house
from tests.torture.people import People

TICKS = os.sysconf("SC_CLK_TCK")
PATIENCE = 900.0


def main() -> None:
    """Measure and print."""
    said = _arguments()
    report: dict[str, Any] = {"sqlite": _alone("", said)}
    if programs() and not said.no_postgres:
        with postgres() as url:
            report["postgresql"] = _alone(url, said)
        rates = {}
        for replicas in (1, 2):
            with postgres() as url, tempfile.TemporaryDirectory() as name, house(Path(name), url, replicas) as home:
                rates[f"replicas_{replicas}"] = _short_runs(home, said.runs)
        ratio = rates["replicas_2"]["runs_per_second"] / rates["replicas_1"]["runs_per_second"]
        report["short_runs_on_postgresql"] = {**rates, "two_against_one": round(ratio, 2)}
    print(json.dumps(report, indent=1))


def _alone(url: str, said: argparse.Namespace) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as name, house(Path(name), url, 1) as home:
        assert home.wait_until_it_answers()
        return {"idle": _idle(home, said.idle), "recovery": _recovery(home, said.open)}


def _idle(home: House, seconds: float) -> dict[str, float]:
    """Processor and memory of all of a replica's processes while nothing happens."""
    time.sleep(10)
    pids = [pid for found in home.replicas[0].family().values() for pid in found]
    before = _cpu_seconds(pids)
    time.sleep(seconds)
    share = (_cpu_seconds(pids) - before) / seconds
    return {"processes": len(pids), "cpu_percent_of_a_core": round(100 * share, 2), "rss_mb": round(_rss_mb(pids), 1)}


def _recovery(home: House, wanted: int) -> dict[str, float]:
    """Kill everything but the trainings while so many runs are open; the seconds until all goes on."""
    people = People(home, Book(), 0, 0)
    for _ in range(wanted):
        people.comment("east", people.open("east", "mira"), "/train sleep=3600", "train")
    _until(lambda: _count(home, "SELECT count(*) FROM runs WHERE NOT ended_yet") >= wanted, "the runs are there")
    _until(lambda: not _pending(home), "nothing is left to do but wait")
    replica = home.replicas[0]
    before, starts, killed = _advanced(home), replica.starts, time.monotonic()
    processes.send([pid for found in replica.family().values() for pid in found], signal.SIGKILL)
    _until(lambda: replica.starts > starts, "it is started again")
    started = time.monotonic()
    _until(home.answers, "it answers")
    answers = time.monotonic()
    issue = people.open("east", "mira")
    people.comment("east", issue, "/help", "answer")
    _until(lambda: people.said("east", issue), "a new command is answered")
    answered = time.monotonic()
    _until(lambda: _advanced(home) >= before + wanted and not _pending(home), "every open run was looked at")
    figures = {
        "open_runs": wanted,
        "killed_to_restart_by_us": started - killed,
        "restart_to_answers_and_works": answers - started,
        "restart_to_new_command_answered": answered - started,
        "restart_to_every_run_looked_at": time.monotonic() - started,
    }
    return {name: round(value, 2) for name, value in figures.items()}


def _short_runs(home: House, wanted: int) -> dict[str, float]:
    """Runs that need no job: looks at one month of what a model was asked; as many as are asked for at once."""
    assert home.wait_until_it_answers()
    people = People(home, Book(), 0, 0)
    issue = people.open(DRIFTING, "mira")
    people.comment(DRIFTING, issue, "/train", "train")
    people.comment(DRIFTING, issue, f"/promote v{people.version(DRIFTING, issue)}", "promote", by="jonas")
    people.ended(DRIFTING, issue, 2)
    people.until(lambda: people.score(DRIFTING), "the model is asked")
    issues = [people.open(DRIFTING, "mira") for _ in range(10)]
    done = "SELECT count(*) FROM runs WHERE ended_yet AND kind = 'monitor'"
    begun = time.monotonic()
    for number in range(wanted):
        people.comment(DRIFTING, issues[number % len(issues)], "/monitor window=2011-03", "monitor")
    _until(lambda: _count(home, done) >= wanted, "all have ended")
    ended = time.monotonic() - begun
    _until(lambda: not _pending(home), "all is told")
    told = time.monotonic() - begun
    return {"runs": wanted, "runs_per_second": round(wanted / ended, 2), "told_per_second": round(wanted / told, 2)}


def _until(look: Callable[[], object], what: str) -> None:
    until = time.monotonic() + PATIENCE
    while not look():
        assert time.monotonic() < until, f"not in time: {what}"
        time.sleep(0.02)


def _count(home: House, query: str, engine: bool = False) -> int:
    url = home.database
    if engine and url.startswith("sqlite"):
        url = f"sqlite:///{home.states[0] / 'engine.db'}"
    found = create_engine(url)
    try:
        with contextlib.suppress(Exception), found.connect() as connection:
            return int(connection.execute(text(query)).scalar() or 0)
    finally:
        found.dispose()
    return -1


def _workflows(home: House, condition: str) -> int:
    table = "workflow_status" if home.database.startswith("sqlite") else "dbos.workflow_status"
    return _count(home, f"SELECT count(*) FROM {table} WHERE {condition}", engine=True)


def _pending(home: House) -> int:
    return _workflows(home, "status IN ('PENDING', 'ENQUEUED')")


def _advanced(home: House) -> int:
    return _workflows(home, "name = 'advance' AND status = 'SUCCESS'")


def _cpu_seconds(pids: list[int]) -> float:
    fields = [Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split() for pid in pids]
    return sum(int(one[11]) + int(one[12]) for one in fields) / TICKS


def _rss_mb(pids: list[int]) -> float:
    lines = [line for pid in pids for line in Path(f"/proc/{pid}/status").read_text().splitlines()]
    return sum(int(line.split()[1]) for line in lines if line.startswith("VmRSS")) / 1024


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--open", type=int, default=200)
    parser.add_argument("--runs", type=int, default=500)
    parser.add_argument("--idle", type=float, default=30.0)
    parser.add_argument("--no-postgres", action="store_true")
    return parser.parse_args()


if __name__ == "__main__":
    main()
