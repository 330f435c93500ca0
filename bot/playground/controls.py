"""The playground's own controls over HTTP: the rules in force, the log of calls, the courier's chaos."""

import json
import re
from collections.abc import Iterable
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs

from bot.playground.courier import Chaos, Courier
from bot.playground.faults import CONTROL, Fault, Faults, Kind, status_line
from bot.playground.server import Environ, StartResponse


def control(
    faults: Faults, courier: Courier | None, environ: Environ, start_response: StartResponse
) -> Iterable[bytes]:
    """Answer a call that steers the playground itself."""
    try:
        status, answer = _command(faults, courier, environ)
    except (ValueError, TypeError, KeyError, re.error) as problem:
        status, answer = 400, {"message": f"{type(problem).__name__}: {problem}"}
    body = json.dumps(answer, default=str).encode()
    start_response(status_line(status), [("Content-Type", "application/json"), ("Content-Length", str(len(body)))])
    return [body]


def _command(faults: Faults, courier: Courier | None, environ: Environ) -> tuple[int, Any]:
    method = environ["REQUEST_METHOD"]
    thing, _, which = environ["PATH_INFO"].removeprefix(CONTROL).partition("/")
    match method, thing:
        case "GET", "faults":
            return 200, [asdict(rule) for rule in faults.rules]
        case "POST", "faults":
            words = _json(environ)
            return 201, {"id": faults.add(Fault(**{**words, "kind": Kind(words["kind"])}))}
        case "DELETE", "faults":
            faults.remove(int(which)) if which else faults.clear()
            return 200, {}
        case "GET", "log":
            since = parse_qs(environ.get("QUERY_STRING", "")).get("since")
            after = datetime.fromisoformat(since[0]) if since else datetime.min.replace(tzinfo=UTC)
            return 200, [asdict(call) for call in faults.log if call.at >= after]
        case "DELETE", "log":
            faults.forget()
            return 200, {}
        case (("GET" | "PUT"), "chaos") if courier is not None:
            return 200, _chaos(courier, environ)
        case "POST", "reset":
            faults.clear()
            faults.forget()
            if courier is not None:
                courier.chaos = None
            return 200, {}
    return 404, {"message": f"{method} {environ['PATH_INFO']}: the playground has no such control"}


def _chaos(courier: Courier, environ: Environ) -> dict[str, Any]:
    if environ["REQUEST_METHOD"] == "PUT":
        words = _json(environ)
        courier.chaos = Chaos(**{**words, "delay": tuple(words.get("delay", (0, 0)))}) if words else None
    return asdict(courier.chaos) if courier.chaos else {}


def _json(environ: Environ) -> dict[str, Any]:
    # A web page of somebody else's cannot send this content type here without asking first, so it cannot meddle.
    if not environ.get("CONTENT_TYPE", "").startswith("application/json"):
        raise ValueError("send Content-Type: application/json")
    value = json.loads(environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0)) or b"{}")
    if not isinstance(value, dict):
        raise TypeError("send a JSON object")
    return value
