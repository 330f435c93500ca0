"""Small JSON files that several processes share: written whole and durably, read again only when they changed."""

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

Json = dict[str, Any]


class KeptJson:
    """One object in one file."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._stamp: tuple[int, int, int] | None = None
        self._content: Json | None = None

    def read(self) -> Json | None:
        """The object as it is now, not to be changed; None when there is no file."""
        try:
            about = self.path.stat()
        except FileNotFoundError:
            return None
        stamp = (about.st_ino, about.st_mtime_ns, about.st_size)
        if stamp != self._stamp:
            try:
                content: Json = json.loads(self.path.read_bytes())
            except FileNotFoundError:
                return None
            self._content, self._stamp = content, stamp
        return self._content

    def write(self, content: Json) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        temporary = self.path.with_name(f".{self.path.name}.{os.getpid()}.{os.urandom(4).hex()}")
        with temporary.open("w", encoding="utf-8") as file:
            json.dump(content, file, indent=1)
            file.flush()
            os.fsync(file.fileno())
        temporary.rename(self.path)

    def delete(self) -> None:
        self.path.unlink(missing_ok=True)

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Keep other processes and threads from changing the file meanwhile."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with open(self.path.with_name(f".{self.path.name}.lock"), "w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
