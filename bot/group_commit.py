"""Many threads' rows on disk with one commit: SQLite has one writer at a time, and each commit waits for the disk."""

import contextlib
import queue
import sqlite3
import threading
from collections.abc import Callable, Sequence
from typing import Protocol

Rows = Sequence[tuple[object, ...]]

MOST = 256  # tickets in one transaction, so that nobody waits long for a crowd, and rows in one statement
PATIENCE = 8.0  # seconds until a waiting thread gives up; senders of webhooks do after ten


class WriteFailed(Exception):
    """The rows are not, or not surely, on disk."""


class Cursor(Protocol):
    """What is used of a DB-API cursor."""

    @property
    def rowcount(self) -> int:
        """Rows that the last statement changed."""

    def execute(self, sql: str, parameters: Sequence[object] = ..., /) -> object:
        """Run one statement."""


class Connection(Protocol):
    """What is used of a DB-API connection that begins no transaction of its own accord."""

    def cursor(self) -> Cursor:
        """A cursor."""

    def close(self) -> None:
        """Give the connection up, and with it what was not committed."""


class _Ticket:
    """One thread's rows, and the lock that it waits at until they are on disk."""

    __slots__ = ("error", "new", "rows", "settled")

    def __init__(self, rows: Rows) -> None:
        self.rows = rows
        self.new = 0
        self.error: Exception | None = None
        self.settled = threading.Lock()  # a bare lock: an Event costs four times as much to make
        self.settled.acquire()


class GroupCommit:
    """A thread that writes whatever has come in while it was busy, in the order of its coming, in one transaction.

    `connect` makes its connection, `insert` the statement for so many rows, which leaves those alone that are there;
    `committed` is called after each commit. The thread starts with the first row.
    """

    def __init__(
        self, connect: Callable[[], Connection], insert: Callable[[int], str], committed: Callable[[], None]
    ) -> None:
        self._connect = connect
        self._insert = insert
        self._committed = committed
        self._connection: Connection | None = None
        self._queue: queue.SimpleQueue[_Ticket | None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None
        self._closed = False
        self._lock = threading.Lock()

    def put(self, rows: Rows) -> int:
        """Write the rows; they are on disk when this returns. How many were new. Raises WriteFailed."""
        if self._thread is None or self._closed:
            self._start()
        ticket = _Ticket(rows)
        self._queue.put(ticket)
        if not ticket.settled.acquire(timeout=PATIENCE):
            raise WriteFailed(f"no commit within {PATIENCE:g} s")
        if ticket.error is not None:
            raise WriteFailed(str(ticket.error)) from ticket.error
        return ticket.new

    def close(self) -> None:
        """Write what is waiting, then stop; later rows are refused."""
        with self._lock:
            self._closed = True
            thread, self._thread = self._thread, None
        if thread is not None:
            self._queue.put(None)
            thread.join()

    def _start(self) -> None:
        with self._lock:
            if self._closed:
                raise WriteFailed("the writer was closed")
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="group-commit", daemon=True)
                self._thread.start()

    def _run(self) -> None:
        more = True
        while more:
            batch, more = self._gather()
            if batch:
                self._settle(batch)
        self._disconnect()

    def _gather(self) -> tuple[list[_Ticket], bool]:
        """Whatever has come in, waiting for a first one; and whether more may come."""
        batch: list[_Ticket] = []
        ticket = self._queue.get()
        while ticket is not None:
            batch.append(ticket)
            if len(batch) == MOST or self._queue.empty():
                return batch, True
            ticket = self._queue.get()  # this thread is the only one that takes, so it does not wait here
        return batch, False

    def _settle(self, batch: Sequence[_Ticket]) -> None:
        """Write the tickets' rows and let their threads go on, whatever happens."""
        try:
            self._write(batch)
        except Exception as error:
            self._disconnect()
            if len(batch) > 1 and not isinstance(error, sqlite3.OperationalError):
                for ticket in batch:  # one of them is not fit for the database: it alone shall hear of it
                    self._settle([ticket])
                return
            for ticket in batch:
                ticket.error = error
        for ticket in batch:
            ticket.settled.release()

    def _write(self, batch: Sequence[_Ticket]) -> None:
        if self._connection is None:
            self._connection = self._connect()
        cursor = self._connection.cursor()
        if not self._write_at_once(cursor, batch):
            self._write_each(cursor, batch)
        cursor.execute("COMMIT")
        self._committed()

    def _write_at_once(self, cursor: Cursor, batch: Sequence[_Ticket]) -> bool:
        """Insert all rows; False, and nothing is done, if some of them were there.

        One statement for all of them, because the interpreter's lock changes hands twice at each, which under load
        takes longer than the insertion. But it does not say whose rows were new.
        """
        rows = [row for ticket in batch for row in ticket.rows]
        cursor.execute("BEGIN IMMEDIATE")
        for start in range(0, len(rows), MOST):
            some = rows[start : start + MOST]
            cursor.execute(self._insert(len(some)), [value for row in some for value in row])
            if cursor.rowcount < len(some):
                cursor.execute("ROLLBACK")
                return False
        for ticket in batch:
            ticket.new = len(ticket.rows)
        return True

    def _write_each(self, cursor: Cursor, batch: Sequence[_Ticket]) -> None:
        """Insert row by row, and count."""
        insert = self._insert(1)
        cursor.execute("BEGIN IMMEDIATE")
        for ticket in batch:
            ticket.new = 0
            for row in ticket.rows:
                cursor.execute(insert, row)
                ticket.new += cursor.rowcount

    def _disconnect(self) -> None:
        """A connection after an error is not worth asking about what it still holds."""
        connection, self._connection = self._connection, None
        if connection is None:
            return
        with contextlib.suppress(sqlite3.Error):
            # Closing alone keeps the lock while a statement is alive, and the error's traceback keeps it alive.
            connection.cursor().execute("ROLLBACK")
        with contextlib.suppress(sqlite3.Error):
            connection.close()
