"""A work item has a new revision: its new comments become events of their own."""

from datetime import timedelta

from bot.events import CommentPosted, WorkItemTouched
from bot.flows import by_hand
from bot.ports import Denied
from bot.refs import Ref
from bot.world import World

# The hook says neither which comment is new nor, reliably, by whom: the comments of these minutes are looked at, and
# those that were seen before are the same event again.
RECENT = timedelta(minutes=10)


def look(world: World, event: WorkItemTouched) -> None:
    """Put the item's recent comments into the inbox, and see whether somebody closed or opened it."""
    ref = Ref.parse(event.ref)
    by_hand.touched(world, event.ref)
    try:
        found = world.talk(ref).comments(ref, event.at - RECENT)
    except Denied:
        return  # the item was deleted meanwhile, or is none of ours to read
    for comment in found:
        posted = CommentPosted(
            ref=event.ref,
            comment=comment.id,
            author=comment.author,
            author_is_bot=comment.author_is_bot,
            body=comment.body,
            at=comment.created,
            edited=comment.edited,
        )
        world.put(posted)
