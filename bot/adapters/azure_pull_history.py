"""What Azure Repos remembers of pull requests: what is open now, what was closed lately, and what was said."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

from bot.adapters.azure_session import Session
from bot.adapters.azure_threads import Threads, split
from bot.events import CommentPosted, Happened, PullRequestClosed, TextChanged
from bot.ports import Missed
from bot.refs import Ref

NEWEST = 100  # of the pull requests, whatever became of them, in which one that was closed is looked for
SYSTEM = "repos"


class PullHistory:
    """There is no list of comments by time, so each open pull request's discussion is looked at."""

    def __init__(self, session: Session, threads: Threads) -> None:
        self._session, self._threads = session, threads

    def since(self, place: str, since: datetime, active: Sequence[Any]) -> Missed:
        """`active` are the open ones; their texts are told as of `since`, as nothing says when they changed."""
        closed = [pull for pull in self._newest(place) if _closed(pull) is not None]
        lately = [pull for pull in closed if (_closed(pull) or since) >= since]
        found: list[Happened] = [event for pull in lately for event in _ended(place, pull)]
        for pull in (*active, *lately):
            found += self._said(Ref(SYSTEM, place, pull.pull_request_id), since)
        found += [event for pull in active for event in _text(place, pull, since)]
        found.sort(key=lambda event: event.at)
        seen = [event.at for event in found if not isinstance(event, TextChanged)]
        return Missed(tuple(found), max(seen, default=None))

    def _newest(self, place: str) -> Sequence[Any]:
        project, repository = split(place)
        wanted = self._session.git_models.GitPullRequestSearchCriteria(status="all")
        return list(
            self._session.ask(
                f"list the pull requests of {place}",
                lambda clients: clients.git.get_pull_requests(repository, wanted, project, top=NEWEST),
            )
            or []
        )

    def _said(self, ref: Ref, since: datetime) -> Iterator[CommentPosted]:
        for comment in self._threads.list(ref, since):
            if comment.author_is_bot:
                continue
            yield CommentPosted(
                ref=str(ref),
                comment=comment.id,
                author=comment.author,
                author_is_bot=False,
                body=comment.body,
                at=comment.created,
                on_pull=True,
                edited=comment.edited,
            )


def _ended(place: str, pull: Any) -> Iterator[PullRequestClosed]:
    at = _closed(pull)
    if at is not None:
        yield PullRequestClosed(str(Ref(SYSTEM, place, pull.pull_request_id)), at)


def _text(place: str, pull: Any, at: datetime) -> Iterator[TextChanged]:
    title, body = pull.title or "", pull.description or ""
    if "#" in f"{title}{body}":
        yield TextChanged(str(Ref(SYSTEM, place, pull.pull_request_id)), title, body, at, on_pull=True)


def _closed(pull: Any) -> datetime | None:
    when: datetime | None = pull.closed_date if pull.status in ("completed", "abandoned") else None
    if when is None:
        return None
    return when.replace(tzinfo=UTC) if when.tzinfo is None else when.astimezone(UTC)
