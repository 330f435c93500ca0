"""How much a database does, counted and not timed: steps of SQLite's machine, rows that PostgreSQL reads."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

READS = ("SELECT", "UPDATE", "DELETE", "WITH")  # what is merely inserted reads nothing


@dataclass(frozen=True, slots=True)
class Asked:
    """A statement as the driver got it, and the engine that it was asked of."""

    engine: sa.Engine
    statement: str
    parameters: Any


@dataclass(slots=True)
class Listener:
    """Every statement of every engine while it listens."""

    asked: list[Asked] = field(default_factory=list)

    def note(
        self, connection: Any, _cursor: object, statement: str, parameters: Any, _context: object, many: bool
    ) -> None:
        if not many and statement.lstrip().upper().startswith(READS):
            self.asked.append(Asked(connection.engine, statement, parameters))


@contextmanager
def listening() -> Iterator[Listener]:
    """Hear what is asked of all databases."""
    listener = Listener()
    sa.event.listen(sa.Engine, "before_cursor_execute", listener.note)
    try:
        yield listener
    finally:
        sa.event.remove(sa.Engine, "before_cursor_execute", listener.note)


def cost(act: Callable[[], object]) -> dict[str, int]:
    """What the act costs, by statement, each asked once more and its effect taken back."""
    with listening() as listener:
        act()
    spent: dict[str, int] = {}
    for one in listener.asked:
        measure = _steps if one.engine.dialect.name == "sqlite" else _rows
        spent[one.statement] = spent.get(one.statement, 0) + measure(one)
    return spent


def _steps(asked: Asked) -> int:
    """Instructions of SQLite's virtual machine, in tens."""
    count = 0

    def step() -> int:
        nonlocal count
        count += 1
        return 0

    raw = asked.engine.raw_connection()
    try:
        driver: Any = raw.driver_connection
        driver.execute("BEGIN IMMEDIATE")
        driver.set_progress_handler(step, 10)
        driver.execute(asked.statement, asked.parameters).fetchall()
        driver.set_progress_handler(None, 10)
        driver.execute("ROLLBACK")
    finally:
        raw.close()
    return count


def _rows(asked: Asked) -> int:
    """Rows that any part of PostgreSQL's plan gave on or threw away."""
    with asked.engine.connect() as connection:
        explained = connection.exec_driver_sql(f"EXPLAIN (ANALYZE, FORMAT JSON) {asked.statement}", asked.parameters)
        plan = explained.scalar_one()
        connection.rollback()
    return _visited((json.loads(plan) if isinstance(plan, str) else plan)[0]["Plan"])


def _visited(node: dict[str, Any]) -> int:
    removed = sum(value for name, value in node.items() if name.startswith("Rows Removed"))
    mine = int((node["Actual Rows"] + removed) * node["Actual Loops"])
    return mine + sum(_visited(child) for child in node.get("Plans", []))
