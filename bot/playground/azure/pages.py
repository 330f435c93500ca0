"""What every page of the organisation needs: which page answers a path, who is writing, and how it is shown safely."""

import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from flask import Request, Response, render_template

from .errors import Refusal
from .items import WorkItem
from .people import Person
from .state import Organisation, Project

PAGES: list[tuple[str, re.Pattern[str], Callable[["Visit"], Response]]] = []


@dataclass(frozen=True, slots=True)
class Visit:
    """One request for a page: parts of its path, and who the form says is writing."""

    org: Organisation
    request: Request
    parts: dict[str, str]

    @property
    def project(self) -> Project:
        return self.org.project(self.parts["project"])

    @property
    def item(self) -> WorkItem:
        return self.org.item(int(self.parts["id"]))

    @property
    def person(self) -> Person:
        found = self.org.find_person(self.form("person"))
        if found is None:
            raise Refusal(400, "Choose who is writing.", "")
        return found

    def form(self, name: str) -> str:
        return str(self.request.form.get(name, "")).strip()


def page_at(method: str, pattern: str) -> Callable[[Callable[[Visit], Response]], Callable[[Visit], Response]]:
    """Registers a page for paths below the organisation's name that match the pattern, in any case."""

    def remember(handler: Callable[[Visit], Response]) -> Callable[[Visit], Response]:
        PAGES.append((method, re.compile(pattern + "/?", re.IGNORECASE), handler))
        return handler

    return remember


def page(org: Organisation, request: Request, path: str) -> Response:
    """The page at a path below the organisation's name, or what a form posted there leads to."""
    method = "GET" if request.method == "HEAD" else request.method
    try:
        if method != "GET" and not _from_here(request):
            raise Refusal(403, "Forms of the playground are answered when they come from its own pages.", "")
        for wanted, pattern, handler in PAGES:
            if wanted == method and (found := pattern.fullmatch(path)):
                with org.lock:
                    return handler(Visit(org, request, found.groupdict()))
        raise Refusal(404, f"The playground has no page for {request.method} {path}.", "")
    except Refusal as refusal:
        return show(org, "azure_refusal.html", status=refusal.status, title="Not so", message=refusal.message)


def _from_here(request: Request) -> bool:
    """Whether a form was sent by our own page: somebody else's site must not make people comment unawares."""
    origin = request.headers.get("Origin")
    return request.headers.get("Sec-Fetch-Site", "same-origin") in ("same-origin", "none") and (
        origin is None or urlsplit(origin).netloc == request.host
    )


def show(org: Organisation, template: str, *, status: int = 200, **words: Any) -> Response:
    nonce = secrets.token_urlsafe(12)
    body = render_template(template, org=org, root=f"/{org.name}", nonce=nonce, hue=_hue, initials=_initials, **words)
    response = Response(body, status)
    response.headers["Content-Security-Policy"] = (
        "default-src 'none'; style-src 'unsafe-inline'; img-src http: https: data:; connect-src 'self'; "
        f"form-action 'self'; script-src 'nonce-{nonce}'; base-uri 'none'; frame-ancestors 'none'"
    )
    response.headers["Cache-Control"] = "no-store"
    return response


def _initials(person: Person) -> str:
    words = person.display_name.split()
    return (words[0][:1] + (words[-1][:1] if len(words) > 1 else "")).upper()


def _hue(person: Person) -> int:
    return int(person.id[:4], 16) % 360


def to(address: str) -> Response:
    """Where a form leads once it was answered."""
    return Response(status=303, headers={"Location": address})
