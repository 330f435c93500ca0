"""Serves a WSGI application on a thread of its own, and can hang up on a caller without an answer."""

import logging
import socket
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server

Environ = dict[str, Any]
StartResponse = Callable[..., Callable[[bytes], object]]
WsgiApp = Callable[[Environ, StartResponse], Iterable[bytes]]


class HangUp(ConnectionError):
    """Raised by a WSGI application or middleware before `start_response`: the socket closes without a byte."""


class _Handler(WSGIRequestHandler):
    """werkzeug's handler without its log line, and without the 40 ms that Nagle costs small answers."""

    disable_nagle_algorithm = True

    def connection_dropped(self, error: BaseException, environ: Environ | None = None) -> None:
        """Called on HangUp: without this the socket would stay open for a next request, and the caller would wait."""
        self.close_connection = True

    def log(self, type: str, message: str, *args: Any) -> None:  # the name is werkzeug's
        if type == "error":
            logging.getLogger(__name__).error(message, *args)


@dataclass(frozen=True, slots=True)
class Running:
    """A served application: `url` such as "http://127.0.0.1:40123", without a slash at the end."""

    url: str
    port: int
    _server: BaseWSGIServer = field(repr=False)
    _thread: threading.Thread = field(repr=False)

    def close(self) -> None:
        """Stop answering and free the port; requests under way are left to their daemon threads."""
        self._server.shutdown()
        self._thread.join(timeout=5)
        self._server.server_close()


def free_port(host: str = "127.0.0.1") -> int:
    """A port that was free a moment ago, for a world that must know its own address before it is served."""
    with socket.socket() as probe:
        probe.bind((host, 0))
        port: int = probe.getsockname()[1]
        return port


def serve(app: WsgiApp, host: str = "127.0.0.1", port: int = 0) -> Running:
    """Serve `app` on `host:port` (0: any free port), one thread a request, until `Running.close()`.

    Raises OSError when the port is taken.
    """
    listener = socket.create_server((host, port), backlog=128)
    with listener:  # werkzeug duplicates the descriptor, and on a taken port of its own choosing it exits the process
        real_port: int = listener.getsockname()[1]
        server = make_server(host, real_port, app, threaded=True, request_handler=_Handler, fd=listener.fileno())
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.name = f"playground:{real_port}"
    thread.start()
    return Running(f"http://{host}:{real_port}", real_port, server, thread)
