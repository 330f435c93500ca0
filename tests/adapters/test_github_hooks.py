"""GitHub's deliveries as events: the few that matter, and what is done about those that do not fit."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from bot.adapters.github_hooks import BadDelivery, decode
from bot.events import (
    AcceptanceAsked,
    CheckRequested,
    CommentPosted,
    IssueStateChanged,
    PullRequestChanged,
    PullRequestClosed,
    TextChanged,
)
from tests.adapters.conftest import AT, SOMEBODY, comment, issue, repository

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
SHA = "a" * 40


def delivery(action: str, **parts: Any) -> bytes:
    return json.dumps({"action": action, "repository": repository(), "sender": SOMEBODY, **parts}).encode()


def pull(**fields: Any) -> dict[str, Any]:
    side = {"ref": "main", "sha": "b" * 40, "repo": repository()}
    usual = {"number": 3, "title": "Deeper trees", "body": "AB#12", "state": "open", "updated_at": AT, "draft": False}
    return {**usual, "base": side, "head": {**side, "ref": "better", "sha": SHA}, "user": SOMEBODY, **fields}


def test_a_new_comment() -> None:
    body = delivery("created", issue=issue(12), comment=comment(5, "/train", SOMEBODY))
    assert decode("issue_comment", body) == (
        CommentPosted("github:octo/bikes#12", "5", "ada", False, "/train", NOON, on_pull=False),
    )


def test_a_comment_on_a_pull_request_and_by_a_bot() -> None:
    on_pull = issue(3, pull_request={"url": "…"})
    for user in ({"login": "renovate", "type": "Bot"}, {"login": "renovate[bot]", "type": "User"}):
        (event,) = decode("issue_comment", delivery("created", issue=on_pull, comment=comment(5, "hi", user)))
        assert isinstance(event, CommentPosted)
        assert (event.on_pull, event.author_is_bot) == (True, True)


@pytest.mark.parametrize(
    ("kind", "action"),
    [
        ("issue_comment", "edited"),
        ("issue_comment", "deleted"),
        ("issues", "labeled"),
        ("pull_request", "assigned"),
        ("check_run", "completed"),
        ("ping", ""),
        ("star", "created"),
        ("a kind of next year", "created"),
    ],
)
def test_what_is_nothing_to_us(kind: str, action: str) -> None:
    assert decode(kind, json.dumps({"action": action}).encode()) == ()


def test_a_ping_has_no_action() -> None:
    assert decode("ping", b'{"zen": "Keep it logically awesome.", "hook_id": 1}') == ()


@pytest.mark.parametrize("action", ["opened", "edited"])
def test_an_issues_text(action: str) -> None:
    body = delivery(action, issue=issue(12, "see AB#345"))
    expected = TextChanged("github:octo/bikes#12", "Retrain bike-demand", "see AB#345", NOON)
    assert decode("issues", body) == (expected,)


@pytest.mark.parametrize(("action", "state"), [("closed", "closed"), ("reopened", "open")])
def test_an_issues_state(action: str, state: str) -> None:
    body = delivery(action, issue=issue(12, state=state))
    assert decode("issues", body) == (IssueStateChanged("github:octo/bikes#12", state == "open", NOON),)


CHANGED = PullRequestChanged("github:octo/bikes#3", SHA, NOON)
TEXT = TextChanged("github:octo/bikes#3", "Deeper trees", "AB#12", NOON, on_pull=True)


@pytest.mark.parametrize(
    ("action", "draft", "expected"),
    [
        ("opened", False, (TEXT, CHANGED)),
        ("opened", True, (TEXT,)),
        ("edited", False, (TEXT,)),
        ("synchronize", False, (CHANGED,)),
        ("synchronize", True, ()),
        ("reopened", False, (CHANGED,)),
        ("ready_for_review", False, (CHANGED,)),
    ],
)
def test_a_pull_request(action: str, draft: bool, expected: tuple[object, ...]) -> None:
    assert decode("pull_request", delivery(action, pull_request=pull(draft=draft))) == expected


def test_a_pull_request_that_was_closed_merged_or_made_a_draft() -> None:
    closed = pull(state="closed", closed_at="2026-03-02T00:00:00Z", merge_commit_sha="c" * 40)
    later = datetime(2026, 3, 2, tzinfo=UTC)
    (event,) = decode("pull_request", delivery("closed", pull_request=closed))
    assert event == PullRequestClosed("github:octo/bikes#3", later)
    (event,) = decode("pull_request", delivery("closed", pull_request={**closed, "merged": True}))
    assert event == PullRequestClosed("github:octo/bikes#3", later)
    (event,) = decode("pull_request", delivery("converted_to_draft", pull_request=pull(draft=True)))
    assert event == PullRequestClosed("github:octo/bikes#3", NOON)


def test_a_check_that_is_to_run_again() -> None:
    run = {"id": 1, "head_sha": SHA, "external_id": "run:7", "started_at": AT, "completed_at": AT}
    (event,) = decode("check_run", delivery("rerequested", check_run=run))
    assert event == CheckRequested("octo/bikes", SHA, "run:7", "ada", NOON)
    assert decode("check_run", delivery("rerequested", check_run={**run, "external_id": ""})) == ()


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("issue_comment", b""),
        ("issue_comment", b"payload=%7B%7D"),
        ("issue_comment", b"[]"),
        ("issue_comment", b"\xff\xfe"),
        ("issue_comment", b'{"action": "created", "comment": {}}'),
        ("issues", delivery("opened", issue={"number": "12"})),
        ("pull_request", delivery("opened", pull_request=None)),
        ("check_run", delivery("rerequested", check_run={"head_sha": 1})),
    ],
)
def test_what_does_not_fit_is_a_bad_delivery_with_a_sentence(kind: str, body: bytes) -> None:
    with pytest.raises(BadDelivery, match=f"This is not a {kind} delivery of GitHub"):
        decode(kind, body)


@pytest.mark.parametrize(
    ("action", "pressed", "kind"),
    [
        ("rerequested", None, CheckRequested),
        ("requested_action", "rerun", CheckRequested),
        ("requested_action", "accept", AcceptanceAsked),
        ("requested_action", "explode", None),
        ("created", None, None),
    ],
)
def test_buttons_of_a_check(action: str, pressed: str | None, kind: type | None) -> None:
    run = {"head_sha": "a" * 40, "started_at": "2025-06-03T14:00:00Z", "completed_at": "2025-06-03T14:30:00Z",
           "external_id": "12"}  # fmt: skip
    body = {"action": action, "repository": {"full_name": "octo/bikes"}, "check_run": run, "sender": {"login": "jonas"}}
    if pressed is not None:
        body["requested_action"] = {"identifier": pressed}
    found = decode("check_run", json.dumps(body).encode())
    assert [type(one) for one in found] == ([kind] if kind else [])
    assert all(one.author == "jonas" and one.external == "12" for one in found)  # type: ignore[union-attr]
