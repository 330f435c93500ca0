"""The process table: who is below whom, and which processes carry a folder's path, whatever they call themselves."""

import os
import signal
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path


def stat_of(pid: int) -> tuple[str, int]:
    """A process' state and its parent; ("", 0) when it is gone."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    except OSError:
        return "", 0
    return fields[0], int(fields[1])


def everybody() -> list[int]:
    return [int(name) for name in os.listdir("/proc") if name.isdigit()]


def tree(root: int) -> list[int]:
    """A process and all below it."""
    children: dict[int, list[int]] = {}
    for pid in everybody():
        children.setdefault(stat_of(pid)[1], []).append(pid)
    found = [root]
    for pid in found:
        found += children.get(pid, [])
    return found


def carrying(path: Path) -> list[int]:
    """The living processes whose arguments or environment name a path, ourselves left out."""
    wanted, found = str(path).encode(), []
    for pid in everybody():
        if pid == os.getpid() or stat_of(pid)[0] in ("", "Z"):
            continue
        for file in ("cmdline", "environ"):
            with suppress(OSError):
                if wanted in Path(f"/proc/{pid}/{file}").read_bytes():
                    found.append(pid)
                    break
    return found


def words(pid: int) -> str:
    """The process' arguments."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
    except OSError:
        return ""


def send(pids: Iterable[int], number: signal.Signals) -> int:
    """Signal each that is still there; how many."""
    count = 0
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, number)
            count += 1
    return count
