"""Fencing: what a machine writes about a run counts only while it is the one that moves the run."""

from sqlalchemy import Connection, select

from lifecycle.runs import Run
from lifecycle.schema import runs


class Overtaken(Exception):
    """Another machine got the run meanwhile, or it has ended; what we found out about it does not count."""


def hold(connection: Connection, run: Run) -> None:
    """See to it that nobody else gets the run before this transaction ends. Raises Overtaken if somebody has."""
    query = select(runs.c.id).where(runs.c.id == run.id, runs.c.tenure == run.tenure, ~runs.c.ended_yet)
    if connection.execute(query.with_for_update(key_share=True)).scalar() is None:
        raise Overtaken(f"run {run.id} is not ours to change any more")
