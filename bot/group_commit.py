"""Many threads' rows on disk with one commit, because each commit waits for the disk, and SQLite's for each other."""

import contextlib
import queue
import threading
from collections.abc import Callable, Sequence
from typing import Any

from bot.insertion import Insertion, Row

MOST = 256  # tickets in one batch, so that nobody waits long for a crowd
PATIENCE = 8.0  # seconds until a waiting thread gives up; senders of webhooks do after ten


class WriteFailed(Exception):
    """The rows are not, or not surely, on disk."""


class _Ticket:
    """Rows that belong together, and what to call when they are on disk, or are not."""

    __slots__ = ("error", "new", "rows", "settled")

    def __init__(self, rows: Sequence[Row], settled: Callable[[], None]) -> None:
        self.rows = rows
        self.new = 0
        self.error: Exception | None = None
        self.settled = settled


class GroupCommit:
    """A thread that writes whatever has come in while it was busy, in the order of its coming, in one transaction.

    `connect` makes its connection, `insertion` writes to it, `committed` is called after each commit. The thread
    starts with the first row.
    """

    def __init__(self, connect: Callable[[], Any], insertion: Insertion, committed: Callable[[], None]) -> None:
        self._connect = connect
        self._insertion = insertion
        self._committed = committed
        self._connection: Any = None
        self._queue: queue.SimpleQueue[_Ticket | None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None
        self._closed = False
        self._lock = threading.Lock()

    def put(self, rows: Sequence[Row]) -> int:
        """Write the rows; they are on disk when this returns. How many were new. Raises WriteFailed."""
        if self._thread is None or self._closed:
            self._start()
        waiting = threading.Lock()  # a bare lock: an Event costs four times as much to make
        waiting.acquire()
        ticket = _Ticket(rows, waiting.release)
        self._queue.put(ticket)
        if not waiting.acquire(timeout=PATIENCE):
            raise WriteFailed(f"no commit within {PATIENCE:g} s")
        if ticket.error is not None:
            raise WriteFailed(str(ticket.error)) from ticket.error
        return ticket.new

    def put_soon(self, many: Sequence[Sequence[Row]], done: Callable[[Sequence[Exception | None]], None]) -> None:
        """Write each of these groups of rows; then `done`, in the writing thread, with what went wrong with each.

        Raises WriteFailed when nothing will be written.
        """
        if self._thread is None or self._closed:
            self._start()
        tickets = [_Ticket(rows, _nothing) for rows in many]
        # They are settled in their order, so that the last one speaks for all.
        tickets[-1].settled = lambda: done([ticket.error for ticket in tickets])
        for ticket in tickets:
            self._queue.put(ticket)

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
            if len(batch) > 1 and not isinstance(error, self._insertion.broken):
                for ticket in batch:  # one of them is not fit for the database: it alone shall hear of it
                    self._settle([ticket])
                return
            for ticket in batch:
                ticket.error = error
        for ticket in batch:
            ticket.settled()

    def _write(self, batch: Sequence[_Ticket]) -> None:
        rows = [row for ticket in batch for row in ticket.rows]
        reused = self._connection is not None
        try:
            new = iter(self._insert(rows))
        except self._insertion.broken:
            if not (reused and self._insertion.again):
                raise
            new = iter(self._insert(rows))
        for ticket in batch:
            ticket.new = sum(next(new) for _ in ticket.rows)
        self._committed()

    def _insert(self, rows: Sequence[Row]) -> Sequence[bool]:
        try:
            if self._connection is None:
                self._connection = self._connect()
                self._insertion.prepare(self._connection)
            return self._insertion.write(self._connection, rows)
        except Exception:
            self._disconnect()
            raise

    def _disconnect(self) -> None:
        """A connection after an error is not worth asking about what it still holds."""
        connection, self._connection = self._connection, None
        if connection is None:
            return
        with contextlib.suppress(Exception):
            # Closing SQLite's alone keeps its lock while a statement lives, and the error's traceback keeps that alive.
            connection.execute("ROLLBACK")
        with contextlib.suppress(Exception):
            connection.close()


def _nothing() -> None:
    """Nobody waits for this ticket alone."""
