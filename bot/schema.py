"""What the bot's own tables have in common: where they are described, and the clock that all workers share."""

from sqlalchemy import ColumnElement, Engine, MetaData, func

metadata = MetaData()


def clock(engine: Engine) -> ColumnElement[float]:
    """The database's own time, in seconds since 1970."""
    if engine.dialect.name == "postgresql":
        return func.date_part("epoch", func.clock_timestamp())
    return (func.julianday("now") - 2440587.5) * 86400.0  # SQLite before 3.42 has no finer word
