"""Writes that went unanswered, and that lists may not show yet: until we are sure, nothing like them is written."""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable

from bot.ports import Unavailable

LAG = 5.0  # seconds after which what was written is in every list that a platform answers with
REMEMBERED = 2_000
STALL = 10.0  # seconds; a worker that stood still for longer may have been replaced, whose successor wrote meanwhile


class Doubts:
    """Safe to use from any thread."""

    def __init__(self, lag: float = LAG, clock: Callable[[], float] = time.monotonic) -> None:
        self._lag, self._clock = lag, clock
        self._lock = threading.Lock()
        self._since: OrderedDict[Hashable, float] = OrderedDict()

    def note(self, key: Hashable) -> None:
        """A write was not answered: it may have been done."""
        with self._lock:
            self._since[key] = self._clock()
            self._since.move_to_end(key)
            if len(self._since) > REMEMBERED:
                self._since.popitem(last=False)

    def hold(self, key: Hashable) -> bool:
        """Whether an unanswered write came before the one that follows. Raises Unavailable while it may yet show."""
        with self._lock:
            since = self._since.get(key)
        if since is None:
            return False
        left = self._lag - (self._clock() - since)
        if left > 0:
            raise Unavailable("It is not sure yet whether what we wrote has arrived.", after=left)
        return True

    def now(self) -> float:
        """When a look begins that may find nothing."""
        return self._clock()

    def stalled(self, look: float) -> bool:
        """Whether so much time went by since the look that somebody may have written what was not there then."""
        return self._clock() - look > STALL

    def settle(self, key: Hashable) -> None:
        """It is known now what became of it."""
        with self._lock:
            self._since.pop(key, None)
