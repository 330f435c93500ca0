"""When a folder that can be made again was last used, kept as the folder's own time."""

import os
from contextlib import suppress
from pathlib import Path


def mark_used(path: Path) -> None:
    """Note that it is used now; where that cannot be noted, it is made again sooner than need be, no more."""
    with suppress(OSError):
        os.utime(path)


def last_used(path: Path) -> float:
    """Seconds since 1970; endless for what is gone."""
    try:
        return path.stat().st_mtime
    except FileNotFoundError:
        return float("inf")
