"""/status: everything that is linked to this place."""

from bot import wording
from bot.asking import Ask, Reply
from bot.grammar import command
from bot.graph import graph_of
from bot.ports import Permission


@command(needs=Permission.READ)
def status(ask: Ask) -> Reply:
    """Show what this place is linked to: issues, work items, pull requests, runs, versions and deployments."""
    return Reply(wording.status(graph_of(ask.world, ask.ref), ask.world))
