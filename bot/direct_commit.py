"""Each thread's rows in a transaction of their own: PostgreSQL gathers the commits of several connections by itself."""

import threading
from collections.abc import Callable, Sequence
from typing import Any

import psycopg

from bot.group_commit import Rows, WriteFailed

Connection = psycopg.Connection[Any]

PATIENCE_MS = 8000  # until the server gives a statement up; senders of webhooks wait ten seconds


class DirectCommit:
    """Writes rows over as many connections as there are threads writing at once.

    `connect` makes a connection; `insert` is the statement for one row, which leaves one alone that is there.
    Going through SQLAlchemy's pool and cursors instead costs each row more than PostgreSQL itself does.
    """

    def __init__(self, connect: Callable[[], Connection], insert: str, committed: Callable[[], None]) -> None:
        self._connect = connect
        self._insert = insert
        self._committed = committed
        self._idle: list[Connection] = []
        self._closed = False
        self._lock = threading.Lock()

    def put(self, rows: Rows) -> int:
        """Write the rows; they are on disk when this returns. How many were new. Raises WriteFailed."""
        try:
            new = self._write_or_reconnect(rows)
        except (psycopg.Error, OSError) as error:
            raise WriteFailed(str(error)) from error
        self._committed()
        return new

    def close(self) -> None:
        """Let go of the connections; later rows are refused."""
        with self._lock:
            self._closed = True
            idle, self._idle = self._idle, []
        for connection in idle:
            connection.close()

    def _write_or_reconnect(self, rows: Rows) -> int:
        try:
            return self._write(rows)
        except psycopg.OperationalError:
            # The server was restarted since: no idle connection is any good now. Writing twice is harmless.
            with self._lock:
                idle, self._idle = self._idle, []
            for connection in idle:
                connection.close()
            return self._write(rows)

    def _write(self, rows: Rows) -> int:
        connection = self._take()
        try:
            new = _insert_all(connection, self._insert, rows)
        except BaseException:
            connection.close()
            raise
        self._give_back(connection)
        return new

    def _take(self) -> Connection:
        with self._lock:
            if self._closed:
                raise WriteFailed("the writer was closed")
            if self._idle:
                return self._idle.pop()  # the one used last, so that those which are too many stay idle
        connection = self._connect()
        connection.autocommit = True
        connection.execute(f"SET statement_timeout = {PATIENCE_MS}".encode())
        return connection

    def _give_back(self, connection: Connection) -> None:
        with self._lock:
            if not self._closed:
                self._idle.append(connection)
                return
        connection.close()


def _insert_all(connection: Connection, insert: str, rows: Sequence[tuple[object, ...]]) -> int:
    if len(rows) == 1:
        return connection.execute(insert.encode(), rows[0]).rowcount
    with connection.transaction():
        return sum(connection.execute(insert.encode(), row).rowcount for row in rows)
