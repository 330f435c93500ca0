"""Accepting a verdict as it is, by the button on a check or by `/accept`: for the commit that was judged only."""

from bot import trust
from bot.arguments import code_span
from bot.ports import Permission, PullRequest
from bot.refs import Ref
from bot.world import World
from lifecycle import Filter, Kind, Run, State

NEEDS = Permission.WRITE
COMMAND = "accept"
ACCEPTABLE = ("FAIL", "INCONCLUSIVE")


def accept(world: World, run: Run, pull: PullRequest, who: str) -> str:
    """Record that `who` accepts what the run found, and let it be told; why not, in a sentence, if they may not."""
    refused = _why_not(world, run, pull, who)
    if refused:
        return refused
    if not world.acceptances.add(run, who, world.now()):
        known = world.acceptances.of(run.id)
        if known is not None and known.by != who:
            return f"It was accepted before, by {code_span(known.by)}."
    world.life.shop.store.forget_told(run.id)
    world.poke("tell", run.id)
    return ""


def newest_validation(world: World, ref: Ref, model: str, commit: str) -> Run | None:
    """The validation that counts for the commit: the newest one whose check it is."""
    wanted = Filter(project=ref.place, model=model, ref=str(ref), kinds=(Kind.VALIDATE,))
    found = world.life.shop.store.find(wanted, limit=20)
    return next((one for one in found if one.spec.commit == commit and one.spec.options.get("check")), None)


def _why_not(world: World, run: Run, pull: PullRequest, who: str) -> str:
    needs = max(NEEDS, world.permissions.get(COMMAND, Permission.NONE))
    has = world.talk(pull.ref).permission(pull.ref, who)
    decision = trust.may_command(login=who, is_bot=False, is_self=False, has=has, needs=needs, command=COMMAND)
    if not decision.allowed:
        return decision.reason
    if not pull.open or pull.head != run.spec.commit:
        return (
            f"Commit `{run.spec.commit[:8]}` is no longer the newest of an open pull request, and what is accepted is "
            "accepted for one commit only. Look at the check of the newest commit."
        )
    newest = newest_validation(world, pull.ref, run.spec.model, run.spec.commit)
    if newest is not None and newest.id != run.id:
        return f"Run {newest.id} has judged this commit again since; accept that, if it is still needed."
    if run.state is not State.SUCCEEDED or run.verdict not in ACCEPTABLE:
        return f"There is nothing to accept: run {run.id} has {run.verdict or run.state}."
    mine = {world.person(name) for name in (pull.author, run.spec.asked_by)}
    if world.two_people and world.person(who) in mine:
        return (
            f"It takes two people, and {code_span(who)} wrote or asked for this. Please ask a colleague to accept it."
        )
    return ""
