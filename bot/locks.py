"""Locks between machines: one row each in PostgreSQL, which count only while their holder shows signs of life."""

import contextlib
import logging
import threading
import time
from collections.abc import Iterator

from sqlalchemy import Column, Engine, String, Table, delete, exists, or_, select, text
from sqlalchemy.dialects import postgresql
from sqlalchemy.exc import SQLAlchemyError

from bot.alive import executors
from bot.schema import clock, metadata

FIRST_LOOK, LAST_LOOK = 0.02, 0.25  # seconds between looks at a lock that somebody has
log = logging.getLogger(__name__)

locks = Table(
    "locks",
    metadata,
    Column("key", String(400), primary_key=True),
    Column("holder", String(120), nullable=False),
)


class Locks:
    """Locks of one worker, `me`, whose heartbeat somebody else keeps. They take no connection while they are held.

    A holder that stalls for longer than its lease loses its locks without noticing: what it does then must be harmless
    by other means. Within a process a key must be asked for by one thread at a time.
    """

    def __init__(self, engine: Engine, me: str, lease: float) -> None:
        self.engine = engine
        self.me = me
        self.lease = lease
        self._left: set[str] = set()  # could not be given back
        self._guard = threading.Lock()

    @contextlib.contextmanager
    def holding(self, key: str) -> Iterator[None]:
        """Wait for the key's lock, and hold it."""
        key, pause = key[:400], FIRST_LOOK
        while not self._take(key):
            time.sleep(pause)
            pause = min(2 * pause, LAST_LOOK)
        try:
            yield
        finally:
            self._give_back(key)

    def tidy(self) -> None:
        """Give back what could not be given back when its time was."""
        with self._guard:
            left, self._left = self._left, set()
        for key in left:
            self._give_back(key)

    def _take(self, key: str) -> bool:
        alive = exists().where(executors.c.id == locks.c.holder)
        alive = alive.where(executors.c.seen > clock(self.engine) - self.lease)
        insert = postgresql.insert(locks).values(key=key, holder=self.me)
        free = or_(locks.c.holder == self.me, ~alive)
        take = insert.on_conflict_do_update(index_elements=["key"], set_={"holder": self.me}, where=free)
        with self.engine.begin() as connection:
            connection.execute(text("SET LOCAL synchronous_commit = off"))  # a lock need not survive a power cut
            if connection.execute(take.returning(locks.c.key)).scalar() is None:
                return False
        with self._guard:
            self._left.discard(key)
        return True

    def _give_back(self, key: str) -> None:
        try:
            with self.engine.begin() as connection:
                connection.execute(text("SET LOCAL synchronous_commit = off"))
                connection.execute(delete(locks).where(locks.c.key == key, locks.c.holder == self.me))
        except SQLAlchemyError as error:
            log.warning("a lock could not be given back yet: %s", error)
            with self._guard:
                self._left.add(key)

    def holder(self, key: str) -> str:
        """Who has it; empty if nobody."""
        with self.engine.connect().execution_options(read_only=True) as connection:
            return connection.execute(select(locks.c.holder).where(locks.c.key == key)).scalar() or ""
