"""The discussion of work items: reading it, and keeping the one comment that carries a marker."""

import threading
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from itertools import islice, takewhile
from typing import Any
from urllib.parse import quote

from bot.adapters import azure_text as text_of
from bot.adapters.azure_errors import Gone, Rejected, Uncertain, Unsupported
from bot.adapters.azure_items import Items
from bot.adapters.azure_session import Session
from bot.doubts import Doubts
from bot.ports import Comment, Mark
from bot.refs import Ref

NEWEST = 200
PAGE = 200
REMEMBERED = 2_000
REACTIONS = {Mark.SEEN: "like", Mark.DONE: "hooray", Mark.REFUSED: "confused"}  # Azure Boards has no eyes
SERVICES = ("svc.", "s2s.", "aadsp.")  # descriptors of build services, services of Microsoft, service principals


class Comments:
    """Knows which comment carries which marker; what it forgets, it finds again in the discussion."""

    def __init__(self, session: Session, items: Items, lag: float) -> None:
        self._session, self._items = session, items
        self._doubts = Doubts(lag)
        self._lock = threading.Lock()
        self._known: OrderedDict[tuple[int, str], tuple[int, str]] = OrderedDict()

    def list(self, ref: Ref, since: datetime | None) -> Sequence[Comment]:
        """The newest 200, oldest first, created at `since` or later."""
        recent = takewhile(lambda row: since is None or _created(row) >= since, self._pages(ref.number))
        return [self._told(row) for row in islice(recent, NEWEST)][::-1]

    def say(self, ref: Ref, marker: str, text: str) -> str:
        """Make the comment read so; its URL."""
        body, number = text_of.comment(marker, text), ref.number
        known = self._recall(number, marker)
        if known is not None and known[1] != body:
            try:
                return self._edit(number, marker, known[0], body)
            except Gone:
                self._forget(number, marker)
        look = self._doubts.now()
        found = self._find(number, marker)
        if found is not None:
            return self._settle(number, marker, found, body)
        made, fresh = self._made(number, marker, body, look)
        if not fresh:
            return self._settle(number, marker, made, body)
        return self._remember(number, marker, made.id, body)

    def acknowledge(self, ref: Ref, comment: str, mark: Mark) -> None:
        """React, where this Azure DevOps has reactions; setting one twice is the same as once."""
        project, kind = self._items.project_of(ref.number), REACTIONS[mark]
        try:
            self._session.write(
                f"react to a comment on work item {ref.number}",
                lambda clients: clients.wit.create_comment_reaction(project, ref.number, int(comment), kind),
            )
        except (Gone, Rejected, Unsupported):
            return

    def _made(self, number: int, marker: str, body: str, look: float) -> tuple[Any, bool]:
        """A new comment; or the one that an earlier, unanswered write, or another machine, turns out to have made."""
        again = self._doubts.hold((number, marker))
        try:
            made = self._create(number, body)
        except Uncertain:
            self._doubts.note((number, marker))
            found = self._find(number, marker)
            if found is None:
                raise
            return found, False
        again = again or self._doubts.stalled(look)
        first = self._find(number, marker) if again else None  # clears one away that showed too late
        return (made, True) if first is None else (first, False)

    def _settle(self, number: int, marker: str, found: Any, body: str) -> str:
        if (found.text or "").strip() != body.strip():
            return self._edit(number, marker, found.id, body)
        return self._remember(number, marker, found.id, body)

    def _create(self, number: int, body: str) -> Any:
        project, request = self._items.project_of(number), self._session.models.CommentCreate(text=body)
        return self._session.write(
            f"comment on work item {number}",
            lambda clients: clients.wit.add_work_item_comment(request, project, number, "markdown"),
        )

    def _edit(self, number: int, marker: str, comment: int, body: str) -> str:
        project, request = self._items.project_of(number), self._session.models.CommentUpdate(text=body)
        self._session.write(
            f"edit our comment on work item {number}",
            lambda clients: clients.wit.update_work_item_comment(request, project, number, comment, "markdown"),
        )
        return self._remember(number, marker, comment, body)

    def _find(self, number: int, marker: str) -> Any | None:
        """The oldest comment by ourselves with the marker; later ones, made when a write was uncertain, are deleted."""
        ours = [row for row in self._pages(number) if text_of.carries(row.text, marker) and self._is_mine(row)]
        if ours:
            self._doubts.settle((number, marker))
        project = self._items.project_of(number)
        for extra in ours[:-1]:
            self._session.write(
                f"delete a second comment of ours on work item {number}",
                lambda clients, extra=extra: clients.wit.delete_comment(project, number, extra.id),  # type: ignore[misc]
            )
        return ours[-1] if ours else None

    def _pages(self, number: int) -> Iterator[Any]:
        """All comments, newest first."""
        project, token = self._items.project_of(number), None
        while True:
            page = self._page(project, number, token)
            yield from page.comments or []
            token = page.continuation_token
            if not token:
                return

    def _page(self, project: str, number: int, token: str | None) -> Any:
        try:
            return self._session.ask(
                f"read the discussion of work item {number}",
                lambda clients: clients.wit.get_comments(
                    project, number, top=PAGE, continuation_token=token, order="desc"
                ),
            )
        except Gone:
            self._items.forget(number)
            raise

    def _is_mine(self, row: Any) -> bool:
        return bool(row.created_by) and (row.created_by.id or "").lower() == self._session.me.id

    def _told(self, row: Any) -> Comment:
        by = row.created_by
        html = str(getattr(row, "format", "") or "html").lower() != "markdown"
        service = (getattr(by, "descriptor", "") or "").startswith(SERVICES)
        return Comment(
            id=str(row.id),
            author=(by.unique_name or by.display_name or "") if by else "",
            # A person may lend us their account: what they write themselves is still theirs.
            author_is_bot=service or (text_of.is_ours(row.text) and self._is_mine(row)),
            body=text_of.plain(row.text) if html else row.text or "",
            created=_created(row),
            edited=bool(row.modified_date and row.modified_date > row.created_date),
        )

    def _url(self, number: int, comment: int) -> str:
        project = quote(self._items.project_of(number))
        return f"{self._session.url}/{project}/_workitems/edit/{number}#{comment}"

    def _recall(self, number: int, marker: str) -> tuple[int, str] | None:
        with self._lock:
            return self._known.get((number, marker))

    def _remember(self, number: int, marker: str, comment: int, body: str) -> str:
        with self._lock:
            self._known[number, marker] = (comment, body)
            self._known.move_to_end((number, marker))
            if len(self._known) > REMEMBERED:
                self._known.popitem(last=False)
        return self._url(number, comment)

    def _forget(self, number: int, marker: str) -> None:
        with self._lock:
            self._known.pop((number, marker), None)


def _created(row: Any) -> datetime:
    """Aware and in UTC, whatever the library made of it."""
    when: datetime = row.created_date
    return when.replace(tzinfo=UTC) if when.tzinfo is None else when.astimezone(UTC)
