"""Connections to SQLite and PostgreSQL as this product needs them, and migrations run once, by whoever comes first."""

from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, inspect, make_url, text


class NewerDatabase(Exception):
    """The database was written by a newer lifecycle-bot; the message says what to do."""


def connect(url: str) -> Engine:
    """An engine for `url`; on SQLite in WAL mode, with durable commits and transactions that lock when they begin."""
    if make_url(url).get_backend_name() != "sqlite":
        return create_engine(url, pool_pre_ping=True, pool_size=10, max_overflow=20)
    engine = create_engine(url, connect_args={"timeout": 30}, pool_size=10, max_overflow=20)
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _prepare_sqlite(raw: Any, _record: object) -> None:
    raw.isolation_level = None  # SQLAlchemy's BEGIN below is the only one; Python's own would start too late
    cursor = raw.cursor()
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "busy_timeout=30000"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    # A transaction that reads first and writes later would fail at once when another wrote in between.
    read_only = connection.get_execution_options().get("read_only", False)
    connection.exec_driver_sql("BEGIN" if read_only else "BEGIN IMMEDIATE")


def migrate(engine: Engine, scripts: Path, table: str) -> None:
    """Bring the schema to the newest version in `scripts`; `table` keeps which one that is. Raises NewerDatabase."""
    from alembic import command  # only for a database that is not up to date
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    config = Config()
    config.set_main_option("script_location", str(scripts).replace("%", "%%"))
    known = ScriptDirectory.from_config(config)
    with engine.begin() as connection:
        if engine.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(7202391)"))
        current = _current(connection, table)
        if current is not None and current not in {script.revision for script in known.walk_revisions()}:
            raise NewerDatabase(
                f"The database is at version {current}, which this lifecycle-bot does not know: it was written by a "
                "newer one. Install that version again, or restore a backup made before the upgrade."
            )
        config.attributes.update(connection=connection, version_table=table)
        command.upgrade(config, "head")


def _current(connection: Connection, table: str) -> str | None:
    if not inspect(connection).has_table(table):
        return None
    return connection.exec_driver_sql(f"SELECT version_num FROM {table}").scalar()  # noqa: S608
