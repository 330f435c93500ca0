"""A run moves: observe, decide, do, and tell; every step may be repeated, and nothing waits."""

import logging
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from functools import partial

from bot import wording
from bot.engine import GaveUp, Json, Postponed
from bot.flows import cards, checks, labels
from bot.ports import Denied, PullRequest, Unavailable
from bot.refs import Ref
from bot.world import World
from lifecycle import (
    Begin,
    Conclude,
    Filter,
    Finish,
    GitTrouble,
    Kind,
    Move,
    Observed,
    Overtaken,
    PutBack,
    Rest,
    Run,
    Stage,
    State,
    Stop,
    Wait,
    next_move,
)

Step = Callable[..., Json]
MOST = 40  # moves in one go; a run has three stages of three attempts at most
WORTH_IT = timedelta(days=1)
CROSSED = "somebody else told another text there at the same time"
log = logging.getLogger(__name__)


def advance(world: World, step: Step, number: int) -> None:
    """Move the run until there is nothing to do but wait."""
    for turn in range(MOST):
        try:
            moved = step(f"move {turn}", lambda: move(world, number))
        except GaveUp as error:
            if error.postponable and _fresh(world, number):
                raise Postponed(error.last) from error
            log.error("run %d cannot be moved: %s", number, error.last, exc_info=error.last)
            step("give up", partial(_give_up, world, number, error.last))
            moved = "ended"
        world.poke("tell", number)
        if moved in ("ended", "resting"):  # resting: we may have stopped right after the end, before what follows it
            step("after", lambda: after(world, number))
        if moved != "moved":
            return


def move(world: World, number: int) -> str:
    """Make the run's next move: `moved`, `waiting`, `ended` (just now) or `resting` (ended before)."""
    now = world.life.observe(number)
    try:
        return _make(world, now, next_move(now))
    except Overtaken as overtaken:
        log.info("%s", overtaken)
        return "waiting"


def _make(world: World, now: Observed, next_: Move) -> str:
    life, number = world.life, now.run.id
    match next_:
        case Begin() as begin:
            stale = _superseded(world, now.run) if begin.stage is now.run.stages[0].stage else ""
            if stale:
                life.conclude(now.run, Conclude(State.CANCELLED, stale))
                return "ended"
            life.begin(now.run, begin)
            world.poke("working", number)
            return "waiting" if begin.stage in (Stage.TRAIN, Stage.VALIDATE, Stage.DEPLOY) else "moved"
        case Finish() as finish:
            life.finish(now.run, finish)
        case Stop() as stop:
            life.stop(stop)
            return "waiting"
        case Conclude() as conclude:
            life.conclude(now.run, conclude)
            return "ended"
        case PutBack():
            life.put_back(now.run)
        case Wait():
            return "waiting"
        case Rest():
            return "resting"
    return "moved"


def after(world: World, number: int) -> None:
    """What follows from a run's end: its links, whoever is next in line, the episode of drift that it is about."""
    run = world.life.shop.store.get(number)
    if run.version is not None and run.state is State.SUCCEEDED:
        how = "made" if run.spec.kind in (Kind.TRAIN, Kind.RETRAIN) else "deployed"
        version = f"version:{run.spec.project}/{run.spec.model}/{run.version}"
        world.links.add(f"run:{run.id}", version, how, world.now())
    waiting = world.life.shop.store.find(Filter(state=State.WAITING), limit=100)
    for other in reversed(waiting):  # oldest first: next in this model's line, or first of those for whom it was full
        world.poke("advance", other.id)
        world.life.shop.store.forget_told(other.id)  # its place in line is another now
    watching = world.life.shop.watching
    monitor = run.stage(Stage.MONITOR)
    episodes = {episode.id for episode in watching.open_episodes(run.spec.project, run.spec.model)}
    if monitor and monitor.result.get("episode"):
        episodes.add(int(monitor.result["episode"]))
    for episode in episodes:
        world.poke("follow", episode)


def tell(world: World, step: Step, number: int) -> None:
    """Make the comment, the check and the card read as the run stands now; each is its own step."""
    run = world.life.shop.store.get(number)
    if not run.spec.ref or run.told >= run.revision:
        return
    ref = Ref.parse(run.spec.ref)
    failed: list[BaseException] = []
    said: list[Json] = []
    for name, say in (("check", checks.tell), ("comment", _tell_comment), ("card", cards.tell), ("label", labels.tell)):
        try:
            said.append(step(name, partial(_said, say, world, run, ref)))
        except GaveUp as error:
            if not isinstance(error.last, Denied):  # what is denied stays denied: do not try for ever
                failed.append(error.last)
            level = logging.INFO if error.postponable else logging.ERROR
            log.log(level, "run %d: its %s could not be told: %s", number, name, error.last)
    if failed:  # the result is stored, and told when it can be
        raise Postponed(failed[0])
    if CROSSED not in said:
        # Steps that were done before a crash told of the run as it was then, and are not done again after it.
        revision = min([run.revision, *(one for one in said if isinstance(one, int))])
        world.life.shop.store.note_told(replace(run, revision=revision))
        if revision < run.revision:
            world.poke("tell", number)


