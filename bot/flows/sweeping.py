"""The sweep: compares what is with what has been told, so that a lost webhook is a delay and never a loss."""

import logging
from collections.abc import Callable
from datetime import datetime, timedelta

from bot.events import Happened, PullRequestChanged, PullRequestClosed, SweepDue, TextChanged
from bot.flows import linking
from bot.ports import Denied, Missed, Unavailable
from bot.world import World
from lifecycle import Filter, Kind

log = logging.getLogger(__name__)
LATELY = timedelta(days=14)  # in which somebody may open an item again, and the webhook be lost
OVERLAP = timedelta(minutes=2)  # platforms show a change a little late, and a sweep takes its time
LONGEST = timedelta(days=3)  # what is older than that nobody expects any more; GitHub sends nothing older again either


def sweep(world: World, event: SweepDue) -> None:
    """Look at open runs, untold runs, open episodes, and at what happened on the platforms since the last time."""
    last, began = world.cursors.get("sweep"), world.now()
    if last is not None and event.tick <= last:
        return  # ticks that waited while a sweep took long: it has seen what they are about
    if last is not None and began - last > LONGEST:
        log.warning("the last sweep was at %s; what happened before %s is not caught up with", last, began - LONGEST)
    _our_own(world, event)
    for project, plan in world.plans.items():
        _guarded(f"{plan.forge}:{project}", lambda system, place: _catch_up(world, system, place, event))
        _guarded(f"{plan.forge}:{project}", lambda _, place: _pulls(world, place, event))
    for board in dict.fromkeys(plan.board for plan in world.plans.values() if plan.board):
        _guarded(f"boards:{board}", lambda system, place: _catch_up(world, system, place, event))
    for system in world.histories:
        _guarded(f"{system}:deliveries", lambda system, _: _deliveries(world, system, event))
    world.cursors.move("sweep", began)


def _our_own(world: World, event: SweepDue) -> None:
    for number in world.life.shop.store.open_numbers():
        world.poke("advance", number)
    for number in world.life.shop.store.untold():
        world.poke("tell", number)
    watching = world.life.shop.watching
    for episode in (*watching.open_episodes(), *watching.closed_since(event.tick - LATELY)):
        world.poke("follow", episode.id)


def _guarded(name: str, look: Callable[[str, str], None]) -> None:
    """One place that cannot be read does not keep us from the others; its cursor waits for the next time."""
    system, _, place = name.partition(":")
    try:
        look(system, place)
    except (Denied, Unavailable) as error:
        log.warning("the sweep could not read %s: %s", name, error)


def _catch_up(world: World, system: str, place: str, event: SweepDue) -> None:
    """Take in what happened at a place."""
    history = world.histories.get(system)
    if history is not None:
        _ask(world, f"{system}:{place}", lambda since: history.since(place, since), event.tick)


def _deliveries(world: World, system: str, event: SweepDue) -> None:
    """Take in, or have sent again, what could not be delivered."""
    _ask(world, f"{system}:deliveries", world.histories[system].undelivered, event.tick)


def _ask(world: World, name: str, history: Callable[[datetime], Missed], tick: datetime) -> None:
    """Take in what happened since the cursor; it moves when that is on disk, by the platform's clock."""
    now, until = world.now(), world.cursors.get(name)
    if until is None:  # what happened before we came is not for us to do
        until = tick + OVERLAP
        world.cursors.move(name, until)
    since = max(until - OVERLAP, now - LONGEST)
    missed = history(since)
    world.put(*(event for event in missed.events if event.at >= since and _is_news(world, event)))
    if missed.until is not None:
        world.cursors.move(name, min(missed.until, now))


def _is_news(world: World, event: Happened) -> bool:
    """A list shows every text that was touched; few of them mention anything, fewer anything new."""
    return not isinstance(event, TextChanged) or linking.is_news(world, event)


def _pulls(world: World, project: str, event: SweepDue) -> None:
    """Find open pull requests whose head we have not judged, and runs of such as are closed or drafts by now."""
    found = {str(pull.ref): pull for pull in world.forge(project).open_pulls(project)}
    for ref, pull in found.items():
        if not pull.draft and world.told.is_new(ref, "validated", pull.head):
            world.put(PullRequestChanged(ref, pull.head, event.tick))
    ours = Filter(project=project, kinds=(Kind.VALIDATE,), open_only=True)
    for ref in {run.spec.ref for run in world.life.shop.store.find(ours, limit=1000) if run.spec.options.get("report")}:
        if ref not in found or found[ref].draft:
            world.put(PullRequestClosed(ref, event.tick))
