"""Keeps one job: starts it, outlives whoever asked, ends all of it, writes down how it ended.

Runs as `python -I -S` with this folder alone on the path, so it imports only light parts of the standard library.
It holds a lock on `lock` in the job's folder for as long as it lives; `pid.json` says that the job was started (once,
ever), `exit.json` how it ended. A folder with the first, without the second and with the lock free is a lost job.
"""

import fcntl
import json
import os
import resource
import select
import signal
import sys
import time
from types import FrameType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lifecycle.executors import processtree
    from lifecycle.executors.diskuse import DiskUse
    from lifecycle.executors.keptlog import Log
else:
    import processtree
    from diskuse import DiskUse
    from keptlog import Log

PREPARE_SECONDS = 1800
STARTING_SECONDS = 5.0
Json = dict[str, Any]


class Keeper:
    """One job under way: its signals, its log, what it used so far."""

    def __init__(self, spec: Json) -> None:
        self.spec = spec
        self.limits: Json = spec["limits"]
        self.log = Log("log", spec["log_bytes"])
        self.disk = DiskUse(["output", *spec["remove"]])
        self.told_to_stop = False
        self.cpu = 0.0
        self.peak_mb = 0.0
        self.wake = listen(self.stop)

    def stop(self, _number: int, _frame: FrameType | None) -> None:
        self.told_to_stop = True

    def work(self) -> Json:
        """The phases in order; the result as it will lie in exit.json."""
        if self.spec["note"]:
            self.log.write(self.spec["note"].encode() + b"\n")
        if self.spec["prepare"]:
            code, why = self.phase(self.spec["prepare"], PREPARE_SECONDS, {})
            if code or why:
                words = "" if killed(code) else self.log.last_words() or "the environment could not be made"
                return self.result(code, why, words)
        if self.spec["copy"]:
            processtree.copy_tree(*self.spec["copy"])
        self.log.begin()
        self.cpu = self.peak_mb = 0.0  # the environment is not the job's doing
        started = time.monotonic()
        code, why = self.phase(self.spec["run"], self.limits["seconds"], self.limits)
        return self.result(code, why, "", time.monotonic() - started)

    def phase(self, program: Json, seconds: float, limits: Json) -> tuple[int | None, str]:
        """Run a program to its end; its exit code (negative for a signal) and why we ended it, if we did."""
        if self.told_to_stop or os.path.exists("cancel"):
            return None, "stop"
        reader, writer = os.pipe()
        os.set_blocking(reader, False)
        try:
            pid = start(program, writer, limits)
        finally:
            os.close(writer)
        try:
            return self.watch(pid, reader, time.monotonic() + (seconds or 1e9), limits)
        finally:
            self.account(processtree.sweep(), None)
            self.read(reader)
            os.close(reader)

    def watch(self, pid: int, reader: int, deadline: float, limits: Json) -> tuple[int | None, str]:
        look = time.monotonic() + 0.2
        sources = [reader, self.wake]
        while True:
            code = self.account(processtree.ended(), pid)
            if code is not None:
                return code, ""
            why, now = "", time.monotonic()
            if now >= look:
                why, look = self.overuse(limits), now + 1.0
            why = "stop" if self.told_to_stop else "time" if now >= deadline else why
            if why:
                return self.account(processtree.sweep(), pid), why
            ready = select.select(sources, [], [], max(0.0, min(look, deadline) - now))[0]
            if self.wake in ready:
                os.read(self.wake, 4096)
            if reader in ready and not self.read(reader):
                sources.remove(reader)

    def read(self, reader: int) -> bool:
        """Move what the job said into the log; False at the end of it."""
        while True:
            try:
                data = os.read(reader, 1 << 16)
            except BlockingIOError:
                return True
            if not data:
                return False
            self.log.write(data)
            if len(data) < 1 << 16:
                return True  # a job that never stops talking must not keep us from the clock

    def account(self, dead: "list[processtree.Dead]", wanted: int | None) -> int | None:
        """Add up what the dead used; the exit code of the one that is wanted, if it is among them."""
        code = None
        for pid, status, used in dead:
            self.cpu += used.ru_utime + used.ru_stime
            self.peak_mb = max(self.peak_mb, used.ru_maxrss / processtree.RSS_PER_MB)
            if pid == wanted:
                code = os.waitstatus_to_exitcode(status)
        return code

    def overuse(self, limits: Json) -> str:
        """The limit that all the processes together are over, if any."""
        most = limits.get("memory_mb", 0)
        pids = processtree.descendants(os.getpid())
        used = processtree.memory_mb(pids, most)
        self.peak_mb = max(self.peak_mb, used)
        if limits.get("processes") and len(pids) > limits["processes"]:
            return "processes"
        if limits.get("disk_mb") and self.disk.over(limits["disk_mb"]):
            return "disk"
        return "memory" if most and used > most else ""

    def result(self, code: int | None, why: str, words: str, seconds: float = 0.0) -> Json:
        state, reason = self.told(code, why)
        used = {"seconds": seconds, "cpu_seconds": self.cpu, "memory_mb": self.peak_mb}
        return {"state": state, "exit_code": code, "reason": (not why and words) or reason, "used": used}

    def told(self, code: int | None, why: str) -> tuple[str, str]:
        """State and reason, for people."""
        match why:
            case "stop" if os.path.exists("cancel"):
                return "cancelled", "it was cancelled"
            case "stop":
                return "lost", "it was interrupted from outside, as when the machine is shut down"
            case "time":
                return "failed", f"it reached its time limit of {self.limits['seconds']} seconds"
            case "memory":
                return "failed", f"its processes together used more than {self.limits['memory_mb']} MB of memory"
            case "disk":
                return "failed", f"it wrote more than {self.limits['disk_mb']} MB to disk"
            case "processes":
                return "failed", f"it started more than {self.limits['processes']} processes"
        if not code:
            return ("succeeded", "") if code == 0 else ("failed", "it could not be started")
        number = -code if code < 0 else code - 128  # shells and the sandbox report a signal as 128 and its number
        if killed(code):  # nobody here did: it may go better next time, as when memory was short
            return "lost", "its process was killed from outside, as when the machine runs out of memory"
        if number in {int(known) for known in signal.Signals}:
            return "failed", f"it was ended by signal {signal.Signals(number).name}"
        words = self.log.last_words()
        return "failed", f"it ended with exit code {code}" + (f": {words}" if words else "")