def _said(say: Callable[[World, Run, Ref], str | None], world: World, run: Run, ref: Ref) -> Json:
    """The revision of the run that was told, unless somebody crossed it."""
    return CROSSED if say(world, run, ref) == CROSSED else run.revision


def _tell_comment(world: World, run: Run, ref: Ref) -> str:
    if run.spec.kind is Kind.MONITOR and run.spec.options.get("scheduled"):
        _tell_remark(world, run, ref)
        return ""
    marker = f"run-{run.id}"
    if run.spec.options.get("report"):
        marker = f"report-{run.spec.model}"  # one comment for all pushes of a pull request
        if _newer(world, run):
            return ""
    accepted = world.acceptances.of(run.id) if run.state.ended else None
    text = wording.run_comment(run, world.life.shop.store.ahead(run), world, accepted)
    say = partial(world.talk(ref).say, ref, marker, text, urgent=run.ended is not None)
    if not world.told.tell(f"{ref}", marker, text, run.revision, world.now(), say):
        again = (_newest_report(world, run) or run).id
        world.life.shop.store.forget_told(again)
        world.poke("tell", again)
        return CROSSED
    return ""


def _tell_remark(world: World, run: Run, ref: Ref) -> None:
    """Nobody asked: what opens an item is told by the item, what moved without opening one in a comment per version."""
    record = run.stage(Stage.MONITOR)
    step = record.result.get("step") if record else None
    window = next(iter(world.life.shop.watching.windows(run.spec.project, run.spec.model, limit=1)), None)
    if record is None or window is None or window.run != run.id or step not in ("remark", "nothing"):
        return
    marker = f"watch-{run.spec.model}-v{window.number}"
    if step == "nothing" and world.told.is_new(str(ref), f"{marker}/moved", "yes"):
        return  # nothing was said that would have to be taken back
    text = wording.remark(window, world, str(record.result.get("because", "")))
    if world.told.is_new(str(ref), marker, text):
        url = world.talk(ref).say(ref, marker, text)
        world.told.note(str(ref), marker, text, run.revision, world.now(), url)
    world.told.note(str(ref), f"{marker}/moved", "yes" if step == "remark" else "no", run.revision, world.now())


def _newer(world: World, run: Run) -> bool:
    newest = _newest_report(world, run)
    return newest is not None and newest.id > run.id


def _newest_report(world: World, run: Run) -> Run | None:
    """The newest run that tells its story in the same comment, for those that share one."""
    if not run.spec.options.get("report"):
        return None
    found = world.life.shop.store.find(
        Filter(project=run.spec.project, model=run.spec.model, ref=run.spec.ref, kinds=(Kind.VALIDATE,)), limit=1
    )
    return found[0] if found and found[0].spec.options.get("report") else None


def _superseded(world: World, run: Run) -> str:
    """Why the run must not begin after all, empty when it may: a push ends what was authorised."""
    ref = Ref.parse(run.spec.ref) if run.spec.ref else None
    if ref is None or ref.system not in world.forges or run.spec.kind not in (Kind.TRAIN, Kind.VALIDATE, Kind.RETRAIN):
        return ""
    thing = world.talk(ref).thing(ref)
    if not thing.is_pull or "/merged/" in run.key:
        return ""
    pull: PullRequest = world.forge(run.spec.project).pull(ref)
    if not pull.open:
        return "The pull request was closed before the run began."
    if pull.draft and run.spec.options.get("report"):
        return "The pull request became a draft before the run began."
    if pull.head == run.spec.commit:
        return ""
    return f"A newer push, `{pull.head[:8]}`, came before the run of `{run.spec.commit[:8]}` began."


def _fresh(world: World, number: int) -> bool:
    """Whether the run has moved within the time for which it is worth waiting for a platform."""
    run = world.life.shop.store.get(number)
    times = [run.created, *(time for one in run.stages for time in (one.started, one.ended) if time)]
    return world.now() - max(times) < WORTH_IT


def _give_up(world: World, number: int, error: BaseException) -> None:
    known = isinstance(error, GitTrouble | Unavailable | Denied)
    world.life.give_up(number, str(error) if known else wording.broken(f"run {number}", error))
