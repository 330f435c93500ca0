"""Runs as they are stored; every change is one short transaction that says what it expects to find."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Engine, Select, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from lifecycle.fencing import hold
from lifecycle.numbering import fresh
from lifecycle.rows import columns_of, run_of, stages_of
from lifecycle.runs import Kind, Run, Spec, Stage, StageRecord, StageState, State, lane, plan
from lifecycle.schema import UNTOLD, runs, stages


class NoSuchRun(LookupError):
    """There is no run of that number."""


@dataclass(frozen=True, slots=True)
class Filter:
    """Which runs a page or a sentence is about; empty means all."""

    project: str = ""
    model: str = ""
    state: State | None = None
    ref: str = ""
    kinds: tuple[Kind, ...] = ()
    open_only: bool = False


class Store:
    """Reads and writes runs. Safe for threads and processes."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    def create(self, spec: Spec, key: str, now: datetime) -> Run:
        """The run with that natural key, created if there is none."""
        found = self.by_key(key)
        if found is not None:
            return found
        try:
            with self.engine.begin() as connection:
                number = connection.execute(
                    insert(runs).values(columns_of(spec, key, now) | fresh(connection, runs.c.id)).returning(runs.c.id)
                ).scalar()
                rows: list[dict[str, Any]] = [
                    {
                        "run": number,
                        "position": i,
                        "stage": stage,
                        "state": StageState.PLANNED,
                        "jobs": {},
                        "result": {},
                    }
                    for i, stage in enumerate(plan(spec.kind))
                ]
                connection.execute(insert(stages), rows)
        except IntegrityError:  # another thread or machine was quicker with the same key
            pass
        found = self.by_key(key)
        if found is None:
            raise RuntimeError(f"run {key!r} was neither created nor found")
        return found

    def by_key(self, key: str) -> Run | None:
        """The run with that natural key."""
        return self._one(select(runs).where(runs.c.key == key))

    def get(self, number: int) -> Run:
        """The run of that number. Raises NoSuchRun."""
        run = self._one(select(runs).where(runs.c.id == number))
        if run is None:
            raise NoSuchRun(f"There is no run {number}.")
        return run

    def find(self, which: Filter, limit: int = 50, before: int | None = None) -> Sequence[Run]:
        """The newest runs that fit, newest first; `before` pages on."""
        query = select(runs).order_by(runs.c.id.desc()).limit(limit)
        columns = {"project": which.project, "model": which.model, "state": which.state}
        for name, value in columns.items():
            if value:
                query = query.where(_unsought(runs.c[name], which.ref) == value)
        if which.ref:
            query = query.where(runs.c.ref == which.ref)
        if which.kinds:
            query = query.where(runs.c.kind.in_(which.kinds))
        if which.open_only:
            query = query.where(~runs.c.ended_yet)
        if before is not None:
            query = query.where(runs.c.id < before)
        with self._reading() as connection:
            rows = connection.execute(query).all()
            by_run = stages_of(connection, [row.id for row in rows])
            return [run_of(row, by_run[row.id]) for row in rows]

    def open_numbers(self) -> Sequence[int]:
        """The numbers of all runs that have not ended, oldest first."""
        with self._reading() as connection:
            query = select(runs.c.id).where(~runs.c.ended_yet).order_by(runs.c.id)
            return list(connection.execute(query).scalars())

    def untold(self, limit: int = 500) -> Sequence[int]:
        """The numbers of runs that have changed since they were last told of, oldest first."""
        with self._reading() as connection:
            query = select(runs.c.id).where(UNTOLD).order_by(runs.c.id).limit(limit)
            return list(connection.execute(query).scalars())

    def note_told(self, run: Run) -> None:
        """The run was told of as `run` says; what changed meanwhile is still to be told."""
        with self.engine.begin() as connection:
            later = (runs.c.id == run.id, runs.c.told < run.revision)
            connection.execute(update(runs).where(*later).values(told=run.revision))

    def forget_told(self, number: int) -> None:
        """What was told of the run may read differently now, though nothing of the run itself has changed."""
        with self.engine.begin() as connection:
            connection.execute(update(runs).where(runs.c.id == number).values(told=-1))

    def ahead(self, run: Run) -> tuple[int, ...]:
        """The open runs of the same model and lane that were asked for earlier, oldest first."""
        if lane(run.spec.kind) == "monitor":
            return ()
        with self._reading() as connection:
            return tuple(connection.execute(self._line(run).where(runs.c.id < run.id)).scalars())

    def behind(self, run: Run) -> tuple[int, ...]:
        """The open runs of the same model and lane that were asked for later."""
        with self._reading() as connection:
            return tuple(connection.execute(self._line(run).where(runs.c.id > run.id)).scalars())

    def working(self, which: str, host: str) -> int:
        """How many runs of a lane have begun on a machine and not ended."""
        query = select(func.count()).where(~runs.c.ended_yet, runs.c.state == State.RUNNING, runs.c.lane == which)
        query = query.where(runs.c.host.in_(("", host)))
        with self._reading() as connection:
            return connection.execute(query).scalar_one()

    def _line(self, run: Run) -> Select[int]:
        return (
            select(runs.c.id)
            .where(~runs.c.ended_yet, runs.c.project == run.spec.project, runs.c.model == run.spec.model)
            .where(runs.c.lane == lane(run.spec.kind))
            .order_by(runs.c.id)
        )

    def begin_stage(
        self, run: Run, stage: Stage, attempt: int, jobs: Mapping[str, str], now: datetime, host: str = ""
    ) -> bool:
        """Note that the stage has begun on a machine under these job names; false when that attempt had begun before.

        Raises Overtaken, as every change of a run does, when another machine got the run since `run` was read.
        """
        allowed = (StageState.PLANNED, StageState.RUNNING)
        with self.engine.begin() as connection:
            hold(connection, run)
            changed = connection.execute(
                update(stages)
                .where(stages.c.run == run.id, stages.c.stage == stage, stages.c.state.in_(allowed))
                .where(stages.c.attempt < attempt)
                .values(state=StageState.RUNNING, attempt=attempt, jobs=dict(jobs), started=now)
            )
            if not changed.rowcount:
                return False
            tenure = run.tenure if run.host == host else run.tenure + 1
            started = func.coalesce(runs.c.started, now)
            _touch(connection, run.id, state=State.RUNNING, started=started, host=host, tenure=tenure)
            return True

    def put_back(self, run: Run) -> None:
        """Back in line, without a machine and with every stage to be done again under its next attempt."""
        with self.engine.begin() as connection:
            hold(connection, run)
            again: dict[str, Any] = {
                "state": StageState.PLANNED,
                "jobs": {},
                "result": {},
                "note": "",
                "started": None,
                "ended": None,
            }
            connection.execute(update(stages).where(stages.c.run == run.id).values(**again))
            _touch(connection, run.id, state=State.WAITING, host="", tenure=run.tenure + 1)

    def end_stage(self, run: Run, record: StageRecord, now: datetime) -> bool:
        """Note how the stage ended, for the attempt named in `record` only; false when that is no longer current."""
        with self.engine.begin() as connection:
            hold(connection, run)
            changed = connection.execute(
                update(stages)
                .where(stages.c.run == run.id, stages.c.stage == record.stage)
                .where(stages.c.state == StageState.RUNNING, stages.c.attempt == record.attempt)
                .values(state=record.state, note=record.note, result=dict(record.result), ended=now)
            )
            if changed.rowcount:
                _touch(connection, run.id)
            return bool(changed.rowcount)

    def end(
        self, run: Run, state: State, reason: str, now: datetime, verdict: str = "", version: int | None = None
    ) -> bool:
        """End the run, once; what had not ended of its stages is cancelled with it."""
        with self.engine.begin() as connection:
            hold(connection, run)
            changed = connection.execute(
                update(runs)
                .where(runs.c.id == run.id, ~runs.c.ended_yet)
                .values(state=state, reason=reason, ended=now, ended_yet=True, revision=runs.c.revision + 1)
                .values(verdict=verdict, version=version)
            )
            left = StageState.FAILED if state is State.FAILED else StageState.CANCELLED
            connection.execute(
                update(stages)
                .where(stages.c.run == run.id, stages.c.state == StageState.RUNNING)
                .values(state=left, ended=now)
            )
            return bool(changed.rowcount)

    def cancel(self, number: int, by: str) -> bool:
        """Note that somebody wants the run ended; false when it has ended or was cancelled before."""
        with self.engine.begin() as connection:
            changed = connection.execute(
                update(runs)
                .where(runs.c.id == number, ~runs.c.ended_yet, runs.c.cancelled_by == "")
                .values(cancelled_by=by, revision=runs.c.revision + 1)
            )
            return bool(changed.rowcount)

    def _reading(self) -> Connection:
        return self.engine.connect().execution_options(read_only=True)

    def _one(self, query: Select[Any]) -> Run | None:
        with self._reading() as connection:
            row = connection.execute(query).one_or_none()
            return run_of(row, stages_of(connection, [row.id])[row.id]) if row else None


def _unsought(column: ColumnElement[str], ref: str) -> ColumnElement[str]:
    """The column as no index knows it, where a place is asked for: a place has few runs, a state has a million.

    Without statistics a planner cannot tell which of two indices is the better one.
    """
    return func.coalesce(column, "") if ref else column


def _touch(connection: Connection, number: int, **values: Any) -> None:
    connection.execute(update(runs).where(runs.c.id == number).values(revision=runs.c.revision + 1, **values))
