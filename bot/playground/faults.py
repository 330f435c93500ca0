"""Faults on demand and a log of what was asked: a WSGI middleware that both halves of the playground stand behind."""

import json
import re
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from http import HTTPStatus
from typing import Any, assert_never

from bot.playground.courier import Courier
from bot.playground.server import Environ, HangUp, StartResponse, WsgiApp

CONTROL = "/_playground/"
LAG = "playground.lag"  # in the WSGI environment: seconds for which lists do not show what is new


class Kind(StrEnum):
    """What a fault does to the call it meets."""

    STATUS = "status"  # answer with `status` without doing the work
    AFTER = "after"  # do the work, then answer with `status` all the same
    HANGUP = "hangup"  # close the socket without doing the work
    HANGUP_AFTER = "hangup-after"  # do the work, then close the socket without an answer
    LAG = "lag"  # a list leaves out what was made within the last `seconds`, as a replica that is behind does
    SLOW = "slow"  # wait `seconds`, then do the work and answer as ever


@dataclass(frozen=True, slots=True)
class Fault:
    """A rule. `method` and `path` are regular expressions: the method's whole name, anything in "/path?query".

    `scope` is one more, for what a path does not say: the project that an item of Azure DevOps is in.

    It applies from the `nth` matching call on (1 is the first), `times` times (None: until removed).
    """

    kind: Kind
    path: str = ""
    method: str = ".*"
    status: int = 500
    headers: Mapping[str, str] = field(default_factory=dict)
    body: str = ""
    seconds: float = 0.0
    scope: str = ""
    nth: int = 1
    times: int | None = 1
    id: int = 0


@dataclass(frozen=True, slots=True)
class Served:
    """One call: `status` None when the socket was closed, `path` with its query, `fault` the id of its rule or 0."""

    at: datetime
    method: str
    path: str
    status: int | None
    seconds: float
    owner: str
    fault: int
    scope: str = ""


def _nobody(_: Environ) -> str:
    return ""


