"""What workflows have something to do for: numbers that wait in two lines, each number once however often asked for."""

import queue
import threading
from dataclasses import dataclass, field

TALK = ("tell", "follow")  # what brings the platforms up to date, and may have to wait for them
Poke = tuple[str, int]


@dataclass(slots=True)
class Pokes:
    """Safe to use from any thread; asking twice before it is taken is asking once."""

    _work: "queue.SimpleQueue[Poke]" = field(default_factory=queue.SimpleQueue)
    _talk: "queue.SimpleQueue[Poke]" = field(default_factory=queue.SimpleQueue)
    _waiting: set[Poke] = field(default_factory=set)
    _guard: threading.Lock = field(default_factory=threading.Lock)

    def poke(self, workflow: str, number: int) -> None:
        """Ask for it."""
        with self._guard:
            if (workflow, number) in self._waiting:
                return
            self._waiting.add((workflow, number))
        (self._talk if workflow in TALK else self._work).put((workflow, number))

    def next(self, seconds: float) -> Poke | None:
        """The next one asked for, if there is one within so many seconds."""
        return self._next(self._work, seconds)

    def next_talk(self, seconds: float) -> Poke | None:
        """The same for what brings the platforms up to date."""
        return self._next(self._talk, seconds)

    def _next(self, line: "queue.SimpleQueue[Poke]", seconds: float) -> Poke | None:
        try:
            found = line.get(timeout=seconds)
        except queue.Empty:
            return None
        with self._guard:
            self._waiting.discard(found)
        return found
