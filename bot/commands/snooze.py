"""/snooze: nothing is said about a drift for a while."""

from bot.arguments import code_span
from bot.asking import Ask, Refused, Reply
from bot.grammar import command
from bot.ports import Permission
from bot.wording.words import moment
from lifecycle import length_of


@command(needs=Permission.WRITE)
def snooze(ask: Ask, length: str = "14d", model: str = "") -> Reply:
    """Keep a retrain item quiet for a while: `/snooze 14d`, `/snooze 48h`; `/snooze off` ends that.

    Windows are still looked at, but the item is not updated and `retrain: auto` starts nothing. If the drift is still
    there when the time has passed, a comment says so.
    """
    episode, world = ask.episode(model), ask.world
    if length.lower() == "off":
        world.life.shop.watching.snooze(episode, None, ask.asker)
        world.poke("follow", episode.id)
        return Reply("The item is kept up to date again.")
    try:
        until = world.now() + length_of(length)
    except ValueError as error:
        raise Refused(f"{code_span(length)}: {error}.") from None
    world.life.shop.watching.snooze(episode, until, ask.asker)
    world.poke("follow", episode.id)
    return Reply(f"Nothing more is said about this until {moment(until)}.")
