"""The card on the board: the work item of a run's issue or pull request, moved as the run goes."""

from bot import wording
from bot.flows.linking import card_of, join
from bot.ports import Category, Draft
from bot.refs import Ref
from bot.world import World
from lifecycle import Kind, Run, State

TRAINS = (Kind.TRAIN, Kind.RETRAIN)
TAG = "lifecycle-bot"


def tell(world: World, run: Run, ref: Ref) -> None:
    """Make sure that there is a card, and that it is in the column where the run puts it."""
    if run.spec.kind not in (*TRAINS, Kind.PROMOTE):
        return  # validations are the pull request's own affair
    drift = _is_drift_item(world, ref)
    card = ref if drift and ref.system == "boards" else None if drift else _card(world, run, ref)
    if card is None:
        return
    wanted = _category(run)
    if drift:  # an episode closes its own items, in its own time
        wanted = Category.IN_PROGRESS if run.spec.kind in TRAINS else None
    told = f"{wanted}/{run.id}"
    if wanted is not None and world.told.is_new(str(card), "category", told):
        world.trackers["boards"].move(card, wanted)
        world.trackers["boards"].relate(card, world.run_page(run.id), f"Run {run.id}")
        world.told.note(str(card), "category", told, run.revision, world.now())


def _category(run: Run) -> Category | None:
    if run.spec.kind is Kind.PROMOTE:
        served = run.state is State.SUCCEEDED and run.spec.options.get("share", 100) == 100
        return Category.COMPLETED if served else None
    if run.state is State.SUCCEEDED and run.verdict == "PASS":
        return Category.RESOLVED
    return Category.IN_PROGRESS


def _card(world: World, run: Run, ref: Ref) -> Ref | None:
    known = card_of(world, ref)
    plan = world.plans.get(run.spec.project)
    if known is not None or plan is None or plan.board is None or "boards" not in world.trackers:
        return known
    thing = world.talk(ref).thing(ref)
    draft = Draft(thing.title, wording.card(thing, run, world), tags=(TAG,))
    card = world.trackers["boards"].open(plan.board, str(ref), draft)
    join(world, thing, world.talk(card).thing(card), "planned")
    return card


def _is_drift_item(world: World, ref: Ref) -> bool:
    return any(link.other(str(ref)).startswith("episode:") for link in world.links.of(str(ref)))
