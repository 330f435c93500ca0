"""The graph of refs, runs, versions and deployments: edges that are stored once and read from either end."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Column, Connection, Engine, Index, Integer, String, Table, UniqueConstraint, insert, or_, select
from sqlalchemy.exc import IntegrityError

from bot.schema import metadata
from lifecycle import Utc

edges = Table(
    "links",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("a", String(300), nullable=False),
    Column("b", String(300), nullable=False),
    Column("how", String(40), nullable=False),
    Column("at", Utc, nullable=False),
    UniqueConstraint("a", "b", "how"),
)
Index("links_b", edges.c.b)


@dataclass(frozen=True, slots=True)
class Link:
    """`a` <how> `b`: `github:octo/bikes#12 planned boards:Fabrikam/345`, `run:41 made version:octo/bikes/m/3`."""

    a: str
    b: str
    how: str

    def other(self, end: str) -> str:
        """The end that is not `end`."""
        return self.b if self.a == end else self.a


class Links:
    """Reads and writes the graph."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    def add(self, a: str, b: str, how: str, now: datetime) -> bool:
        """Link two things; false when they were linked so before."""
        try:
            with self.engine.begin() as connection:
                connection.execute(insert(edges).values(a=a, b=b, how=how, at=now))
        except IntegrityError:
            return False
        return True

    def of(self, end: str) -> Sequence[Link]:
        """The edges at one thing, oldest first."""
        return self._edges({end})

    def around(self, start: str, steps: int = 2, most: int = 100) -> Sequence[Link]:
        """The edges within `steps` of a thing, nearest first, at most `most` of them."""
        found: dict[Link, None] = {}
        frontier, seen = {start}, {start}
        for _ in range(steps):
            nearby = self._edges(frontier)
            found.update(dict.fromkeys(nearby))
            frontier = {end for link in nearby for end in (link.a, link.b)} - seen
            seen |= frontier
            if not frontier or len(found) >= most:
                break
        return list(found)[:most]

    def _edges(self, ends: set[str]) -> Sequence[Link]:
        query = select(edges).where(or_(edges.c.a.in_(ends), edges.c.b.in_(ends))).order_by(edges.c.id).limit(500)
        with self._reading() as connection:
            return [Link(row.a, row.b, row.how) for row in connection.execute(query)]

    def _reading(self) -> Connection:
        return self.engine.connect().execution_options(read_only=True)
