"""One job's folder as anybody may read it: whether its keeper lives, how it ended, how to reach it."""

import fcntl
import json
import os
import signal
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from lifecycle.executors import JobState, JobStatus, Used, processtree

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class JobFolder:
    """A folder that a keeper writes and others read; see keeper.py for what its files mean."""

    path: Path

    def read(self, name: str) -> Json | None:
        """A JSON file of the folder; None when there is none (they are written whole or not at all)."""
        try:
            content: Json = json.loads((self.path / name).read_bytes())
        except (FileNotFoundError, NotADirectoryError):
            return None
        return content

    def write(self, name: str, content: Json) -> None:
        """Write durably, whole or not at all."""
        temporary = self.path / f"{name}.{os.getpid()}.{os.urandom(4).hex()}"
        with temporary.open("w", encoding="utf-8") as file:
            json.dump(content, file)
            file.flush()
            os.fsync(file.fileno())
        temporary.rename(self.path / name)

    def started(self) -> bool:
        """Whether the job was ever started, or is being started now."""
        return (self.path / "pid.json").exists() or self.kept()

    def kept(self) -> bool:
        """Whether a keeper holds the lock; holds it for microseconds to see, which keepers allow for."""
        try:
            lock = os.open(self.path / "lock", os.O_RDONLY)
        except OSError:
            return False
        try:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        finally:
            os.close(lock)
        return False

    def status(self) -> JobStatus:
        result = self.read("exit.json")
        if result is None and self.kept():
            begun = self.read("pid.json")
            return JobStatus(JobState.RUNNING, started=_moment(begun))
        result = result or self.read("exit.json")  # it may have ended between the two looks
        if result is None:
            return self._lost()
        used = Used(**result["used"])
        ended = datetime.fromtimestamp(result["ended"], UTC)
        return JobStatus(JobState(result["state"]), result["reason"], result["exit_code"], _moment(result), ended, used)

    def _lost(self) -> JobStatus:
        begun = self.read("pid.json")
        if begun is None:
            return JobStatus(JobState.UNKNOWN)
        restarted = begun["boot"] != processtree.boot()
        reason = "the machine was restarted while it ran" if restarted else "its keeper was killed while it ran"
        return JobStatus(JobState.LOST, reason, started=_moment(begun))

    def tidy(self) -> None:
        """Remove what was being written by a process that was killed; its name says by which one."""
        for half in self.path.glob("*.json.*"):
            writer = half.name.partition(".json.")[2].partition(".")[0]
            if not (writer.isdecimal() and _lives(int(writer))):
                half.unlink(missing_ok=True)

    def keeper(self) -> int | None:
        """The keeper's pid while it lives; never that of a process that has its number now."""
        begun = self.read("pid.json")
        if begun is None or begun["boot"] != processtree.boot():
            return None
        pid = int(begun["pid"])
        return pid if begun["ticks"] and processtree.start_ticks(pid) == begun["ticks"] else None

    def handle(self) -> int | None:
        """A descriptor that `poll` reports when the keeper ends, or None where there is no such thing."""
        pid = self.keeper()
        if pid is None or not hasattr(os, "pidfd_open"):
            return None
        try:
            handle = os.pidfd_open(pid)
        except OSError:
            return None
        if self.keeper() == pid:
            return handle
        os.close(handle)
        return None

    def kill(self) -> None:
        """End a keeper that does not end its job when told to, and all below it."""
        pid = self.keeper()
        if pid is not None:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGSTOP)
            processtree.send([*processtree.descendants(pid), pid], signal.SIGKILL)


def _moment(content: Json | None) -> datetime | None:
    return datetime.fromtimestamp(content["started"], UTC) if content else None


def _lives(pid: int) -> bool:
    """Whether there is a process of that number."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
