"""A run's check as it should read now: conclusion, what it points at, buttons."""

from bot import wording
from bot.ports import Annotation, Conclusion, PullRequest
from bot.refs import Ref
from bot.world import World
from lifecycle import FILE, Mistakes, Run, Trouble


def tell(world: World, run: Run, _ref: Ref) -> None:
    """Make the check read as the run stands; while it runs, it says only that: its page is live, writes are counted."""
    if not run.spec.options.get("check"):
        return
    moving = not run.state.ended
    accepted = None if moving else world.acceptances.of(run.id)
    points = () if moving else world.life.pointers(run.id)
    annotations = [Annotation(one.path, one.line, one.level, one.title, one.message) for one in points]
    check = wording.run_check(run, world, accepted, annotations)
    told = f"{check.conclusion}\n{check.title}\n{check.summary}"
    if check.conclusion in (Conclusion.QUEUED, Conclusion.RUNNING):
        told = check.conclusion
    if world.told.is_new(f"run:{run.id}", "check", told):
        world.forge(run.spec.project).check(run.spec.project, check, urgent=not moving)
        world.told.note(f"run:{run.id}", "check", told, run.revision, world.now(), check.url)


def misspelt(world: World, pull: PullRequest, base: str) -> bool:
    """Whether the pull request makes mistakes in lifecycle.yaml; then a check of its own points at each."""
    place = pull.ref.place
    if FILE not in world.life.changed(place, base, pull.head):
        return False
    try:
        world.life.project(place, pull.head)
    except Mistakes as wrong:
        world.forge(place).check(place, wording.misspelt(pull.head, wrong, world))
        return True
    except Trouble:
        return False
    return False
