"""What GitHub remembers: comments and issues by their last change, and the deliveries of an App's webhook."""

import time
from collections.abc import Iterator, Sequence
from datetime import datetime

from bot.adapters.github_hooks import KINDS
from bot.adapters.github_session import Session
from bot.adapters.github_shapes import Comment, Delivery, Issue, login_of
from bot.events import CommentPosted, Happened, IssueStateChanged, PullRequestClosed, TextChanged
from bot.ports import Denied, Missed
from bot.refs import Ref

MOST = 60  # deliveries sent again in one go; what is behind them is found by other ways too


class History:
    """Works with a personal token too, but for the deliveries, of which GitHub keeps a list for Apps."""

    def __init__(self, session: Session, seconds_between: float) -> None:
        self._session, self._seconds = session, seconds_between

    def since(self, place: str, since: datetime) -> Missed:
        """Two lists: the comments of the whole repository, and its issues, which pull requests are among."""
        comments = list(self._session.changed(place, "/issues/comments", Comment, since))
        issues = list(self._session.changed(place, "/issues", Issue, since, {"state": "all"}))
        found: list[Happened] = list(_posted(place, comments, since))
        found += [event for issue in issues for event in _events(place, issue)]
        seen = [one.updated_at for one in comments] + [one.updated_at for one in issues]
        return Missed(tuple(sorted(found, key=lambda event: event.at)), max(seen, default=None))

    def undelivered(self, since: datetime) -> Missed:
        """Nothing where there is no App. What we refused twice is not asked for again."""
        if not self._session.access.is_app:
            return Missed(())
        sent = list(self._sent(since))
        failed = _failed(sent)
        for delivery in failed[:MOST]:
            try:
                self._session.access.redeliver(delivery.id)
            except Denied:
                continue  # GitHub sends again for three days
            time.sleep(self._seconds)
        left = failed[MOST:]
        return Missed((), left[0].delivered_at if left else max((one.delivered_at for one in sent), default=None))

    def _sent(self, since: datetime) -> Iterator[Delivery]:
        """What GitHub sent since then, newest first."""
        cursor, more = "", True
        while more:
            page, cursor = self._session.access.deliveries(cursor)
            for delivery in page:
                if delivery.delivered_at < since:
                    return
                yield delivery
            more = bool(cursor and page)


def _failed(sent: Sequence[Delivery]) -> list[Delivery]:
    """The last attempt of each delivery of a kind that we read and that never arrived, oldest first."""
    last: dict[str, Delivery] = {}
    for delivery in sent:  # newest first
        last.setdefault(delivery.guid, delivery)
    arrived = {delivery.guid for delivery in sent if delivery.arrived}
    found = [one for one in last.values() if one.status_code and one.guid not in arrived and _matters(one)]
    refused = {one.guid for one in found if one.redelivery and 400 <= one.status_code < 500}
    return [one for one in reversed(found) if one.guid not in refused]


def _matters(delivery: Delivery) -> bool:
    return delivery.event in KINDS and delivery.action in KINDS[delivery.event].actions


def _posted(place: str, comments: Sequence[Comment], since: datetime) -> Iterator[Happened]:
    """The comments that are new, and not only changed; those of bots are nothing to us."""
    for comment in comments:
        user = comment.user
        number = comment.issue_url.rpartition("/")[2]
        if comment.created_at < since or not number.isdecimal() or (user is not None and user.is_bot):
            continue
        yield CommentPosted(
            ref=str(Ref("github", place, int(number))),
            comment=str(comment.id),
            author=login_of(user),
            author_is_bot=False,
            body=comment.body or "",
            at=comment.created_at,
            on_pull="/pull/" in comment.html_url,
            edited=comment.edited,
        )


def _events(place: str, issue: Issue) -> Iterator[Happened]:
    ref, pull = str(Ref("github", place, issue.number)), issue.pull_request is not None
    yield TextChanged(ref=ref, title=issue.title, body=issue.body or "", at=issue.updated_at, on_pull=pull)
    if issue.state != "closed":
        return
    at = issue.closed_at or issue.updated_at
    yield PullRequestClosed(ref=ref, at=at) if pull else IssueStateChanged(ref=ref, open=False, at=at)
