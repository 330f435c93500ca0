"""The intake: takes webhooks in front of the pages, and answers 202 when what they say is on disk."""

import logging
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

import msgspec
from prometheus_client import REGISTRY, CollectorRegistry

from bot.events import Event
from bot.inbox import InboxUnavailable
from bot.web.body import BadBody, Bodies
from bot.web.gathering import Gathering, Puts
from bot.web.meters import Meters

log = logging.getLogger(__name__)

RETRY_SECONDS = 10

Header = Callable[[str], str | None]  # a request's header by its name in lower case
Verify = Callable[[Header, bytes], bool]
Decode = Callable[[str, bytes], tuple[Event, ...]]
Application = Callable[[Any, Any], Awaitable[None]]  # RSGI: what it is about, and the way to read and to answer


@dataclass(frozen=True, slots=True)
class Hook:
    """Where one platform posts to.

    `verify` says whether the sender knows our secret; it gets the headers and the raw body. `decode` gets the kind,
    which is the header named by `kind_header` (in lower case; "" where the body says it), and the body; it returns no
    event for what is nothing to us, and raises ValueError with a sentence for nonsense.
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
    """An RSGI application: the hooks' paths are its own, everything else is passed on to the pages.

    Flask would cost each delivery five times as much as all that is done here, and a thread for each delivery as much
    again: the interpreter's lock would change hands four times, where here one thread takes in what has come and
    another one has it on disk.
    """

    def __init__(
        self, hooks: Iterable[Hook], inbox: Puts, pages: Application, registry: CollectorRegistry = REGISTRY
    ) -> None:
        self._hooks = {hook.path: hook for hook in hooks}
        self._inbox = Gathering(inbox)
        self._pages = pages
        self._bodies = Bodies()
        self._meters = Meters(registry)

    async def __call__(self, scope: Any, proto: Any) -> None:
        hook = self._hooks.get(scope.path)
        if hook is None:
            await self._pages(scope, proto)
            return
        began = time.perf_counter()
        answer = await self._receive(hook, scope, proto)
        headers = [("content-type", "application/json"), *answer.headers]
        proto.response_bytes(answer.status.value, headers, msgspec.json.encode(answer.said))
        self._meters.count(hook.platform, answer.outcome, time.perf_counter() - began)

    async def _receive(self, hook: Hook, scope: Any, proto: Any) -> Answer:
        if scope.method != "POST":
            return _refuse(HTTPStatus.METHOD_NOT_ALLOWED, "method", "Webhooks are posted.", ("allow", "POST"))
        header: Header = scope.headers.get
        try:
            chunked = "chunked" in (header("transfer-encoding") or "")
            body = await self._bodies.read(header("content-length") or "", chunked, proto)
        except BadBody as problem:
            return _refuse(problem.status, "body", str(problem), *problem.headers)
        if not body:
            return _refuse(HTTPStatus.BAD_REQUEST, "body", "The body is empty.")
        if not _verified(hook, header, body):
            if self._meters.may_log(hook.platform):
                log.warning("%s: refused a delivery with a wrong or missing secret or signature", hook.platform)
            return _refuse(HTTPStatus.UNAUTHORIZED, "unauthorised", "The secret or signature is wrong or missing.")
        if "form" in (header("content-type") or ""):
            return _refuse(
                HTTPStatus.BAD_REQUEST, "form", "Choose application/json as the webhook's content type, not a form."
            )
        return await self._accept(hook, header, body)

    async def _accept(self, hook: Hook, header: Header, body: bytes) -> Answer:
        """What becomes of a delivery whose sender is known."""
        kind = (header(hook.kind_header) or "") if hook.kind_header else ""
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
        return await self._store(hook, events)

    async def _store(self, hook: Hook, events: tuple[Event, ...]) -> Answer:
        try:
            await self._inbox.put(events)
        except Exception as problem:
            if not isinstance(problem, InboxUnavailable | TimeoutError) or self._meters.may_log(hook.platform):
                log.exception("%s: a delivery could not be stored", hook.platform)
            return _refuse(
                HTTPStatus.SERVICE_UNAVAILABLE,
                "unavailable",
                "The delivery could not be stored; send it again.",
                ("retry-after", str(RETRY_SECONDS)),
            )
        return Answer(HTTPStatus.ACCEPTED, "accepted", {"accepted": len(events), "ids": [event.id for event in events]})


def _verified(hook: Hook, header: Header, body: bytes) -> bool:
    try:
        return hook.verify(header, body)
    except Exception:
        log.exception("%s: the check of a delivery's sender failed", hook.platform)
        return False


def _refuse(status: HTTPStatus, outcome: str, sentence: str, *headers: tuple[str, str]) -> Answer:
    return Answer(status, outcome, {"error": sentence}, headers)
