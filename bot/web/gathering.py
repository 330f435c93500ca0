"""Many deliveries into the inbox with one commit, while the event loop goes on taking others in."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Protocol

from bot.events import Event
from bot.inbox import InboxUnavailable

PATIENCE = 8.0  # seconds until a delivery is refused; senders of webhooks give up after ten

Done = Callable[[Sequence[Exception | None]], None]


class Puts(Protocol):
    """What the intake needs of the inbox."""

    def put_soon(self, many: Sequence[Sequence[Event]], done: Done) -> None:
        """Store each group of events durably, then say in any thread what went wrong with each."""


class Gathering:
    """Belongs to one event loop. While the inbox waits for the disk, what comes in joins the next commit."""

    def __init__(self, inbox: Puts) -> None:
        self._inbox = inbox
        self._waiting: list[tuple[Sequence[Event], asyncio.Future[None]]] = []
        self._busy = False

    async def put(self, events: Sequence[Event]) -> None:
        """Store the events; they are on disk when this returns. Raises InboxUnavailable, and TimeoutError."""
        loop = asyncio.get_running_loop()
        stored: asyncio.Future[None] = loop.create_future()
        self._waiting.append((events, stored))
        if not self._busy:
            self._busy = True
            loop.call_soon(self._next, loop)  # not at once: whoever else is ready now comes along
        async with asyncio.timeout(PATIENCE):
            await stored

    def _next(self, loop: asyncio.AbstractEventLoop) -> None:
        batch, self._waiting = self._waiting, []
        if not batch:
            self._busy = False
            return

        def done(problems: Sequence[Exception | None]) -> None:
            loop.call_soon_threadsafe(self._settle, loop, batch, problems)

        try:
            self._inbox.put_soon([events for events, _ in batch], done)
        except Exception as error:
            self._settle(loop, batch, [error] * len(batch))

    def _settle(
        self,
        loop: asyncio.AbstractEventLoop,
        batch: Sequence[tuple[Sequence[Event], asyncio.Future[None]]],
        problems: Sequence[Exception | None],
    ) -> None:
        for (_, stored), problem in zip(batch, problems, strict=True):
            if stored.done():
                continue  # its sender has lost patience
            if problem is None:
                stored.set_result(None)
            else:
                stored.set_exception(InboxUnavailable(f"the inbox cannot be written: {problem}"))
        self._next(loop)
