"""/promote: a version goes into production, if somebody else than its maker says so."""

from bot import trust
from bot.asking import Ask, Refused, Reply
from bot.grammar import command
from bot.ports import Head, Permission
from lifecycle import Kind, Spec, Version


@command(needs=Permission.WRITE)
def promote(ask: Ask, version: str = "", model: str = "", *, share: int = 100) -> Reply:
    """Put a version into production: the newest, or the one that is named (`/promote v3`).

    It takes two people: whoever trained the version cannot promote it. `share=20` gives it 20 % of the traffic first;
    `/promote v3` later gives it the rest, `/rollback` takes it back.
    """
    if not 1 <= share <= 100:
        raise Refused("`share` is a per cent of the traffic, from 1 to 100.")
    name, _ = ask.model(model)
    wanted, project = ask.version(version, name), ask.plan().repository
    head = ask.world.forge(project).head(project, ask.plan().branch)
    ask.check_production(name)
    _check(ask, wanted, head)
    spec = Spec(
        kind=Kind.PROMOTE,
        project=project,
        model=name,
        commit=wanted.commit,
        ref=str(ask.ref),
        asked_by=ask.asker,
        options={"share": share, "policy": head.commit, "written": ask.written()},
        version=wanted.number,
    )
    return Reply(runs=(ask.start(spec).id,))


def _check(ask: Ask, wanted: Version, head: Head) -> None:
    """Refuse what must not go into production. Raises Refused."""
    world = ask.world
    trainer = world.life.shop.store.get(wanted.run).spec.asked_by
    same = world.person(ask.asker) == world.person(trainer)
    decision = trust.may_promote(
        approver=ask.asker, trainer=ask.asker if same else trainer, author=None, two_person=world.two_people
    )
    if not decision.allowed:
        raise Refused(decision.reason)
    if not world.life.on_branch(wanted.project, wanted.commit, head.commit):
        raise Refused(
            f"{wanted.name} was trained on commit `{wanted.commit[:8]}`, which is not on {head.branch}. Merge the pull "
            "request first; what is merged is trained again and can be promoted."
        )
    if wanted.verdict == "FAIL":
        raise Refused(f"{wanted.name} failed its validation, so it cannot be promoted. Its report says by how much.")
