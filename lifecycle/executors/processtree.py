"""What the keeper needs of the operating system: the processes below it, their memory, copies and removals of trees.

Standard library only, and light: it is imported on the way to a job's first line. Linux first; elsewhere `ps` answers.
"""

import os
import resource
import signal
import sys
import time
from collections.abc import Iterable

LINUX = sys.platform == "linux"
RSS_PER_MB = 1024 if LINUX else 1 << 20  # ru_maxrss counts kilobytes on Linux, bytes on macOS
PR_SET_PDEATHSIG = 1
PR_SET_CHILD_SUBREAPER = 36
SWEEP_SECONDS = 4.0
Dead = tuple[int, int, resource.struct_rusage]


def start_ticks(pid: int) -> str:
    """When the process started, in a form that differs when the number is used again; empty when it is not there."""
    if not LINUX:
        return _ask_ps("-o", "lstart=", "-p", str(pid))[1].strip()
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            return file.read().rpartition(b")")[2].split()[19].decode()
    except (OSError, IndexError):
        return ""


def boot() -> str:
    """This start of the machine; empty where it does not say."""
    try:
        with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as file:
            return file.read().strip()
    except OSError:
        return ""


def adopt_orphans() -> None:
    """Make processes below us ours when their parent ends, so that a double fork does not escape."""
    _prctl(PR_SET_CHILD_SUBREAPER, 1)


def die_with_parent() -> None:
    """Be killed when the keeper is."""
    _prctl(PR_SET_PDEATHSIG, int(signal.SIGKILL))


def _prctl(option: int, value: int) -> None:
    if LINUX:
        import ctypes  # here, for it is half of the keeper's start

        ctypes.CDLL(None).prctl(option, value, 0, 0, 0)


def _ask_ps(*arguments: str) -> tuple[int, str]:
    """The pid of `ps`, which sees itself, and what it says."""
    import subprocess

    with subprocess.Popen(["ps", *arguments], stdout=subprocess.PIPE, text=True) as process:
        return process.pid, process.communicate()[0]


def descendants(root: int) -> list[int]:
    """Every process below `root`."""
    quick = LINUX and os.path.exists(f"/proc/{root}/task/{root}/children")
    table = {} if quick else _table()
    found: list[int] = []
    waiting = [root]
    while waiting:
        pid = waiting.pop()
        children = _children(pid) if quick else table.get(pid, [])
        found += children
        waiting += children
    return found


def _children(pid: int) -> list[int]:
    found: list[int] = []
    try:
        for thread in os.listdir(f"/proc/{pid}/task"):
            with open(f"/proc/{pid}/task/{thread}/children", "rb") as file:
                found += map(int, file.read().split())
    except OSError:
        pass  # it has just ended
    return found


def _table() -> dict[int, list[int]]:
    """Parent to children, of all processes: for systems without lists of children in /proc."""
    table: dict[int, list[int]] = {}
    me, lines = _ask_ps("-axo", "pid=,ppid=")
    for line in lines.splitlines():
        pid, parent = map(int, line.split())
        if pid != me:
            table.setdefault(parent, []).append(pid)
    return table


def ended() -> list[Dead]:
    """Collect every child that has ended: its number, its status, what it and those it collected used."""
    dead: list[Dead] = []
    while True:
        try:
            pid, status, used = os.wait4(-1, os.WNOHANG)
        except ChildProcessError:
            return dead
        if not pid:
            return dead
        dead.append((pid, status, used))


def sweep() -> list[Dead]:
    """Kill everything below us; those that died, as `ended` gives them.

    All are stopped first, again and again until no new one appears, since what is stopped cannot fork; a process that
    left its session or ignores signals is found all the same.
    """
    dead: list[Dead] = []
    until = time.monotonic() + SWEEP_SECONDS
    while time.monotonic() < until:
        stopped: set[int] = set()
        while new := set(descendants(os.getpid())) - stopped:
            send(new, signal.SIGSTOP)
            stopped |= new
        send(stopped, signal.SIGKILL)
        dead += ended()
        if not stopped:
            return dead
        time.sleep(0.002)
    return dead


def send(pids: Iterable[int], number: signal.Signals) -> None:
    """Signal each, if it is still there and ours to signal."""
    for pid in pids:
        try:
            os.kill(pid, number)
        except (ProcessLookupError, PermissionError):
            continue


def carrying(variable: str) -> list[int]:
    """The processes that began with this variable, NAME=VALUE, in their environment; none where none can be asked."""
    found: list[int] = []
    for name in os.listdir("/proc") if LINUX else ():
        try:
            with open(f"/proc/{name}/environ", "rb") as file:
                if name.isdigit() and variable.encode() in file.read().split(b"\0"):
                    found.append(int(name))
        except OSError:
            continue
    return found


def memory_mb(pids: Iterable[int], enough: float) -> float:
    """Resident memory of the processes together; when that is over `enough`, shared pages are divided, at a price."""
    pids = list(pids)
    if not LINUX:
        lines = _ask_ps("-o", "rss=", "-p", ",".join(map(str, pids)))[1].split() if pids else []
        return sum(map(int, lines)) / 1024
    crude = sum(_resident_kb(pid) for pid in pids) / 1024
    if not enough or crude <= enough:
        return crude
    return sum(_proportional_kb(pid) for pid in pids) / 1024


def _resident_kb(pid: int) -> int:
    try:
        with open(f"/proc/{pid}/statm", "rb") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") // 1024
    except (OSError, IndexError):
        return 0


def _proportional_kb(pid: int) -> int:
    try:
        with open(f"/proc/{pid}/smaps_rollup", "rb") as file:
            return next(int(line.split()[1]) for line in file if line.startswith(b"Pss:"))
    except (OSError, StopIteration):
        return _resident_kb(pid)


def threads_of(user: int) -> int:
    """How many threads the user runs now, which is what RLIMIT_NPROC counts; 0 for root, who is not limited."""
    if not user or not LINUX:
        return 0
    count = 0
    for entry in os.scandir("/proc"):
        try:
            if entry.name.isdigit() and entry.stat().st_uid == user:
                count += len(os.listdir(f"/proc/{entry.name}/task"))
        except OSError:
            continue
    return count


def copy_tree(source: str, target: str) -> None:
    """Copy files, folders and symbolic links, links as links, so that no link makes the copy reach outside.

    Modes are ours (writable, executable where the source is); anything that is none of the three is left out.
    """
    os.makedirs(target, exist_ok=True)
    for entry in os.scandir(source):
        path = f"{target}/{entry.name}"
        if entry.is_symlink():
            os.symlink(os.readlink(entry.path), path)
        elif entry.is_dir():
            copy_tree(entry.path, path)
        elif entry.is_file():
            _copy_file(entry.path, path, 0o755 if entry.stat().st_mode & 0o100 else 0o644)


def _copy_file(source: str, target: str, mode: int) -> None:
    reading = os.open(source, os.O_RDONLY)
    writing = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    try:
        while data := os.read(reading, 1 << 20):
            while data:
                data = data[os.write(writing, data) :]
    finally:
        os.close(reading)
        os.close(writing)


def remove_tree(*paths: str) -> None:
    """Delete files or folders and all below, following no link, whatever modes and depths a job left there.

    By the system's own programs: they know how to go deeper than Python's recursion and the longest path.
    """
    for program in (["rm", "-rf", "--"], ["chmod", "-R", "u+rwX", "--"], ["rm", "-rf", "--"]):
        left = [path for path in paths if os.path.lexists(path)]
        if left:
            os.spawnvp(os.P_WAIT, program[0], [*program, *left])  # noqa: S606
