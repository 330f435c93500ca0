"""The comments of issues and pull requests on GitHub: reading them, and keeping the one that carries a marker."""

import threading
from collections import OrderedDict
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from bot.adapters import github_text as text_of
from bot.adapters.github_errors import Gone, Uncertain
from bot.adapters.github_session import Session
from bot.adapters.github_shapes import Comment as Shape
from bot.adapters.github_shapes import login_of
from bot.doubts import Doubts
from bot.ports import Comment, Mark
from bot.refs import Ref

NEWEST = 200
REMEMBERED = 2_000


class Comments:
    """Knows which comment carries which marker; what it forgets, it finds again on GitHub."""

    def __init__(self, session: Session, lag: float) -> None:
        self._session = session
        self._doubts = Doubts(lag)
        self._lock = threading.Lock()
        self._known: OrderedDict[tuple[Ref, str], tuple[int, str]] = OrderedDict()

    def list(self, ref: Ref, since: datetime | None) -> Sequence[Comment]:
        """The newest 200, oldest first, created at `since` or later."""
        path = f"/issues/{ref.number}/comments"
        # GitHub's own `since` goes by the last edit: it narrows what is read, and the creation decides.
        params: dict[str, str | int] = {"since": f"{since:%Y-%m-%dT%H:%M:%SZ}"} if since else {}
        found = self._session.newest(ref.place, path, Shape, NEWEST, params)
        return [_told(shape) for shape in found if since is None or shape.created_at >= since]

    def say(self, ref: Ref, marker: str, text: str) -> str:
        """Make the comment read so; its URL."""
        body = text_of.comment(marker, text)
        known = self._recall(ref, marker)
        if known is not None:
            try:
                return self._revise(ref, marker, known[0], known[1] == body, body)
            except Gone:
                self._forget(ref, marker)  # somebody deleted it, or the issue is gone, which the search will tell
        look = self._doubts.now()
        found = self._find(ref, marker)
        if found is not None:
            return self._settle(ref, marker, found, body)
        made, fresh = self._create(ref, marker, body, look)
        return self._remember(ref, marker, made, body) if fresh else self._settle(ref, marker, made, body)

    def acknowledge(self, ref: Ref, comment: str, mark: Mark) -> None:
        """React; GitHub keeps one reaction of a kind for each account. A comment that is gone needs none."""
        try:
            path = f"/issues/comments/{int(comment)}/reactions"
            self._session.write(ref.place, "POST", path, {"content": mark.value}, dict[str, Any])
        except Gone:
            return

    def _revise(self, ref: Ref, marker: str, number: int, unchanged: bool, body: str) -> str:
        path = f"/issues/comments/{number}"
        if unchanged:  # as far as we know: one look tells whether a person has edited or deleted it
            return self._settle(ref, marker, self._session.get(ref.place, path, Shape), body)
        return self._remember(ref, marker, self._write(ref, "PATCH", path, {"body": body}), body)

    def _create(self, ref: Ref, marker: str, body: str, look: float) -> tuple[Shape, bool]:
        """A new comment; or the one that an earlier, unanswered write, or another machine, turns out to have made."""
        again = self._doubts.hold((ref, marker))
        try:
            made = self._write(ref, "POST", f"/issues/{ref.number}/comments", {"body": body})
        except Uncertain:
            self._doubts.note((ref, marker))
            found = self._find(ref, marker)
            if found is None:
                raise
            return found, False
        again = again or self._doubts.stalled(look)
        first = self._find(ref, marker) if again else None  # clears one away that showed too late
        return (made, True) if first is None else (first, False)

    def _settle(self, ref: Ref, marker: str, found: Shape, body: str) -> str:
        if not text_of.same(found.body, body):
            found = self._write(ref, "PATCH", f"/issues/comments/{found.id}", {"body": body})
        return self._remember(ref, marker, found, body)

    def _find(self, ref: Ref, marker: str) -> Shape | None:
        """The oldest comment by ourselves with the marker; later ones, made when a write was uncertain, are deleted."""
        me = self._session.access.login.lower()
        comments = self._session.pages(ref.place, f"/issues/{ref.number}/comments", Shape)
        ours = [c for c in comments if text_of.carries(c.body, marker) and login_of(c.user).lower() == me]
        if ours:
            self._doubts.settle((ref, marker))
        for extra in ours[1:]:
            self._session.write(ref.place, "DELETE", f"/issues/comments/{extra.id}", None, type(None))
        return ours[0] if ours else None

    def _write(self, ref: Ref, verb: str, path: str, body: dict[str, str]) -> Shape:
        return self._session.write(ref.place, verb, path, body, Shape)

    def _recall(self, ref: Ref, marker: str) -> tuple[int, str] | None:
        with self._lock:
            return self._known.get((ref, marker))

    def _remember(self, ref: Ref, marker: str, shape: Shape, body: str) -> str:
        with self._lock:
            self._known[ref, marker] = (shape.id, body)
            self._known.move_to_end((ref, marker))
            if len(self._known) > REMEMBERED:
                self._known.popitem(last=False)
        return shape.html_url

    def _forget(self, ref: Ref, marker: str) -> None:
        with self._lock:
            self._known.pop((ref, marker), None)


def _told(shape: Shape) -> Comment:
    return Comment(
        id=str(shape.id),
        author=login_of(shape.user),
        author_is_bot=shape.user is not None and shape.user.is_bot,
        body=shape.body or "",
        created=shape.created_at,
        edited=shape.edited,
    )
