"""What history costs: a bot with 1,000 finished runs next to one with 1,000,000, on the same machine at the same time.

    python -m tests.bench.growth [--runs 1000000] [--rounds 5] [--no-postgres]
    python -m tests.bench.growth --runs 20000 --rounds 2      # to try it

Prints JSON: each figure of both bots, and the ratio of the old one's to the young one's. 1 means that history is free.
"""

import argparse
import contextlib
import dataclasses
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import requests

from bot import app
from bot.bell import Bell
from bot.events import SweepDue
from bot.flows import sweeping
from bot.inbox import Inbox
from bot.storage import open_storage
from tests.bench.history import fill
from tests.bench.load import MARK, Result, Task
from tests.bench.postgres import postgres, programs
from tests.operations.bots import ENVIRON, SECRET, Bot, answers, comment, eventually

YOUNG = 1_000
SIZE = 14_000  # bytes of a delivery
SECONDS = 2.0  # of one stretch of deliveries
PAGES = {
    "the newest runs": lambda runs: "",
    "older runs": lambda runs: f"?before={runs // 2}",
    "one model's": lambda runs: "?model=octo/r3/m3",
    "one model's that failed": lambda runs: "?model=octo/r3/m3&state=failed",
    "those of one issue": lambda runs: f"?ref=github:octo/r0%23{runs // 80 * 10}",
    "a run": lambda runs: f"runs/{runs // 2}",
    "a model": lambda runs: "models/octo/r3/m3",
    "models": lambda runs: "models",
    "metrics": lambda runs: "metrics",
}


@dataclasses.dataclass
class House:
    """A bot with so many finished runs."""

    bot: Bot
    runs: int
    database: str

    @property
    def inbox_url(self) -> str:
        return self.database or f"sqlite:///{self.bot.state}/inbox.db"


def main() -> None:
    """Measure on both databases and print."""
    said = _arguments()
    report: dict[str, Any] = {}
    for name in ("sqlite", "postgresql"):
        if name == "postgresql" and (said.no_postgres or not programs()):
            continue
        with tempfile.TemporaryDirectory(prefix="growth-") as folder, contextlib.ExitStack() as stack:
            houses = [_house(stack, Path(folder), name, runs) for runs in (YOUNG, said.runs)]
            filled = [_fill(house) for house in houses]
            report[name] = {
                "finished_runs": [house.runs for house in houses],
                "fill_seconds": filled,
                "megabytes": [_megabytes(house) for house in houses],
                **_measure(houses, said.rounds),
            }
    print(json.dumps(report, indent=1))


def _house(stack: contextlib.ExitStack, folder: Path, name: str, runs: int) -> House:
    url = stack.enter_context(postgres()) if name == "postgresql" else ""
    own = folder / f"{runs}"
    own.mkdir()
    return House(Bot(own, own / "state", more=f'database: "{url}"\n' if url else ""), runs, url)


def _fill(house: House) -> float:
    """History, in tables that the bot itself has made."""
    with house.bot.serving():
        eventually(answers(house.bot), "the bot is well", 120)
    began = time.monotonic()
    _say(f"filling in {house.runs:,} runs")
    storage = open_storage(_settings(house))
    fill(storage, 1, house.runs, datetime.now(UTC), workflows=True)
    storage.main.dispose()
    storage.inbox.dispose()
    return round(time.monotonic() - began, 1)


def _measure(houses: list[House], rounds: int) -> dict[str, Any]:
    starts: list[list[float]] = [[], []]
    _say("starting")
    for _ in range(rounds):
        for place, house in enumerate(houses):
            starts[place].append(_start(house))
    with houses[0].bot.serving(), houses[1].bot.serving():
        for house in houses:
            eventually(answers(house.bot), "the bot is well", 120)
        pages = {name: _pages(houses, path, rounds * 20) for name, path in PAGES.items()}
    _say("sweeping, then taking in")
    sweeps = [_sweeps(house, rounds * 10) for house in houses]
    rates = _intake(houses, rounds)
    return {
        "start_to_ready_seconds": _compared(starts),
        "page_ms": pages,
        "sweep_ms": _compared(sweeps),
        "intake_per_second": _compared(rates),
    }


def _say(what: str) -> None:
    print(f"{time.monotonic():.0f} s: {what}", file=sys.stderr, flush=True)


