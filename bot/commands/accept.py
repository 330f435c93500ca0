"""/accept: let a pull request pass although its report says otherwise, for this commit only."""

from bot.accepting import NEEDS, accept, newest_validation
from bot.arguments import code_span
from bot.asking import Ask, Refused, Reply
from bot.grammar import Where, command


@command(needs=NEEDS, where=(Where.PULL,), name="accept")
def accept_(ask: Ask, model: str = "") -> Reply:
    """Accept a failed or inconclusive report as it is, as the button on the check does.

    The check then passes for this commit and says who accepted it; the next push is judged anew. It takes two people:
    neither the author of the pull request nor who asked for the run can accept it.
    """
    name, _ = ask.model(model)
    pull = ask.world.forge(ask.plan().repository).pull(ask.ref)
    run = newest_validation(ask.world, ask.ref, name, pull.head)
    if run is None:
        raise Refused(f"Commit `{pull.head[:8]}` has no report of {code_span(name)} yet; `/validate` makes one.")
    refused = accept(ask.world, run, pull, ask.asker)
    if refused:
        raise Refused(refused)
    return Reply(f"Accepted as it is: what [run {run.id}]({ask.world.run_page(run.id)}) found of `{pull.head[:8]}`.")
