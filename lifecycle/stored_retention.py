"""Frees what nobody needs any longer of the place that all machines reach: old logs, and old days of requests."""

import re
from collections.abc import Iterator
from datetime import datetime, timedelta

from lifecycle.artifacts import Artifacts
from lifecycle.endpoints.shared import PLACE as REQUESTS
from lifecycle.joblogs import PLACE as LOGS
from lifecycle.store import NoSuchRun, Store

RUN = re.compile(r"run-([0-9]+)-")


def free(artifacts: Artifacts, store: Store, logs: timedelta, requests: timedelta, now: datetime, most: int) -> int:
    """Remove what is older than that, at most `most` logs and days; how many. Any machine may do it, also at once."""
    count = 0
    for folder in (*_logs(artifacts, store, now - logs), *_days(artifacts, f"{now - requests:%Y-%m-%d}")):
        if count == most:
            break
        artifacts.remove(folder)
        count += 1
    return count


def _logs(artifacts: Artifacts, store: Store, before: datetime) -> Iterator[str]:
    """The logs of runs that ended before then; runs are numbered in the order of their coming."""
    numbered = ((int(match[1]), name) for name, _ in artifacts.list(LOGS) if (match := RUN.match(name)))
    for number, name in sorted(numbered):
        try:
            run = store.get(number)
        except NoSuchRun:
            continue
        if run.created >= before:
            return
        if run.ended is not None and run.ended < before:
            yield f"{LOGS}/{name}"


def _days(artifacts: Artifacts, last: str) -> Iterator[str]:
    for host, _ in artifacts.list(REQUESTS):
        for model, _ in artifacts.list(f"{REQUESTS}/{host}"):
            for day, _ in artifacts.list(f"{REQUESTS}/{host}/{model}"):
                if day < last:
                    yield f"{REQUESTS}/{host}/{model}/{day}"
