"""The label on a pull request whose verdict nobody but a person can give; it goes when a later verdict is clear."""

from bot.refs import Ref
from bot.world import World
from lifecycle import Filter, Kind, Run, State, Verdict

NEEDS_HUMAN = "needs-human"
ON, OFF = "on", "off"
NEWEST = 50  # validations of a pull request that are looked at


def tell(world: World, run: Run, ref: Ref) -> None:
    """Put the label on or take it off, as the newest verdicts of all models of the pull request are."""
    if not run.spec.options.get("check") or run.state is not State.SUCCEEDED:
        return
    wanted = Verdict.INCONCLUSIVE in newest_verdicts(world, ref).values()
    there = not world.told.is_new(str(ref), NEEDS_HUMAN, ON)
    if wanted is not there:
        world.forge(run.spec.project).label(ref, NEEDS_HUMAN, wanted)
        world.told.note(str(ref), NEEDS_HUMAN, ON if wanted else OFF, run.revision, world.now())


def newest_verdicts(world: World, ref: Ref) -> dict[str, str]:
    """The verdict of each model's newest validation there that came to one; PASS where a person has accepted it."""
    found: dict[str, Run] = {}
    for run in world.life.shop.store.find(Filter(ref=str(ref), kinds=(Kind.VALIDATE,)), limit=NEWEST):
        if run.state is State.SUCCEEDED and run.spec.options.get("check"):
            found.setdefault(run.spec.model, run)
    accepted = world.acceptances.among([run.id for run in found.values()])
    return {model: Verdict.PASS if run.id in accepted else run.verdict for model, run in found.items()}
