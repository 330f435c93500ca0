"""Keeps the bot's processes running on one machine: starts them, starts the dead again, takes all down together."""

import contextlib
import errno
import logging
import os
import select
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import FrameType

log = logging.getLogger(__name__)

FIRST_PAUSE, LONGEST_PAUSE = 1.0, 30.0  # seconds before a dead process is started again; each time twice as long
STEADY = 10.0  # seconds that a process must have lived for the next pause to be the first one again: it works
HOPELESS = frozenset({2, os.EX_CONFIG})  # exit codes that say: it is the arguments or the settings, a person must act
DRAIN = 30.0  # seconds that the processes have to finish what they are doing
PR_SET_PDEATHSIG = 1
SUPERVISOR = "LIFECYCLE_SUPERVISOR"  # tells a child that prepares which process waits for that


@dataclass(frozen=True, slots=True)
class Child:
    """A process to keep running. `env` is added to ours. One that `prepares` is started before the others, which wait
    until it has called `say_prepared`: what is wrong with the settings is then said once, and the schema is there.
    """

    name: str
    argv: Sequence[str]
    env: Mapping[str, str] = field(default_factory=dict)
    prepares: bool = False


def bot_child(name: str, *arguments: str, prepares: bool = False) -> Child:
    """The child process `lifecycle-bot NAME ARGUMENTS`, run by this very Python."""
    return Child(name, [sys.executable, "-m", "bot", name, *arguments], prepares=prepares)


def say_prepared(environ: Mapping[str, str]) -> None:
    """Tell the supervisor, if this process has one, that the others may start."""
    if environ.get(SUPERVISOR) == str(os.getppid()):
        os.kill(os.getppid(), signal.SIGUSR1)


def run(children: Sequence[Child], drain: float = DRAIN, first_pause: float = FIRST_PAUSE) -> int:
    """Keep the children running until SIGTERM or SIGINT, then ask them to stop and wait `drain` seconds for them.

    Returns the exit code for this process: 0 when all have stopped as asked, 1 when one had to be killed, and the
    child's own where one of HOPELESS says that starting it again is no use. A second signal kills at once. On Linux
    the children die with this process even when it is killed hard; what they have put into sessions of their own,
    such as running jobs, lives on.
    """
    kept = [_Kept(child, first_pause) for child in children]
    with _Signals() as signals:
        code = _keep(kept, signals)
        return _stop(kept, signals, drain) or code


class _Kept:
    """One child, its process and when to start it again."""

    def __init__(self, child: Child, first_pause: float) -> None:
        self.child = child
        self.process: subprocess.Popen[bytes] | None = None
        self.due = 0.0  # on the monotonic clock
        self._first_pause = first_pause
        self._pause = first_pause
        self._started = 0.0

    def start(self) -> None:
        self._started = time.monotonic()
        try:
            # A process group of its own: Ctrl-C reaches us alone, and we take the children down in our way.
            self.process = subprocess.Popen(
                _command(self.child, os.getpid()),
                stdin=subprocess.DEVNULL,
                process_group=0,
                preexec_fn=_die_with(os.getpid()) if sys.platform == "linux" else None,  # noqa: PLW1509 - no threads
            )
        except OSError as problem:
            log.error("%s cannot be started: %s", self.child.name, problem)
            self._wait_longer()
        else:
            log.info("%s runs as process %d", self.child.name, self.process.pid)

    def ended(self) -> int | None:
        """The exit code of a process that has ended since the last call; None otherwise."""
        if self.process is None or (code := self.process.poll()) is None:
            return None
        self.process = None
        if time.monotonic() - self._started >= STEADY:
            self._pause = self._first_pause
        self._wait_longer()
        return code

    def signal(self, number: int) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(number)

    def _wait_longer(self) -> None:
        self.due = time.monotonic() + self._pause
        log.info("%s is to be started in %g s", self.child.name, self._pause)
        self._pause = min(self._pause * 2, LONGEST_PAUSE)


