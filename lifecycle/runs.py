"""A run and the only way it moves: what was asked, how far it is, and what comes next. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, assert_never

from lifecycle.executors import JobState, JobStatus, used_of

Value = str | int | float | bool
ATTEMPTS = 3  # a job that is lost (its machine went away) is tried again; one that failed is not


class Kind(StrEnum):
    """Why a run was started."""

    TRAIN = "train"
    VALIDATE = "validate"
    RETRAIN = "retrain"
    PROMOTE = "promote"
    ROLLBACK = "rollback"
    MONITOR = "monitor"


class Stage(StrEnum):
    """What a run passes through."""

    TRAIN = "train"
    PACKAGE = "package"
    VALIDATE = "validate"
    DEPLOY = "deploy"
    MONITOR = "monitor"


class State(StrEnum):
    """Where a run stands."""

    WAITING = "waiting"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def ended(self) -> bool:
        return self in (State.SUCCEEDED, State.FAILED, State.CANCELLED)


class StageState(StrEnum):
    """Where one stage of a run stands."""

    PLANNED = "planned"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


def plan(kind: Kind) -> tuple[Stage, ...]:
    """The stages of a run of that kind, in order."""
    match kind:
        case Kind.TRAIN | Kind.RETRAIN | Kind.VALIDATE:
            return (Stage.TRAIN, Stage.PACKAGE, Stage.VALIDATE)
        case Kind.PROMOTE | Kind.ROLLBACK:
            return (Stage.DEPLOY,)
        case Kind.MONITOR:
            return (Stage.MONITOR,)
        case _:
            assert_never(kind)


def lane(kind: Kind) -> str:
    """Runs of one model in the same lane go one after the other; monitoring waits for nobody."""
    match kind:
        case Kind.TRAIN | Kind.RETRAIN | Kind.VALIDATE:
            return "train"
        case Kind.PROMOTE | Kind.ROLLBACK:
            return "deploy"
        case Kind.MONITOR:
            return "monitor"
        case _:
            assert_never(kind)


@dataclass(frozen=True, slots=True)
class Spec:
    """What was asked: a pass of `model` (in repository `project`) for one commit and one set of parameters.

    `ref` is the address of the place where it was asked and where it is told; `version` names what a promotion or
    rollback deploys; `options` hold what only one kind needs (share, window). `trusted` is false for code that may
    run only inside a sandbox.
    """

    kind: Kind
    project: str
    model: str
    commit: str
    ref: str
    asked_by: str
    params: Mapping[str, Value] = field(default_factory=dict)
    options: Mapping[str, Value] = field(default_factory=dict)
    version: int | None = None
    trusted: bool = True


@dataclass(frozen=True, slots=True)
class StageRecord:
    """One stage of one run, as stored; `jobs` maps a part to its job's name, `result` is what the stage found."""

    stage: Stage
    state: StageState = StageState.PLANNED
    attempt: int = 0
    started: datetime | None = None
    ended: datetime | None = None
    note: str = ""
    jobs: Mapping[str, str] = field(default_factory=dict)
    result: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Run:
    """One pass, as stored. `verdict` is PASS, FAIL, INCONCLUSIVE or empty.

    `revision` grows with every change; `told` is the one that people were told of last, -1 while none was.
    `host` is the machine that moves it (empty until it has begun), `tenure` grows each time that another machine gets
    it: whoever writes says which tenure it read, so that a machine that was cut off cannot write over its successor.
    """

    id: int
    key: str
    spec: Spec
    state: State
    stages: tuple[StageRecord, ...]
    created: datetime
    started: datetime | None = None
    ended: datetime | None = None
    verdict: str = ""
    reason: str = ""
    cancelled_by: str = ""
    version: int | None = None
    revision: int = 0
    told: int = -1
    host: str = ""
    tenure: int = 0

    def stage(self, stage: Stage) -> StageRecord | None:
        """The record of that stage, if the run has one."""
        return next((record for record in self.stages if record.stage is stage), None)

    @property
    def current(self) -> StageRecord | None:
        """The first stage that is not done."""
        return next((record for record in self.stages if record.state is not StageState.DONE), None)


@dataclass(frozen=True, slots=True)
class Observed:
    """A run as it is now: as stored, its current stage's jobs as the executor sees them, and who is ahead in line.

    `full`: as many runs work as may at the same time. `elsewhere`: another machine moves it; `gone`: that machine has
    shown no sign of life for longer than it may.
    """

    run: Run
    jobs: Mapping[str, JobStatus]
    ahead: tuple[int, ...] = ()
    full: bool = False
    elsewhere: bool = False
    gone: bool = False


