"""Leads requests from the server's event loop to a WSGI application in a few threads, and its answers back."""

import asyncio
import io
import logging
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import msgspec

from bot.web.body import BadBody, Bodies

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

log = logging.getLogger(__name__)
THREADS = 8
Said = tuple[int, list[tuple[str, str]], bytes]


class Bridge:
    """An RSGI application in front of a WSGI one, whose answers are small enough to be held whole."""

    def __init__(self, app: "WSGIApplication", threads: int = THREADS) -> None:
        self._app = app
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="pages")
        self._bodies = Bodies()

    async def __call__(self, scope: Any, proto: Any) -> None:
        header = scope.headers.get
        chunked = "chunked" in (header("transfer-encoding") or "")
        try:
            body = await self._bodies.read(header("content-length") or "", chunked, proto)
        except BadBody as problem:
            headers = [("content-type", "application/json"), *problem.headers]
            proto.response_bytes(problem.status.value, headers, msgspec.json.encode({"error": str(problem)}))
            return
        loop = asyncio.get_running_loop()
        status, headers, said = await loop.run_in_executor(self._threads, self._ask, _environ(scope, body))
        proto.response_bytes(status, headers, b"" if scope.method == "HEAD" else said)

    def _ask(self, environ: dict[str, Any]) -> Said:
        """In a thread: what the application answers."""
        begun: list[tuple[int, list[tuple[str, str]]]] = []

        def start(status: str, headers: list[tuple[str, str]], exc_info: object = None) -> Callable[[bytes], object]:
            del exc_info  # nothing was sent before, so an answer may still be replaced by an error
            begun[:] = [(int(status[:3]), headers)]
            return pieces.append

        pieces: list[bytes] = []
        try:
            answer = self._app(environ, start)
            try:
                pieces.extend(answer)
            finally:
                close = getattr(answer, "close", None)
                if close is not None:
                    close()
            status, headers = begun[0]
        except Exception:
            log.exception("the pages failed at %.200r", environ["PATH_INFO"])
            return 500, [("content-type", "text/plain")], b"That is our mistake; the bot's log says more.\n"
        return status, [(name.lower(), value) for name, value in headers], b"".join(pieces)


def _environ(scope: Any, body: bytes) -> dict[str, Any]:
    """The request in WSGI's words (PEP 3333)."""
    host, _, port = str(scope.server).rpartition(":")
    client = str(scope.client).rpartition(":")[0]
    environ: dict[str, Any] = {
        "REQUEST_METHOD": scope.method,
        "SCRIPT_NAME": "",
        "PATH_INFO": scope.path.encode().decode("latin-1"),  # the server has undone %20 and its like
        "QUERY_STRING": scope.query_string,
        "SERVER_NAME": host or "localhost",
        "SERVER_PORT": port or "80",
        "SERVER_PROTOCOL": f"HTTP/{scope.http_version}",
        "REMOTE_ADDR": client,
        "CONTENT_LENGTH": str(len(body)),
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": scope.scheme,
        "wsgi.input": io.BytesIO(body),
        "wsgi.input_terminated": True,
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }
    for name in dict.fromkeys(scope.headers.keys()):
        value = ",".join(scope.headers.get_all(name))
        if name == "content-type":
            environ["CONTENT_TYPE"] = value
        elif name not in ("content-length", "transfer-encoding"):
            environ[f"HTTP_{name.upper().replace('-', '_')}"] = value
    return environ
