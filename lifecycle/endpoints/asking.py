"""HTTP over a server's Unix socket: connections that are kept, time limits, answers of limited size."""

import contextlib
import http.client
import os
import socket
import sys
import tempfile
import threading
from pathlib import Path

MOST_BYTES = 64 << 20
LONGEST_PATH = 100  # bytes that fit everywhere; Linux allows 107
KEPT = 32


class Unreachable(Exception):
    """Nothing answers on the socket."""


class TookTooLong(Exception):
    """The server has the request but did not answer in time."""


class _Connection(http.client.HTTPConnection):
    """A connection whose address is a file."""

    def __init__(self, path: Path, seconds: float) -> None:
        super().__init__("localhost", timeout=seconds)
        self.path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        try:
            _connect(self.sock, self.path)
        except OSError:
            self.close()
            raise


def _connect(connection: socket.socket, path: Path) -> None:
    """Connect, by a detour where the path is longer than an address may be."""
    if len(os.fsencode(path)) <= LONGEST_PATH:
        connection.connect(str(path))
    elif sys.platform == "linux":
        folder = os.open(path.parent, os.O_PATH)
        try:
            connection.connect(f"/proc/self/fd/{folder}/{path.name}")
        finally:
            os.close(folder)
    else:
        with tempfile.TemporaryDirectory(dir="/tmp") as short:
            os.symlink(path.parent, f"{short}/s")
            connection.connect(f"{short}/s/{path.name}")


class Caller:
    """Asks servers; safe among threads."""

    def __init__(self) -> None:
        self._idle: dict[Path, list[_Connection]] = {}
        self._lock = threading.Lock()

    def ask(self, path: Path, method: str, url: str, body: bytes | None, seconds: float) -> tuple[int, bytes]:
        """Status and body of the answer. Raises Unreachable or TookTooLong."""
        kept = self._take(path)
        if kept is not None:
            try:
                return self._ask(kept, method, url, body, seconds)
            except Unreachable:
                pass  # the server was replaced since; asking twice is harmless
        return self._ask(_Connection(path, seconds), method, url, body, seconds)

    def _ask(
        self, connection: _Connection, method: str, url: str, body: bytes | None, seconds: float
    ) -> tuple[int, bytes]:
        fine = False
        try:
            connection.timeout = seconds
            if connection.sock is not None:
                connection.sock.settimeout(seconds)
            connection.request(method, url, body, {"Content-Type": "application/json"} if body else {})
            answer = connection.getresponse()
            content = answer.read(MOST_BYTES + 1)
            if len(content) > MOST_BYTES:
                raise Unreachable("its answer is too large")
            fine = not answer.will_close
        except TimeoutError:
            raise TookTooLong from None
        except (OSError, http.client.HTTPException) as trouble:
            raise Unreachable(str(trouble)) from None
        finally:
            self._give_back(connection, fine)
        return answer.status, content

    def _take(self, path: Path) -> _Connection | None:
        with self._lock:
            idle = self._idle.get(path)
            return idle.pop() if idle else None

    def _give_back(self, connection: _Connection, fine: bool) -> None:
        with self._lock:
            idle = self._idle.setdefault(connection.path, [])
            if fine and len(idle) < KEPT:
                idle.append(connection)
                return
        connection.close()

    def forget(self, path: Path) -> None:
        """Close what is kept for a server that is gone."""
        with self._lock:
            idle = self._idle.pop(path, [])
        for connection in idle:
            with contextlib.suppress(OSError):
                connection.close()

    def close(self) -> None:
        for path in list(self._idle):
            self.forget(path)

    def __del__(self) -> None:
        self.close()
