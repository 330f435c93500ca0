"""Frees what nobody needs any longer of this machine's folders: never what an open run, a version or a champion needs.

A run's workspace goes when it has ended a while ago, its log much later. Checkouts, split data, mirrors, environments
are made again when they are needed, so they go by when they were last used; those that a champion or a deployment runs
in stay. Versions and history stay for ever. Every call is harmless to repeat, and to interrupt.
"""

import json
import logging
import os
from collections.abc import Collection, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from uuid import uuid4

from lifecycle.artifacts import Artifacts
from lifecycle.caches import last_used
from lifecycle.executors import processtree
from lifecycle.executors.jobfolder import JobFolder
from lifecycle.executors.local import LocalExecutor
from lifecycle.making import PREFIX
from lifecycle.registry import Registry
from lifecycle.store import Store
from lifecycle.stored_retention import free
from lifecycle.workspace import GitTrouble, Workspaces

MOST = 2000  # things removed in one go, so that a year's worth does not keep the disk busy for an hour
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Keep:
    """How long things are kept after they were last needed."""

    workspaces: timedelta = timedelta(days=7)
    logs: timedelta = timedelta(days=90)
    caches: timedelta = timedelta(days=30)
    predictions: timedelta = timedelta(days=400)


@dataclass(frozen=True, slots=True)
class Retention:
    """The folders below `root`, as executor, workspaces, registry and endpoint lay them out."""

    root: Path
    store: Store
    registry: Registry
    executor: LocalExecutor
    keep: Keep
    artifacts: Artifacts | None = None  # what lies there is freed too
    workspaces: Workspaces | None = None  # whose mirrors let go of old commits

    def apply(self, now: datetime) -> int:
        """Remove what is due, at most MOST things; how many."""
        count = 0
        for path in self._due(now):
            if count == MOST:
                break
            try:
                self._remove(path)
            except OSError as trouble:  # what cannot be removed must not keep the rest
                log.warning("%s cannot be removed: %s", path, trouble)
            else:
                count += 1
        count += self._let_go(now)
        if self.artifacts is not None:
            count += free(self.artifacts, self.registry, self.keep.logs, self.keep.predictions, now, MOST)
        return count

    def _let_go(self, now: datetime) -> int:
        """Of commits in mirrors that are in use; an open run's are kept, as it asked for them after it was made."""
        if self.workspaces is None:
            return 0
        try:
            return self.workspaces.prune(self._oldest_use(now, self.store.open_numbers()).timestamp())
        except (OSError, GitTrouble) as trouble:
            log.warning("a mirror cannot let go of old commits: %s", trouble)
            return 0

    def _oldest_use(self, now: datetime, still_open: Collection[int]) -> datetime:
        """Caches that were not used since then may go: nothing that is open has used them."""
        oldest = self.store.get(min(still_open)).created if still_open else now
        return min(now - self.keep.caches, oldest)

    def _due(self, now: datetime) -> Iterator[Path]:
        jobs = list(_entries(self.root / "jobs"))
        folders = [path for path in _entries(self.root / "runs") if path.name.isdigit()]
        # Asked after looking: what was there before and is not open now has ended.
        still_open = frozenset(self.store.open_numbers())
        for path in jobs:
            yield from self._of_job(path, still_open, now)
        for path in folders:
            if int(path.name) not in still_open and _age(path, now) > self.keep.workspaces:
                yield path
        yield from self._unused(self._oldest_use(now, still_open))
        last_day = (now - self.keep.predictions).strftime("%Y-%m-%d")
        yield from (day for day in self.root.glob("endpoints/predictions/*/????-??-??.jsonl") if day.stem < last_day)

    def _of_job(self, path: Path, still_open: frozenset[int], now: datetime) -> Iterator[Path]:
        """What of a job's folder is due: all of it, or only its output, which was packaged long ago."""
        number = path.name.split("-")[1] if path.name.startswith("run-") else ""
        if not number.isdigit():
            return  # a server; the endpoint forgets its own
        if int(number) in still_open or JobFolder(path).kept():
            return
        age = _age(next((path / name for name in ("exit.json", "pid.json") if (path / name).exists()), path), now)
        if age > self.keep.logs:
            yield path
        elif age > self.keep.workspaces and (path / "output").exists():
            yield path / "output"

    def _unused(self, before: datetime) -> Iterator[Path]:
        """Caches that nobody has used since then."""
        for pattern in ("repositories/trees/*/*", "data/*", "repositories/mirrors/*.git"):
            yield from (path for path in self.root.glob(pattern) if _unused(path, before))
        needed = set(self._environments_in_use())
        for path in _entries(self.executor.environments):
            if path not in needed and _unused(path, before):
                yield path

    def _environments_in_use(self) -> Iterator[Path]:
        """Those of every champion, and of every deployment: a server must be able to start again at any time."""
        folders = [
            Path(json.loads(path.read_bytes())["folder"]) for path in self.root.glob("endpoints/deployments/*.json")
        ]
        champions = (self.registry.champion(*model) for model in self.registry.models())
        folders += [self.registry.folder(version) for version in champions if version is not None]
        for folder in folders:
            with suppress(OSError):
                yield self.executor.environment((folder / "requirements.txt").read_text("utf-8"))

    def _remove(self, path: Path) -> None:
        """Out of the way at once, however much lies in it; then away."""
        if not path.is_dir() or path.is_symlink():
            path.unlink(missing_ok=True)
            return
        trash = self.root / "trash" / uuid4().hex
        trash.parent.mkdir(parents=True, exist_ok=True)
        with suppress(FileNotFoundError):
            path.rename(trash)
        processtree.remove_tree(str(trash))


def _unused(path: Path, before: datetime) -> bool:
    return path.is_dir() and not path.name.startswith(PREFIX) and last_used(path) < before.timestamp()


def _entries(folder: Path) -> Iterator[Path]:
    if folder.is_dir():
        yield from (Path(entry.path) for entry in os.scandir(folder))


def _age(path: Path, now: datetime) -> timedelta:
    """Since it was last written; nothing at all for what is gone, or dated later than now."""
    try:
        return max(timedelta(0), timedelta(seconds=now.timestamp() - path.lstat().st_mtime))
    except FileNotFoundError:
        return timedelta(0)
