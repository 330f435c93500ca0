"""Up to when we know what happened, for each place: kept in the database, so that it survives restarts."""

from datetime import datetime

from sqlalchemy import Column, Engine, String, Table, select
from sqlalchemy.dialects import postgresql, sqlite

from bot.schema import metadata
from lifecycle import Utc

cursors = Table(
    "cursors",
    metadata,
    Column("name", String(300), primary_key=True),
    Column("until", Utc, nullable=False),
)


class Cursors:
    """One moment for each name, such as `github:octo/bikes`."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    def get(self, name: str) -> datetime | None:
        """The moment, None where none was ever set."""
        query = select(cursors.c.until).where(cursors.c.name == name)
        with self.engine.connect().execution_options(read_only=True) as connection:
            found: datetime | None = connection.execute(query).scalar()
            return found

    def move(self, name: str, until: datetime) -> None:
        """Set the moment, unless it is past it already: two machines may sweep at the same time."""
        insert = (postgresql if self.engine.dialect.name == "postgresql" else sqlite).insert(cursors)
        statement = insert.values(name=name, until=until)
        newer = cursors.c.until < statement.excluded.until
        with self.engine.begin() as connection:
            connection.execute(
                statement.on_conflict_do_update(index_elements=["name"], set_={"until": until}, where=newer)
            )
