"""Events on their way in: one table that an event is in before its sender is answered, and that the worker reads."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError

from bot.bell import Bell
from bot.events import Event, pack, unpack
from bot.group_commit import GroupCommit, WriteFailed
from bot.insertion import IntoPostgresql, IntoSqlite
from lifecycle import connect

metadata = sa.MetaData()

WAITING, DISPATCHED, UNREADABLE = 0, 1, 2
CLAIM_SECONDS = 30  # how long a worker of several may take between `take` and `done` before another one may take over
WAIT_SECONDS = 0.5  # how late a worker notices an event whose bell it did not hear, from another machine say

# Written out, not bound: an index over part of a table serves only a query that names the same literal.
_waiting = sa.text(f"dispatched = {WAITING}")
_unreadable = sa.text(f"dispatched = {UNREADABLE}")

inbox = sa.Table(
    "inbox",
    metadata,
    sa.Column("seq", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True, autoincrement=True),
    sa.Column("id", sa.Text, nullable=False, unique=True),  # natural id: a second delivery changes nothing
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("body", sa.LargeBinary, nullable=False),
    sa.Column("at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.current_timestamp()),
    sa.Column("dispatched", sa.SmallInteger, nullable=False, server_default=sa.text(str(WAITING))),
    sa.Column("claimed", sa.DateTime(timezone=True)),  # PostgreSQL: until when a worker has it
    sa.Index("inbox_waiting", "seq", sqlite_where=_waiting, postgresql_where=_waiting),
    sa.Index("inbox_unreadable", "seq", sqlite_where=_unreadable, postgresql_where=_unreadable),
)


class InboxUnavailable(Exception):
    """The events are not, or not surely, on disk; giving them again is right and harmless."""


@dataclass(frozen=True, slots=True)
class Row:
    """A waiting event as it is stored; `at` is when it arrived, by the database's clock."""

    id: str
    kind: str
    body: bytes
    at: datetime

    def event(self) -> Event:
        """The event. Raises KeyError or msgspec.ValidationError if another version of the bot wrote it."""
        return unpack(self.kind, self.body)


