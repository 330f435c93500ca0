"""The migrations make the tables that the code expects, on both databases."""

from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Engine, MetaData

import bot.acceptances
import bot.alive
import bot.cursors
import bot.keys
import bot.later
import bot.links
import bot.locks
import bot.pacing
import bot.shares
import bot.told  # noqa: F401 (they put their tables on the metadata)
from bot import inbox as inbox_module
from bot import schema as bot_schema
from lifecycle import NewerDatabase, connect, migrate
from lifecycle import schema as lifecycle_schema

ROOT = Path(__file__).parent.parent
SETS = {
    "lifecycle": (ROOT / "lifecycle" / "migrations", lifecycle_schema.metadata),
    "bot": (ROOT / "bot" / "migrations", bot_schema.metadata),
    "inbox": (ROOT / "bot" / "inbox_migrations", inbox_module.metadata),
}


def differences(engine: Engine, metadata: MetaData) -> list[object]:
    def ours(_object: object, name: str | None, kind: str, *_: object) -> bool:
        return kind != "table" or name in metadata.tables

    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"include_object": ours})
        return list(compare_metadata(context, metadata))


@pytest.mark.parametrize("name", SETS)
def test_migrations_make_what_the_code_expects(name: str, tmp_path: Path) -> None:
    scripts, metadata = SETS[name]
    engine = connect(f"sqlite:///{tmp_path / 'it.db'}")
    migrate(engine, scripts, f"{name}_version")
    migrate(engine, scripts, f"{name}_version")
    assert not differences(engine, metadata)
    with engine.begin() as connection:
        found = {row.name: row.sql for row in connection.exec_driver_sql("SELECT name, sql FROM sqlite_master")}
    metadata.create_all(other := connect(f"sqlite:///{tmp_path / 'other.db'}"))
    with other.begin() as connection:
        wanted = {
            row.name for row in connection.exec_driver_sql("SELECT name FROM sqlite_master WHERE sql IS NOT NULL")
        }
    assert wanted <= set(found)
    engine.dispose()
    other.dispose()


def test_a_database_of_a_newer_version_is_refused_with_what_to_do(tmp_path: Path) -> None:
    scripts, _ = SETS["bot"]
    engine = connect(f"sqlite:///{tmp_path / 'it.db'}")
    migrate(engine, scripts, "bot_version")
    with engine.begin() as connection:
        connection.exec_driver_sql("UPDATE bot_version SET version_num = '9999'")
    with pytest.raises(NewerDatabase, match="Install that version again"):
        migrate(engine, scripts, "bot_version")
    engine.dispose()
