"""Makes folders aside, to be moved into place whole; and clears away what makers left that were killed."""

import fcntl
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from lifecycle.executors import processtree

PREFIX = "making-"
LOCK = ".lock"


@contextmanager
def making(parent: Path) -> Iterator[Path]:
    """A new folder in `parent` to make something in, on the disk where it belongs; what is left in it is removed."""
    parent.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix=PREFIX, dir=parent))
    try:
        with open(folder / LOCK, "w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)  # for as long as we live: by it others know
            yield folder
    finally:
        processtree.remove_tree(str(folder))


def clear(parent: Path) -> int:
    """Remove the folders in `parent` whose makers are gone; how many those were."""
    gone = [folder for folder in parent.glob(f"{PREFIX}*") if _abandoned(folder)]
    processtree.remove_tree(*map(str, gone))
    return len(gone)


def _abandoned(folder: Path) -> bool:
    try:
        lock = os.open(folder / LOCK, os.O_RDONLY)
    except OSError:
        with suppress(OSError):
            folder.rmdir()  # empty: its maker was killed before it could lock; one that is about to, tries again
        return False
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    finally:
        os.close(lock)
    return True
