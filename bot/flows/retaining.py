"""Retention in the databases: forgets what finished long ago, in small batches, by whichever worker has the tick."""

import logging
import time
from datetime import datetime

from bot.engine import Engine
from bot.world import World

log = logging.getLogger(__name__)
MOST = 100  # batches of workflows for one tick; what is left is forgotten an hour later
PAUSE = 0.05  # seconds between them, in which others write


def forget(world: World, engine: Engine, now: datetime) -> str:
    """Forget workflows, events and texts that `keep:` no longer keeps. Runs, versions, links and windows stay."""
    workflows, batch = 0, 1
    for _ in range(MOST):
        batch = engine.forget(now - world.keep.workflows)
        workflows += batch
        if not batch:
            break
        time.sleep(PAUSE)
    events = world.prune(now - world.keep.events)
    texts = world.told.prune(now - world.keep.told)
    said = f"{workflows} workflows, {events} events, {texts} texts"
    if workflows or events or texts:
        log.info("forgot %s", said)
    return said
