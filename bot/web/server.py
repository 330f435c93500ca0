"""Runs an RSGI application on granian in this process, on a socket that we opened ourselves."""

import contextlib
import ipaddress
import logging
import os
import resource
import socket
import stat
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from granian._granian import SocketHolder
from granian.constants import HTTPModes, Interfaces
from granian.http import HTTP1Settings
from granian.log import LogLevels
from granian.server import MTServer

log = logging.getLogger(__name__)

BACKLOG = 1024
# At a time, unless the system allows too few open files for that; who stalls or idles loses its place after a while,
# and what of a request nobody has asked for yet takes no more memory than the buffer.
CONNECTIONS = 4096
HTTP1 = HTTP1Settings(header_read_timeout=15_000, max_buffer_size=64 * 1024)
# A peer that has vanished holds its connection until the kernel notices, which takes a minute with these (seconds
# until the first probe, seconds between probes, probes) and for ever without.
KEEPALIVE = {"TCP_KEEPIDLE": 30, "TCP_KEEPINTVL": 10, "TCP_KEEPCNT": 3}


@dataclass(frozen=True, slots=True)
class Listen:
    """Where to listen: a host and port (0: any free one), or the path of a Unix socket."""

    host: str = "127.0.0.1"
    port: int = 0
    path: Path | None = None

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `127.0.0.1:8000`, `[::1]:8000`, `:8000` (every interface) or `unix:/run/bot.sock`. Raises ValueError."""
        if text.startswith("unix:"):
            if not text.removeprefix("unix:"):
                raise ValueError("unix: must be followed by the path of the socket")
            return cls(path=Path(text.removeprefix("unix:")))
        host, colon, port = text.rpartition(":")
        bracketed = host.startswith("[") and host.endswith("]")
        if not colon or not (port.isascii() and port.isdigit()) or int(port) > 65535 or (":" in host) != bracketed:
            raise ValueError(f"{text!r} is not an address such as 127.0.0.1:8000, [::1]:8000 or unix:/run/bot.sock")
        return cls(host.strip("[]") or "0.0.0.0", int(port))  # noqa: S104 - what `:8000` asks for

    def open(self) -> socket.socket:
        """A socket that listens there already. Raises OSError, with the address in its message."""
        try:
            return _open_unix(self.path) if self.path is not None else _open_tcp(self.host, self.port)
        except OSError as problem:
            raise OSError(problem.errno, f"cannot listen at {self}: {problem.strerror or problem}") from problem

    def __str__(self) -> str:
        if self.path is not None:
            return f"unix:{self.path}"
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def serve(app: Any, listening: socket.socket, ready: Path | None = None) -> None:
    """Answer on the socket until SIGTERM or SIGINT; what is being answered then is finished first.

    Only from the main thread; the socket is closed afterwards. `ready` is a file that gets the address as soon as
    clients may come, and is removed at the end. Nothing is logged of a request, so no secret of one is.
    """
    address = _address(listening)

    def opened() -> None:
        if ready is not None:
            _write(ready, f"{address}\n")
        log.info("listening at %s", address)

    try:
        _Server(app, listening, opened).run()
    finally:
        if ready is not None:
            ready.unlink(missing_ok=True)
        if address.startswith("unix:"):
            Path(address.removeprefix("unix:")).unlink(missing_ok=True)


class _Server(MTServer):
    """Granian's server that works in threads of this very process.

    Its usual one forks or spawns a worker that costs another interpreter, outlives a supervisor killed hard, and keeps
    the port then. This one insists on a Python without GIL, for which it was written; with one event loop in a thread
    of its own it works as well with a GIL.
    """

    def __init__(self, app: Any, listening: socket.socket, opened: Callable[[], None]) -> None:
        # Incremental, or granian's logging set-up closes every handler that the process has.
        logs = {"incremental": True, "formatters": {}, "handlers": {}, "loggers": {}}
        super().__init__(
            "",
            interface=Interfaces.RSGI,
            backlog=BACKLOG,
            backpressure=_connections(),
            http1_settings=HTTP1,
            http=HTTPModes.http1,
            websockets=False,
            log_level=LogLevels.error,
            log_dictconfig=logs,
        )
        self._app = app
        self._listening = listening
        self._opened = opened  # called when signals are heard

    def run(self) -> None:
        """Serve until a signal comes. Raises SystemExit if granian gave up."""
        self.serve(target_loader=lambda: self._app, wrap_loader=False)

    def _check_gil(self) -> None:
        pass

    def _init_shared_socket(self) -> None:
        self._ssp = None
        is_unix = self._listening.family == socket.AF_UNIX
        self._opened()
        self._shd = SocketHolder(self._listening.detach(), is_unix, BACKLOG)  # type: ignore[call-arg, assignment]


def _connections() -> int:
    """Never so many that the database or a page could open no file; the server raises the soft limit to the hard."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    return CONNECTIONS if hard == resource.RLIM_INFINITY else max(1, min(CONNECTIONS, hard // 2))


def _open_tcp(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if _is_ipv6(host) else socket.AF_INET
    listening = socket.create_server((host, port), family=family, backlog=BACKLOG)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    for name, value in KEEPALIVE.items():
        if hasattr(socket, name):  # macOS lacks the first
            listening.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)
    listening.setblocking(False)
    return listening


def _open_unix(path: Path) -> socket.socket:
    if path.exists() and stat.S_ISSOCK(path.stat().st_mode) and not _answers(path):
        path.unlink()  # left by one that was killed
    listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        listening.bind(str(path))
        path.chmod(0o660)
        listening.listen(BACKLOG)
    except OSError:
        listening.close()
        raise
    listening.setblocking(False)
    return listening


def _answers(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as caller, contextlib.suppress(OSError):
        caller.connect(str(path))
        return True
    return False


def _is_ipv6(host: str) -> bool:
    with contextlib.suppress(ValueError):
        return ipaddress.ip_address(host).version == 6
    return False


def _address(listening: socket.socket) -> str:
    name: Any = listening.getsockname()
    if listening.family == socket.AF_UNIX:
        return f"unix:{name}"
    return str(Listen(name[0], name[1]))


def _write(path: Path, text: str) -> None:
    """Whole or not at all, since somebody waits for it."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    draft.write_text(text)
    draft.replace(path)
