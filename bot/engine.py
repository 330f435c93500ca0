"""Durable execution on DBOS, behind the few names that the rest needs: workflows, steps, a start once per key."""

import logging
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext, suppress
from datetime import datetime
from typing import cast

from dbos import DBOS, DBOSPortableJSONSerializer, SetWorkflowID
from sqlalchemy import make_url
from sqlalchemy.exc import DBAPIError, IntegrityError

from bot.alive import Alive
from bot.later import Due, Later
from bot.locks import Locks
from bot.retrying import ATTEMPTS, Answer, GaveUp, Json, Postponed, attempt, failure
from lifecycle import connect

__all__ = ["Engine", "GaveUp", "Json", "Postponed"]
# A constant: DBOS would otherwise strand every open workflow at an upgrade. Changes of a workflow's steps are guarded
# by what the steps do (each may be repeated), not by the version.
VERSION = "v1"
# Every restart of the bot during a workflow counts as one; real failures are bounded by the attempts of a step.
RECOVERIES = 1000
SURE = 5.0  # seconds after which a workflow that seems to be under way is asked about
FINISHED = ("SUCCESS", "ERROR", "CANCELLED", "MAX_RECOVERY_ATTEMPTS_EXCEEDED")
LONG = 600.0  # seconds; nothing that is kicked takes so long
AT_ONCE = 20  # postponed workflows taken up in one go
log = logging.getLogger(__name__)


