"""The discussion of pull requests on Azure Repos: reading it, and keeping the one thread that carries a marker."""

import threading
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from bot.adapters import azure_text as text_of
from bot.adapters.azure_comments import SERVICES
from bot.adapters.azure_errors import Gone, Rejected, Uncertain, Unsupported
from bot.adapters.azure_session import Session
from bot.doubts import Doubts
from bot.ports import Comment, Mark
from bot.refs import Ref

NEWEST = 200
REMEMBERED = 2_000


@dataclass(frozen=True, slots=True)
class Said:
    """A comment and the thread that it is in; comments are counted within their thread."""

    thread: int
    comment: Any

    @property
    def id(self) -> str:
        return f"{self.thread}.{self.comment.id}"


class Threads:
    """Knows which thread carries which marker; what it forgets, it finds again on the pull request."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._doubts = Doubts()
        self._lock = threading.Lock()
        self._known: OrderedDict[tuple[Ref, str], tuple[int, str]] = OrderedDict()

    def list(self, ref: Ref, since: datetime | None) -> Sequence[Comment]:
        """The newest 200, oldest first, published at `since` or later."""
        found = [said for said in self._all(ref) if since is None or _aware(said.comment.published_date) >= since]
        found.sort(key=lambda said: (_aware(said.comment.published_date), said.thread, said.comment.id))
        return [self._told(said) for said in found[-NEWEST:]]

    def say(self, ref: Ref, marker: str, text: str) -> str:
        """Make the thread's first comment read so; the pull request's address with the thread."""
        body = text_of.comment(marker, text)
        known = self._recall(ref, marker)
        if known is not None and known[1] != body:
            try:
                return self._edit(ref, marker, known[0], body)
            except Gone:
                self._forget(ref, marker)
        look = self._doubts.now()
        found = self._find(ref, marker)
        if found is None:
            found, fresh = self._made(ref, marker, body, look)
            if fresh:
                return self._remember(ref, marker, found.thread, body)
        if (found.comment.content or "").strip() != body.strip():
            return self._edit(ref, marker, found.thread, body)
        return self._remember(ref, marker, found.thread, body)

    def acknowledge(self, ref: Ref, comment: str, mark: Mark) -> None:
        """A like is the only reaction there is; it says that we have seen it, and nothing else is said that way."""
        thread, _, number = comment.partition(".")
        if mark is not Mark.SEEN:
            return
        project, repository = split(ref.place)
        with suppress(Gone, Rejected, Unsupported):
            self._session.write(
                f"like a comment on pull request {ref.number}",
                lambda clients: clients.git.create_like(repository, ref.number, int(thread), int(number), project),
            )

    def _made(self, ref: Ref, marker: str, body: str, look: float) -> tuple[Said, bool]:
        """A new thread; or the one that an earlier, unanswered write, or another machine, turns out to have made."""
        again = self._doubts.hold((ref, marker))
        try:
            made = self._create(ref, body)
        except Uncertain:
            self._doubts.note((ref, marker))
            found = self._find(ref, marker)
            if found is None:
                raise
            return found, False
        again = again or self._doubts.stalled(look)
        first = self._find(ref, marker) if again else None  # clears one away that showed too late
        return (made, True) if first is None else (first, False)

    def _create(self, ref: Ref, body: str) -> Said:
        """Closed from the beginning: an open thread would keep people from completing the pull request."""
        project, repository = split(ref.place)
        models = self._session.git_models
        first = models.Comment(content=body, comment_type="text", parent_comment_id=0)
        thread = models.GitPullRequestCommentThread(comments=[first], status="closed")
        made = self._session.write(
            f"comment on pull request {ref.number}",
            lambda clients: clients.git.create_thread(thread, repository, ref.number, project),
        )
        return Said(made.id, made.comments[0])

    def _edit(self, ref: Ref, marker: str, thread: int, body: str) -> str:
        project, repository = split(ref.place)
        wish = self._session.git_models.Comment(content=body)
        self._session.write(
            f"edit our comment on pull request {ref.number}",
            lambda clients: clients.git.update_comment(wish, repository, ref.number, thread, 1, project),
        )
        return self._remember(ref, marker, thread, body)

    def _find(self, ref: Ref, marker: str) -> Said | None:
        """The oldest by ourselves with the marker; later ones, made when a write was uncertain, are deleted."""
        marked = (said for said in self._all(ref) if text_of.carries(said.comment.content, marker))
        ours = [said for said in marked if self._is_mine(said)]
        if ours:
            self._doubts.settle((ref, marker))
        project, repository = split(ref.place)
        for extra in ours[1:]:
            self._session.write(
                f"delete a second comment of ours on pull request {ref.number}",
                lambda clients, extra=extra: clients.git.delete_comment(  # type: ignore[misc]
                    repository, ref.number, extra.thread, extra.comment.id, project
                ),
            )
        return ours[0] if ours else None

    def _all(self, ref: Ref) -> Iterator[Said]:
        """What people and programs wrote, as far as it is still there; the service's own notes are left out."""
        project, repository = split(ref.place)
        threads = self._session.ask(
            f"read the discussion of pull request {ref.number}",
            lambda clients: clients.git.get_threads(repository, ref.number, project),
        )
        for thread in sorted(threads or [], key=lambda one: one.id):
            for comment in thread.comments or []:
                if not comment.is_deleted and comment.comment_type == "text":
                    yield Said(thread.id, comment)

    def _is_mine(self, said: Said) -> bool:
        by = said.comment.author
        return by is not None and (by.id or "").lower() == self._session.me.id

    def _told(self, said: Said) -> Comment:
        by, comment = said.comment.author, said.comment
        service = (getattr(by, "descriptor", "") or "").startswith(SERVICES)
        return Comment(
            id=said.id,
            author=(by.unique_name or by.display_name or "") if by else "",
            # A person may lend us their account: what they write themselves is still theirs.
            author_is_bot=service or (text_of.is_ours(comment.content) and self._is_mine(said)),
            body=comment.content or "",
            created=_aware(comment.published_date),
            edited=bool(
                comment.last_content_updated_date and comment.last_content_updated_date > comment.published_date
            ),
        )

    def _recall(self, ref: Ref, marker: str) -> tuple[int, str] | None:
        with self._lock:
            return self._known.get((ref, marker))

    def _remember(self, ref: Ref, marker: str, thread: int, body: str) -> str:
        with self._lock:
            self._known[ref, marker] = (thread, body)
            self._known.move_to_end((ref, marker))
            if len(self._known) > REMEMBERED:
                self._known.popitem(last=False)
        return f"{page_of(self._session.url, ref)}?discussionId={thread}"

    def _forget(self, ref: Ref, marker: str) -> None:
        with self._lock:
            self._known.pop((ref, marker), None)


def split(place: str) -> tuple[str, str]:
    """The project and the repository of `Bikes/model`."""
    project, _, repository = place.partition("/")
    return project, repository


def page_of(organisation: str, ref: Ref) -> str:
    """Where people look at a pull request."""
    project, repository = split(ref.place)
    return f"{organisation}/{project}/_git/{repository}/pullrequest/{ref.number}"


def _aware(when: datetime) -> datetime:
    return when.replace(tzinfo=UTC) if when.tzinfo is None else when.astimezone(UTC)
