"""Speaks to GitHub through PyGithub's requester: one connection a thread, paced writes, typed answers, honest errors.

PyGithub's own objects are not used, for what they hide: a write to a renamed repository answers 307 and looks like
success, a POST is repeated up to ten times, and any attribute may turn into a request.
"""

import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any, Protocol, TypeVar
from urllib.parse import parse_qsl, quote, urlsplit

import msgspec
from github import Auth, Github
from github.Requester import Requester
from urllib3.util import Retry

from bot.adapters.github_auth import HEADERS, Access, App, Personal
from bot.adapters.github_errors import Moved, from_exception, from_status
from bot.adapters.github_line import Line, Pacing
from bot.adapters.github_shapes import Repository
from bot.ports import Denied, SignedOut

PAGE = 100
MOST = 50  # pages of one list in one go
NAMES_LAST = 300.0  # seconds for which a repository's current name is believed
NEXT = re.compile(r'<([^>]+)>;\s*rel="(\w+)"')
T = TypeVar("T")


class Stamped(Protocol):
    """What GitHub says the last change of."""

    @property
    def updated_at(self) -> datetime: ...


S = TypeVar("S", bound=Stamped)
Params = dict[str, str | int]


class Session:
    """Typed GET and paced writes about repositories; `place` is `owner/name` as we know it, renamed or not.

    Paths begin after the repository: `get("octo/bikes", "/issues/12", Issue)`. Raises Unavailable and Denied, in
    finer kinds: Uncertain, Moved, Gone, Forbidden.
    """

    def __init__(
        self,
        url: str,
        auth: Personal | App,
        seconds_between_writes: float,
        timeout: int,
        login: str | None,
        pacing: Pacing | None = None,
    ) -> None:
        self._url, self._timeout, self._seconds = url.rstrip("/"), timeout, seconds_between_writes
        self._pacing, self._asked = pacing, threading.local()
        self._lock = threading.Lock()
        self._lines: dict[int, Line] = {}
        self._names: dict[str, tuple[Repository, float]] = {}
        self.access = Access(auth, lambda auth: self._connect(auth, reading=True), login)

    def get(self, place: str, path: str, shape: type[T], params: Params | None = None) -> T:
        """One object."""
        return self._read(place, path, shape, params or {})[0]

    def pages(self, place: str, path: str, shape: type[T], params: Params | None = None) -> Iterator[T]:
        """Everything in a list, page after page."""
        asked: Params | None = {**(params or {}), "per_page": PAGE}
        while asked is not None:
            items, links = self._read(place, path, list[shape], asked)  # type: ignore[valid-type]
            yield from items
            asked = links.get("next")

    def changed(
        self, place: str, path: str, shape: type[S], since: datetime, params: Params | None = None
    ) -> Iterator[S]:
        """What was changed at `since` or later, oldest change first, at most MOST pages; some of it may come twice.

        Pages by the time of the change and not by number, as what changes meanwhile would push others past us.
        """
        start, page = since, 1
        for _ in range(MOST):
            window: Params = {"sort": "updated", "direction": "asc", "since": f"{start:%Y-%m-%dT%H:%M:%SZ}"}
            asked: Params = {**(params or {}), **window, "per_page": PAGE, "page": page}
            items: list[S] = self._read(place, path, list[shape], asked)[0]  # type: ignore[valid-type]
            yield from items
            if len(items) < PAGE:
                return
            newest = items[-1].updated_at
            start, page = (newest, 1) if newest > start else (start, page + 1)

    def newest(self, place: str, path: str, shape: type[T], count: int, params: Params | None = None) -> list[T]:
        """The last `count` of an ascending list, oldest first, without reading all of a long one."""
        asked: Params = {**(params or {}), "per_page": PAGE}
        items, links = self._read(place, path, list[shape], asked)  # type: ignore[valid-type]
        last = int(links.get("last", {}).get("page", 0))
        if last == 0 and "next" in links:  # pages known by cursor only
            return list(self.pages(place, path, shape, params))[-count:]
        for page in range(max(2, last - -(-count // PAGE)), last + 1):
            more, _ = self._read(place, path, list[shape], {**asked, "page": page})  # type: ignore[valid-type]
            items += more
        return items[-count:]

    @contextmanager
    def urgency(self, place: str, urgent: bool) -> Iterator[None]:
        """How urgent the writes of this thread are meanwhile. Raises Unavailable where there is no room for such."""
        self._line(place).look(urgent)
        before, self._asked.urgent = getattr(self._asked, "urgent", True), urgent
        try:
            yield
        finally:
            self._asked.urgent = before

    def write(self, place: str, verb: str, path: str, body: Any, shape: type[T]) -> T:
        """POST, PATCH, PUT or DELETE, sent once. A shape of None expects no answer."""
        full = self._path(place, path)
        line = self._line(place)
        with line.turn(getattr(self._asked, "urgent", True)):
            return self._send(place, line.writer, verb, full, {}, body, shape)[0]

    def repository(self, place: str, fresh: bool = False) -> Repository:
        """The repository under its present name; asked again every five minutes."""
        with self._lock:
            known, until = self._names.get(place, (None, 0.0))
        if known is not None and not fresh and time.monotonic() < until:
            return known
        path = f"/repos/{quote(place)}"
        found = self._send(place, self._reader(place), "GET", path, {}, None, Repository)[0]
        with self._lock:
            self._names[place] = (found, time.monotonic() + NAMES_LAST)
        return found

    def token(self, place: str) -> str:
        """The secret with which git may read the repository now."""
        return self.access.credential(place).token

    def _read(self, place: str, path: str, shape: type[T], params: Params) -> tuple[T, dict[str, Params]]:
        full = self._path(place, path)
        answer, headers = self._send(place, self._reader(place), "GET", full, params, None, shape)
        return answer, _links(headers.get("link", ""))

    def _path(self, place: str, path: str) -> str:
        # PyGithub follows 301 but drops the query: under an old name "all issues" would quietly mean the open ones.
        return f"/repos/{quote(self.repository(place).full_name)}{path}"

    def _send(
        self, place: str, requester: Requester, verb: str, path: str, params: Params, body: Any, shape: type[T]
    ) -> tuple[T, dict[str, Any]]:
        line = self._line(place)
        for last in (False, True):
            line.listen()
            try:
                answer = _answered(requester, verb, path, params, body, shape)
            except Exception as problem:
                raised = from_exception(problem, f"{verb} {path}", writing=verb != "GET")
                line.heard(raised)
                self._forget(place, raised)
                if last or not isinstance(raised, SignedOut) or not self.access.renew(place):
                    raise raised from None
            else:
                break
        line.heard(None)
        return answer

    def _forget(self, place: str, problem: Exception) -> None:
        """What we believed about the repository may be what is wrong."""
        if isinstance(problem, Moved | Denied):
            with self._lock:
                self._names.pop(place, None)

    def _line(self, place: str) -> Line:
        number = self.access.installation(place)
        with self._lock:
            line = self._lines.get(number)
        if line is None:
            auth = self.access.credential(place)
            writer = self._connect(auth, reading=False).requester
            made = Line(auth, writer, self._seconds, f"github:{number}", self._pacing)
            with self._lock:
                line = self._lines.setdefault(number, made)
        return line

    def _reader(self, place: str) -> Requester:
        line = self._line(place)
        if not hasattr(line.readers, "requester"):
            line.readers.requester = self._connect(line.auth, reading=True).requester
        found: Requester = line.readers.requester
        return found

    def _connect(self, auth: Auth.Auth, reading: bool) -> Github:
        """A connection. Reads are repeated twice on 502 to 504 within a second; limits are told, never slept on."""
        calm = Retry(
            total=2,
            allowed_methods={"GET"},
            status_forcelist=(502, 503, 504),
            backoff_factor=0.3,
            respect_retry_after_header=False,
            raise_on_status=False,
            redirect=False,
        )
        return Github(
            auth=auth,
            base_url=self._url,
            timeout=self._timeout,
            user_agent="lifecycle-bot",
            retry=calm if reading else None,
            seconds_between_requests=None,
            seconds_between_writes=None,
            lazy=True,
            api_version="2022-11-28",
        )


def _answered(
    requester: Requester, verb: str, path: str, params: Params, body: Any, shape: type[T]
) -> tuple[T, dict[str, Any]]:
    status, headers, text = requester.requestJson(verb, path, dict(params), dict(HEADERS), body)
    if not 200 <= status < 300:
        raise from_status(status, headers, text, f"{verb} {path}", writing=verb != "GET")
    return msgspec.json.decode(text or "null", type=shape), headers


def _links(header: str) -> dict[str, Params]:
    """The Link header: relation to the query of its URL (a page number or a cursor)."""
    return {relation: dict(parse_qsl(urlsplit(url).query)) for url, relation in NEXT.findall(header)}


def once_more(call: Callable[[], T]) -> T:
    """Do it again where the repository turned out to have another name: nothing was written, and now we know it."""
    try:
        return call()
    except Moved:
        return call()
