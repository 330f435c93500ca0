"""A person wrote a comment: carry out the commands in it, and answer once."""

import logging
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial

from bot import trust, wording
from bot.asking import Ask, Refused, Reply
from bot.commands import COMMANDS
from bot.engine import GaveUp, Json, Postponed
from bot.events import CommentPosted
from bot.flows import withdrawn
from bot.grammar import Asked, Misread, Unknown, Where, find, fit
from bot.ports import Denied, Mark, Permission, Unavailable
from bot.refs import Ref
from bot.shares import Shares
from bot.world import World
from lifecycle import GitTrouble

Step = Callable[..., Json]
log = logging.getLogger(__name__)
WORTH_IT = timedelta(days=1)  # an older command is answered with why it could not be carried out
WAITS = "waits"
OURS = ("<!-- lifecycle-bot ", "[lifecycle-bot]: #")  # what only our own comments carry


def begin(world: World, step: Step, event: CommentPosted) -> None:
    """Acknowledge, carry out each command, say what there is to say in one comment."""
    asked = find(event.body)
    if not asked or event.author_is_bot or any(mark in event.body for mark in OURS):
        return
    ref = Ref.parse(event.ref)
    if not any(_known(one) for one in asked):
        return  # another bot's commands
    if world.shares is not None and ref.system == "github" and not _share(world, world.shares, step, event, asked):
        return
    urgent = any(one.name == "cancel" for one in asked)  # what is to end does not wait for our turn to write
    if not urgent:
        _acknowledge(world, step, ref, event)
    answers = [_tried(world, step, event, one) for one in asked]
    if urgent:
        _acknowledge(world, step, ref, event)
    text = "\n\n".join(answer for answer in answers if answer.strip())
    if not text and not world.told.is_new(event.ref, _marker(event), WAITS):
        text = wording.GONE if withdrawn.SILENT in answers else wording.at_last()
    if text:
        step("say", lambda: world.talk(ref).say(ref, _marker(event), wording.answer(event.author, text)))


def _share(world: World, shares: Shares, step: Step, event: CommentPosted, asked: Sequence[Asked]) -> bool:
    """Whether its author may ask for more now; if not, it is said once. No step: it is remembered by itself."""
    if any(one.name == "cancel" for one in asked):
        return True
    share = shares.take(world.person(event.author), event.id)
    if not share.granted and share.free:
        ref, text = Ref.parse(event.ref), wording.too_many(shares.most, datetime.fromtimestamp(share.free, UTC))
        step("say", lambda: world.talk(ref).say(ref, _marker(event), wording.answer(event.author, text)))
    return share.granted


def _acknowledge(world: World, step: Step, ref: Ref, event: CommentPosted) -> None:
    try:
        step("acknowledge", lambda: world.talk(ref).acknowledge(ref, event.comment, Mark.SEEN), 2)
    except GaveUp as error:
        log.warning("could not acknowledge %s: %s", event.id, error)


def _known(asked: Asked) -> bool:
    try:
        fit(asked, COMMANDS)
    except Unknown as error:
        return bool(error.near)
    except Misread:
        return True
    return True


def _tried(world: World, step: Step, event: CommentPosted, asked: Asked) -> str:
    """The command's answer; when it failed for good, an honest sentence instead. Raises Postponed."""
    name = f"command {asked.place}"
    try:
        return str(step(name, partial(_answer, world, event, asked)))
    except GaveUp as error:
        log.error("%s of %s gave up: %s", name, event.id, error.last)
        if error.postponable and world.now() - event.at < WORTH_IT:
            _say_that_it_waits(world, event, error.last)
            raise Postponed(error.last, event.ref) from error
        if isinstance(error.last, Denied | GitTrouble | Unavailable):
            return wording.refused(asked.name, str(error.last))
        return wording.gave_up(name, error.last)


def _say_that_it_waits(world: World, event: CommentPosted, why: BaseException) -> None:
    """Where the platform of the conversation is there, and only another one is not: once, and not at any price."""
    ref, marker = Ref.parse(event.ref), _marker(event)
    if not world.told.is_new(event.ref, marker, WAITS):
        return
    try:
        url = world.talk(ref).say(ref, marker, wording.answer(event.author, wording.waits(str(why))))
    except (Denied, Unavailable) as error:
        log.info("that %s waits could not be said: %s", event.id, error)
    else:
        world.told.note(event.ref, marker, WAITS, 0, world.now(), url)


def _marker(event: CommentPosted) -> str:
    return f"answer {event.id}"


def _answer(world: World, event: CommentPosted, asked: Asked) -> str:
    """Carry out one command; what to say about it, empty where the run that it started tells its own story."""
    ref = Ref.parse(event.ref)
    try:
        if said := withdrawn.said_of(world, event, asked):
            return said
        reply = _run(world, event, ref, asked)
    except (Refused, Misread) as refusal:
        return wording.refused(asked.name, str(refusal))
    return reply.text


def _run(world: World, event: CommentPosted, ref: Ref, asked: Asked) -> Reply:
    where = Where.ITEM if ref.system == "boards" else Where.PULL if event.on_pull else Where.ISSUE
    call = fit(asked, COMMANDS, where)
    talk = world.talk(ref)
    has = talk.permission(ref, event.author)
    needs = max(call.command.needs, world.permissions.get(call.command.name, Permission.NONE))
    decision = trust.may_command(
        login=event.author,
        is_bot=event.author_is_bot,
        is_self=False,
        has=has,
        needs=needs,
        command=call.command.name,
    )
    if not decision.allowed:
        raise Refused(decision.reason)
    ask = Ask(world, ref, talk.thing(ref), event.author, has, f"{event.id}/{asked.place}", event.at)
    reply: Reply = call.run(ask)
    return reply
