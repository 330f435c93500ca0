"""Buttons on a check: run again, accept as is; who may not press one is told so in a sentence."""

from bot import wording
from bot.accepting import accept as accept_run
from bot.arguments import code_span
from bot.events import AcceptanceAsked, CheckRequested
from bot.ports import Permission, PullRequest
from bot.refs import Ref
from bot.world import World
from lifecycle import NoSuchRun, Run

Pressed = AcceptanceAsked | CheckRequested


def again(world: World, event: CheckRequested) -> None:
    """Validate the same commit once more."""
    run, pull = _about(world, event)
    if run is None or pull is None:
        return
    if world.talk(pull.ref).permission(pull.ref, event.author) < Permission.WRITE:
        who = code_span(event.author)
        _refuse(world, event, pull, "validate", f"{who} may not run it again: it needs write permission.")
    elif pull.head != run.spec.commit or not pull.open:
        what = f"Commit `{run.spec.commit[:8]}` is no longer the newest of an open pull request."
        _refuse(world, event, pull, "validate", what)
    else:
        new = world.life.start(run.spec, event.key)
        world.links.add(run.spec.ref, f"run:{new.id}", "asked", world.now())
        world.poke("advance", new.id)


def accept(world: World, event: AcceptanceAsked) -> None:
    """Let the commit pass as it is, if whoever pressed may do so."""
    run, pull = _about(world, event)
    if run is None or pull is None:
        return
    refused = accept_run(world, run, pull, event.author)
    if refused:
        _refuse(world, event, pull, "accept", refused)


def _about(world: World, event: Pressed) -> tuple[Run, PullRequest] | tuple[None, None]:
    """The run that the check is of, and its pull request; nothing for a check that is not ours."""
    if not (event.external.isascii() and event.external.isdecimal() and len(event.external) < 10):
        return None, None
    try:
        run = world.life.shop.store.get(int(event.external))
    except NoSuchRun:
        return None, None
    if run.spec.project != event.place or run.spec.commit != event.head or not run.spec.options.get("check"):
        return None, None
    return run, world.forge(event.place).pull(Ref.parse(run.spec.ref))


def _refuse(world: World, event: Pressed, pull: PullRequest, command: str, sentence: str) -> None:
    text = wording.answer(event.author, wording.refused(command, sentence))
    world.talk(pull.ref).say(pull.ref, f"pressed {event.id}", text)
