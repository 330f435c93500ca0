"""The intake: takes webhooks in front of the pages, and answers 202 when what they say is on disk."""

import logging
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Protocol

import msgspec
from prometheus_client import REGISTRY, CollectorRegistry

from bot.events import Event
from bot.inbox import InboxUnavailable
from bot.web.body import BadBody, Bodies
from bot.web.meters import Meters

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication

log = logging.getLogger(__name__)

RETRY_SECONDS = 10

Environ = Mapping[str, Any]
Verify = Callable[[Environ, bytes], bool]
Decode = Callable[[str, bytes], tuple[Event, ...]]


class Puts(Protocol):
    """What the intake needs of the inbox."""

    def put(self, events: Sequence[Event]) -> int:
        """Store events durably. Raises InboxUnavailable."""


@dataclass(frozen=True, slots=True)
class Hook:
    """Where one platform posts to.

    `verify` says whether the sender knows our secret; it gets the WSGI environment, which has the headers, and the raw
    body. `decode` gets the kind, which is the header named by `kind_header` (a WSGI name; "" where the body says it),
    and the body; it returns no event for what is nothing to us, and raises ValueError with a sentence for nonsense.
    """

    platform: str
    path: str
    verify: Verify
    decode: Decode
    kind_header: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """What the sender is told; `outcome` is the same in a word, for the counters."""

    status: HTTPStatus
    outcome: str
    said: Mapping[str, object]
    headers: tuple[tuple[str, str], ...] = ()


class Intake:
    """A WSGI application: the hooks' paths are its own, everything else is passed on to the pages.

    Flask would cost each delivery five times as much as all that is done here.
    """

    def __init__(
        self, hooks: Iterable[Hook], inbox: Puts, pages: "WSGIApplication", registry: CollectorRegistry = REGISTRY
    ) -> None:
        self._hooks = {hook.path: hook for hook in hooks}
        self._inbox = inbox
        self._pages = pages
        self._bodies = Bodies()
        self._meters = Meters(registry)

    def __call__(self, environ: dict[str, Any], start_response: "StartResponse") -> Iterable[bytes]:
        hook = self._hooks.get(environ.get("PATH_INFO", ""))
        if hook is None:
            return self._pages(environ, start_response)
        began = time.perf_counter()
        answer = self._receive(hook, environ)
        body = msgspec.json.encode(answer.said)
        headers = [("Content-Type", "application/json"), ("Content-Length", str(len(body))), *answer.headers]
        start_response(f"{answer.status.value} {answer.status.phrase}", headers)
        self._meters.count(hook.platform, answer.outcome, time.perf_counter() - began)
        return [body]

    def _receive(self, hook: Hook, environ: Environ) -> Answer:
        if environ.get("REQUEST_METHOD") != "POST":
            return _refuse(HTTPStatus.METHOD_NOT_ALLOWED, "method", "Webhooks are posted.", ("Allow", "POST"))
        try:
            body = self._bodies.read(environ)
        except BadBody as problem:
            return _refuse(problem.status, "body", str(problem), *problem.headers)
        if not _verified(hook, environ, body):
            if self._meters.may_log(hook.platform):
                log.warning("%s: refused a delivery with a wrong or missing secret or signature", hook.platform)
            return _refuse(HTTPStatus.UNAUTHORIZED, "unauthorised", "The secret or signature is wrong or missing.")
        if "form" in environ.get("CONTENT_TYPE", ""):
            return _refuse(
                HTTPStatus.BAD_REQUEST, "form", "Choose application/json as the webhook's content type, not a form."
            )
        return self._accept(hook, environ, body)

    def _accept(self, hook: Hook, environ: Environ, body: bytes) -> Answer:
        """What becomes of a delivery whose sender is known."""
        kind = environ.get(hook.kind_header, "")
        try:
            events = hook.decode(kind, body)
            if not events:
                msgspec.json.decode(body, type=dict[str, msgspec.Raw])  # a decoder may not look at what it ignores
                return Answer(HTTPStatus.ACCEPTED, "ignored", {"accepted": 0, "ids": []})
        except (ValueError, msgspec.MsgspecError, RecursionError) as problem:
            return _refuse(HTTPStatus.BAD_REQUEST, "nonsense", f"The body cannot be read: {problem}"[:300])
        except Exception:
            log.exception("%s: the decoder failed on a %.100r delivery", hook.platform, kind)
            return _refuse(HTTPStatus.BAD_REQUEST, "nonsense", "The body cannot be read; the bot's log says more.")
        return self._store(hook, events)

    def _store(self, hook: Hook, events: tuple[Event, ...]) -> Answer:
        try:
            self._inbox.put(events)
        except Exception as problem:
            if not isinstance(problem, InboxUnavailable) or self._meters.may_log(hook.platform):
                log.exception("%s: a delivery could not be stored", hook.platform)
            return _refuse(
                HTTPStatus.SERVICE_UNAVAILABLE,
                "unavailable",
                "The delivery could not be stored; send it again.",
                ("Retry-After", str(RETRY_SECONDS)),
            )
        return Answer(HTTPStatus.ACCEPTED, "accepted", {"accepted": len(events), "ids": [event.id for event in events]})


def _verified(hook: Hook, environ: Environ, body: bytes) -> bool:
    try:
        return hook.verify(environ, body)
    except Exception:
        log.exception("%s: the check of a delivery's sender failed", hook.platform)
        return False


def _refuse(status: HTTPStatus, outcome: str, sentence: str, *headers: tuple[str, str]) -> Answer:
    return Answer(status, outcome, {"error": sentence}, headers)