class Faults:
    """The rules in force, and the log of every call; safe to use from any thread.

    `guard(app, owner=…, courier=…)` wraps an application. Over HTTP, in JSON (a POST needs that content type):
    GET /_playground/faults -> the rules; POST one rule -> {"id": n}; DELETE /_playground/faults[/n];
    GET /_playground/log[?since=ISO] -> the calls; DELETE empties it; GET and PUT /_playground/chaos, the courier's;
    POST /_playground/reset: no rules, no chaos, an empty log (the world itself stays as it is).
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._rules: dict[int, Fault] = {}
        self._met: dict[int, int] = {}
        self._last = 0
        self._log: deque[Served] = deque(maxlen=100_000)

    def add(self, fault: Fault) -> int:
        """Put a rule in force; its id. Raises re.error on a bad pattern."""
        re.compile(fault.path), re.compile(fault.method), re.compile(fault.scope)
        with self._lock:
            self._last += 1
            values = {name: getattr(fault, name) for name in Fault.__slots__}
            self._rules[self._last] = Fault(**{**values, "id": self._last})
            self._met[self._last] = 0
            return self._last

    def remove(self, fault: int) -> None:
        """Lift a rule; harmless when it is gone."""
        with self._lock:
            self._rules.pop(fault, None)

    def clear(self) -> None:
        """Lift all rules."""
        with self._lock:
            self._rules.clear()

    @property
    def rules(self) -> list[Fault]:
        with self._lock:
            return list(self._rules.values())

    @property
    def log(self) -> list[Served]:
        """Every call so far, oldest first (the latest 100,000); control calls are not among them."""
        with self._lock:
            return list(self._log)

    def forget(self) -> None:
        """Empty the log."""
        with self._lock:
            self._log.clear()

    def count(self, method: str = ".*", path: str = "", owner: str | None = None) -> int:
        """How many logged calls match: regular expressions as in Fault, `owner` exactly."""
        return sum(
            1
            for call in self.log
            if re.fullmatch(method, call.method) and re.search(path, call.path) and owner in (None, call.owner)
        )

    def guard(
        self,
        app: WsgiApp,
        *,
        owner: Callable[[Environ], str] = _nobody,
        scope: Callable[[Environ], str] = _nobody,
        courier: Courier | None = None,
    ) -> WsgiApp:
        """`app` behind the rules. `owner` names whose token a call carries, for the log; "" when nobody's."""
        from bot.playground.controls import control

        def guarded(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
            if environ["PATH_INFO"].startswith(CONTROL):
                return control(self, courier, environ, start_response)
            return self._serve(app, owner(environ), scope(environ), environ, start_response)

        return guarded

    def _serve(
        self, app: WsgiApp, who: str, scope: str, environ: Environ, start_response: StartResponse
    ) -> Iterable[bytes]:
        method, path = environ["REQUEST_METHOD"], _path(environ)
        at, started = datetime.now(UTC), time.monotonic()
        fault = self._meet(method, path, scope)
        statuses: list[int] = []

        def noting(line: str, headers: Any, exc_info: Any = None) -> Callable[[bytes], object]:
            statuses.append(int(line[:3]))
            return start_response(line, headers, exc_info) if exc_info else start_response(line, headers)

        try:
            return _act(fault, app, environ, noting)
        finally:
            status = statuses[-1] if statuses else None
            call = Served(at, method, path, status, time.monotonic() - started, who, fault.id if fault else 0, scope)
            with self._lock:
                self._log.append(call)

    def _meet(self, method: str, path: str, scope: str) -> Fault | None:
        """The first rule that applies to this call; every matching rule counts it."""
        found = None
        with self._lock:
            for rule in self._rules.values():
                if not (re.fullmatch(rule.method, method) and re.search(rule.path, path)):
                    continue
                if not re.search(rule.scope, scope):
                    continue
                self._met[rule.id] += 1
                turn = self._met[rule.id] - rule.nth
                if found is None and turn >= 0 and (rule.times is None or turn < rule.times):
                    found = rule
        return found


def _path(environ: Environ) -> str:
    path: str = environ["PATH_INFO"].encode("latin-1").decode("utf-8", "replace")
    query = environ.get("QUERY_STRING")
    return f"{path}?{query}" if query else path


def _act(fault: Fault | None, app: WsgiApp, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
    if fault is None:
        return app(environ, start_response)
    match fault.kind:
        case Kind.STATUS:
            _drain(environ)
            return _answer(fault, start_response)
        case Kind.AFTER:
            _do(app, environ)
            return _answer(fault, start_response)
        case Kind.HANGUP:
            raise HangUp(f"fault {fault.id}")
        case Kind.HANGUP_AFTER:
            _do(app, environ)
            raise HangUp(f"fault {fault.id}")
        case Kind.LAG:
            return app({**environ, LAG: fault.seconds}, start_response)
        case Kind.SLOW:
            time.sleep(fault.seconds)
            return app(environ, start_response)
        case _:
            assert_never(fault.kind)


def _drain(environ: Environ) -> None:
    """Read the request's body: closing a socket with unread bytes resets it, and the answer would be lost."""
    left = int(environ.get("CONTENT_LENGTH") or 0)
    while left > 0 and (chunk := environ["wsgi.input"].read(min(left, 65_536))):
        left -= len(chunk)


def _do(app: WsgiApp, environ: Environ) -> None:
    """Let the application do its work to the end, and throw its answer away."""
    answer = app(environ, lambda *_: lambda _chunk: None)
    try:
        for _ in answer:
            pass
    finally:
        if (close := getattr(answer, "close", None)) is not None:
            close()


def _answer(fault: Fault, start_response: StartResponse) -> Iterable[bytes]:
    body = fault.body.encode() or json.dumps({"message": "A fault of the playground", "fault": fault.id}).encode()
    given = {name.lower() for name in fault.headers}
    headers = [*fault.headers.items(), ("Content-Length", str(len(body)))]
    if "content-type" not in given:
        headers.append(("Content-Type", "application/json; charset=utf-8"))
    start_response(status_line(fault.status), headers)
    return [body]


def status_line(status: int) -> str:
    """A status as HTTP writes it."""
    try:
        return f"{status} {HTTPStatus(status).phrase}"
    except ValueError:
        return f"{status} Unknown"
