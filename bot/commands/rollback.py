"""/rollback: the version before serves again."""

from bot.asking import Ask, Refused, Reply
from bot.grammar import command
from bot.ports import Permission
from lifecycle import Kind, Spec


@command(needs=Permission.WRITE)
def rollback(ask: Ask, model: str = "") -> Reply:
    """Put the version that served before back into production.

    No second person is needed: going back to what served well is what one does in a hurry.
    """
    name, _ = ask.model(model)
    ask.check_production(name)
    project = ask.plan().repository
    reign = ask.world.life.shop.registry.reign(project, name)
    before = next((crowned for crowned in reign if crowned.number != reign[0].number), None)
    if before is None:
        raise Refused(f"No other version of `{name}` has served before, so there is nothing to go back to.")
    spec = Spec(
        kind=Kind.ROLLBACK,
        project=project,
        model=name,
        commit=ask.version(f"v{before.number}", name).commit,
        ref=str(ask.ref),
        asked_by=ask.asker,
        options={"share": 100, "written": ask.written()},
        version=before.number,
    )
    return Reply(runs=(ask.start(spec).id,))
