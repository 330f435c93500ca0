"""The lifecycle's tables."""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    DateTime,
    Dialect,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
    text,
    true,
)

metadata = MetaData()


class Utc(TypeDecorator[datetime]):
    """An aware UTC datetime, kept without zone because SQLite has none."""

    impl = DateTime
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        return value.astimezone(UTC).replace(tzinfo=None) if value else None

    def process_result_value(self, value: Any | None, dialect: Dialect) -> datetime | None:
        return value.replace(tzinfo=UTC) if value else None


runs = Table(
    "runs",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("key", String(400), nullable=False, unique=True),
    Column("kind", String(16), nullable=False),
    Column("lane", String(16), nullable=False),
    Column("project", String(200), nullable=False),
    Column("model", String(63), nullable=False),
    Column("commit", String(64), nullable=False),
    Column("ref", String(300), nullable=False),
    Column("asked_by", String(200), nullable=False),
    Column("params", JSON, nullable=False),
    Column("options", JSON, nullable=False),
    Column("wanted", Integer),
    Column("trusted", Boolean, nullable=False),
    Column("state", String(16), nullable=False),
    Column("ended_yet", Boolean, nullable=False),
    Column("verdict", String(16), nullable=False, default=""),
    Column("reason", Text, nullable=False, default=""),
    Column("cancelled_by", String(200), nullable=False, default=""),
    Column("version", Integer),
    Column("revision", Integer, nullable=False, default=0),
    Column("told", Integer, nullable=False, default=-1, server_default="-1"),  # the revision that was told of last
    Column("host", String(64), nullable=False, default="", server_default=""),
    Column("tenure", Integer, nullable=False, default=0, server_default="0"),
    Column("created", Utc, nullable=False),
    Column("started", Utc),
    Column("ended", Utc),
)
# The line and the sweep look at open runs only, the pages at the newest: neither may scan years of history.
OPEN: dict[str, Any] = {"sqlite_where": ~runs.c.ended_yet, "postgresql_where": ~runs.c.ended_yet}
Index("runs_open", runs.c.project, runs.c.model, runs.c.lane, runs.c.id, **OPEN)
Index("runs_open_id", runs.c.id, **OPEN)
Index("runs_model", runs.c.project, runs.c.model, runs.c.id)
Index("runs_model_state", runs.c.project, runs.c.model, runs.c.state, runs.c.id)
Index("runs_state", runs.c.state, runs.c.id)
Index("runs_ref", runs.c.ref, runs.c.id)
# Written out, not bound: an index over part of a table serves only a query that names the same literals.
UNTOLD = text("told < revision AND ref <> ''")
Index("runs_untold", runs.c.id, sqlite_where=UNTOLD, postgresql_where=UNTOLD)

stages = Table(
    "stages",
    metadata,
    Column("run", Integer, ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True),
    Column("position", Integer, primary_key=True),
    Column("stage", String(16), nullable=False),
    Column("state", String(16), nullable=False),
    Column("attempt", Integer, nullable=False, default=0),
    Column("started", Utc),
    Column("ended", Utc),
    Column("note", Text, nullable=False, default=""),
    Column("jobs", JSON, nullable=False, default=dict),
    Column("result", JSON, nullable=False, default=dict),
)

versions = Table(
    "versions",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("project", String(200), nullable=False),
    Column("model", String(63), nullable=False),
    Column("number", Integer, nullable=False),
    Column("digest", String(64), nullable=False),
    Column("run", Integer, ForeignKey("runs.id"), nullable=False, unique=True),
    Column("commit", String(64), nullable=False),
    Column("created", Utc, nullable=False),
    Column("verdict", String(16), nullable=False),
    Column("metrics", JSON, nullable=False),
    UniqueConstraint("project", "model", "number"),
)
FIRST = text("number = 1")  # numbers begin at 1 and no version is deleted: every model once, however many versions
Index("versions_first", versions.c.number, versions.c.project, versions.c.model,
      sqlite_where=FIRST, postgresql_where=FIRST)  # fmt: skip

champions = Table(
    "champions",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("project", String(200), nullable=False),
    Column("model", String(63), nullable=False),
    Column("number", Integer, nullable=False),
    Column("deployment", String(200), nullable=False),
    Column("share", Integer, nullable=False),
    Column("by", String(200), nullable=False),
    Column("run", Integer, ForeignKey("runs.id"), nullable=False, unique=True),
    Column("at", Utc, nullable=False),
)
Index("champions_model", champions.c.project, champions.c.model, champions.c.id)
WHOLE = text("share = 100")
Index("champions_whole", champions.c.project, champions.c.model, champions.c.id,
      sqlite_where=WHOLE, postgresql_where=WHOLE)  # fmt: skip

windows = Table(
    "windows",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("project", String(200), nullable=False),
    Column("model", String(63), nullable=False),
    Column("number", Integer, nullable=False),
    Column("run", Integer, ForeignKey("runs.id"), nullable=False, unique=True),
    Column("since", Utc, nullable=False),
    Column("until", Utc, nullable=False),
    Column("rows", Integer, nullable=False),
    Column("verdict", String(16), nullable=False),
    Column("worst", Float, nullable=False),
    Column("report", JSON, nullable=False),
    Column("at", Utc, nullable=False),
    Column("call", String(16), nullable=False, default="", server_default=""),
    Column("said", Text, nullable=False, default="", server_default=""),
    Column("performance", JSON, nullable=False, default=dict, server_default="{}"),
)
Index("windows_model", windows.c.project, windows.c.model, windows.c.id)

episodes = Table(
    "episodes",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("project", String(200), nullable=False),
    Column("model", String(63), nullable=False),
    Column("cause", String(63), nullable=False),
    Column("opened", Utc, nullable=False),
    Column("opened_by", Integer, ForeignKey("runs.id"), nullable=False),
    Column("champion", Integer, nullable=False),
    Column("retrained", Integer),
    Column("clean", Integer, nullable=False, default=0),
    Column("closed", Utc),
    Column("outcome", String(16), nullable=False, default="", server_default=""),
    Column("by", String(200), nullable=False, default="", server_default=""),
    Column("note", Text, nullable=False, default="", server_default=""),
    Column("size", JSON, nullable=False, default=dict, server_default="{}"),
    Column("snoozed", Utc),
    Column("autoclose", Boolean, nullable=False, default=True, server_default=true()),
    Column("reopened", Integer, nullable=False, default=0, server_default="0"),
    Column("counted", Integer, nullable=False, default=0, server_default="0"),
)
Index("episodes_closed", episodes.c.closed)
# Exactly one open episode of drift per model and cause, whoever asks and however often.
Index("episodes_open", episodes.c.project, episodes.c.model, episodes.c.cause, unique=True,
      sqlite_where=episodes.c.closed.is_(None), postgresql_where=episodes.c.closed.is_(None))  # fmt: skip

fingerprints = Table(
    "fingerprints",
    metadata,
    Column("run", Integer, ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True),
    Column("seed", Integer, primary_key=True),
    Column("project", String(200), nullable=False),
    Column("model", String(63), nullable=False),
    Column("inputs", String(64), nullable=False),
    Column("files", String(64), nullable=False),
    Column("answers", String(64), nullable=False),
    Column("metric", String(32), nullable=False),
    Column("value", Float, nullable=False),
)
Index("fingerprints_inputs", fingerprints.c.project, fingerprints.c.model, fingerprints.c.inputs)
Index("fingerprints_model", fingerprints.c.project, fingerprints.c.model, fingerprints.c.run)