class Inbox:
    """The events that have arrived, in the order of their arrival, each once however often it was delivered.

    Safe for use by any number of threads. On SQLite one process reads and, for the sake of speed, one process should
    do most of the writing; on PostgreSQL any number of processes do either.
    """

    def __init__(self, engine: sa.Engine, bell: Bell) -> None:
        """`engine` is one made by `lifecycle.connect`."""
        self.engine = engine
        self._bell = bell
        self._sqlite = engine.dialect.name == "sqlite"
        insertion = IntoSqlite() if self._sqlite else IntoPostgresql()
        self._commits = GroupCommit(self._own_connection, insertion, bell.ring)

    def put(self, events: Sequence[Event]) -> int:
        """Store the events; they are on disk when this returns. How many of them were new.

        Raises InboxUnavailable, and then all, some or none of them may be stored.
        """
        rows = [pack(event) for event in events]
        if not rows:
            return 0
        try:
            return self._commits.put(rows)
        except (WriteFailed, SQLAlchemyError) as error:
            raise InboxUnavailable(f"the inbox cannot be written: {error}") from error

    def put_soon(self, many: Sequence[Sequence[Event]], done: Callable[[Sequence[Exception | None]], None]) -> None:
        """Store each of these groups of events; then `done`, in another thread, with what went wrong with each.

        As with `put`, events are on disk where nothing went wrong. Raises InboxUnavailable when nothing will be stored.
        """
        try:
            self._commits.put_soon([[pack(event) for event in events] for events in many], done)
        except WriteFailed as error:
            raise InboxUnavailable(f"the inbox cannot be written: {error}") from error

    def take(self, limit: int) -> list[Row]:
        """The longest waiting events, at most `limit`; they wait until `done` or `set_aside` is called for them.

        On PostgreSQL they are hidden from other workers for CLAIM_SECONDS.
        """
        columns = (inbox.c.seq, inbox.c.id, inbox.c.kind, inbox.c.body, inbox.c.at)
        if self._sqlite:
            with self._reading() as connection:
                waiting = sa.select(*columns).where(_waiting).order_by(inbox.c.seq).limit(limit)
                rows = list(connection.execute(waiting))
        else:
            with self.engine.begin() as connection:
                claimed = connection.execute(_claim(limit).returning(*columns))
                rows = sorted(claimed)  # by seq, which is unique; they come in any order
        return [Row(row.id, row.kind, row.body, _utc(row.at)) for row in rows]

    def done(self, ids: Sequence[str]) -> None:
        """The events are where they belong now, and need not be taken again."""
        self._mark(ids, DISPATCHED)

    def set_aside(self, ids: Sequence[str]) -> None:
        """The events cannot be read by this version of the bot; others shall not wait for them."""
        self._mark(ids, UNREADABLE)

    def give_back(self, ids: Sequence[str]) -> None:
        """The events that were taken wait again, for any worker."""
        if not self._sqlite:  # where nothing is claimed, they do already
            self._mark(ids, WAITING)

    def revive(self, readable: Callable[[Row], bool], limit: int = 1000) -> int:
        """Put what was set aside and can be read by this version of the bot back in line. How many there were."""
        columns = (inbox.c.id, inbox.c.kind, inbox.c.body, inbox.c.at)
        with self._reading() as connection:
            found = list(connection.execute(sa.select(*columns).where(_unreadable).order_by(inbox.c.seq).limit(limit)))
        ids = [row.id for row in found if readable(Row(row.id, row.kind, row.body, _utc(row.at)))]
        self._mark(ids, WAITING)
        return len(ids)

    def waiting(self) -> int:
        """How many events wait."""
        with self._reading() as connection:
            return connection.execute(sa.select(sa.func.count()).select_from(inbox).where(_waiting)).scalar_one()

    def wait(self, seconds: float = WAIT_SECONDS) -> bool:
        """Wait until an event is put on this machine, or so many seconds; then take. Whether one was put."""
        return self._bell.wait(seconds)

    def wake(self) -> None:
        """Wake who waits, as something that held an event up has ended."""
        self._bell.ring()

    def prune(self, before: datetime, batch: int = 1000) -> int:
        """Forget the events that arrived before then and do not wait; how many. A later repetition counts as new."""
        moment = before.astimezone(UTC)
        if self._sqlite:
            moment = moment.replace(tzinfo=None)
        # Only the oldest are looked at, not the whole table for old ones: they arrived in the order of their numbers.
        oldest = sa.select(inbox.c.seq, inbox.c.dispatched, inbox.c.at).order_by(inbox.c.seq).limit(batch).subquery()
        old = sa.select(oldest.c.seq).where(oldest.c.dispatched != WAITING, oldest.c.at < moment)
        forgotten, count = 0, batch
        while count:  # in batches, since nobody else writes to SQLite meanwhile
            with self.engine.begin() as connection:
                count = connection.execute(sa.delete(inbox).where(inbox.c.seq.in_(old))).rowcount
            forgotten += count
        return forgotten

    def close(self) -> None:
        """Write what is being put, then let go of the database and the bell."""
        self._commits.close()
        self._bell.close()
        self.engine.dispose()

    def _reading(self) -> sa.Connection:
        return self.engine.connect().execution_options(read_only=True)

    def _own_connection(self) -> Any:
        """The driver's connection, outside the pool, for writing alone. Raises the driver's errors."""
        try:
            proxy = self.engine.raw_connection()
        except sa.exc.DBAPIError as error:
            raise error.orig or error from None
        own = proxy.driver_connection
        proxy.detach()
        return own

    def _mark(self, ids: Sequence[str], state: int) -> None:
        with self.engine.begin() as connection:
            for start in range(0, len(ids), 500):
                some = inbox.c.id.in_(ids[start : start + 500])
                connection.execute(sa.update(inbox).where(some).values(dispatched=state, claimed=None))


def readable(row: Row) -> bool:
    """Whether this version of the bot knows what the event says."""
    try:
        row.event()
    except (KeyError, ValueError):  # msgspec.ValidationError is a ValueError
        return False
    return True


def open_inbox(url: str, folder: Path) -> Inbox:
    """The inbox in the database at `url`, its table made where it is missing: for tests and measurements.

    `folder` is where its bell hangs, the same for all processes of one bot on one machine.
    """
    engine = connect(url)
    metadata.create_all(engine)
    return Inbox(engine, Bell(folder / "inbox.bell"))


def _claim(limit: int) -> sa.Update:
    """Claim the longest waiting events that no other worker has; a dead worker's claim ends by itself."""
    now = sa.func.now()
    free = sa.or_(inbox.c.claimed.is_(None), inbox.c.claimed < now)
    first = sa.select(inbox.c.seq).where(_waiting, free).order_by(inbox.c.seq).limit(limit)
    chosen = first.with_for_update(skip_locked=True).cte("chosen")
    until = now + sa.func.make_interval(0, 0, 0, 0, 0, 0, CLAIM_SECONDS)
    return sa.update(inbox).where(inbox.c.seq == chosen.c.seq).values(claimed=until)


def _utc(moment: datetime) -> datetime:
    """SQLite knows no time zones; its clock is UTC."""
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
