"""Where a stage's code runs: what every executor promises, whatever machine is behind it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Limits:
    """What one job may use. Zero means no limit."""

    memory_mb: int = 4096
    seconds: int = 3600
    file_mb: int = 2048
    disk_mb: int = 5120  # what it adds to its folders, all files together
    processes: int = 512


@dataclass(frozen=True, slots=True)
class Job:
    """One program to run, described so that any executor can run it.

    `command[0] == "python"` means the interpreter of the job's own environment. `tree` is a checkout of exactly one
    commit, the working directory; the job sees a private writable copy of it. Each of `inputs` is a file or folder on
    this machine that the job sees read-only, its path there in the environment variable that is the key; `values` are
    plain variables. The job finds in LIFECYCLE_OUTPUT the one folder whose content outlives it.
    """

    name: str  # unique and natural: run, stage, part, attempt; letters, digits, dots and dashes
    command: tuple[str, ...]
    tree: Path
    requirements: str = ""  # the text of a requirements file; its digest names the environment
    inputs: Mapping[str, Path] = field(default_factory=dict)
    values: Mapping[str, str] = field(default_factory=dict)
    limits: Limits = Limits()
    trusted: bool = True  # an untrusted job is refused where the machine has no sandbox


class JobState(StrEnum):
    """Where a job stands; LOST: it was started, is gone, and left no word."""

    UNKNOWN = "unknown"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"
    LOST = "lost"

    @property
    def ended(self) -> bool:
        return self not in (JobState.UNKNOWN, JobState.RUNNING)


@dataclass(frozen=True, slots=True)
class Used:
    """What a job used: seconds by the clock, seconds of processor, peak resident memory in MB."""

    seconds: float = 0.0
    cpu_seconds: float = 0.0
    memory_mb: float = 0.0


@dataclass(frozen=True, slots=True)
class JobStatus:
    """What an executor knows of a job. `reason` is one sentence for people, empty while all is well."""

    state: JobState
    reason: str = ""
    exit_code: int | None = None
    started: datetime | None = None
    ended: datetime | None = None
    used: Used = Used()


def used_of(status: JobStatus) -> Used:
    """What a job used; its seconds from its start to its end, where it did not get as far as the program itself."""
    if status.used.seconds or status.started is None or status.ended is None:
        return status.used
    seconds = (status.ended - status.started).total_seconds()  # by a clock that may have been set back meanwhile
    return replace(status.used, seconds=max(0.0, seconds))


class Refusal(Exception):
    """The job cannot be run here at all; the message says why and what to do."""


class Executor(Protocol):
    """Runs jobs that outlive this process. Every method may be called twice, by any process on the machine."""

    def submit(self, job: Job) -> None:
        """Start the job unless a job of that name was ever started; returns at once. Raises Refusal."""

    def status(self, name: str) -> JobStatus:
        """Where the job stands now; UNKNOWN for a name never submitted."""

    def cancel(self, name: str) -> None:
        """End the job and everything it started, within five seconds; no error when it has ended or never was."""

    def log(self, name: str, offset: int = 0, limit: int = 65536) -> tuple[bytes, int]:
        """Bytes of the job's output from `offset` on, at most `limit`, and the offset to ask for next."""

    def output(self, name: str) -> Path:
        """The folder that the job wrote."""

    def wait(self, names: Iterable[str], seconds: float) -> frozenset[str]:
        """Block until one of the running jobs has ended, at most `seconds`; the names of those that have."""

    def running(self) -> frozenset[str]:
        """Every job that runs now, whoever asked for it."""

    def forget(self, name: str) -> None:
        """Delete what is kept of an ended job."""

    def tidy(self) -> None:
        """Clear away what jobs left that did not end by themselves; nothing of those that run."""
