"""Turns everything that can go wrong between us and GitHub into Unavailable or Denied, each one honest sentence."""

from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from typing import Any

import msgspec
import requests
from github.GithubException import GithubException
from github.Requester import Requester

from bot.ports import Denied, SignedOut, Unavailable

SECONDARY_WAIT = 60.0  # what GitHub asks for where it names no time


class Uncertain(Unavailable):
    """A write that may or may not have been done: look before it is repeated."""


class Limited(Unavailable):
    """We ask too often; `named` is whether GitHub said for how long."""

    named = True


class Moved(Unavailable):
    """The repository has another name now; nothing was written."""


class Gone(Denied):
    """There is no such thing, or not for our eyes."""


class Forbidden(Denied):
    """Our credentials are known but do not suffice."""


class Answer(msgspec.Struct):
    """The two fields of GitHub's error bodies that say something."""

    message: str = ""
    errors: list[Any] = []


def from_exception(problem: Exception, call: str, writing: bool) -> Exception:
    """What to raise for an exception of PyGithub or requests during `call` ("POST /repos/...")."""
    match problem:
        case Unavailable() | Denied():
            return problem
        case GithubException():
            headers = {name.lower(): str(value) for name, value in (problem.headers or {}).items()}
            data = problem.data if isinstance(problem.data, dict) else {}
            return from_status(problem.status, headers, msgspec.json.encode(data).decode(), call, writing)
        case requests.exceptions.SSLError():
            return Unavailable(f"No trusted TLS connection to GitHub for {call}.")
        case requests.exceptions.Timeout():
            return _unsaid(f"GitHub did not answer {call} in time.", writing)
        case requests.exceptions.RequestException():
            return _unsaid(f"The connection to GitHub broke during {call}.", writing)
        case RuntimeError() | AssertionError():
            return Denied(f"GitHub sent {call} to another address: the configured URL of GitHub is not its own.")
        case msgspec.DecodeError() | ValueError():
            return _unsaid(f"GitHub's answer to {call} is not the JSON it should be.", writing)
    return problem


def from_status(status: int, headers: Mapping[str, str], text: str, call: str, writing: bool) -> Exception:
    """What to raise for an answer of `status` other than success; `headers` in lower case, `text` its body."""
    said = _message(text)
    wait = limit_wait(status, headers, said)
    if wait is not None:
        limited = Limited(f"GitHub limits how often we may ask ({status} to {call}).", after=wait or SECONDARY_WAIT)
        limited.named = wait > 0
        return limited
    match status:
        case 301 | 302 | 307 | 308:
            return Moved(f"The repository has another name now ({status} to {call}).", after=1.0)
        case 401:
            return SignedOut(
                f"GitHub does not accept our credentials (401 to {call}): renew the token or the App's key."
            )
        case 403:
            return Forbidden(f"GitHub does not let us do this (403 to {call}): {said}")
        case 404 | 410 | 451:
            return Gone(f"There is no such thing on GitHub, or our credentials do not reach it ({status} to {call}).")
        case 409:
            return Unavailable(f"Somebody else changed it at the same moment (409 to {call}).", after=1.0)
        case 422:
            return Denied(f"GitHub finds this invalid (422 to {call}): {said}")
        case _ if status >= 500:
            return _unsaid(f"GitHub has a problem of its own ({status} to {call}).", writing)
    return Denied(f"GitHub answered {status} to {call}: {said}")


def limit_wait(status: int, headers: Mapping[str, str], said: str) -> float | None:
    """Seconds to wait where the answer is a rate limit, 0 where none are named, else None.

    GitHub's documents: 403 or 429, with Retry-After, with a reset, or with neither.
    """
    limited = status == 429 or (
        status == 403
        and (
            Requester.isRateLimitError(said) or "retry-after" in headers or headers.get("x-ratelimit-remaining") == "0"
        )
    )
    if not limited and not (status == 422 and "submitted too quickly" in said):
        return None
    after = headers.get("retry-after", "")
    if after.isdigit():
        return float(after)
    reset = headers.get("x-ratelimit-reset", "")
    if headers.get("x-ratelimit-remaining") == "0" and reset.isdigit() and "date" in headers:
        # Against the server's own clock: ours may differ, and one second because the reset falls somewhere within it.
        return max(1.0, float(reset) - parsedate_to_datetime(headers["date"]).timestamp() + 1)
    return 0.0


def _unsaid(sentence: str, writing: bool) -> Unavailable:
    return Uncertain(sentence) if writing else Unavailable(sentence)


def _message(text: str) -> str:
    """GitHub's own words, on one line and not too many of them."""
    try:
        answer = msgspec.json.decode(text, type=Answer)
    except msgspec.DecodeError:
        return "no reason was given"
    details = [
        str(error.get("message") or error.get("code") or "") for error in answer.errors if isinstance(error, dict)
    ]
    words = " ".join(" ".join([answer.message, *details]).split())
    return words[:300] or "no reason was given"
