"""Files that grow, such as logs, seen from other machines: shipped in pieces, each named by where it begins."""

import threading
from collections.abc import Callable, Mapping
from pathlib import Path

from lifecycle.artifacts import Artifacts

MOST = 8 << 20  # bytes in one piece
WHOLE = "whole"
REMEMBERED = 20_000  # files of which is known that they were shipped as a whole
More = Callable[[int], bytes]
Put = Callable[[str], None]


class Shipping:
    """Ships what was added to files of this machine; safe among threads.

    `More` reads a file from a byte on, some bytes at a time and none at its end; `Put` writes all of it to a name.
    """

    def __init__(self, artifacts: Artifacts) -> None:
        self.artifacts = artifacts
        self._shipped: dict[str, int] = {}
        self._whole: set[str] = set()
        self._lock = threading.Lock()

    def ship(self, folder: str, more: More) -> None:
        """Ship what the file has more than was shipped."""
        with self._lock:
            start = self._shipped.get(folder)
            if start is None:
                start = length(self.artifacts, folder)
            while data := more(start):
                self.artifacts.write(f"{folder}/{start:020d}", data)
                start += len(data)
            self._shipped[folder] = start

    def finish(self, folder: str, put: Put) -> None:
        """The file grows no more: ship it as one piece."""
        with self._lock:
            if folder in self._whole:
                return  # without asking: there is a file for every day of a year, and a store counts requests
            self._shipped.pop(folder, None)
            if not self.artifacts.has(f"{folder}/{WHOLE}"):
                put(f"{folder}/{WHOLE}")
                for name, _ in self.artifacts.list(folder):
                    if name != WHOLE:
                        self.artifacts.delete(f"{folder}/{name}")
            if len(self._whole) >= REMEMBERED:
                self._whole.clear()
            self._whole.add(folder)


def read(artifacts: Artifacts, folder: str, offset: int, limit: int = 65536) -> tuple[bytes, int]:
    """Bytes of a shipped file from `offset` on, and the offset to ask for next."""
    pieces = _pieces(artifacts, folder)
    start = max((start for start in pieces if start <= offset), default=None)
    if start is None or offset >= start + pieces[start][1]:
        return b"", offset
    name, size = pieces[start]
    data = artifacts.read(f"{folder}/{name}", offset - start, min(size, offset - start + limit))
    return data, offset + len(data)


def fetch(artifacts: Artifacts, folder: str, path: Path) -> bool:
    """Make a copy of a shipped file complete, as far as it was shipped; whether it will not grow any more."""
    path.parent.mkdir(parents=True, exist_ok=True)
    pieces = _pieces(artifacts, folder)
    have = path.stat().st_size if path.is_file() else 0
    with path.open("ab") as file:
        for start, (name, size) in sorted(pieces.items()):
            if start <= have < start + size:
                data = artifacts.read(f"{folder}/{name}", have - start, size)
                file.write(data)
                have += len(data)
    return any(name == WHOLE for name, _ in pieces.values())


class Copies:
    """Copies of what other machines have shipped of a kind, `kind/machine/name/day`; brought up to date when asked."""

    def __init__(self, artifacts: Artifacts, folder: Path, kind: str, me: str) -> None:
        self.artifacts, self.folder, self.kind, self.me = artifacts, folder, kind, me
        self._whole: set[Path] = set()

    def of(self, name: str) -> Mapping[str, list[Path]]:
        """Each other machine's copies of that name, by machine; a file for each day."""
        found: dict[str, list[Path]] = {}
        for host, _ in self.artifacts.list(self.kind):
            days = self.artifacts.list(f"{self.kind}/{host}/{name}") if host != self.me else []
            for day, _ in days:
                copy = self.folder / host / self.kind / name / f"{day}.jsonl"
                if copy not in self._whole and fetch(self.artifacts, f"{self.kind}/{host}/{name}/{day}", copy):
                    self._whole.add(copy)
                found.setdefault(host, []).append(copy)
        return found


def length(artifacts: Artifacts, folder: str) -> int:
    """How much of a file was shipped."""
    return max((start + size for start, (_, size) in _pieces(artifacts, folder).items()), default=0)


def _pieces(artifacts: Artifacts, folder: str) -> dict[int, tuple[str, int]]:
    """The pieces by where they begin; the whole file, where there is one, instead of all of them."""
    listed = dict(artifacts.list(folder))
    if WHOLE in listed:
        return {0: (WHOLE, listed[WHOLE])}
    return {int(name): (name, size) for name, size in listed.items() if name.isdecimal()}


def more_of(path: Path, start: int) -> bytes:
    """A file's bytes from a place on, at most MOST; none where there is no file."""
    try:
        with path.open("rb") as file:
            file.seek(start)
            return file.read(MOST)
    except FileNotFoundError:
        return b""
