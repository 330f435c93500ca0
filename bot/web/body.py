"""Reads the bodies of webhooks whole, never more of them than the memory has room for."""

import threading
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

MOST = 25 * 1024 * 1024  # bytes; GitHub sends no larger ones
LARGE = 1024 * 1024  # bytes from which on only a few bodies are held at a time: nobody has proved anything yet
LARGE_AT_ONCE = 4
PATIENCE = 5.0  # seconds that a large body waits for its turn


class BadBody(Exception):
    """The body is not to be had; the message is a sentence for the sender."""

    def __init__(self, status: HTTPStatus, sentence: str, *headers: tuple[str, str]) -> None:
        super().__init__(sentence)
        self.status = status
        self.headers = headers


class Bodies:
    """Reads request bodies for any number of threads."""

    def __init__(self, most: int = MOST, large: int = LARGE, large_at_once: int = LARGE_AT_ONCE) -> None:
        self._most = most
        self._large = large
        self._room = threading.Semaphore(large_at_once)

    def read(self, environ: Mapping[str, Any]) -> bytes:
        """The raw body of a request. Raises BadBody if it is empty, too large, cut short, or its turn does not come."""
        length = self._length(environ)
        if length is not None and length <= self._large:
            body = _drain(environ["wsgi.input"], length)
        else:
            body = self._read_large(environ["wsgi.input"], self._most + 1 if length is None else length)
        if len(body) > self._most:
            raise self._too_large()
        if length is not None and len(body) < length:
            raise BadBody(HTTPStatus.BAD_REQUEST, "The body is shorter than its Content-Length says.")
        if not body:
            raise BadBody(HTTPStatus.BAD_REQUEST, "The body is empty.")
        return body

    def _length(self, environ: Mapping[str, Any]) -> int | None:
        """How long the sender says that the body is; None for a chunked one."""
        text = environ.get("CONTENT_LENGTH", "")
        if not text:
            return None if environ.get("wsgi.input_terminated") else 0
        if not (text.isascii() and text.isdigit()):
            raise BadBody(HTTPStatus.BAD_REQUEST, "The Content-Length is not a number.")
        if len(text) > len(str(self._most)) or int(text) > self._most:
            raise self._too_large()
        return int(text)

    def _read_large(self, stream: Any, most: int) -> bytes:
        if not self._room.acquire(timeout=PATIENCE):
            raise BadBody(
                HTTPStatus.SERVICE_UNAVAILABLE, "Too many large bodies at once; send it again.", ("Retry-After", "10")
            )
        try:
            return _drain(stream, most)
        finally:
            self._room.release()

    def _too_large(self) -> BadBody:
        return BadBody(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"The body is larger than {self._most:,} bytes.")


def _drain(stream: Any, most: int) -> bytes:
    """All of the stream, but at most so many bytes."""
    try:
        first: bytes = stream.read(most)
        if len(first) == most or not first:
            return first
        parts = [first]
        while rest := stream.read(most - sum(map(len, parts))):
            parts.append(rest)
    except (OSError, RuntimeError, ValueError):
        raise BadBody(HTTPStatus.BAD_REQUEST, "The body broke off.") from None
    return b"".join(parts)
