"""Wakes a process on the same machine without being asked: an empty datagram to a socket in the state folder."""

import contextlib
import os
import select
import socket
import threading
from pathlib import Path

LONGEST = 100  # bytes of path that a Unix socket's address has room for, on every system (Linux 107, macOS 103)


class Bell:
    """One side rings, the other waits; who rings never waits and never fails. Safe for use by several threads.

    One process waits at a path; when a second one starts to, it takes the bell over and the first no longer hears it.
    Whoever waits must therefore look for itself now and then, too.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._folder: int | None = None
        self._ear: socket.socket | None = None
        self._mouth: socket.socket | None = None
        self._lock = threading.Lock()

    def ring(self) -> None:
        """Wake the waiting process, if there is one; if it is already being rung for, that is enough."""
        with contextlib.suppress(OSError):
            self._open_mouth().sendto(b"", self._address())

    def wait(self, seconds: float) -> bool:
        """Wait until somebody rings, or so many seconds. Whether somebody rang since the last call."""
        ear = self._open_ear()
        if ear is None or not select.select([ear], [], [], seconds)[0]:
            return False
        with contextlib.suppress(BlockingIOError):
            while True:
                ear.recv(1)
        return True

    def close(self) -> None:
        """Stop ringing and waiting. The socket's file stays, since another process may wait there by now."""
        with self._lock:
            for end in (self._ear, self._mouth):
                if end is not None:
                    end.close()
            if self._folder is not None:
                os.close(self._folder)
            self._ear = self._mouth = self._folder = None

    def _open_mouth(self) -> socket.socket:
        with self._lock:
            if self._mouth is None:
                self._mouth = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
                self._mouth.setblocking(False)
            return self._mouth

    def _open_ear(self) -> socket.socket | None:
        """The socket to wait on, bound at the first call."""
        address = self._address()
        with self._lock:
            if self._ear is None:
                ear = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
                ear.setblocking(False)
                self._path.unlink(missing_ok=True)
                ear.bind(address)
                self._path.chmod(0o600)
                self._ear = ear
            return self._ear

    def _address(self) -> str:
        """The path, or on Linux a short way round to it where it is too long for a socket's address."""
        if len(os.fsencode(self._path)) <= LONGEST or not Path("/proc/self/fd").is_dir():
            return str(self._path)
        with self._lock:
            if self._folder is None:
                self._folder = os.open(self._path.parent, os.O_RDONLY | os.O_DIRECTORY)
            return f"/proc/self/fd/{self._folder}/{self._path.name}"
