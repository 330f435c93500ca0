"""A fair share of what may be written to GitHub: so many commands of one person an hour, whoever else asks.

Every command is answered, and all of them together may write so much; without shares one person could use it up.
"""

from dataclasses import dataclass

from sqlalchemy import Boolean, Column, Engine, Float, Index, String, Table, delete, insert, select
from sqlalchemy.exc import IntegrityError

from bot.schema import clock, metadata

HOUR, DAY = 3600.0, 86400.0

asked = Table(
    "asked",
    metadata,
    Column("event", String(400), primary_key=True),
    Column("who", String(300), nullable=False),
    Column("at", Float, nullable=False),
    Column("granted", Boolean, nullable=False),
    Column("free", Float, nullable=False),  # when there is room again; 0 where there was, or where it was said before
    Index("asked_who_at", "who", "at"),
)


@dataclass(frozen=True, slots=True)
class Share:
    """Whether to carry it out; if not, when there is room again (seconds since 1970), or 0: be silent."""

    granted: bool
    free: float = 0.0


class Shares:
    """What people have asked for lately, by the database's clock."""

    def __init__(self, engine: Engine, most: int) -> None:
        self.engine, self.most = engine, most

    def take(self, who: str, event: str) -> Share:
        """Count the event; the same event again is answered as it was."""
        with self.engine.begin() as connection:
            now: float = connection.execute(select(clock(self.engine))).scalar_one()
            connection.execute(delete(asked).where(asked.c.who == who, asked.c.at < now - DAY))
            before = connection.execute(select(asked.c.granted, asked.c.free).where(asked.c.event == event)).first()
            if before is not None:
                return Share(before.granted, before.free)
            lately = select(asked.c.at, asked.c.granted).where(asked.c.who == who, asked.c.at > now - HOUR)
            rows = connection.execute(lately.order_by(asked.c.at)).all()
            granted = [row.at for row in rows if row.granted]
            share = Share(len(granted) < self.most)
            if not share.granted and len(granted) == len(rows):  # it is said once
                share = Share(False, granted[-self.most] + HOUR)
            values = {"event": event, "who": who, "at": now, "granted": share.granted, "free": share.free}
            try:
                with connection.begin_nested():
                    connection.execute(insert(asked).values(**values))
            except IntegrityError:  # another machine was quicker
                return share
        return share
