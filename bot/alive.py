"""Which workers are alive: a heartbeat each in the database, by the database's own clock."""

import os
import socket
import uuid

from sqlalchemy import Column, ColumnElement, Engine, Float, String, Table, delete, func, select
from sqlalchemy.dialects import postgresql, sqlite

from bot.schema import metadata

# Longer than any stall of a healthy process. One that outlives its lease finds its runs moved on: every change of a
# run says which attempt it expects.
LEASE = 15.0

executors = Table(
    "executors",
    metadata,
    Column("id", String(120), primary_key=True),
    Column("seen", Float, nullable=False),
)


class Alive:
    """This worker's heartbeat, and everybody's."""

    def __init__(self, engine: Engine, alone: bool) -> None:
        """`alone`: no other worker can be alive (SQLite, and we hold its lock), whatever their heartbeats say."""
        self.engine = engine
        self.alone = alone
        self.me = f"{socket.gethostname()[:60]}-{os.getpid()}-{uuid.uuid4().hex[:8]}"

    def beat(self) -> set[str]:
        """Say that we are alive; the ids of all who are."""
        dialect = postgresql if self.engine.dialect.name == "postgresql" else sqlite
        now = _now(self.engine)
        insert = dialect.insert(executors).values(id=self.me, seen=now)
        with self.engine.begin() as connection:
            if self.alone:
                connection.execute(delete(executors).where(executors.c.id != self.me))
            connection.execute(insert.on_conflict_do_update(index_elements=["id"], set_={"seen": now}))
            seen = select(executors.c.id).where(executors.c.seen > now - LEASE)
            return set(connection.execute(seen).scalars())

    def leave(self) -> None:
        """Say that we go, so that nobody waits for our lease to end."""
        with self.engine.begin() as connection:
            connection.execute(delete(executors).where(executors.c.id == self.me))


def alive_count(engine: Engine) -> int:
    """How many workers have shown a sign of life within their lease."""
    now = _now(engine)
    with engine.connect().execution_options(read_only=True) as connection:
        query = select(func.count()).select_from(executors).where(executors.c.seen > now - LEASE)
        return connection.execute(query).scalar_one()


def _now(engine: Engine) -> ColumnElement[float]:
    if engine.dialect.name == "postgresql":
        return func.date_part("epoch", func.clock_timestamp())
    return (func.julianday("now") - 2440587.5) * 86400.0  # seconds since 1970; SQLite before 3.42 has no finer word
