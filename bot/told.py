"""What has been told, where: so that nothing is said twice, and what could not be said is said later."""

import hashlib
from collections.abc import Callable, Sequence
from datetime import datetime

from sqlalchemy import Column, Engine, Index, Integer, String, Table, delete, select, tuple_
from sqlalchemy.dialects import postgresql, sqlite

from bot.schema import metadata
from lifecycle import Utc

told = Table(
    "told",
    metadata,
    Column("subject", String(120), primary_key=True),
    Column("target", String(400), primary_key=True),
    Column("digest", String(64), nullable=False),
    Column("revision", Integer, nullable=False),
    Column("url", String(1000), nullable=False, default=""),
    Column("at", Utc, nullable=False),
    Index("told_at", "at"),
)


class Told:
    """Remembers, for each subject (`run:12`) and target (`comment`, `check`, `card`), the text that was last told."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    def is_new(self, subject: str, target: str, text: str) -> bool:
        """Whether this text has yet to be told there."""
        return self._digest(subject, target) != _digest(text)

    def note(self, subject: str, target: str, text: str, revision: int, now: datetime, url: str = "") -> None:
        """Remember that it was told."""
        insert = (postgresql if self.engine.dialect.name == "postgresql" else sqlite).insert(told)
        values = {"digest": _digest(text), "revision": revision, "url": url, "at": now}
        statement = insert.values(subject=subject, target=target, **values)
        with self.engine.begin() as connection:
            connection.execute(statement.on_conflict_do_update(index_elements=["subject", "target"], set_=values))

    def tell(self, subject: str, target: str, text: str, revision: int, now: datetime, say: Callable[[], str]) -> bool:
        """Say it, unless it was said last, and remember so; `say` gives its URL.

        False when somebody else told another text there meanwhile, so that nobody knows which of the two stands there
        now: then the newest must be told once more.
        """
        before = self._digest(subject, target)
        if before == _digest(text):
            return True
        url = say()
        if self._digest(subject, target) == before:  # nobody else may have the lock but who outlived a lease
            self.note(subject, target, text, revision, now, url)
            return True
        self.forget(subject, target)
        return False

    def _digest(self, subject: str, target: str) -> str | None:
        query = select(told.c.digest).where(told.c.subject == subject, told.c.target == target)
        with self.engine.connect().execution_options(read_only=True) as connection:
            return connection.execute(query).scalar()

    def forget(self, subject: str, target: str) -> None:
        """What was told there is to be told again, whatever it was."""
        with self.engine.begin() as connection:
            connection.execute(delete(told).where(told.c.subject == subject, told.c.target == target))

    def urls(self, subject: str) -> Sequence[str]:
        """Where the subject was told."""
        query = select(told.c.url).where(told.c.subject == subject, told.c.url != "")
        with self.engine.connect().execution_options(read_only=True) as connection:
            return list(connection.execute(query).scalars())

    def prune(self, before: datetime, batch: int = 500) -> int:
        """Forget what was told before then, in batches; how many. Telling it again finds it where it was told."""
        forgotten, count = 0, batch
        while count == batch:
            key = (told.c.subject, told.c.target)
            old = select(*key).where(told.c.at < before).order_by(told.c.at).limit(batch)
            with self.engine.begin() as connection:
                count = connection.execute(delete(told).where(tuple_(*key).in_(old))).rowcount
            forgotten += count
        return forgotten


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
