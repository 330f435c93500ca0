"""Which workers and which machines are alive: a heartbeat of each in the database, by the database's own clock."""

import os
import socket
import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Column, Engine, Float, String, Table, delete, func, select
from sqlalchemy.dialects import postgresql, sqlite

from bot.presence import Presence
from bot.schema import clock, metadata

# Longer than any stall of a healthy process. One that outlives its lease finds its runs moved on: whoever writes about
# a run says which tenure of it was read.
LEASE = 15.0
# A machine's jobs outlive its worker, which may be back in a moment; so it is given longer before they count as lost.
HOST_LEASES = 2
DAY = 86400.0

executors = Table(
    "executors",
    metadata,
    Column("id", String(120), primary_key=True),
    Column("seen", Float, nullable=False),
    Column("host", String(64), nullable=False, server_default=""),
)
hosts = Table(
    "hosts",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("name", String(120), nullable=False),
    Column("until", Float, nullable=False),
)


@dataclass(frozen=True, slots=True)
class Living:
    """A worker that has shown a sign of life within its lease, so many seconds ago."""

    executor: str
    host: str
    name: str
    ago: float


def host_of(state: Path) -> str:
    """What the machine that keeps this state folder is called: a random name, made once and kept in the folder."""
    file = state / "host"
    if not file.exists():
        state.mkdir(parents=True, exist_ok=True)
        draft = state / f".host.{uuid.uuid4().hex}"
        draft.write_text(f"{uuid.uuid4().hex}\n", encoding="utf-8")
        try:
            os.link(draft, file)  # of several processes the first decides
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    return file.read_text(encoding="utf-8").strip()


class Alive:
    """This worker's heartbeat and its machine's, and everybody's."""

    def __init__(
        self, engine: Engine, alone: bool, host: str = "", lease: float = LEASE, presence: Presence | None = None
    ) -> None:
        """`alone`: no other worker can be alive (SQLite, and we hold its lock), whatever their heartbeats say.

        `presence` tells which workers of our own state folder are dead, before their leases end.
        """
        self.engine = engine
        self.alone = alone
        self.host = host
        self.lease = lease
        self.me = f"{socket.gethostname()[:60]}-{os.getpid()}-{uuid.uuid4().hex[:8]}"
        self._presence = presence
        if presence is not None:
            presence.hold(self.me)
        self._beats: tuple[float, float] | None = None  # since when we beat without a gap, and the last beat
        self._hosts: frozenset[str] = frozenset()  # that were alive at our last beat
        self._absent: dict[str, float] = {}  # the others that were asked for, since when they were not

    def may_judge(self) -> bool:
        """Whether who is silent is dead: not when we were cut off ourselves a moment ago, as they may have been."""
        return self.alone or (self._beats is not None and self._beats[1] - self._beats[0] >= self.lease)

    def gone(self, host: str) -> bool:
        """Whether a machine will not finish what it has begun: it was silent for longer than it may, and stays so.

        One look is not enough: when the database's clock jumps, everybody seems silent until the next beat.
        """
        if self.alone:
            return host != self.host
        if host in self._hosts or host == self.host or not self.may_judge():
            self._absent.pop(host, None)
            return False
        now = time.monotonic()
        return now - self._absent.setdefault(host, now) >= self.lease / 2

    def doubles(self) -> Sequence[str]:
        """Other machines that work under our machine's name, as they do when a state folder is shared or was copied."""
        if self.alone:
            return []
        machine = _machine(self.me)
        others = {_machine(one.executor) for one in living(self.engine, self.lease) if one.host == self.host}
        return sorted(others - {machine})

    def fallen(self) -> set[str]:
        """The workers of our state folder that are known to be dead; from now on nobody takes them for alive."""
        found = self._presence.dead() if self._presence is not None else set()
        if found:
            with self.engine.begin() as connection:
                connection.execute(delete(executors).where(executors.c.id.in_(found)))
        return found

    def bury(self, fallen: set[str]) -> None:
        """Their work was taken over."""
        if self._presence is not None:
            self._presence.bury(fallen)

    def _note_beat(self) -> None:
        now = time.monotonic()
        without_gap = self._beats is not None and now - self._beats[1] < self.lease
        self._beats = (self._beats[0] if self._beats is not None and without_gap else now, now)

    def beat(self) -> set[str]:
        """Say that we are alive; the ids of all who are."""
        dialect = postgresql if self.engine.dialect.name == "postgresql" else sqlite
        now = clock(self.engine)
        worker = dialect.insert(executors).values(id=self.me, seen=now, host=self.host)
        until = now + HOST_LEASES * self.lease
        machine = dialect.insert(hosts).values(id=self.host, name=socket.gethostname()[:120], until=until)
        with self.engine.begin() as connection:
            stale = executors.c.id != self.me if self.alone else executors.c.seen < now - DAY
            connection.execute(delete(executors).where(stale))
            connection.execute(delete(hosts).where(hosts.c.until < now - 30 * DAY))
            connection.execute(worker.on_conflict_do_update(index_elements=["id"], set_={"seen": now}))
            connection.execute(machine.on_conflict_do_update(index_elements=["id"], set_={"until": until}))
            seen = select(executors.c.id).where(executors.c.seen > now - self.lease)
            found = set(connection.execute(seen).scalars())
            self._hosts = frozenset(connection.execute(select(hosts.c.id).where(hosts.c.until > now)).scalars())
        self._note_beat()
        return found

    def leave(self, seconds: float = 0.0) -> None:
        """Say that we go, so that nobody waits for our lease to end; our machine's jobs wait so long for our return."""
        with self.engine.begin() as connection:
            connection.execute(delete(executors).where(executors.c.id == self.me))
            mine = hosts.c.id == self.host
            connection.execute(hosts.update().where(mine).values(until=clock(self.engine) + seconds))


def _machine(executor: str) -> str:
    """What the machine of a worker calls itself."""
    return executor.rsplit("-", 2)[0]


def host_name(engine: Engine, host: str) -> str:
    """What people call a machine; empty for one that is not known."""
    with engine.connect().execution_options(read_only=True) as connection:
        return connection.execute(select(hosts.c.name).where(hosts.c.id == host)).scalar() or ""


def living(engine: Engine, lease: float = LEASE) -> Sequence[Living]:
    """The workers that are alive, by name."""
    now = clock(engine)
    query = (
        select(executors.c.id, executors.c.host, func.coalesce(hosts.c.name, "").label("name"))
        .add_columns((now - executors.c.seen).label("ago"))
        .join(hosts, hosts.c.id == executors.c.host, isouter=True)
        .where(executors.c.seen > now - lease)
        .order_by(executors.c.id)
    )
    with engine.connect().execution_options(read_only=True) as connection:
        return [Living(row.id, row.host, row.name, max(0.0, row.ago)) for row in connection.execute(query)]
