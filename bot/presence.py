"""Which workers of this state folder have died: each holds a lock on a file of its own for as long as it lives.

One that is stalled or cut off from the database holds its lock still, so only the dead are found. A copy of a state
folder says nothing: its files are others than those that were locked, and after a reboot all are old.
"""

import fcntl
import json
import uuid
from pathlib import Path
from typing import IO

BOOT = Path("/proc/sys/kernel/random/boot_id")


class Presence:
    """The files of the workers, in a folder on a local disk."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._mine: IO[str] | None = None

    def hold(self, me: str) -> None:
        """Say that the worker `me` lives, for as long as this process does."""
        self.folder.mkdir(parents=True, exist_ok=True)
        draft = self.folder / f".{uuid.uuid4().hex}"
        self._mine = draft.open("w")
        fcntl.flock(self._mine, fcntl.LOCK_EX)  # before it gets its name, so that nobody finds it without
        self._mine.write(_identity(draft))
        self._mine.flush()
        draft.rename(self.folder / me)

    def dead(self) -> set[str]:
        """The workers of this folder that were ended by force and not buried yet."""
        return {path.name for path in self.folder.glob("[!.]*") if _is_dead(path)}

    def bury(self, dead: set[str]) -> None:
        """Nothing of theirs is left to take over."""
        for name in dead:
            (self.folder / name).unlink(missing_ok=True)


def _is_dead(path: Path) -> bool:
    try:
        with path.open("r") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            dead = file.read() == _identity(path)
            if not dead:
                path.unlink()  # of a copied folder, or from before the machine was started
            return dead
    except OSError:  # somebody holds it, it is gone or cannot be read: nothing says that its worker is dead
        return False


def _identity(path: Path) -> str:
    """What is true of this very file, and only until the machine is started again."""
    about = path.stat()
    boot = BOOT.read_text().strip() if BOOT.exists() else ""
    return json.dumps([boot, about.st_dev, about.st_ino])
