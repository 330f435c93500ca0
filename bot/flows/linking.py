"""Links: what issues, pull requests and work items say of each other, stored once and shown on both ends."""

import re

from bot.events import TextChanged
from bot.ports import Denied, Thing
from bot.refs import Ref
from bot.world import World

MENTION = re.compile(r"(?<![\w/])AB#([0-9]{1,9})\b", re.IGNORECASE)
ON_AZURE = re.compile(r"(?<![\w/])(?:AB)?#([0-9]{1,9})\b", re.IGNORECASE)  # there, #12 is a work item
MOST = 10  # items linked from one text; a release note that lists a hundred is not a plan


def mentioned(world: World, event: TextChanged) -> None:
    """Link the work items that a text names: as AB#12 on GitHub, as #12 too on Azure Repos."""
    ref, numbers = Ref.parse(event.ref), _numbers(event)
    plan = world.plans.get(ref.place)
    if plan is None or plan.board is None or not numbers:
        return
    thing = world.talk(ref).thing(ref)
    for number in numbers[:MOST]:
        item = Ref("boards", plan.board.split("/")[0], number)
        try:
            join(world, thing, world.talk(item).thing(item), "planned")
        except Denied:
            continue  # no such work item: the text may say what it likes
    world.told.note(event.ref, "mentions", str(numbers), 0, world.now())


def is_news(world: World, event: TextChanged) -> bool:
    """Whether the text mentions other items than those that were linked before."""
    numbers = _numbers(event)
    return bool(numbers) and world.told.is_new(event.ref, "mentions", str(numbers))


def _numbers(event: TextChanged) -> list[int]:
    named = ON_AZURE if Ref.parse(event.ref).system == "repos" else MENTION
    return list(dict.fromkeys(int(number) for number in named.findall(f"{event.title}\n{event.body}")))


def join(world: World, one: Thing, other: Thing, how: str) -> None:
    """Link two things, and show the link on those of their pages that can hold one.

    It is stored last: what is stored counts as shown, and would not be shown again after a failure in between.
    """
    denied: Denied | None = None
    for here, there in ((one, other), (other, one)):
        try:
            if here.ref.system in world.trackers:
                world.trackers[here.ref.system].relate(here.ref, there.url, f"{there.ref.short} {there.title}")
        except Denied as problem:  # there it will never show; they are linked all the same
            denied = problem
    world.links.add(str(one.ref), str(other.ref), how, world.now())
    if denied is not None:
        raise denied


def card_of(world: World, ref: Ref) -> Ref | None:
    """The work item in which an issue or pull request is planned; the item itself for a work item."""
    if ref.system == "boards":
        return ref
    for link in world.links.of(str(ref)):
        other = link.other(str(ref))
        if other.startswith("boards:"):
            return Ref.parse(other)
    return None
