"""Which models are watched and when: read from the default branches' lifecycle.yaml, again and again."""

import logging
import time

from bot.ports import Denied, Unavailable
from bot.schedule import Clock
from bot.world import World
from lifecycle import GitTrouble, Mistakes, Trouble

log = logging.getLogger(__name__)
EVERY = 300.0  # seconds; a schedule changes with a merge, and nobody waits for its first tick


def schedules(world: World, clock: Clock) -> None:
    """Keep the clock's list of monitors as the repositories want it, for ever."""
    while True:
        found: dict[str, str] = {}
        for project, plan in world.plans.items():
            try:
                head = world.forge(project).head(project, plan.branch)
                models = world.life.project(project, head.commit).models
            except (Denied, Unavailable, GitTrouble, Trouble, Mistakes) as problem:
                log.warning("the schedules of %s cannot be read: %s", project, problem)
                continue
            found |= {f"{project}/{name}": one.monitor.schedule for name, one in models.items() if one.monitor.schedule}
        clock.watch(found)
        time.sleep(EVERY)