def _keep(kept: Sequence[_Kept], signals: "_Signals") -> int:
    """Start and restart until we are asked to stop (0) or a child says that it is no use (its exit code).

    A child that ends before it has prepared anything for the others has said why: nothing was started then.
    """
    preparing = any(each.child.prepares for each in kept)

    def may_start(one: _Kept) -> bool:
        return one.child.prepares or signals.prepared or not preparing

    while not signals.stops:
        for each in kept:
            code = each.ended()
            if code is not None:
                if code > 0 and preparing and not signals.prepared:
                    return code  # it has said why
                log.error("%s ended with code %d", each.child.name, code)
                if code in HOPELESS:
                    return code
            if each.process is None and time.monotonic() >= each.due and may_start(each):
                each.start()
        absent = [each.due for each in kept if each.process is None and may_start(each)]
        signals.wait(max(0.0, min(absent) - time.monotonic()) if absent else None)
    return 0


def _stop(kept: Sequence[_Kept], signals: "_Signals", drain: float) -> int:
    """Ask the children to stop, wait, then kill. 1 if that was necessary."""
    asked, deadline = signals.stops, time.monotonic() + drain
    for each in kept:
        each.signal(signal.SIGTERM)
    while running := [each for each in kept if each.process is not None and each.process.poll() is None]:
        left = deadline - time.monotonic()
        if left <= 0 or signals.stops > max(asked, 1):
            break
        signals.wait(left)
    for each in running:
        log.error("%s did not stop in time and is killed", each.child.name)
        each.signal(signal.SIGKILL)
        if each.process is not None:
            each.process.wait()
    return 1 if running else 0


def _command(child: Child, ours: int) -> list[str]:
    """The child's program, run with what is added to our environment. Raises FileNotFoundError."""
    if shutil.which(child.argv[0]) is None:
        raise FileNotFoundError(errno.ENOENT, "no such program", child.argv[0])
    more = {**child.env, **({SUPERVISOR: str(ours)} if child.prepares else {})}
    added = ["env", *(f"{name}={value}" for name, value in more.items())] if more else []
    return [*added, *child.argv]


def _die_with(parent: int) -> Callable[[], None]:
    """What a child calls before it becomes its program, so that Linux kills it when the process `parent` is gone."""
    import ctypes

    prctl = ctypes.CDLL(None, use_errno=True).prctl

    def arrange() -> None:
        prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:  # it was gone before we asked
            os._exit(1)

    return arrange


class _Signals:
    """Hears of stops asked for and of children that ended, and sleeps in between."""

    def __init__(self) -> None:
        self.stops = 0
        self.prepared = False
        self._ear, self._mouth = os.pipe()

    def __enter__(self) -> "_Signals":
        for end in (self._ear, self._mouth):
            os.set_blocking(end, False)
        self._old_mouth = signal.set_wakeup_fd(self._mouth, warn_on_full_buffer=False)
        self._old = {number: signal.signal(number, self._note) for number in (signal.SIGTERM, signal.SIGINT)}
        self._old[signal.SIGCHLD] = signal.signal(signal.SIGCHLD, lambda *_: None)
        self._old[signal.SIGUSR1] = signal.signal(signal.SIGUSR1, self._prepared)
        return self

    def __exit__(self, *_: object) -> None:
        signal.set_wakeup_fd(self._old_mouth)
        for number, handler in self._old.items():
            signal.signal(number, handler)
        os.close(self._ear)
        os.close(self._mouth)

    def wait(self, seconds: float | None) -> None:
        """Sleep until a signal comes, or so many seconds."""
        select.select([self._ear], [], [], seconds)
        with contextlib.suppress(BlockingIOError):
            while os.read(self._ear, 512):
                pass

    def _note(self, number: int, _frame: FrameType | None) -> None:
        self.stops += 1

    def _prepared(self, _number: int, _frame: FrameType | None) -> None:
        self.prepared = True
