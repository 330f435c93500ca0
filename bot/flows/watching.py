"""Monitoring: the clock starts it, and an episode of drift keeps exactly one item on each tracker up to date."""

import logging
from collections.abc import Callable
from functools import partial

from bot import wording
from bot.engine import GaveUp, Json, Postponed
from bot.events import IssueStateChanged, MonitorDue
from bot.flows.linking import join
from bot.ports import Category, Denied, Draft
from bot.refs import Ref
from bot.world import World
from lifecycle import Episode, Kind, Mistakes, Spec, Trouble

Step = Callable[..., Json]
log = logging.getLogger(__name__)
TAGS = ("lifecycle-bot", "retrain")


def due(world: World, event: MonitorDue) -> None:
    """The clock's tick: watch the model, where a version of it serves."""
    project, _, model = event.model.rpartition("/")
    plan = world.plans.get(project)
    if plan is None or world.life.shop.registry.champion(project, model) is None:
        return
    head = world.forge(project).head(project, plan.branch)
    spec = Spec(
        kind=Kind.MONITOR,
        project=project,
        model=model,
        commit=head.commit,
        ref="",
        asked_by="the schedule",
        options={"policy": head.commit, "scheduled": True},
    )
    world.poke("advance", world.life.start(spec, event.id).id)


def follow(world: World, step: Step, number: int) -> None:
    """Bring the episode's items up to date: opened, revised, moved, and closed when it is over."""
    episode = world.life.shop.watching.by_id(number)
    plan = world.plans.get(episode.project) if episode else None
    if episode is None or plan is None:
        return
    places = {"boards": plan.board, "github": plan.repository}
    wanted = [(system, places[system]) for system in plan.retrain_items if places[system] and system in world.trackers]
    failed: list[BaseException] = []
    for system, place in wanted:
        try:
            step(f"{system} item", partial(_item, world, episode, system, str(place)))
        except GaveUp as error:
            log.error("the %s item of episode %d could not be told: %s", system, number, error.last)
            if not isinstance(error.last, Denied):
                failed.append(error.last)
    try:
        step("join", lambda: _join(world, episode))
        if episode.closed is None:
            step("retrain", lambda: _retrain(world, episode))
    except GaveUp as error:
        if not error.postponable:
            raise
        failed.append(error.last)
    if failed:
        raise Postponed(failed[0])


def _item(world: World, episode: Episode, system: str, place: str) -> None:
    tracker = world.trackers[system]
    title, text = wording.drift_item(episode, world.life.shop.watching.windows(episode.project, episode.model), world)
    draft = Draft(title, text, tags=TAGS, kind="problem", severity=wording.severity(episode, world))
    marker = f"drift/{episode.project}/{episode.model}/{episode.id}"
    ref = tracker.open(place, marker, draft)
    world.links.add(f"episode:{episode.id}", str(ref), "tracked", world.now())
    told = f"{title}\n{text}"
    if world.told.is_new(f"episode:{episode.id}", system, told):
        tracker.revise(ref, draft)
        world.told.note(f"episode:{episode.id}", system, told, episode.clean, world.now())
    if episode.closed is not None and world.told.is_new(f"episode:{episode.id}", f"{system}/closed", "closed"):
        talk = world.talk(ref)
        talk.say(ref, f"drift-{episode.id}-closed", wording.drift_over(episode, world))
        tracker.move(ref, Category.COMPLETED)
        world.told.note(f"episode:{episode.id}", f"{system}/closed", "closed", 0, world.now())


def _join(world: World, episode: Episode) -> None:
    """Link the items with each other, with the version that drifted and with the run that saw it."""
    subject = f"episode:{episode.id}"
    items = [Ref.parse(link.other(subject)) for link in world.links.of(subject) if link.how == "tracked"]
    version = f"version:{episode.project}/{episode.model}/{episode.champion}"
    world.links.add(subject, version, "about", world.now())
    world.links.add(subject, f"run:{episode.opened_by}", "seen by", world.now())
    evidence = world.run_page(episode.opened_by)
    page = world.page(f"models/{episode.project}/{episode.model}/versions/{episode.champion}")
    for ref in items:
        tracker = world.trackers[ref.system]
        if world.told.is_new(subject, f"{ref}/evidence", evidence):
            tracker.relate(ref, evidence, f"Evidence: run {episode.opened_by}")
            tracker.relate(ref, page, f"{episode.model} v{episode.champion}")
            world.told.note(subject, f"{ref}/evidence", evidence, 0, world.now())
    if len(items) == 2 and world.told.is_new(subject, "joined", "joined"):
        one, other = (world.talk(ref).thing(ref) for ref in items)
        join(world, one, other, "planned")
        world.told.note(subject, "joined", "joined", 0, world.now())


def _retrain(world: World, episode: Episode) -> None:
    """With `retrain: auto`, start the run that the item asks for."""
    plan = world.plans[episode.project]
    head = world.forge(episode.project).head(episode.project, plan.branch)
    try:
        model = world.life.project(episode.project, head.commit).models.get(episode.model)
    except (Trouble, Mistakes, Denied) as problem:
        log.warning("whether %s retrains by itself cannot be read: %s", episode.model, problem)
        return
    if model is None or model.retrain != "auto" or episode.retrained is not None:
        return
    items = [link.other(f"episode:{episode.id}") for link in world.links.of(f"episode:{episode.id}")]
    ref = next((item for item in items if item.startswith(("boards:", "github:"))), "")
    spec = Spec(
        kind=Kind.RETRAIN,
        project=episode.project,
        model=episode.model,
        commit=head.commit,
        ref=ref,
        asked_by="policy `retrain: auto`",
        options={"policy": head.commit},
    )
    run = world.life.start(spec, f"episode/{episode.id}/retrain")
    world.links.add(ref or f"episode:{episode.id}", f"run:{run.id}", "asked", world.now())
    world.poke("advance", run.id)


def closed_by_hand(world: World, event: IssueStateChanged) -> None:
    """A person closed or reopened an issue; an episode whose issue was closed by hand is over for them."""
    for link in world.links.of(event.ref):
        subject, _, number = link.other(event.ref).partition(":")
        episode = world.life.shop.watching.by_id(int(number)) if subject == "episode" else None
        if episode is not None and episode.closed is None and not event.open:
            world.life.shop.watching.close(episode, world.now())
            world.poke("follow", episode.id)
