"""The HTTP side of the stand-in: routes in any case, who is asking, which API version, and how answers are wrapped."""

import base64
import binascii
import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from flask import Request, Response

from bot.playground.faults import LAG
from bot.playground.github.bare import GitRefused

from .body import Body
from .errors import Refusal, invalid, not_built
from .people import Person
from .state import Organisation, Project, Team
from .throttle import too_much

LATEST = (7, 2)
# Resources that are in preview in every version so far: they refuse a version without "-preview".
_PREVIEW_ONLY = re.compile(r"/_apis/wit/workitems/[^/]+/comments|/_apis/connectiondata", re.IGNORECASE)

SIGN_IN = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>Azure DevOps Services | Sign In</title></head>
<body><h1>Sign in</h1><p>The playground wants a personal access token.</p></body></html>
"""


@dataclass(frozen=True, slots=True)
class Answer:
    body: Any = None
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Call:
    """One authenticated request: parts are the named pieces of its path, query its parameters with lower-case names."""

    org: Organisation
    method: str
    path: str
    parts: Mapping[str, str]
    query: Mapping[str, str]
    person: Person
    version: tuple[int, int]
    content_type: str
    raw: bytes
    lag: float = 0.0

    def settled(self, at: datetime) -> bool:
        """Whether lists and searches show what was made then; a fault may let them be behind."""
        return not self.lag or (self.org.now() - at).total_seconds() >= self.lag

    def number(self, name: str) -> int:
        return int(self.parts[name])

    @property
    def project(self) -> Project:
        """The project that the path names; refuses when there is none of that name."""
        return self.org.project(self.parts["project"])

    @property
    def scope(self) -> Project | None:
        """The same where the path need not name one."""
        return self.project if self.parts.get("project") else None

    @property
    def team(self) -> Team:
        name = self.parts.get("team")
        return self.project.find_team(name) if name else self.project.team

    @property
    def json(self) -> Any:
        """The body as JSON; refuses what is none."""
        try:
            return json.loads(self.raw)
        except ValueError:
            raise invalid("TF400898: The request's body is not valid JSON.") from None

    @property
    def object(self) -> Body:
        """The body as a JSON object; refuses what is none."""
        body = self.json
        if not isinstance(body, dict):
            raise invalid("Value cannot be null.\r\nParameter name: body")
        return Body(body)

    def flag(self, name: str) -> bool:
        return self.query.get(name.lower(), "").lower() == "true"

    def count(self, name: str, default: int, most: int) -> int:
        """A parameter such as $top; refuses what is no number from 0 to most."""
        text = self.query.get(name.lower(), str(default))
        if not text.isdigit() or int(text) > most:
            raise invalid(f"VS402337: {name} must be a number from 0 to {most}, not {text}.")
        return int(text)


Handler = Callable[[Call], Answer]


@dataclass(frozen=True, slots=True)
class Route:
    method: str
    pattern: re.Pattern[str]
    handler: Handler


class Routes:
    """A table of handlers. Templates are resource locations'; {name?} may be absent, {*name} is the rest."""

    def __init__(self) -> None:
        self.table: list[Route] = []

    def __call__(self, method: str, template: str) -> Callable[[Handler], Handler]:
        def remember(handler: Handler) -> Handler:
            self.table.append(Route(method, compile_template(template), handler))
            return handler

        return remember

    def include(self, *others: "Routes") -> None:
        for other in others:
            self.table.extend(other.table)


def compile_template(template: str) -> re.Pattern[str]:
    """A pattern for whole paths, in any case. A segment {id:int} takes digits only."""
    pattern = ""
    for segment in template.split("/"):
        pattern += _segment(segment)
    return re.compile(pattern + "/?", re.IGNORECASE)


def _segment(segment: str) -> str:
    found = re.fullmatch(r"(\$?)\{(\*?)(\w+)(\??)(:int)?\}", segment)
    if not found:
        return "/" + re.escape(segment)
    dollar, star, name, optional, number = found.groups()
    # Names of projects and teams never begin with an underscore, so they cannot swallow _apis.
    value = ".+" if star else r"\d+" if number else r"(?!_)[^/]+"
    group = f"/{re.escape(dollar)}(?P<{name}>{value})"
    return f"(?:{group})?" if optional else group


