"""Frees what nobody needs any longer of the place that all machines reach: old logs, days of requests, unused rows."""

import re
from collections.abc import Iterator
from datetime import datetime, timedelta

from lifecycle.artifacts import Artifacts
from lifecycle.endpoints.shared import PLACE as REQUESTS
from lifecycle.joblogs import PLACE as LOGS
from lifecycle.knownrows import KNOWN, UNUSED
from lifecycle.registry import Registry
from lifecycle.runs import Run
from lifecycle.store import NoSuchRun, Store

RUN = re.compile(r"run-([0-9]+)-")


def free(
    artifacts: Artifacts, registry: Registry, logs: timedelta, requests: timedelta, now: datetime, most: int
) -> int:
    """Remove what is older than that, at most `most` things; how many. Any machine may do it, also at once."""
    store, count = Store(registry.engine), 0
    old = (*_logs(artifacts, store, now - logs), *_days(artifacts, f"{now - requests:%Y-%m-%d}"))
    for name in (*old, *_rows(artifacts, store, registry, now - UNUSED)):
        if count == most:
            break
        artifacts.remove(name)
        count += 1
    return count


def _rows(artifacts: Artifacts, store: Store, registry: Registry, before: datetime) -> Iterator[str]:
    """The held-back rows of runs that ended before then, and whose version has not served since."""
    for model, _ in artifacts.list(KNOWN):
        for name, _ in artifacts.list(f"{KNOWN}/{model}"):
            try:
                run = store.get(int(name.removeprefix("run-").removesuffix(".parquet")))
            except (NoSuchRun, ValueError):
                continue
            if run.ended is not None and run.ended < before and not _served(registry, run, before):
                yield f"{KNOWN}/{model}/{name}"


def _served(registry: Registry, run: Run, since: datetime) -> bool:
    """Whether the run's version has been in production since then; who came to it before may have been then."""
    for champion in registry.reign(run.spec.project, run.spec.model, limit=1000):
        if champion.number == run.version:
            return True
        if champion.at < since and champion.share == 100:
            return False
    return False


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
