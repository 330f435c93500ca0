"""/autoclose: whether a retrain item closes itself."""

from bot.asking import Ask, Reply
from bot.grammar import command
from bot.ports import Permission


@command(needs=Permission.WRITE)
def autoclose(ask: Ask, on: bool = True, model: str = "") -> Reply:
    """Say whether a retrain item closes itself: `/autoclose off` leaves that to people, `/autoclose on` does not.

    `monitor: {autoclose: false}` in lifecycle.yaml says it for all items of a model.
    """
    episode, world = ask.episode(model), ask.world
    world.life.shop.watching.leave_open(episode, on)
    world.poke("follow", episode.id)
    if on:
        return Reply("The item closes itself after a promoted retrain and clean windows.")
    return Reply("The item stays open until somebody closes it.")
