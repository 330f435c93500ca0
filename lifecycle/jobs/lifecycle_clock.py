"""How long something took, on a machine that others use too."""

from __future__ import annotations

import os
import time

WAITS = "/proc/self/schedstat"  # of the main thread: ns on a processor, ns waiting for one, how often


class Stopwatch:
    """Seconds since it was made, without those in which we were ready and all processors were taken by others.

    Sleeping and waiting for files and locks count. Where the system does not tell, waiting for a processor counts too.
    """

    def __init__(self) -> None:
        # The span of the waits lies within the span of the time: what is read between them can only be too long.
        self._begun, self._waited = time.perf_counter(), waited()

    def seconds(self) -> float:
        waits = waited() - self._waited
        return time.perf_counter() - self._begun - waits


def waited() -> float:
    """Seconds that the main thread has waited for a processor so far."""
    try:
        file = os.open(WAITS, os.O_RDONLY)
    except OSError:
        return 0.0
    try:
        return int(os.read(file, 100).split()[1]) / 1e9
    except (OSError, ValueError, IndexError):
        return 0.0
    finally:
        os.close(file)
