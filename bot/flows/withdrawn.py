"""Whether a comment that we are late to read still asks for what it asked: deleted, changed and taken back do not."""

from collections.abc import Sequence
from datetime import timedelta

from bot import wording
from bot.events import CommentPosted
from bot.grammar import Asked, find
from bot.ports import Comment, Denied, Permission
from bot.refs import Ref
from bot.world import World

# Younger ones are believed: platforms show a comment by their API a moment after they send its webhook.
FRESH = timedelta(seconds=90)
SILENT = " "
MOST = 200  # as many comments as a look at them shows at most
STARTERS = frozenset({"train", "validate", "retrain", "promote", "rollback", "monitor"})  # what `/cancel` takes back


def said_of(world: World, event: CommentPosted, asked: Asked) -> str:
    """What to say instead of carrying the command out; empty to carry it out, SILENT to do neither."""
    if event.edited:
        return wording.refused(asked.name, wording.EDITED)
    if world.now() - event.at < FRESH:
        return ""
    now = _comments(world, event)
    if now is None:
        return ""
    mine = next((one for one in now if one.id == event.comment), None)
    if mine is None:
        return "" if len(now) >= MOST else SILENT
    left = [(one.name, one.rest) for one in find(mine.body)]
    if (asked.name, asked.rest) not in left:
        return wording.refused(asked.name, wording.EDITED) if left else SILENT
    later = now[now.index(mine) + 1 :] if asked.name in STARTERS else ()
    by = next((one.author for one in later if _takes_back(world, event, one)), "")
    return wording.refused(asked.name, wording.taken_back(by)) if by else ""


def _takes_back(world: World, event: CommentPosted, later: Comment) -> bool:
    """Whether it is a `/cancel` of everything that was asked for here, by somebody who may."""
    if later.author_is_bot or later.edited or ("cancel", "") not in [(one.name, one.rest) for one in find(later.body)]:
        return False
    ref = Ref.parse(event.ref)
    needs = max(Permission.WRITE, world.permissions.get("cancel", Permission.NONE))
    return world.talk(ref).permission(ref, later.author) >= needs


def _comments(world: World, event: CommentPosted) -> Sequence[Comment] | None:
    """None where we may not read them: carrying the command out will say why, where there is still somebody to tell."""
    ref = Ref.parse(event.ref)
    try:
        return world.talk(ref).comments(ref, event.at)
    except Denied:
        return None
