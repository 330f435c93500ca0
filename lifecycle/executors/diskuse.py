"""How much a job adds to its folders, looked at so seldom that looking costs nearly nothing; light like the keeper."""

import os
import time
from collections.abc import Iterable

SELDOM = 20  # between two looks lies so many times what a look takes
LEAST = 1.0  # seconds between two looks


class DiskUse:
    """What lies in some folders, beyond what lay there at the first look."""

    def __init__(self, folders: Iterable[str]) -> None:
        self._folders = tuple(folders)
        self._before: int | None = None
        self._next = 0.0

    def over(self, most_mb: int) -> bool:
        """Whether it is more than that now; False where it is too early to look again."""
        begun = time.monotonic()
        if begun < self._next:
            return False
        size = sum(map(allocated, self._folders))
        took = time.monotonic() - begun
        self._next = begun + took + max(LEAST, SELDOM * took)
        if self._before is None:
            self._before = size
        return size - self._before > most_mb << 20


def allocated(folder: str) -> int:
    """The bytes that a folder takes on disk, without following links; what vanishes meanwhile counts nothing."""
    size, folders = 0, [folder]
    while folders:
        try:
            with os.scandir(folders.pop()) as entries:
                for entry in entries:
                    size += entry.stat(follow_symlinks=False).st_blocks * 512
                    if entry.is_dir(follow_symlinks=False):
                        folders.append(entry.path)
        except OSError:
            continue
    return size
