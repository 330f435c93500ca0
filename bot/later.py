"""What could not be done because a platform was not there for us, and when it is tried again: durable, one row each."""

import random
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Column, Connection, Engine, Float, Index, Integer, String, Table, delete, func, select, update
from sqlalchemy.dialects import postgresql, sqlite

from bot.retrying import backoff
from bot.schema import clock, metadata

FIRST, LONGEST = 5.0, 300.0  # seconds between tries; a limit that names its own end is waited for, however long
EACH = 0.8  # seconds, about what one write takes of GitHub's 80 a minute
CLAIM = 60.0  # seconds in which whoever takes a row up must have begun; then another one may
WHY = 1000

later = Table(
    "later",
    metadata,
    Column("key", String(500), primary_key=True),  # tell/12, or handle:EVENT
    Column("workflow", String(520), nullable=False),  # the workflow to go on with; empty where it begins anew
    Column("line", String(300), nullable=False),  # what waits behind it
    Column("since", Float, nullable=False),
    Column("due", Float, nullable=False),
    Column("tries", Integer, nullable=False),
    Column("why", String(WHY), nullable=False),
    Index("later_due", "due"),
    Index("later_line", "line"),
)


@dataclass(frozen=True, slots=True)
class Due:
    """Something whose time has come, for the `tries`-th time."""

    key: str
    workflow: str
    tries: int


class Later:
    """Times are those of the database's own clock, which all workers share."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    def put(self, key: str, workflow: str, line: str, after: float | None, why: str, behind: bool = False) -> float:
        """Note it, or that it failed once more; seconds until it is due, never before `after`.

        What only waits `behind` something is due at once if that was done while we came here.
        """
        insert = (postgresql if self.engine.dialect.name == "postgresql" else sqlite).insert(later)
        with self.engine.begin() as connection:
            now: float = connection.execute(select(clock(self.engine))).scalar_one()
            tries = 1 + (connection.execute(select(later.c.tries).where(later.c.key == key)).scalar() or 0)
            wait = backoff(tries, 2 * FIRST, LONGEST)
            wait = wait if after is None else max(wait, after + backoff(1, 0.1 * after + 1, 60.0))
            wait += 0.0 if workflow else self._spread(connection, key)
            changed = {"workflow": workflow, "due": now + wait, "tries": tries, "why": why[:WHY]}
            row = insert.values(key=key, line=line, since=now, **changed)
            connection.execute(row.on_conflict_do_update(index_elements=["key"], set_=changed))
            if behind and _first(connection, line) == key:
                wait = 0.0
                connection.execute(update(later).where(later.c.key == key).values(due=now))
        return wait

    def _spread(self, connection: Connection, key: str) -> float:
        """Seconds that keep what waits from coming back all at once: a little for each of them, left to chance."""
        query = select(func.count()).select_from(later).where(later.c.workflow == "", later.c.key != key)
        others = connection.execute(query).scalar_one()
        return EACH * others * random.random()  # noqa: S311 (no secret)

    def claim(self, limit: int, begun: bool) -> Sequence[Due]:
        """What is due of the workflows that have begun, or else are to be kicked, oldest first; ours for CLAIM seconds.

        Who answers people does not stand in one line with a thousand comments to bring up to date.
        """
        now = clock(self.engine)
        kind = later.c.workflow != "" if begun else later.c.workflow == ""
        query = select(later).where(later.c.due <= now, kind).order_by(later.c.due).limit(limit)
        with self.engine.connect().execution_options(read_only=True) as connection:
            rows = list(connection.execute(query))
        if not rows:
            return ()
        ours: list[Due] = []
        with self.engine.begin() as connection:
            for row in rows:
                mine = update(later).where(later.c.key == row.key, later.c.due == row.due).values(due=now + CLAIM)
                if connection.execute(mine).rowcount:
                    ours.append(Due(row.key, row.workflow, row.tries))
        return ours

    def done(self, key: str) -> None:
        """It is done, or given up: nothing waits for it any longer."""
        with self.engine.connect().execution_options(read_only=True) as connection:
            line = connection.execute(select(later.c.line).where(later.c.key == key)).scalar()
        if line is None:
            return  # most things were never put off, and need no write
        with self.engine.begin() as connection:
            connection.execute(delete(later).where(later.c.key == key))
            if line:  # who is next need not wait any longer; all at once would only be in each other's way
                following = later.c.key == _first(connection, line)
                connection.execute(update(later).where(following).values(due=clock(self.engine)))

    def ahead(self, line: str, key: str) -> bool:
        """Whether something waits in that line that is there for longer than `key`."""
        if not line:
            return False
        with self.engine.connect().execution_options(read_only=True) as connection:
            return _first(connection, line) not in (None, key)

    def waiting(self) -> Sequence[tuple[str, int, str]]:
        """Everything that waits: its key, how often it was tried, and why it waits."""
        query = select(later.c.key, later.c.tries, later.c.why).order_by(later.c.since)
        with self.engine.connect().execution_options(read_only=True) as connection:
            return [(row.key, row.tries, row.why) for row in connection.execute(query)]


def _first(connection: Connection, line: str) -> str | None:
    """What is longest in a line."""
    query = select(later.c.key).where(later.c.line == line).order_by(later.c.since, later.c.key).limit(1)
    first: str | None = connection.execute(query).scalar()
    return first
