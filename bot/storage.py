"""The databases: three files in the state folder, or one PostgreSQL; opened, and brought to the newest schema."""

from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Engine, inspect

from bot.settings import Settings
from lifecycle import connect

HERE = Path(__file__).parent
# In the order in which what happens goes through them, which is the order of a backup.
DATABASES = ("inbox.db", "engine.db", "lifecycle.db")
TABLES = {"lifecycle": "lifecycle_version", "bot": "bot_version", "inbox": "inbox_version"}
SCRIPTS = {
    "lifecycle": HERE.parent / "lifecycle" / "migrations",
    "bot": HERE / "migrations",
    "inbox": HERE / "inbox_migrations",
}


@dataclass(frozen=True, slots=True)
class Storage:
    """Where everything is kept; on PostgreSQL all three are the same database."""

    main: Engine
    inbox: Engine
    engine_url: str

    @property
    def sqlite(self) -> bool:
        """Whether this is the embedded default."""
        return self.main.dialect.name == "sqlite"


def open_storage(settings: Settings) -> Storage:
    """Connect, and migrate what is older than this version. Raises NewerDatabase for what is newer."""
    if settings.database is not None:
        url = settings.database.reveal()
        main = connect(url)
        storage = Storage(main, main, url)
    else:
        settings.state.mkdir(parents=True, exist_ok=True)
        main, inbox = (connect(f"sqlite:///{settings.state / name}.db") for name in ("lifecycle", "inbox"))
        storage = Storage(main, inbox, f"sqlite:///{settings.state / 'engine.db'}")
    _migrate(storage)
    return storage


def newest(name: str) -> str:
    """The newest version of one set of migrations, read off the files' names: starting need not load Alembic."""
    return max(path.stem for path in (SCRIPTS[name] / "versions").glob("[0-9]*.py"))


def _migrate(storage: Storage) -> None:
    import lifecycle

    for name, table in TABLES.items():
        engine = storage.inbox if name == "inbox" else storage.main
        if _version(engine, table) != newest(name):
            lifecycle.migrate(engine, SCRIPTS[name], table)


def _version(engine: Engine, table: str) -> str | None:
    with engine.connect().execution_options(read_only=True) as connection:
        if not inspect(connection).has_table(table):
            return None
        found: str | None = connection.exec_driver_sql(f"SELECT version_num FROM {table}").scalar()  # noqa: S608
        return found
