"""How long runs stood still because the bot was down: the stretches in which they waited for it, and nothing else."""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

from lifecycle import Run
from lifecycle.executors.jobfolder import JobFolder
from tests.torture.accounts import Evidence
from tests.torture.commands import Command
from tests.torture.harm import Blow

Stretch = tuple[float, str]


def longest(
    evidence: Evidence, commands: Sequence[Command], blows: Sequence[Blow],
    acknowledged: Callable[[Command], float | None],
) -> dict[str, object]:  # fmt: skip
    """The longest stretch of each kind, and of which run; seconds."""
    jobs = evidence.house.jobs()
    stretches = {
        "from_acknowledged_to_run": _starts(evidence, commands, acknowledged),
        "from_job_end_to_noticed": _noticed(evidence.runs, jobs),
        "from_struck_job_to_next_attempt": _restarted(blows, jobs),
        "from_end_to_told": _told(evidence),
    }
    worst = {name: max(found, default=(0.0, "")) for name, found in stretches.items()}
    whole = max(worst.values(), default=(0.0, ""))
    return {
        "seconds": round(whole[0], 1),
        "of": whole[1],
        **{name: round(seconds, 1) for name, (seconds, _) in worst.items()},
    }


def clock(at: float | None) -> str:
    """As the logs tell the time."""
    return time.strftime("%H:%M:%S", time.localtime(at))


def _starts(
    evidence: Evidence, commands: Iterable[Command], acknowledged: Callable[[Command], float | None]
) -> list[Stretch]:
    found = []
    for command in commands:
        at = acknowledged(command)
        for run in evidence.by_event.get(command.event, []) if at else []:
            found.append((run.created.timestamp() - (at or 0.0), f"run {run.id}, {command.text}, {clock(at)}"))
    return found


def _noticed(runs: Iterable[Run], jobs: Mapping[str, Path]) -> list[Stretch]:
    found = []
    for run in runs:
        for record in run.stages:
            names = [name for name in record.jobs.values() if name in jobs]
            ends = [JobFolder(jobs[name]).status().ended for name in names]
            if record.ended and ends and all(ends):
                last = max(end.timestamp() for end in ends if end)
                found.append((record.ended.timestamp() - last, f"run {run.id} {record.stage}"))
    return found


def _restarted(blows: Iterable[Blow], jobs: Mapping[str, Path]) -> list[Stretch]:
    found = []
    for blow in blows:
        for name in blow.jobs:
            if not name.startswith("run-"):
                continue
            stem, _, attempt = name.rpartition("-")
            after = jobs.get(f"{stem}-{int(attempt) + 1}")
            begun = JobFolder(after).read("pid.json") if after else None
            if begun:
                found.append((float(begun["started"]) - blow.at, name))
    return found


def _told(evidence: Evidence) -> list[Stretch]:
    found = []
    for run in evidence.runs:
        if run.ended and run.spec.ref and not run.spec.options.get("report"):
            found += [(at - run.ended.timestamp(), f"run {run.id}") for _, at in evidence.comments_of(run)]
    return found
