"""The writes that one installation may make, shared by all workers: kept apart, and below GitHub's two limits.

GitHub allows 80 writes that create content a minute and 500 an hour, and wants a second between any two. Progress may
use only a part of both, so that there is always room for what people wait for: answers and verdicts.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Engine,
    Float,
    Index,
    Integer,
    String,
    Table,
    delete,
    insert,
    select,
    text,
)

from bot.ports import Unavailable
from bot.schema import clock, metadata

MINUTE, HOUR = 60.0, 3600.0
LOCK = 7202392  # PostgreSQL: one booking at a time; on SQLite a transaction that writes is alone anyway

writes = Table(
    "writes",
    metadata,
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True),
    Column("line", String(120), nullable=False),
    Column("at", Float, nullable=False),  # when its turn is: now, or in a moment
    Index("writes_line_at", "line", "at"),
)


@dataclass(frozen=True, slots=True)
class Budget:
    """At most so many writes within any minute and any hour; `patience` is for how many seconds a turn is booked."""

    a_minute: int
    an_hour: int
    patience: float


URGENT = Budget(a_minute=76, an_hour=480, patience=10.0)  # a little below the limits: clocks and networks are not exact
PROGRESS = Budget(a_minute=45, an_hour=300, patience=2.0)


class Pacing:
    """Books turns in the database, by the database's clock. `seconds` lie between two of one line."""

    def __init__(self, engine: Engine, seconds: float, urgent: Budget = URGENT, progress: Budget = PROGRESS) -> None:
        self.engine, self.seconds = engine, seconds
        self._budgets = {True: urgent, False: progress}

    def look(self, line: str, urgent: bool) -> None:
        """Raises Unavailable where no turn could be booked now: then there is no use in reading first."""
        with self.engine.connect().execution_options(read_only=True) as connection:
            self._turn(connection, line, urgent)

    def book(self, line: str, urgent: bool) -> float:
        """Seconds until our turn. Raises Unavailable where that is too long for a thread to wait."""
        with self.engine.begin() as connection:
            if self.engine.dialect.name == "postgresql":
                connection.execute(text(f"SELECT pg_advisory_xact_lock({LOCK})"))
            now, turn = self._turn(connection, line, urgent)
            connection.execute(delete(writes).where(writes.c.line == line, writes.c.at < now - HOUR))
            connection.execute(insert(writes).values(line=line, at=turn))
        return max(0.0, turn - now)

    def _turn(self, connection: Connection, line: str, urgent: bool) -> tuple[float, float]:
        budget = self._budgets[urgent]
        now: float = connection.execute(select(clock(self.engine))).scalar_one()
        query = select(writes.c.at).where(writes.c.line == line, writes.c.at > now - HOUR).order_by(writes.c.at.desc())
        turn = free_at(now, connection.execute(query.limit(budget.an_hour)).scalars().all(), self.seconds, budget)
        if turn - now > budget.patience:
            raise Unavailable("We have written as much to GitHub as it allows for now.", after=turn - now)
        return now, turn


def free_at(now: float, newest: Sequence[float], seconds: float, budget: Budget) -> float:
    """When the next write may be, after those at the times in `newest`, which begins with the newest."""
    turn = max(now, newest[0] + seconds) if newest else now
    for most, span in ((budget.a_minute, MINUTE), (budget.an_hour, HOUR)):
        if len(newest) >= most:
            turn = max(turn, newest[most - 1] + span)
    return turn
