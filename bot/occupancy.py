"""Who uses a state folder: every process of the bot says so while it lives, and a restore wants to be alone."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

FILE = "in-use.lock"


class Occupied(Exception):
    """A process of the bot uses the folder."""


def occupy(state: Path) -> IO[str]:
    """Say that this process uses the folder, for as long as the answer lives. Raises Occupied during a restore."""
    state.mkdir(parents=True, exist_ok=True)
    file = (state / FILE).open("a")
    try:
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        file.close()
        raise Occupied(f"A backup is being restored into {state}; start again when that is done.") from None
    return file


@contextmanager
def alone(state: Path) -> Iterator[None]:
    """Keep the bot's processes out of the folder meanwhile. Raises Occupied where there are any."""
    state.mkdir(parents=True, exist_ok=True)
    with (state / FILE).open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Occupied(f"The bot is running in {state}; stop it first.") from None
        yield
