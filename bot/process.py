"""What a process of ours does for itself: one line for each event of note, alone where it must be, gone when told."""

import fcntl
import logging
import os
import signal
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

log = logging.getLogger(__name__)


class Busy(Exception):
    """Another worker holds the state folder."""


def alone(state: Path) -> object:
    """Hold the state folder's lock until this process ends. Raises Busy."""
    file = (state / "worker.lock").open("w")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise Busy(f"Another worker uses {state}; with SQLite there can be one.") from None
    return file


def not_shared(state: Path, others: Sequence[str]) -> None:
    """See to it that no other machine works in this state folder, or in a copy of it. Raises Busy."""
    if others:
        raise Busy(
            f"A worker on {', '.join(others)} uses {state} too, or the folder that it was copied from; each machine "
            "needs a state folder of its own. After moving the folder, or from one container to the next, try again "
            "in a moment."
        )


def logs() -> None:
    """One line for each event of note, to standard error."""
    form = "%(asctime)s %(levelname)s %(name)s: %(message)s"
    logging.basicConfig(level=logging.INFO, format=form, stream=sys.stderr)
    for name in ("apscheduler", "urllib3", "github", "msrest", "alembic"):
        logging.getLogger(name).setLevel(logging.WARNING)


def leave() -> None:
    """End the process now if a step is still at work that was not done in time: others take it over."""
    others = [one for one in threading.enumerate() if not one.daemon and one is not threading.main_thread()]
    for thread in others:
        thread.join(timeout=1.0 / len(others))
    if any(thread.is_alive() for thread in others):
        log.warning("what was not done in time is left to others, or to the next start")
        logging.shutdown()
        os._exit(0)


def until_signalled() -> None:
    """Block until SIGTERM or SIGINT."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    while not stop.wait(3600):
        continue
