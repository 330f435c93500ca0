"""/wontfix: a drift that nobody wants mended is closed, and remembered."""

from bot.arguments import Rest
from bot.asking import Ask, Reply
from bot.grammar import command
from bot.ports import Permission
from lifecycle import Outcome


@command(needs=Permission.WRITE)
def wontfix(ask: Ask, reason: Rest = Rest("")) -> Reply:  # noqa: B008
    """Close a retrain item on both sides because nothing is to be done: `/wontfix the spring is always like this`.

    It is remembered: the same drift opens no item again until it is clearly larger, befalls other columns, or another
    version serves. Opening the item again by hand takes it back.
    """
    episode, world = ask.episode(), ask.world
    world.life.shop.watching.close(episode, world.now(), Outcome.WONTFIX, ask.asker, str(reason))
    world.poke("follow", episode.id)
    return Reply("Closed, and remembered.")
