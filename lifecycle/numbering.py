"""Numbers that people have seen are given out once: after a restore, runs and episodes count on well beyond them.

Whoever told of run 41 finds what was told by that number; another run 41 would tell its story there. PostgreSQL keeps
the next number in a sequence. SQLite counts on from the largest there is, so the least that may come next is kept in
the file's `user_version`, which is copied with it.
"""

from typing import Any

from sqlalchemy import Column, Connection, Engine, func, select, text

from lifecycle.schema import episodes, runs

GAP = 1000  # and a tenth of all there were: as many as may have been made since a backup
NUMBERED = (runs.c.id, episodes.c.id)


def fresh(connection: Connection, column: Column[int]) -> dict[str, int]:
    """The number for a new row where the database would choose one that may have been seen; mostly nothing."""
    if connection.dialect.name != "sqlite":
        return {}
    least = connection.exec_driver_sql("PRAGMA user_version").scalar() or 0
    return {} if _newest(connection, column) + 1 >= least else {column.name: least}


def skip_numbers(engine: Engine, seen: int = 0) -> int:
    """Leave out the numbers that may have been given out, of which `seen` is known to be; the next one."""
    with engine.begin() as connection:
        newest = max(seen, *(_newest(connection, column) for column in NUMBERED))
        least = _after(newest)
        if connection.dialect.name == "sqlite":
            connection.exec_driver_sql(f"PRAGMA user_version = {least:d}")
            return least
        for column in NUMBERED:
            sequence = f"pg_get_serial_sequence('{column.table.name}', 'id')"
            connection.execute(text(f"SELECT setval({sequence}, :least, false)"), {"least": least})
    return least


def _after(newest: int) -> int:
    """The next number to give out: the first of a thousand, so that people see that something happened there."""
    return (newest + max(GAP, newest // 10)) // 1000 * 1000 + 1001


def _newest(connection: Connection, column: Column[Any]) -> int:
    return connection.execute(select(func.max(column))).scalar() or 0
