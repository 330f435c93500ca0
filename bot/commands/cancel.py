"""/cancel: end a run and whatever it is doing."""

from bot.asking import Ask, Refused, Reply
from bot.grammar import command
from bot.ports import Permission
from lifecycle import Filter, NoSuchRun


@command(needs=Permission.WRITE)
def cancel(ask: Ask, run: int | None = None) -> Reply:
    """End a run: the one that is named, or all that were asked for here."""
    world = ask.world
    if run is None:
        found = [one.id for one in world.life.shop.store.find(Filter(ref=str(ask.ref), open_only=True))]
    else:
        try:
            one = world.life.shop.store.get(run)
        except NoSuchRun as error:
            raise Refused(str(error)) from None
        if one.spec.project != ask.plan().repository:
            raise Refused(f"Run {run} belongs to another repository; cancel it there.")
        found = [run]
    ended = [number for number in found if world.life.cancel(number, ask.asker)]
    for number in ended:
        world.poke("advance", number)
    if not ended:
        what = "No run asked for here is open" if run is None else f"Run {run} has ended already"
        raise Refused(f"{what}, so there is nothing to cancel.")
    return Reply(f"Cancelling {', '.join(f'[run {number}]({world.run_page(number)})' for number in ended)}.")