@dataclass(frozen=True, slots=True)
class Begin:
    """Start the stage (again, when its last attempt was lost); harmless to repeat."""

    stage: Stage
    attempt: int


@dataclass(frozen=True, slots=True)
class Finish:
    """The stage's jobs have ended well: work out what they found."""

    stage: Stage


@dataclass(frozen=True, slots=True)
class Stop:
    """End the jobs that still run: the run was cancelled."""

    jobs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PutBack:
    """Back in line, for any machine to begin it anew: the one that had it is gone."""


@dataclass(frozen=True, slots=True)
class Wait:
    """Nothing to do until a job ends or the line moves."""


@dataclass(frozen=True, slots=True)
class Conclude:
    """The run has come to its end."""

    state: State
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Rest:
    """The run ended earlier."""


Move = Begin | Finish | Stop | PutBack | Wait | Conclude | Rest


def next_move(now: Observed) -> Move:
    """What is to be done with the run: the whole lifecycle, on one page."""
    run, current = now.run, now.run.current
    if run.state.ended:
        return Rest()
    if now.elsewhere:
        return _left_behind(run) if now.gone else Wait()
    if run.cancelled_by:
        return _stopping(now)
    if current is None:
        return Conclude(State.SUCCEEDED)
    match current.state:
        case StageState.PLANNED:
            if run.state is State.WAITING and (now.ahead or now.full):
                return Wait()
            return Begin(current.stage, current.attempt + 1)
        case StageState.RUNNING:
            return _running(current, now.jobs)
        case StageState.FAILED:
            return Conclude(State.FAILED, current.note)
        case StageState.CANCELLED:
            return Conclude(State.CANCELLED, current.note)
        case StageState.DONE:
            raise AssertionError("a current stage is never done")
        case _:
            assert_never(current.state)


def _left_behind(run: Run) -> Move:
    if run.cancelled_by:
        return Conclude(State.CANCELLED, f"Cancelled by {run.cancelled_by}.")
    if run.stages[0].attempt >= ATTEMPTS:
        return Conclude(State.FAILED, f"The machine that had it went away {ATTEMPTS} times.")
    return PutBack()


def _stopping(now: Observed) -> Move:
    running = tuple(name for name, status in now.jobs.items() if status.state is JobState.RUNNING)
    if running:
        return Stop(running)
    return Conclude(State.CANCELLED, f"Cancelled by {now.run.cancelled_by}{_spent(now)}.")


def _spent(now: Observed) -> str:
    """What the stage had used when it was ended, as the rest of a sentence; empty where nothing had begun."""
    used = [used_of(status) for status in now.jobs.values() if status.started]
    if not used or now.run.current is None:
        return ""
    seconds, cpu = max(one.seconds for one in used), sum(one.cpu_seconds for one in used)
    memory = max(one.memory_mb for one in used)
    return (
        f" during {now.run.current.stage}, after {seconds:,.1f} s; it had used {cpu:,.1f} s of processor "
        f"and at most {memory:,.0f} MB of memory"
    )


def _running(current: StageRecord, jobs: Mapping[str, JobStatus]) -> Move:
    states = {status.state for status in jobs.values()}
    if JobState.FAILED in states:
        return Conclude(State.FAILED, _first_reason(jobs, JobState.FAILED))
    if JobState.CANCELLED in states:
        return Conclude(State.CANCELLED, _first_reason(jobs, JobState.CANCELLED))
    if JobState.LOST in states:
        if current.attempt < ATTEMPTS:
            return Begin(current.stage, current.attempt + 1)
        why = _first_reason(jobs, JobState.LOST) or "its machine went away"
        return Conclude(State.FAILED, f"The {current.stage} job was lost {ATTEMPTS} times, the last time {why}.")
    if JobState.UNKNOWN in states or set(current.jobs.values()) - set(jobs):
        return Begin(current.stage, current.attempt)  # we stopped between noting the stage and submitting its job
    if JobState.RUNNING in states:
        return Wait()
    return Finish(current.stage)


def _first_reason(jobs: Mapping[str, JobStatus], state: JobState) -> str:
    return next((status.reason for status in jobs.values() if status.state is state and status.reason), "")