def _compared(both: list[list[float]]) -> dict[str, float]:
    young, old = (statistics.median(values) for values in both)
    return {"young": round(young, 3), "old": round(old, 3), "ratio": round(old / young, 3)}


def _start(house: House) -> float:
    """From the command until web and worker are well."""
    began = time.monotonic()
    with house.bot.serving():
        eventually(answers(house.bot), "the bot is well", 120)
        return time.monotonic() - began


def _pages(houses: list[House], path: Callable[[int], str], times: int) -> dict[str, float]:
    took: list[list[float]] = [[], []]
    _say(f"reading /{path(houses[1].runs)}")
    with requests.Session() as session:
        for number in range(times + 5):
            for place, house in enumerate(houses):
                began = time.perf_counter()
                answer = session.get(f"{house.bot.url}/{path(house.runs)}", timeout=60)
                assert answer.ok, f"{answer.url}: {answer.status_code}"
                if number >= 5:  # the first ones load what all later ones have
                    took[place].append((time.perf_counter() - began) * 1000)
    return _compared(took)


def _sweeps(house: House, times: int) -> list[float]:
    """What a sweep does when nothing has happened, but for asking the platforms, which know nothing of our history."""
    settings = _settings(house)
    storage = open_storage(settings)
    inbox = Inbox(storage.inbox, Bell(house.bot.state / "bench.bell"))
    world = app.the_world(settings, storage, inbox, lambda _workflow, _number: None, lambda: True)
    world = dataclasses.replace(world, plans={}, histories={})
    took = []
    for number in range(times):
        event = SweepDue(datetime.now(UTC) + timedelta(days=1, seconds=number))
        began = time.perf_counter()
        sweeping.sweep(world, event)
        took.append((time.perf_counter() - began) * 1000)
    inbox.close()
    storage.main.dispose()
    return took


def _intake(houses: list[House], rounds: int) -> list[list[float]]:
    """Deliveries a second, each on disk before it is answered; the two take turns."""
    rates: list[list[float]] = [[], []]
    with contextlib.ExitStack() as stack:
        servers = [stack.enter_context(_taking_in(house)) for house in houses]
        for number in range(rounds + 1):
            for place, (house, url) in enumerate(zip(houses, servers, strict=True)):
                result = _load(house, url, number)
                assert (result.refused, result.broken) == (0, 0)
                if number:
                    rates[place].append(result.answered / result.seconds)
    return rates


@contextlib.contextmanager
def _taking_in(house: House) -> Iterator[str]:
    ready = house.bot.folder / "intake.ready"
    argv = [
        sys.executable,
        "-m",
        "tests.bench.intake_server",
        house.inbox_url,
        str(house.bot.folder),
        str(ready),
        SECRET,
    ]
    with subprocess.Popen(argv) as process:
        eventually(ready.exists, "the intake listens")
        yield f"http://{ready.read_text().strip()}/webhooks/github"
        process.terminate()


def _load(house: House, url: str, number: int) -> Result:
    payload = comment(int(MARK), "Looks good to me.")
    payload["issue"]["body"] = "x" * (SIZE - len(json.dumps(payload)))
    body = house.bot.folder / "body.json"
    body.write_text(json.dumps(payload))
    task = house.bot.folder / "task.json"
    first = 10**17 + number * 1_000_000
    task.write_text(json.dumps(dataclasses.asdict(Task(url, str(body), SECRET, first, SECONDS))))
    done = subprocess.run([sys.executable, "-m", "tests.bench.load", task], stdout=subprocess.PIPE, check=True)
    return Result(**json.loads(done.stdout))


def _settings(house: House) -> Any:
    os.environ.update(ENVIRON)
    return app.settings_of(house.bot.settings)


def _megabytes(house: House) -> float:
    """What the databases take; of PostgreSQL as it says itself."""
    if not house.database:
        return round(sum(path.stat().st_size for path in house.bot.state.glob("*.db*")) / 1e6, 1)
    storage = open_storage(_settings(house))
    with storage.main.connect() as connection:
        size = connection.exec_driver_sql("SELECT pg_database_size(current_database())").scalar_one()
    storage.main.dispose()
    return round(size / 1e6, 1)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Measure what history costs.")
    parser.add_argument("--runs", type=int, default=1_000_000, help="of the old bot")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--no-postgres", action="store_true")
    return parser.parse_args()


if __name__ == "__main__":
    main()
