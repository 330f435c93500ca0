"""Finds the runs that something can be done about though no job of ours has ended: for when several machines work."""

from collections.abc import Sequence

from sqlalchemy import Engine, select

from lifecycle.hosts import Hosts
from lifecycle.runs import State
from lifecycle.schema import runs

COLUMNS = (runs.c.id, runs.c.project, runs.c.model, runs.c.lane, runs.c.state, runs.c.host, runs.c.cancelled_by)


def due(engine: Engine, hosts: Hosts, room: int) -> Sequence[int]:
    """Ours that somebody cancelled, of those whose machine is gone all, and the first `room` that may begin here.

    Reads only runs that have not ended.
    """
    with engine.connect().execution_options(read_only=True) as connection:
        found = connection.execute(select(*COLUMNS).where(~runs.c.ended_yet).order_by(runs.c.id)).all()
    gone = {host for host in {row.host for row in found} - {"", hosts.me} if hosts.gone(host)}
    wanted, lines = [], set()
    for row in found:
        line = (row.project, row.model, row.lane)
        first = line not in lines or row.lane == "monitor"
        lines.add(line)
        if row.state == State.RUNNING:
            if row.host in gone or (row.cancelled_by and row.host in ("", hosts.me)):
                wanted.append(row.id)
        elif row.cancelled_by:
            wanted.append(row.id)
        elif first and (row.lane != "train" or room > 0):
            room -= row.lane == "train"
            wanted.append(row.id)
    return wanted
