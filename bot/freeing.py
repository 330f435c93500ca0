"""Retention in the folders of this machine: every hour, by one process of it, for as long as the bot runs."""

import fcntl
import logging
import time
from collections.abc import Callable
from datetime import datetime

from lifecycle import Retention

log = logging.getLogger(__name__)
FIRST, EVERY = 60.0, 3600.0  # seconds


def free_folders(retention: Retention, now: Callable[[], datetime]) -> None:
    """Remove what is due, again and again, for ever."""
    time.sleep(FIRST)  # a start has better things to do
    while True:
        try:
            count = once(retention, now())
            if count:
                log.info("freed %d folders and files that are kept no longer", count)
        except Exception:
            log.exception("what is kept no longer could not be freed")
        time.sleep(EVERY)


def once(retention: Retention, now: datetime) -> int:
    """Remove what is due, unless another process is at it; how many things."""
    with (retention.root / "retention.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return 0
        return retention.apply(now)
