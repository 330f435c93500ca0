"""How often each run trained, by what the trainings themselves wrote into their jobs' logs."""

import json
import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.torture.harm import Blow
from tests.torture.model import BEGINS

JOB = re.compile(r"run-(\d+)-(\w+)-(\w+)-(\d+)$")
WORKER_KILLS = ("worker", "serve", "tree", "start-up", "everything")


@dataclass(frozen=True, slots=True)
class Training:
    """One job that trains: of which run, which attempt; how often its script began; when, says its keeper."""

    name: str
    run: int
    attempt: int
    begun: int
    state: str
    started: float | None
    ended: float | None


def trainings(states: Iterable[Path]) -> list[Training]:
    """Every training job of which there is a folder."""
    found = []
    for folder in sorted(path for state in states for path in (state / "jobs").glob("run-*-train-fit-*")):
        name = JOB.match(folder.name)
        if name is None:
            continue
        log = folder / "log"
        begun = log.read_text(errors="replace").count(BEGINS) if log.exists() else 0
        end, pid = _read(folder / "exit.json"), _read(folder / "pid.json")
        found.append(
            Training(folder.name, int(name[1]), int(name[4]), begun, str(end.get("state", "")),
                     _number(pid.get("started")), _number(end.get("ended")))
        )  # fmt: skip
    return found


def count(found: Sequence[Training], blows: Sequence[Blow], moved: Collection[int]) -> dict[str, object]:
    """What of it was as it should be; `moved` are the runs whose machine was taken for gone."""
    struck = {name for blow in blows for name in blow.jobs}
    by_run: dict[int, list[Training]] = {}
    for one in found:
        by_run.setdefault(one.run, []).append(one)
    twice = [one.name for one in found if one.begun > 1]
    for of_run in by_run.values():
        # A later attempt is right only if the one before was struck by us, never came to life, or was a machine's that
        # was taken for gone: what it trains then counts for nothing.
        earlier = sorted(of_run, key=lambda one: one.attempt)[:-1]
        twice += [one.name for one in earlier if one.name not in struck and one.begun and one.run not in moved]
    return {
        "runs": len(by_run),
        "begun": sum(one.begun for one in found),
        "struck": len({one.name for one in found} & struck),
        "found_again": sum(_outlived(one, blows) for one in found),
        "moved": len(moved),
        "restarted": sum(len(of_run) > 1 for of_run in by_run.values()),
        "twice": sorted(set(twice)),
    }


def _outlived(one: Training, blows: Iterable[Blow]) -> bool:
    """Whether it trained to its end while whoever waited for it was killed."""
    if one.state != "succeeded" or one.started is None or one.ended is None:
        return False
    return any(blow.kind in WORKER_KILLS and one.started < blow.at < one.ended for blow in blows)


def _read(path: Path) -> dict[str, object]:
    try:
        return dict(json.loads(path.read_text()))
    except (OSError, ValueError):
        return {}


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) else None
