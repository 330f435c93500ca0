"""The worker: takes events from the inbox, moves runs, tells of them, watches jobs, and ticks."""

import contextlib
import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence

from bot.engine import Engine
from bot.events import about
from bot.inbox import Inbox, readable
from bot.pokes import TALK, Pokes
from lifecycle import Lifecycle

log = logging.getLogger(__name__)
BATCH = 50
BEAT = 5.0  # seconds between heartbeats; a third of the lease
LOOK = 1.0  # seconds between looks at what other machines leave to us or ask of us
SERVE = 5.0  # seconds between looks at whether this machine serves what the registry says
SHIP = 3.0  # seconds between looks at what other machines should see of this one's logs
REVIVE = 30.0  # seconds between looks at events that a worker of another version could not read
POLL = 2.0  # how long one look at running jobs may take; their end is noticed at once where the system can tell
TIDY = 30.0  # seconds between two looks for what killed processes left
TALKERS = 8  # of the engine's threads; a platform that is slow or limits us is slow for all of them
AGAIN = 5.0  # an ended job whose run has not moved after so long is reported once more


class Worker:
    """Runs until `stop`; every loop survives what goes wrong in one of its turns."""

    def __init__(
        self, inbox: Inbox, engine: Engine, life: Lifecycle, pokes: Pokes, *, alone: bool, lease: float = 3 * BEAT
    ) -> None:
        """`alone`: no other machine shares the work; `lease` is how long others wait for our heartbeat, in seconds."""
        self.inbox, self.engine, self.life, self.pokes = inbox, engine, life, pokes
        self.alone, self.lease = alone, lease
        self._last_beat = time.monotonic()
        self._looked: dict[int, float] = {}
        self._offered = False
        self._unserved: Mapping[str, str] = {}
        self._stopping = threading.Event()
        self._working = threading.Event()
        self._threads: list[threading.Thread] = []

    def start(self) -> None:
        """Take up what was left, then begin."""
        self.inbox.revive(readable)
        self.engine.ended = lambda name: self.inbox.wake() if name == "handle" else None
        self.engine.launch()
        self.abandon()
        for number in self.life.shop.store.open_numbers():
            self.pokes.poke("advance", number)
        loops: Sequence[Callable[[], None]]
        loops = (self.dispatch, self.push, self.talk, self.watch, self.beat, self.serve, self.take_up, self.tidy)
        if not self.alone:
            loops = (*loops, self.look, self.revive, self.ship)
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
        if not self.inbox.waiting():
            self.inbox.wait()
            return
        with self.engine.one_at_a_time("dispatch"):  # so that what came first also begins first, wherever it does
            began = self._dispatch(BATCH) or self._dispatch(20 * BATCH)  # many may wait for one that takes long
        if not began:  # all that waits was taken by others, or waits for what came before it
            self.inbox.wait()

    def _dispatch(self, limit: int) -> int:
        """Begin what may begin of the longest waiting; how many that were. Of one thing's events one at a time."""
        rows = self.inbox.take(limit)
        mine = [row for row in rows if readable(row)]
        self.inbox.set_aside([row.id for row in rows if row not in mine])
        begun = set(self.engine.under_way("handle"))
        busy = {about(key) for key in begun} - {""}
        for row in mine:
            thing = about(row.id)
            if thing in busy or self._stopping.is_set():
                continue
            self.engine.start("handle", row.id, row.kind, row.body.decode())
            begun.add(row.id)
            busy |= {thing} - {""}
        done = [row.id for row in mine if row.id in begun]  # also those that began before we were interrupted
        self.inbox.done(done)
        self.inbox.give_back([row.id for row in mine if row.id not in begun])
        return len(done)

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

    def talk(self) -> None:
        """The same for what brings the platforms up to date; a few at a time, so that they leave threads to others."""
        found = self.pokes.next_talk(1.0)
        while found is not None and self.engine.busy(*TALK) >= TALKERS and not self._stopping.wait(0.05):
            continue
        if found is not None:
            self.engine.kick(*found)

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
        now = time.monotonic()
        if now - self._last_beat > self.lease:
            self.abandon()
        self._last_beat = now
        self._stopping.wait(min(BEAT, self.lease / 3))

    def look(self) -> None:
        """Move the runs that were cancelled elsewhere, that wait and may begin here, and that a dead machine left."""
        now = time.monotonic()
        self._looked = {number: at for number, at in self._looked.items() if now - at < AGAIN}
        for number in self.life.due():
            if number not in self._looked:
                self._looked[number] = now
                self.pokes.poke("advance", number)
        self._stopping.wait(LOOK)

    def serve(self) -> None:
        """Make this machine serve what the registry says."""
        unserved = self.life.serve()
        for name, why in unserved.items():
            if self._unserved.get(name) != why:
                log.warning("%s does not serve here yet: %s", name, why)
        self._unserved = unserved
        self._stopping.wait(SERVE)

    def revive(self) -> None:
        """Take up what a worker of an older version could not read, where we can."""
        self._stopping.wait(REVIVE)
        self.inbox.revive(readable)

    def ship(self) -> None:
        """Let other machines see what is written here."""
        self._stopping.wait(SHIP)
        try:
            if not self._offered:
                self.life.shop.registry.publish_all()
                self._offered = True
            self.life.ship()
        except OSError as trouble:  # nothing is lost: what was not shipped is shipped later
            log.warning("other machines do not see what is written here: %s", trouble)
            self._stopping.wait(REVIVE)

    def abandon(self) -> None:
        """End the jobs whose runs another machine got while nobody heard of this one."""
        for name in self.life.abandon():
            log.warning("job %s was ended: another machine has its run now", name)

    def take_up(self) -> None:
        """Go on with what had to wait for a platform."""
        due = self.engine.take_up()
        for workflow, number in due:
            self.pokes.poke(workflow, number)
        if not due:
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
