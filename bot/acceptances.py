"""Who let a verdict pass as it is: once for a run and its commit, never for a later one, and never taken back."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Column, Engine, Integer, String, Table, insert, select
from sqlalchemy.exc import IntegrityError

from bot.schema import metadata
from lifecycle import Run, Utc

acceptances = Table(
    "acceptances",
    metadata,
    Column("run", Integer, primary_key=True, autoincrement=False),
    Column("project", String(200), nullable=False),
    Column("model", String(63), nullable=False),
    Column("commit", String(64), nullable=False),
    Column("verdict", String(20), nullable=False),
    Column("by", String(300), nullable=False),
    Column("at", Utc, nullable=False),
)


@dataclass(frozen=True, slots=True)
class Acceptance:
    """`by` accepted what run `run` found of `commit`."""

    run: int
    commit: str
    verdict: str
    by: str
    at: datetime


class Acceptances:
    """Adds and reads them; there is no way to change one."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    def add(self, run: Run, by: str, now: datetime) -> bool:
        """Note that somebody accepts what the run found; false when somebody had before."""
        values = {"run": run.id, "project": run.spec.project, "model": run.spec.model, "commit": run.spec.commit}
        try:
            with self.engine.begin() as connection:
                connection.execute(insert(acceptances).values(**values, verdict=run.verdict, by=by, at=now))
        except IntegrityError:
            return False
        return True

    def of(self, run: int) -> Acceptance | None:
        """Who accepted what the run found, if anybody did."""
        return next(iter(self._found((run,))), None)

    def among(self, runs: Sequence[int]) -> set[int]:
        """Those of the runs whose verdict was accepted."""
        return {one.run for one in self._found(runs)}

    def _found(self, runs: Sequence[int]) -> list[Acceptance]:
        query = select(acceptances).where(acceptances.c.run.in_(runs))
        with self.engine.connect().execution_options(read_only=True) as connection:
            rows = connection.execute(query).all()
        return [Acceptance(row.run, row.commit, row.verdict, row.by, row.at) for row in rows]
