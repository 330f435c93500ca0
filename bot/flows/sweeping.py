"""The sweep: compares what is with what has been told, so that a lost webhook is a delay and never a loss."""

import logging
from datetime import timedelta

from bot.events import PullRequestChanged, SweepDue
from bot.ports import Denied, Unavailable
from bot.world import World

log = logging.getLogger(__name__)
LATELY = timedelta(days=14)  # in which somebody may open an item again, and the webhook be lost


def sweep(world: World, event: SweepDue) -> None:
    """Look at open runs, untold runs, open episodes and open pull requests."""
    for number in world.life.shop.store.open_numbers():
        world.poke("advance", number)
    for number in world.life.shop.store.untold():
        world.poke("tell", number)
    watching = world.life.shop.watching
    for episode in (*watching.open_episodes(), *watching.closed_since(event.tick - LATELY)):
        world.poke("follow", episode.id)
    for project in world.plans:
        try:
            pulls = world.forge(project).open_pulls(project)
        except (Denied, Unavailable) as error:
            log.warning("the open pull requests of %s cannot be read: %s", project, error)
            continue
        for pull in pulls:
            if not pull.draft and world.told.is_new(str(pull.ref), "validated", pull.head):
                world.put(PullRequestChanged(str(pull.ref), pull.head, event.tick))
