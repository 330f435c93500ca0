"""What one installation shares: its credential, one writer, a reader for each thread, and how long it must be quiet."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Protocol

from github import Auth
from github.Requester import Requester

from bot.adapters.github_errors import Limited
from bot.ports import Unavailable
from bot.retrying import PATIENCE

LONGEST = 900.0  # seconds of quiet where GitHub limits us again and again without naming a time


class Pacing(Protocol):
    """Turns to write, shared with others who write for the same installation."""

    def look(self, line: str, urgent: bool) -> None:
        """Raises Unavailable where there is no turn to be had soon."""

    def book(self, line: str, urgent: bool) -> float:
        """Seconds until our turn. Raises Unavailable where that is too long."""


@dataclass(slots=True)
class Line:
    """`turn` lets one write through at a time, at least `seconds` after the one before, and as `pacing` says."""

    auth: Auth.Auth
    writer: Requester
    seconds: float
    name: str = ""
    pacing: Pacing | None = None
    readers: threading.local = field(default_factory=threading.local)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _free_at: float = 0.0
    _quiet_until: float = 0.0
    _strikes: int = 0

    def look(self, urgent: bool) -> None:
        """Raises Unavailable where a write would have to wait for longer than we can."""
        if self.pacing is not None:
            self.pacing.look(self.name, urgent)

    @contextmanager
    def turn(self, urgent: bool = True) -> Iterator[None]:
        """Our turn to write. Raises Unavailable where others before us take too long."""
        if not self._lock.acquire(timeout=PATIENCE):
            raise Unavailable("Others write to GitHub before us.", after=PATIENCE)
        try:
            booked = self.pacing.book(self.name, urgent) if self.pacing is not None else 0.0
            time.sleep(max(booked, self._free_at - time.monotonic(), 0.0))
            yield
        finally:
            self._free_at = time.monotonic() + self.seconds
            self._lock.release()

    def listen(self) -> None:
        """Wait where GitHub has asked for a moment of quiet. Raises Unavailable where it is more than a moment."""
        left = self._quiet_until - time.monotonic()
        if left > PATIENCE:
            raise Unavailable("GitHub limits how often we may ask; until it lets us again, we do not.", after=left)
        time.sleep(max(0.0, left))

    def heard(self, problem: Exception | None) -> None:
        """What came of a call; None where it went well. A limit without a time counts longer each time."""
        if not isinstance(problem, Limited):
            self._strikes = 0 if problem is None else self._strikes
            return
        if not problem.named:
            problem.after = min(LONGEST, (problem.after or 0.0) * 2.0**self._strikes)
            self._strikes += 1
        self._quiet_until = max(self._quiet_until, time.monotonic() + (problem.after or 0.0))
