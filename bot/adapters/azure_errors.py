"""Turns all that can go wrong between us and Azure DevOps into Unavailable or Denied, each one honest sentence."""

from collections.abc import Mapping

import msgspec

from bot.ports import Denied, SignedOut, Unavailable

LIMIT_WAIT = 60.0  # where Azure DevOps names no time; its window is five minutes
READS = frozenset({"GET", "HEAD", "OPTIONS"})


class Uncertain(Unavailable):
    """A write that may or may not have been done: look before it is repeated."""


class Limited(Unavailable):
    """We ask too often."""


class Changed(Unavailable):
    """Somebody else was faster: our `/rev` is not the newest any more."""


class Gone(Denied):
    """There is no such thing, or not for our eyes."""


class Unsupported(Denied):
    """This Azure DevOps does not know such a call."""


class Rejected(Denied):
    """Azure DevOps understood and refuses; its own words are in the sentence."""


class Answer(msgspec.Struct):
    message: str = ""


def from_answer(method: str, path: str, status: int, headers: Mapping[str, str], text: str) -> Exception | None:
    """What to raise for an answer, None where it is good; `headers` in any case, `text` only read where it is bad."""
    call = f"{method} {path}"
    kind = headers.get("Content-Type", "")
    if status == 203 or 300 <= status < 400 or (status in (200, 201, 202) and "text/html" in kind):
        return SignedOut(
            f"Azure DevOps answered {call} with its sign-in page: the token is wrong or expired; renew it."
        )
    if status < 300:
        return None
    said = _message(text)
    match status:
        case 401:
            return SignedOut(
                f"Azure DevOps does not accept our token (401 to {call}): renew it, or give it more scopes."
            )
        case 403:
            return Denied(f"Azure DevOps does not let us do this (403 to {call}): {said}")
        case 404 | 410:
            return Gone(f"There is no such thing on Azure DevOps, or our token does not reach it ({call}): {said}")
        case 409 | 412:
            return Changed(f"Somebody else changed it at the same moment ({status} to {call}).", after=1.0)
        case 429:
            wait = retry_after(headers) or LIMIT_WAIT
            return Limited(f"Azure DevOps limits how often we may ask (429 to {call}).", after=wait)
        case _ if status >= 500 or status == 408:
            sentence = f"Azure DevOps has a problem of its own ({status} to {call}): {said}"
            wait_or_none = retry_after(headers)
            return Unavailable(sentence, wait_or_none) if method in READS else Uncertain(sentence, wait_or_none)
    return Rejected(f"Azure DevOps refuses this ({status} to {call}): {said}")


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds that the service asks us to wait; it does so on good answers too, when it is busy with us."""
    value = headers.get("Retry-After", "").strip()
    return float(value) if value.isdigit() else None


def _message(text: str) -> str:
    """The service's own words, on one line and not too many of them."""
    try:
        words = " ".join(msgspec.json.decode(text, type=Answer).message.split())
    except msgspec.DecodeError:
        words = ""
    return words[:300] or "no reason was given."
