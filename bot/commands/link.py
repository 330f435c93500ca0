"""/link: say that this place and another belong together."""

import re

from bot.arguments import code_span
from bot.asking import Ask, Refused, Reply
from bot.flows.linking import join
from bot.grammar import command
from bot.ports import Denied, Permission
from bot.refs import Ref

ITEM = re.compile(r"^AB#([0-9]{1,9})$", re.IGNORECASE)
ISSUE = re.compile(r"^(?:([\w.-]+/[\w.-]+))?([#!])([0-9]{1,9})$")


@command(needs=Permission.WRITE)
def link(ask: Ask, target: str) -> Reply:
    """Link this issue, pull request or work item with another: `/link AB#12`, `/link #7`, `/link octo/bikes#7`."""
    other = _read(ask, target)
    try:
        thing = ask.world.talk(other).thing(other)
    except Denied:
        raise Refused(f"There is no {code_span(target)} that I can see.") from None
    join(ask.world, ask.thing, thing, "linked")
    return Reply(f"Linked with [{other.short}]({thing.url}).")


def _read(ask: Ask, target: str) -> Ref:
    item, issue = ITEM.match(target), ISSUE.match(target)
    if item:
        return _item(ask, int(item[1]))
    if issue:
        plan = ask.world.plans.get(issue[1]) if issue[1] else ask.plan()
        if plan is None:
            raise Refused(f"{code_span(issue[1])} is not among the projects of this bot.")
        if plan.forge == "repos" and issue[2] == "#":  # that is how Azure Repos writes a work item
            return _item(ask, int(issue[3]))
        return Ref(plan.forge, plan.repository, int(issue[3]))
    raise Refused(
        f"{code_span(target)} is neither a work item (`AB#12`) nor an issue or pull request "
        "(`#7`; on Azure Repos `!7`)."
    )


def _item(ask: Ask, number: int) -> Ref:
    board = ask.plan().board
    if board is None:
        raise Refused("No board belongs to this repository in the bot's app.yaml.")
    return Ref("boards", board.split("/")[0], number)
