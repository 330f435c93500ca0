"""Reads the bodies of requests whole, never more of them than memory has room for, and holds no thread meanwhile."""

import asyncio
from collections.abc import Sequence
from http import HTTPStatus
from typing import Any, Protocol

MOST = 25 * 1024 * 1024  # bytes; GitHub sends no larger ones
# Nobody has proved anything yet, so bodies larger than so many bytes wait until no more than so many are held. A usual
# delivery has 10 to 40 KB, and never waits.
ROOMS = ((1024 * 1024, 4), (64 * 1024, 96))
PATIENCE = 5.0  # seconds that a large body waits for its turn
SLOWEST = 30.0  # seconds in which a body must have come


class BadBody(Exception):
    """The body is not to be had; the message is a sentence for the sender."""

    def __init__(self, status: HTTPStatus, sentence: str, *headers: tuple[str, str]) -> None:
        super().__init__(sentence)
        self.status = status
        self.headers = headers


class Stream(Protocol):
    """A request's body, as the server gives it: whole when called, in pieces when iterated over."""

    def __call__(self) -> Any: ...

    def __aiter__(self) -> Any: ...


class Bodies:
    """Reads the bodies of one event loop's requests."""

    def __init__(self, most: int = MOST, rooms: Sequence[tuple[int, int]] = ROOMS) -> None:
        self._most = most
        self._rooms = [(above, asyncio.Semaphore(at_once)) for above, at_once in rooms]

    async def read(self, length: str, chunked: bool, stream: Stream) -> bytes:
        """The body; `length` is the Content-Length, "" if there is none. Raises BadBody if it is too large, cut short,
        too slow, or its turn does not come.
        """
        announced = self._announced(length)
        if announced is None and not chunked:
            return b""
        size = self._most if announced is None else announced
        for above, room in self._rooms:
            if size > above:
                return await self._read_in_turn(room, stream, announced)
        return await _whole(stream, size)

    def _announced(self, text: str) -> int | None:
        """How long the sender says that the body is."""
        if not text:
            return None
        if not (text.isascii() and text.isdigit()):
            raise BadBody(HTTPStatus.BAD_REQUEST, "The Content-Length is not a number.")
        if len(text) > len(str(self._most)) or int(text) > self._most:
            raise self._too_large()
        return int(text)

    async def _read_in_turn(self, room: asyncio.Semaphore, stream: Stream, announced: int | None) -> bytes:
        try:
            async with asyncio.timeout(PATIENCE):
                await room.acquire()
        except TimeoutError:
            raise BadBody(
                HTTPStatus.SERVICE_UNAVAILABLE, "Too many large bodies at once; send it again.", ("Retry-After", "10")
            ) from None
        try:
            return await (self._pieces(stream) if announced is None else _whole(stream, announced))
        finally:
            room.release()

    async def _pieces(self, stream: Stream) -> bytes:
        """A body of unknown length, given up as soon as it is too long."""
        pieces: list[bytes] = []
        size = 0
        try:
            async with asyncio.timeout(SLOWEST):
                async for piece in stream:
                    pieces.append(piece)
                    size += len(piece)
                    if size > self._most:
                        raise self._too_large()
        except (OSError, RuntimeError, ValueError):
            raise _broken_off() from None
        return b"".join(pieces)

    def _too_large(self) -> BadBody:
        return BadBody(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"The body is larger than {self._most:,} bytes.")


async def _whole(stream: Stream, announced: int) -> bytes:
    try:
        async with asyncio.timeout(SLOWEST):
            body: bytes = await stream()
    except (OSError, RuntimeError, ValueError):
        raise _broken_off() from None
    if len(body) < announced:
        raise BadBody(HTTPStatus.BAD_REQUEST, "The body is shorter than its Content-Length says.")
    return body


def _broken_off() -> BadBody:
    return BadBody(HTTPStatus.BAD_REQUEST, "The body broke off, or came too slowly.")