def killed(code: int | None) -> bool:
    """Whether a program ended by SIGKILL, as itself or as shells and the sandbox report it."""
    return code in (-signal.SIGKILL, 128 + signal.SIGKILL)


def listen(stop: Any) -> int:
    """Make signals wake `select`; the reading end of their pipe."""
    reader, writer = os.pipe()
    os.set_blocking(reader, False)
    os.set_blocking(writer, False)
    signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    return reader


def start(program: Json, output: int, limits: Json) -> int:
    """Start a program in a session of its own, within limits, dying with us; its pid."""
    crowd = processtree.threads_of(os.getuid()) if limits.get("processes") else 0
    pid = os.fork()
    if pid:
        return pid
    try:
        os.setsid()
        processtree.die_with_parent()
        for number in (signal.SIGHUP, signal.SIGCHLD, signal.SIGTERM, signal.SIGINT):
            signal.signal(number, signal.SIG_DFL)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        os.dup2(output, 1)
        os.dup2(output, 2)
        os.chdir(program["cwd"])
        confine(limits, crowd)
        os.execve(program["argv"][0], program["argv"], program["env"])  # noqa: S606
    except BaseException as trouble:  # nothing of the keeper may go on in this process
        os.write(2, f"{program['argv'][0]} could not be started: {trouble}\n".encode())
    os._exit(127)


def confine(limits: Json, crowd: int) -> None:
    """Set this process' resource limits; zero means none."""
    wanted = {resource.RLIMIT_CORE: 0}
    if limits.get("memory_mb") and processtree.LINUX:  # elsewhere a limit on address space does nothing, or harm
        wanted[resource.RLIMIT_AS] = limits["memory_mb"] << 20
    if limits.get("file_mb"):
        wanted[resource.RLIMIT_FSIZE] = limits["file_mb"] << 20
    if crowd:  # it counts all that the user runs, not only this job's
        wanted[resource.RLIMIT_NPROC] = crowd + limits["processes"]
    for which, value in wanted.items():
        most = resource.getrlimit(which)[1]
        allowed = value if most == resource.RLIM_INFINITY else min(value, most)
        resource.setrlimit(which, (allowed, allowed))


def write_json(path: str, content: Json) -> None:
    """Write durably, whole or not at all."""
    temporary = f"{path}.{os.getpid()}"
    with open(temporary, "w", encoding="utf-8") as file:
        json.dump(content, file)
        file.flush()
        os.fsync(file.fileno())
    os.rename(temporary, path)
    folder = os.open(".", os.O_RDONLY)
    os.fsync(folder)
    os.close(folder)


def take_lock() -> int | None:
    """The job's lock, or None when it was ever started. Readers hold it for microseconds, so try for a while."""
    lock = os.open("lock", os.O_RDWR | os.O_CREAT, 0o600)
    until = time.monotonic() + STARTING_SECONDS
    while not os.path.exists("pid.json") and time.monotonic() < until:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(0.005)
        else:
            return None if os.path.exists("pid.json") else lock
    return None


def main(folder: str) -> None:
    os.chdir(folder)
    lock = take_lock()
    if lock is None or os.fork():
        os._exit(0)  # whoever asked waits for this process only, and has no keeper to collect
    with open("spec.json", encoding="utf-8") as file:
        keeper = Keeper(json.load(file))
    started = time.time()
    ticks = processtree.start_ticks(os.getpid())
    write_json("pid.json", {"pid": os.getpid(), "ticks": ticks, "boot": processtree.boot(), "started": started})
    processtree.adopt_orphans()
    try:
        result = keeper.work()
    except Exception as trouble:
        result = keeper.result(None, "", f"its keeper failed: {type(trouble).__name__}: {trouble}")
    keeper.log.finish()
    write_json("exit.json", result | {"started": started, "ended": time.time()})
    if not os.fork():  # waiters learn of the end by our exit: tidy up in a process that nobody waits for
        os.close(lock)
        useless = ["output"] if result["state"] in ("failed", "cancelled") else []  # it may be large
        processtree.remove_tree(*keeper.spec["remove"], *useless)
    os._exit(0)


if __name__ == "__main__":
    main(sys.argv[1])
