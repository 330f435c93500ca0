"""Monitoring: the clock starts it, and an episode of drift keeps exactly one item on each tracker up to date."""

import logging
from collections.abc import Callable
from functools import partial

from bot import wording
from bot.engine import GaveUp, Json, Postponed
from bot.events import MonitorDue
from bot.flows import by_hand
from bot.flows.linking import join
from bot.ports import Category, Denied, Draft
from bot.refs import Ref
from bot.world import World
from lifecycle import Episode, Kind, Mistakes, Spec, Trouble, Window

Step = Callable[..., Json]
log = logging.getLogger(__name__)
TAGS = ("lifecycle-bot", "retrain")


def due(world: World, event: MonitorDue) -> None:
    """The clock's tick: watch the model, where a version of it serves; what moved is said where it was promoted."""
    project, _, model = event.model.rpartition("/")
    plan = world.plans.get(project)
    champion = world.life.shop.registry.champion(project, model)
    if plan is None or champion is None:
        return
    reign = world.life.shop.registry.reign(project, model)
    promoted = next((one.run for one in reign if one.number == champion.number), None)
    head = world.forge(project).head(project, plan.branch)
    spec = Spec(
        kind=Kind.MONITOR,
        project=project,
        model=model,
        commit=head.commit,
        ref=world.life.shop.store.get(promoted).spec.ref if promoted else "",
        asked_by="the schedule",
        options={"policy": head.commit, "scheduled": True},
    )
    world.poke("advance", world.life.start(spec, event.id).id)


def follow(world: World, step: Step, number: int) -> None:
    """Bring the episode's items up to date: opened, revised, moved, and closed when it is over.

    What one platform does not do now is tried later, and keeps nothing from the other.
    """
    failed: list[BaseException] = []

    def tried(name: str, what: Callable[[], None]) -> None:
        try:
            step(name, what)
        except GaveUp as error:
            log.error("the %s of episode %d did not work: %s", name, number, error.last)
            if not isinstance(error.last, Denied):
                failed.append(error.last)

    for system in world.trackers:
        tried(f"{system} look", partial(by_hand.look, world, number, system))
    episode = world.life.shop.watching.by_id(number)
    plan = world.plans.get(episode.project) if episode else None
    if episode is None or plan is None:
        return
    for system, place in (("boards", plan.board), ("github", plan.repository)):
        if place and system in plan.retrain_items and system in world.trackers:
            tried(f"{system} item", partial(_item, world, episode, system, place))
    tried("join", lambda: _join(world, episode))
    if episode.closed is None and not _is_quiet(world, episode):
        tried("retrain", lambda: _retrain(world, episode))
    if failed:
        raise Postponed(failed[0])


def _windows(world: World, episode: Episode) -> list[Window]:
    return list(world.life.shop.watching.windows(episode.project, episode.model))


def _is_quiet(world: World, episode: Episode) -> bool:
    return episode.closed is None and episode.snoozed is not None and world.now() < episode.snoozed


def _item(world: World, episode: Episode, system: str, place: str) -> None:
    """Find or open the item and make it read, and stand, as the episode does."""
    subject, tracker, windows = f"episode:{episode.id}", world.trackers[system], _windows(world, episode)
    if _is_quiet(world, episode) and not world.told.is_new(subject, f"{system}/snoozed", str(episode.snoozed)):
        return
    title, text = wording.drift_item(episode, windows, world)
    severity = wording.severity(episode)
    marker = f"drift/{episode.project}/{episode.model}/{episode.id}"
    ref = tracker.open(place, marker, Draft(title, text, tags=TAGS, kind="problem", severity=severity))
    world.links.add(subject, str(ref), "tracked", world.now())
    # What people made of its urgency stays, until the drift itself becomes more or less urgent.
    urgency = severity if world.told.is_new(subject, f"{system}/severity", str(severity)) else None
    if world.told.is_new(subject, system, f"{title}\n{text}") or urgency:
        tracker.revise(ref, Draft(title, text, tags=TAGS, kind="problem", severity=urgency))
        world.told.note(subject, system, f"{title}\n{text}", episode.clean, world.now())
        world.told.note(subject, f"{system}/severity", str(severity), 0, world.now())
    if episode.snoozed:
        world.told.note(subject, f"{system}/snoozed", str(episode.snoozed), 0, world.now())
    _stand(world, episode, ref, windows)


def _stand(world: World, episode: Episode, ref: Ref, windows: list[Window]) -> None:
    """Open or closed as the episode is, and said so once."""
    subject, talk, system = f"episode:{episode.id}", world.talk(ref), ref.system
    to_move = by_hand.told_closed if episode.closed is None else by_hand.told_open
    if to_move(world, subject, system) and not _is_still(world, episode):
        return
    if episode.closed is not None:
        if world.told.is_new(subject, f"{system}/over", str(episode.reopened)):
            talk.say(ref, f"drift-{episode.id}-closed-{episode.reopened}", wording.drift_over(episode, world))
            world.told.note(subject, f"{system}/over", str(episode.reopened), 0, world.now())
        if by_hand.told_open(world, subject, system):
            _move(world, ref, Category.COMPLETED)
            by_hand.note(world, subject, system, is_open=False)
        return
    if by_hand.told_closed(world, subject, system):
        talk.say(ref, f"drift-{episode.id}-back-{episode.reopened}", wording.drift_back(episode, windows, world))
        _move(world, ref, Category.IN_PROGRESS)
    by_hand.note(world, subject, system, is_open=True)
    over = episode.snoozed is not None and not _is_quiet(world, episode)
    if over and world.told.is_new(subject, f"{system}/woken", str(episode.snoozed)):
        if windows and windows[0].verdict == "ALARM":
            talk.say(ref, f"drift-{episode.id}-woken-{episode.snoozed:%Y%m%d}", wording.snooze_over(windows))
        world.told.note(subject, f"{system}/woken", str(episode.snoozed), 0, world.now())


def _is_still(world: World, episode: Episode) -> bool:
    """Whether nobody has closed or opened it since we read it; if so, we were poked again, and must not undo it now."""
    now = world.life.shop.watching.by_id(episode.id)
    return now is not None and (now.closed, now.reopened) == (episode.closed, episode.reopened)


def _move(world: World, ref: Ref, category: Category) -> None:
    """Into that category, unless people have put it on the same side of done and not done."""
    tracker, done = world.trackers[ref.system], by_hand.DONE
    if (tracker.category(ref) in done) is not (category in done):
        tracker.move(ref, category)


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
    """With `retrain: auto`, start the run that the item asks for, once each time that it opens."""
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
    again = f"/{episode.reopened}" if episode.reopened else ""
    run = world.life.start(spec, f"episode/{episode.id}/retrain{again}")
    world.links.add(ref or f"episode:{episode.id}", f"run:{run.id}", "asked", world.now())
    world.poke("advance", run.id)
