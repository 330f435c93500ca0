"""The worker: takes events from the inbox, moves runs, tells of them, watches jobs, and ticks."""

import contextlib
import logging
import queue
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from bot.engine import Engine
from bot.inbox import Inbox
from lifecycle import Lifecycle

log = logging.getLogger(__name__)
BATCH = 50
BEAT = 5.0  # seconds between heartbeats; a third of the lease
POLL = 2.0  # how long one look at running jobs may take; their end is noticed at once where the system can tell
TIDY = 30.0  # seconds between two looks for what killed processes left
AGAIN = 5.0  # an ended job whose run has not moved after so long is reported once more


@dataclass(slots=True)
class Pokes:
    """Numbers that a workflow has something to do for; asking twice before it is done is asking once."""

    _line: "queue.SimpleQueue[tuple[str, int] | None]" = field(default_factory=queue.SimpleQueue)
    _waiting: set[tuple[str, int]] = field(default_factory=set)
    _guard: threading.Lock = field(default_factory=threading.Lock)

    def poke(self, workflow: str, number: int) -> None:
        """Ask for it."""
        with self._guard:
            if (workflow, number) in self._waiting:
                return
            self._waiting.add((workflow, number))
        self._line.put((workflow, number))

    def next(self, seconds: float) -> tuple[str, int] | None:
        """The next one asked for, if there is one within so many seconds."""
        try:
            found = self._line.get(timeout=seconds)
        except queue.Empty:
            return None
        if found is not None:
            with self._guard:
                self._waiting.discard(found)
        return found


class Worker:
    """Runs until `stop`; every loop survives what goes wrong in one of its turns."""

    def __init__(self, inbox: Inbox, engine: Engine, life: Lifecycle, pokes: Pokes) -> None:
        self.inbox, self.engine, self.life, self.pokes = inbox, engine, life, pokes
        self._stopping = threading.Event()
        self._working = threading.Event()
        self._threads: list[threading.Thread] = []

    def start(self) -> None:
        """Take up what was left, then begin."""
        self.inbox.revive()
        self.engine.launch()
        for number in self.life.shop.store.open_numbers():
            self.pokes.poke("advance", number)
        loops: Sequence[Callable[[], None]]
        loops = (self.dispatch, self.push, self.watch, self.beat, self.take_up, self.tidy)
        for loop in loops:
            thread = threading.Thread(target=self._keep, args=(loop,), name=loop.__name__, daemon=True)
            thread.start()
            self._threads.append(thread)
        self._working.set()

    def stop(self) -> None:
        """End the loops; what they have begun goes on in the engine until it is closed."""
        self._stopping.set()
        self._working.set()
        for thread in self._threads:
            thread.join(timeout=BEAT)

    def dispatch(self) -> None:
        """Turn what has arrived into workflows, each under the event's natural id."""
        rows = self.inbox.take(BATCH)
        if not rows:
            self.inbox.wait()
            return
        for row in rows:
            self.engine.start("handle", row.id, row.kind, row.body.decode())
        self.inbox.done([row.id for row in rows])

    def push(self) -> None:
        """Start the workflows that were poked."""
        found = self.pokes.next(1.0)
        if found is None:
            return
        workflow, number = found
        if workflow == "working":
            self._working.set()
        else:
            self.engine.kick(workflow, number)

    def watch(self) -> None:
        """Wait until a job ends, and move its run; sleeps while nothing runs."""
        self._working.wait(timeout=10.0)
        self._working.clear()
        reported: dict[str, float] = {}
        while not self._stopping.is_set():
            working = self.life.working()
            if not working:
                return
            fresh = {
                name: run for name, run in working.items() if time.monotonic() - reported.get(name, -AGAIN) >= AGAIN
            }
            ended = self.life.ended(fresh, POLL if fresh else 0.0)
            for name, number in ended.items():
                reported[name] = time.monotonic()
                self.pokes.poke("advance", number)
            if not fresh:
                self._stopping.wait(0.1)

    def beat(self) -> None:
        """Say that we are alive, and take over from those who are not."""
        if self.engine.take_over():
            log.warning("took over the work of an executor that is gone")
        self._stopping.wait(BEAT)

    def take_up(self) -> None:
        """Go on with what had to wait for a platform."""
        if not self.engine.take_up():
            self._stopping.wait(1.0)

    def tidy(self) -> None:
        """Clear away what was left by processes of ours that were killed."""
        self.life.tidy()
        self._stopping.wait(TIDY)

    def _keep(self, loop: Callable[[], None]) -> None:
        while not self._stopping.is_set():
            try:
                loop()
            except Exception:
                log.exception("the %s loop stumbled", loop.__name__)
                with contextlib.suppress(Exception):
                    self._stopping.wait(1.0)
