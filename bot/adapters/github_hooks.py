"""Decodes GitHub's webhook deliveries into events (pure, and light: the web process runs it)."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec

from bot.adapters.github_shapes import Comment, Issue, Pull, Repository, User, login_of
from bot.events import (
    AcceptanceAsked,
    CheckRequested,
    CommentPosted,
    Event,
    IssueStateChanged,
    PullRequestChanged,
    PullRequestClosed,
    TextChanged,
)
from bot.ports import Pressed
from bot.refs import Ref


class BadDelivery(ValueError):
    """A delivery of a kind that we handle, without the fields that it must have."""


class _Delivery(msgspec.Struct, frozen=True):
    action: str = ""


class _About(_Delivery, frozen=True, kw_only=True):
    repository: Repository


class _CommentDelivery(_About, frozen=True, kw_only=True):
    issue: Issue
    comment: Comment


class _IssueDelivery(_About, frozen=True, kw_only=True):
    issue: Issue


class _PullDelivery(_About, frozen=True, kw_only=True):
    pull_request: Pull


class _Run(msgspec.Struct, frozen=True):
    head_sha: str
    started_at: datetime
    completed_at: datetime | None = None
    external_id: str | None = None


class _Action(msgspec.Struct, frozen=True):
    identifier: str


class _CheckDelivery(_About, frozen=True, kw_only=True):
    check_run: _Run
    sender: User
    requested_action: _Action | None = None


@dataclass(frozen=True, slots=True)
class _Kind:
    """What we read of one kind of deliveries: its shape, the actions that mean something to us, and what they mean."""

    shape: type[_Delivery]
    actions: frozenset[str]
    events: Callable[[Any], tuple[Event, ...]]


def decode(kind: str, body: bytes) -> tuple[Event, ...]:
    """The events in a delivery; none where it is nothing to us. `kind` is the header X-GitHub-Event.

    Raises BadDelivery, with a sentence, where the body is not JSON or lacks a field that we read.
    """
    known = KINDS.get(kind)
    if known is None:
        return ()
    try:
        it = _read(known, body)
        return known.events(it) if it is not None else ()
    except (msgspec.DecodeError, UnicodeDecodeError) as problem:
        raise BadDelivery(f"This is not a {kind} delivery of GitHub: {problem}.") from None


def _read(known: _Kind, body: bytes) -> _Delivery | None:
    """The delivery, None for an action that is nothing to us, which may be of another shape."""
    try:
        it: _Delivery = msgspec.json.decode(body, type=known.shape)
    except msgspec.ValidationError:
        if msgspec.json.decode(body, type=_Delivery).action in known.actions:
            raise
        return None
    return it if it.action in known.actions else None


def _comment(it: _CommentDelivery) -> tuple[Event, ...]:
    user = it.comment.user
    return (
        CommentPosted(
            ref=_ref(it, it.issue.number),
            comment=str(it.comment.id),
            author=login_of(user),
            author_is_bot=user is not None and user.is_bot,
            body=it.comment.body or "",
            at=it.comment.created_at,
            on_pull=it.issue.pull_request is not None,
        ),
    )


def _issue(it: _IssueDelivery) -> tuple[Event, ...]:
    ref, issue = _ref(it, it.issue.number), it.issue
    if it.action in ("closed", "reopened"):
        return (IssueStateChanged(ref=ref, open=issue.state == "open", at=issue.updated_at),)
    return (TextChanged(ref=ref, title=issue.title, body=issue.body or "", at=issue.updated_at),)


def _pull(it: _PullDelivery) -> tuple[Event, ...]:
    ref, pull = _ref(it, it.pull_request.number), it.pull_request
    if it.action in ("closed", "converted_to_draft"):
        return (PullRequestClosed(ref=ref, at=pull.closed_at or pull.updated_at),)
    found: list[Event] = []
    if it.action in ("opened", "edited"):
        text = TextChanged(ref=ref, title=pull.title, body=pull.body or "", at=pull.updated_at, on_pull=True)
        found.append(text)
    if it.action != "edited" and pull.state == "open" and not pull.draft:
        found.append(PullRequestChanged(ref=ref, head=pull.head.sha, at=pull.updated_at))
    return tuple(found)


def _check(it: _CheckDelivery) -> tuple[Event, ...]:
    run = it.check_run
    if not run.external_id:
        return ()
    # The time of the run that is to be repeated: pressing twice before it has run again asks for one thing.
    at, place, who = run.completed_at or run.started_at, it.repository.full_name, it.sender.login
    pressed = it.requested_action.identifier if it.requested_action else Pressed.AGAIN
    match pressed:
        case Pressed.AGAIN:
            return (CheckRequested(place=place, head=run.head_sha, external=run.external_id, author=who, at=at),)
        case Pressed.ACCEPT:
            return (AcceptanceAsked(place=place, head=run.head_sha, external=run.external_id, author=who, at=at),)
        case _:
            return ()  # a button of an older version


def _ref(delivery: _About, number: int) -> str:
    return str(Ref("github", delivery.repository.full_name, number))


KINDS = {
    "issue_comment": _Kind(_CommentDelivery, frozenset({"created"}), _comment),
    "issues": _Kind(_IssueDelivery, frozenset({"opened", "edited", "closed", "reopened"}), _issue),
    "pull_request": _Kind(
        _PullDelivery,
        frozenset({"opened", "edited", "synchronize", "reopened", "ready_for_review", "closed", "converted_to_draft"}),
        _pull,
    ),
    "check_run": _Kind(_CheckDelivery, frozenset({"rerequested", "requested_action"}), _check),
}
