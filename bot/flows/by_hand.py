"""Items of drift that people close or open themselves, on either platform: they are right, and the other side follows.

What counts is what the item's state is now, not what an event said: events come late, twice, or never. An item was
closed by hand if it is closed and we left it open; so it matters which of both we told last.
"""

from bot.ports import Category, Denied
from bot.refs import Ref
from bot.world import World
from lifecycle import Episode, Outcome

DONE = (Category.COMPLETED, Category.REMOVED)
OPEN, CLOSED = "open", "closed"


def told_open(world: World, subject: str, system: str) -> bool:
    """Whether we left the item open last."""
    return not world.told.is_new(subject, f"{system}/state", OPEN)


def told_closed(world: World, subject: str, system: str) -> bool:
    """Whether we closed the item last, or saw it closed."""
    return not world.told.is_new(subject, f"{system}/state", CLOSED)


def note(world: World, subject: str, system: str, *, is_open: bool) -> None:
    """Remember how we left it."""
    state = OPEN if is_open else CLOSED
    if world.told.is_new(subject, f"{system}/state", state):
        world.told.note(subject, f"{system}/state", state, 0, world.now())


def touched(world: World, item: str) -> None:
    """Somebody did something to a thing; where it is the item of an episode, see whether it was closed or opened."""
    for link in world.links.of(item):
        subject, _, number = link.other(item).partition(":")
        if subject == "episode" and link.how == "tracked":
            look(world, int(number), Ref.parse(item).system)


def look(world: World, number: int, system: str) -> None:
    """Compare the episode's items there with how we left them; the episode follows what people did."""
    subject = f"episode:{number}"
    for link in world.links.of(subject):
        episode = world.life.shop.watching.by_id(number)
        if link.how == "tracked" and episode is not None and link.other(subject).startswith(f"{system}:"):
            _look_at(world, episode, Ref.parse(link.other(subject)))


def _look_at(world: World, episode: Episode, ref: Ref) -> None:
    watching, subject = world.life.shop.watching, f"episode:{episode.id}"
    expected = told_open if episode.closed is None else told_closed
    if ref.system not in world.trackers or not expected(world, subject, ref.system):
        return
    try:
        done = world.trackers[ref.system].category(ref) in DONE
    except Denied:
        return  # deleted: nobody has said what to do instead
    if done is (episode.closed is not None):
        return
    # The episode first: whoever finds the note must find the episode as people left it, or would undo what they did.
    # Then the note, at once: people may change their mind before we have followed.
    followed = True
    if done:
        watching.close(episode, world.now(), Outcome.HAND)
    else:  # False while a newer item is open: people may keep this one, too
        followed = watching.reopen(episode, by="somebody opened it")
    note(world, subject, ref.system, is_open=not done)
    if followed:
        world.poke("follow", episode.id)
