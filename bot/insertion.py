"""Inserts many events with one statement, and finds out which of them were new, as each database does it best."""

import contextlib
import functools
import sqlite3
from collections.abc import Sequence
from typing import Any, Protocol

Row = tuple[str, str, bytes]  # id, kind, body
MOST = 256  # rows in one statement; SQLite takes 999 values or more
PATIENCE = 5  # seconds to wait for a lock, or for PostgreSQL's answer


class Insertion(Protocol):
    """One database's way. The connection is the driver's, and begins no transaction of its own accord."""

    broken: type[Exception]
    """What the driver raises when the database, and not a row, is at fault."""

    again: bool
    """Whether to write once more over a new connection then, because only the connection may be broken."""

    def prepare(self, connection: Any) -> None:
        """Set a new connection up."""

    def write(self, connection: Any, rows: Sequence[Row]) -> list[bool]:
        """Insert the rows that are not there yet, durably; for each whether it was new."""


class IntoSqlite:
    """One transaction for all rows."""

    broken: type[Exception] = sqlite3.OperationalError
    again = False

    def prepare(self, connection: Any) -> None:
        """FULL: what is committed survives a power cut; fullfsync is what that takes on macOS."""
        for pragma in (f"busy_timeout = {PATIENCE * 1000:.0f}", "synchronous = FULL", "fullfsync = ON"):
            connection.execute(f"PRAGMA {pragma}")

    def write(self, connection: Any, rows: Sequence[Row]) -> list[bool]:
        """As few statements as can be: at each, the interpreter's lock changes hands twice.

        Under load that takes longer than the insertion itself. But one statement for many rows does not say which of
        them were new, unless all were; else it is undone, and they are inserted one by one.
        """
        cursor = connection.cursor()
        cursor.execute("BEGIN IMMEDIATE")
        for start in range(0, len(rows), MOST):
            some = rows[start : start + MOST]
            cursor.execute(_statement(len(some), "?"), [value for row in some for value in row])
            if cursor.rowcount < len(some):
                cursor.execute("ROLLBACK")
                return self._write_each(cursor, rows)
        cursor.execute("COMMIT")
        return [True] * len(rows)

    def _write_each(self, cursor: Any, rows: Sequence[Row]) -> list[bool]:
        new = []
        cursor.execute("BEGIN IMMEDIATE")
        for row in rows:
            cursor.execute(_statement(1, "?"), row)
            new.append(cursor.rowcount == 1)
        cursor.execute("COMMIT")
        return new


class IntoPostgresql:
    """One round trip for up to MOST rows."""

    again = True

    def __init__(self) -> None:
        import psycopg  # takes memory that SQLite's users need not give

        self.broken: type[Exception] = psycopg.OperationalError

    def prepare(self, connection: Any) -> None:
        """Without a transaction, since each statement is one."""
        connection.autocommit = True
        connection.execute(f"SET statement_timeout = '{PATIENCE}s'")

    def write(self, connection: Any, rows: Sequence[Row]) -> list[bool]:
        """Beyond MOST rows a failure may leave some of them behind, which is harmless."""
        new: set[str] = set()
        for start in range(0, len(rows), MOST):
            some = rows[start : start + MOST]
            statement = f"{_statement(len(some), '%s')} RETURNING id"
            new.update(id_ for (id_,) in connection.execute(statement, [value for row in some for value in row]))
        return [_take(new, id_) for id_, _, _ in rows]


def _take(ids: set[str], id_: str) -> bool:
    """Whether it is among them, the first time."""
    with contextlib.suppress(KeyError):
        ids.remove(id_)
        return True
    return False


@functools.cache
def _statement(rows: int, mark: str) -> str:
    values = ", ".join([f"({mark}, {mark}, {mark})"] * rows)
    return f"INSERT INTO inbox (id, kind, body) VALUES {values} ON CONFLICT (id) DO NOTHING"  # noqa: S608 - all ours