def answer(org: Organisation, table: Sequence[Route], request: Request, path: str) -> Response:
    """The response to one API call; path is what follows the organisation's name, beginning with a slash."""
    person = org.owner(token_of(request))
    if person is None:
        return Response(SIGN_IN, 203, content_type="text/html; charset=utf-8")
    with org.lock:
        limits = org.throttle.headers()
        try:
            if limits and org.throttle.refusing:
                raise too_much()
            result = _dispatch(org, table, request, path, person)
        except Refusal as refusal:
            result = Answer(refusal.body(), refusal.status)
    return _respond(request, replace(result, headers={**result.headers, **limits}))


def _dispatch(org: Organisation, table: Sequence[Route], request: Request, path: str, person: Person) -> Answer:
    for route in table:
        if route.method == request.method and (found := route.pattern.fullmatch(path)):
            query = {name.lower(): value for name, value in request.args.items()}
            call = Call(
                org=org,
                method=request.method,
                path=path,
                parts={name: value for name, value in found.groupdict().items() if value is not None},
                query=query,
                person=person,
                version=_version(request, query, path),
                content_type=request.mimetype,
                raw=request.get_data(),
                lag=float(request.environ.get(LAG, 0.0)),
            )
            return _handled(route, call)
    raise not_built(request.method, path)


def _handled(route: Route, call: Call) -> Answer:
    try:
        return route.handler(call)
    except GitRefused as trouble:  # a name that git does not take
        raise Refusal(400, f"TF401030: git says: {trouble}", "GitException") from trouble


def _respond(request: Request, result: Answer) -> Response:
    headers = {"X-TFS-ProcessId": "00000000-0000-0000-0000-000000000000", "Cache-Control": "no-cache", **result.headers}
    if session := request.headers.get("X-TFS-Session"):
        headers["X-TFS-Session"] = session
    if result.body is None:
        return Response(status=204 if result.status == 200 else result.status, headers=headers)
    text = json.dumps(result.body, ensure_ascii=False)
    return Response(text, result.status, headers, content_type="application/json; charset=utf-8; api-version=7.1")


def token_of(request: Request) -> str:
    """The token of a call: a Bearer, or the password of Basic authentication; "" when there is none."""
    scheme, _, given = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return given.strip()
    if scheme.lower() != "basic":
        return ""
    try:
        _, _, password = base64.b64decode(given, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return ""
    return password


def _version(request: Request, query: Mapping[str, str], path: str) -> tuple[int, int]:
    """The API version asked for, in the query or in Accept; the latest released one when there is none."""
    found = re.search(r"api-version=([^;,\s]+)", request.headers.get("Accept", ""), re.IGNORECASE)
    text = query.get("api-version") or (found[1] if found else "")
    if not text:
        return (7, 1)
    match = re.fullmatch(r"(\d+)\.(\d+)(-preview(?:\.\d+)?)?", text)
    if match is None:
        raise Refusal(400, f"The api-version {text} is not valid.", "VssInvalidApiResourceVersionException")
    version = (int(match[1]), int(match[2]))
    if version > LATEST:
        raise Refusal(
            400,
            f"The requested REST API version of {match[1]}.{match[2]} is out of range for this server. "
            f"The latest REST API version this server supports is {LATEST[0]}.{LATEST[1]}.",
            "VssVersionOutOfRangeException",
        )
    if match[3] is None and (version == LATEST or _PREVIEW_ONLY.search(path)):
        raise Refusal(
            400,
            f'The requested version "{text}" of the resource is under preview. The -preview flag must be supplied in '
            f'the api-version for such requests. For example: "{text}-preview"',
            "VssInvalidPreviewVersionException",
        )
    return version


def collection(values: list[Any], headers: Mapping[str, str] | None = None) -> Answer:
    """A list, as the service wraps it."""
    return Answer({"count": len(values), "value": values}, headers=headers or {})