class Engine:
    """Runs workflows that survive the process: what was started is finished, by us or by whoever comes after us."""

    def __init__(self, url: str, alive: Alive, later: Later, workflows: Mapping[str, Callable[..., None]]) -> None:
        if make_url(url).get_backend_name() == "sqlite":
            connect(url).dispose()  # leaves the file in WAL mode, which DBOS keeps but does not choose
        self._alive, self._later = alive, later
        self._looked = False
        self._torn: set[str] = set()  # workflows whose steps could not be noted: they have stopped, and do not know it
        self._begun: dict[str, float] = {}  # workflows that have begun here and not ended, and since when
        self.ended: Callable[[str], None] = lambda _name: None  # called when one of that name has
        self._silent: set[str] = set()  # executors that had shown no sign of life when we last looked
        self._serial = Serial()
        self._locks = None if alive.alone else Locks(alive.engine, alive.me, alive.lease)
        DBOS(
            config={
                "name": "lifecycle-bot",
                "system_database_url": url,
                "executor_id": alive.me,
                "application_version": VERSION,
                "log_level": "ERROR",
                "serializer": DBOSPortableJSONSerializer(),  # the default pickles: who writes the database runs code
                "max_executor_threads": 32,
                "use_listen_notify": False,
                "notification_listener_polling_interval_sec": 1.0,  # nobody listens; a stop waits for so long
            }
        )
        self._workflows = {name: self._registered(name, function) for name, function in workflows.items()}

    def launch(self) -> None:
        """Start executing, and take over what dead executors left behind."""
        logging.getLogger("dbos").addFilter(_quiet)
        DBOS.launch()
        self.take_over()

    def close(self, seconds: int = 10, back: float = 0.0) -> None:
        """Stop; what has not finished within so many seconds is taken up by others, or at the next start.

        `back`: for how many seconds the runs of this machine, whose jobs go on, wait for it to come back.
        """
        DBOS.destroy(workflow_completion_timeout_sec=seconds, destroy_registry=True)
        self._alive.leave(back)

    def start(self, workflow: str, key: str, *arguments: str | int) -> None:
        """Start the workflow durably, once for each key: it will run to its end even if this process dies now."""
        with SetWorkflowID(f"{workflow}:{key}"):
            self._begun[f"{workflow}:{key}"] = time.monotonic()
            try:
                DBOS.start_workflow(self._workflows[workflow], *arguments)
            except Exception:
                self._begun.pop(f"{workflow}:{key}", None)  # it did not begin: the disk may be full
                raise

    def under_way(self, workflow: str) -> Sequence[str]:
        """The keys of workflows of that name that have begun and not ended, here and on other machines."""
        if not self._alive.alone:
            pending = DBOS.list_workflows(status="PENDING", load_input=False, load_output=False)
            return [_root(one.workflow_id).removeprefix(f"{workflow}:") for one in pending if one.name == workflow]
        begun, now = dict(self._begun), time.monotonic()
        old = [one for one, since in begun.items() if now - since > SURE]
        if old:  # one that had ended long ago, and was started once more, never ends
            found = DBOS.list_workflows(workflow_ids=old, load_input=False, load_output=False)
            for one in set(old) - {one.workflow_id for one in found if one.status not in FINISHED}:
                self._begun.pop(one, None)
        mark = f"{workflow}:"
        return [one.removeprefix(mark) for one in list(self._begun) if one.startswith(mark)]

    def kick(self, workflow: str, *arguments: str | int) -> None:
        """Start a workflow that is harmless to repeat, whether or not it ran before."""
        self.start(workflow, f"{'/'.join(map(str, arguments))}/{uuid.uuid4().hex[:12]}", *arguments)

    def busy(self, *workflows: str) -> int:
        """How many workflows of those names have begun here and not ended; one that takes very long is left out."""
        recent = time.monotonic() - LONG
        return sum(since > recent and one.partition(":")[0] in workflows for one, since in [*self._begun.items()])

    def step(self, name: str, function: Callable[[], Answer], attempts: int = ATTEMPTS) -> Answer:
        """Do something once in this workflow and remember its answer; failures are tried again. Raises GaveUp."""
        caught: list[Exception] = []
        answer = DBOS.run_step({"name": name}, lambda: attempt(function, attempts, caught.append))
        known = failure(answer)
        if known is not None:
            raise GaveUp(caught[-1] if caught else known)  # caught before a crash: what is remembered of it
        return cast(Answer, answer)

    @contextmanager
    def one_at_a_time(self, key: str) -> Iterator[None]:
        """Hold others that want the same key, in this process and on other machines."""
        with self._serial.holding(key), self._locks.holding(key) if self._locks else nullcontext():
            yield

    @contextmanager
    def newest(self, key: str) -> Iterator[bool]:
        """The same for what brings something up to date: false, at once, where somebody waits for that already."""
        if self._serial.wanted(key) > 1:
            yield False
        else:
            with self._serial.holding(key):
                yield True

    def in_line(self, line: str) -> None:
        """See to it that what was postponed goes first. Raises Postponed."""
        if self._later.ahead(line, _root(DBOS.workflow_id or "")):
            raise Postponed("Something earlier about the same thing has to wait.", line, behind=True)

    def take_up(self) -> list[tuple[str, int]]:
        """Go on with what was postponed until now; what is to be kicked once more is told."""
        for torn in list(self._torn):
            DBOS.resume_workflow(torn)
            self._torn.discard(torn)
        for one in self._later.claim(AT_ONCE, begun=True):
            self._go_on(one)
        found = (one.key.partition("/") for one in self._later.claim(AT_ONCE, begun=False))
        return [(name, int(number)) for name, _, number in found]

    def _go_on(self, due: Due) -> None:
        """Repeat a workflow from the step that failed; what came before it is remembered."""
        steps = DBOS.list_workflow_steps(due.workflow)
        failed = [step["function_id"] for step in steps if step["error"] or failure(step["output"])]
        first = failed[-1] if failed else 1 + max((step["function_id"] for step in steps), default=0)
        with SetWorkflowID(f"{_root(due.workflow)}~{due.tries}"), suppress(IntegrityError):  # if it goes on already
            DBOS.fork_workflow(due.workflow, first, application_version=VERSION)

    def take_over(self) -> int:
        """Take up the workflows of executors that are no longer alive; how many executors that were.

        Leans on a private call of DBOS, whose open package has no public one that is safe to use from two places at
        once; a test guards it.
        """
        fallen = self._alive.fallen()
        living = self._alive.beat()
        if self._alive.alone and self._looked:
            return 0  # who is alone has taken over at the start whatever there was, and nobody can have died since
        self._looked = True
        if self._locks:
            self._locks.tidy()
        if not fallen and not self._alive.may_judge():
            return 0
        pending = DBOS.list_workflows(status="PENDING", load_input=False, load_output=False)
        silent = {w.executor_id for w in pending if w.executor_id} - living
        dead = sorted(self._dead(silent) | (silent & fallen))
        if dead:
            self._begun |= {w.workflow_id: time.monotonic() for w in pending if w.executor_id in dead}
            DBOS._recover_pending_workflows(dead)
        self._alive.bury(fallen)
        return len(dead)

    def _dead(self, silent: set[str]) -> set[str]:
        """Those of the silent that will not come back."""
        if self._alive.alone:
            return silent
        if not self._alive.may_judge():
            return set()
        # When the database's clock jumps, everybody is silent until the next beat: only who stays so is dead.
        before, self._silent = self._silent, silent
        return silent & before

    def forget(self, before: datetime, batch: int = 500) -> int:
        """Delete workflows that were started and finished before then, at most `batch`; how many.

        A key whose workflow was forgotten may be started again; what it does is harmless to repeat.
        """
        # Only by age: with a condition on its state, a planner without statistics reads all that ever finished.
        started = DBOS.list_workflows(end_time=before.isoformat(), limit=batch, load_input=False, load_output=False)
        moment = before.timestamp() * 1000
        old = [w.workflow_id for w in started if w.status in FINISHED and (w.updated_at or 0) < moment]
        if old:
            DBOS.delete_workflows(old)
        return len(old)

    def _registered(self, name: str, function: Callable[..., None]) -> Callable[..., None]:
        def run(*arguments: str | int) -> None:
            repeatable = all(isinstance(argument, int) for argument in arguments)  # as those that are kicked are
            me = DBOS.workflow_id or ""
            key = f"{name}/{'/'.join(map(str, arguments))}" if repeatable else _root(me)
            try:
                function(*arguments)
            except Postponed as why:
                seconds = self._later.put(key, "" if repeatable else me, why.line, why.after, str(why), why.behind)
                log.warning("%s is postponed for %.0f s: %s", key, seconds, why)
                return
            except DBAPIError:
                log.exception("workflow %s%r could not note what it does", name, arguments)
                self._torn.add(me)
                raise
            except Exception:
                log.exception("workflow %s%r failed", name, arguments)
                self._later.done(key)
                raise
            else:
                self._later.done(key)
            finally:
                self._begun.pop(me, None)
                self.ended(name)

        run.__qualname__ = run.__name__ = name
        return DBOS.workflow(name=name, max_recovery_attempts=RECOVERIES)(run)


class Serial:
    """One lock for each key, for as long as anybody wants it."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._locks: dict[str, tuple[threading.Lock, int]] = {}

    def wanted(self, key: str) -> int:
        """How many hold the key's lock or wait for it."""
        with self._guard:
            return self._locks[key][1] if key in self._locks else 0

    @contextmanager
    def holding(self, key: str) -> Iterator[None]:
        """Hold the key's lock."""
        with self._guard:
            lock, wanted = self._locks.get(key, (threading.Lock(), 0))
            self._locks[key] = (lock, wanted + 1)
        try:
            with lock:
                yield
        finally:
            with self._guard:
                lock, wanted = self._locks[key]
                if wanted == 1:
                    del self._locks[key]
                else:
                    self._locks[key] = (lock, wanted - 1)


def _root(workflow: str) -> str:
    """The id of the workflow that this one goes on with, after having been postponed."""
    head, mark, turn = workflow.rpartition("~")
    return head if mark and turn.isdecimal() else workflow


def _quiet(record: logging.LogRecord) -> bool:
    """Drop DBOS's own report of an exception that we log ourselves, with the event it belongs to."""
    return record.levelno >= logging.ERROR and "Exception encountered in asynchronous workflow" not in record.msg
