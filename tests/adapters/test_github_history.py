"""What GitHub remembers of a repository and of an App's deliveries, read over the wire, also when it answers badly."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import responses

from bot.adapters.github import GitHub, Personal
from bot.events import CommentPosted, IssueStateChanged, PullRequestClosed, TextChanged
from bot.playground.faults import Kind
from bot.ports import Denied, Unavailable
from tests.adapters.conftest import AT, ME, REPO, SOMEBODY, calls, comment, issue
from tests.adapters.github_world import BIKES, Town

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
BEFORE = NOON - timedelta(hours=1)


def an_hour_ago(town: Town) -> datetime:
    """What happens from now on happened an hour ago."""
    town.github.head(BIKES)  # the App's own clock is right, so it has its token before
    town.hub.world.now = lambda: datetime.now(UTC) - timedelta(hours=1)
    return datetime.now(UTC) - timedelta(minutes=61)


def test_comments_closes_and_texts_are_told_in_their_order(town: Town) -> None:
    world = town.hub.world
    old = world.comment("mira", BIKES, 1, "/train old")
    world.now = lambda: datetime.now(UTC) + timedelta(seconds=5)
    world.push("mira", BIKES, "better", {"train.py": "print(2)\n"}, "better")
    pull = world.pull_open("mira", BIKES, "Better", "better", body="For AB#7")
    first = world.comment("mira", BIKES, 1, "/train a=1")
    world.edit_comment("mira", old, "/train b=2")
    second = world.comment("jonas", BIKES, pull.number, "/validate")
    world.now = lambda: datetime.now(UTC) + timedelta(seconds=9)
    world.edit_comment("jonas", second, "/validate margin=1%")
    world.set_state("mira", pull, "closed")
    world.set_state("mira", world.issue(BIKES, 1), "closed")
    since = datetime.now(UTC) + timedelta(seconds=3)
    found = town.github.since(BIKES, since)
    assert found.until is not None
    assert found.until >= since
    comments = [event for event in found.events if isinstance(event, CommentPosted)]
    assert [(one.comment, one.body, one.author, one.on_pull, one.edited) for one in comments] == [
        (str(first.id), "/train a=1", "mira", False, False),
        (str(second.id), "/validate margin=1%", "jonas", True, True),
    ]
    assert [event.at for event in found.events] == sorted(event.at for event in found.events)
    assert [event.ref for event in found.events if isinstance(event, PullRequestClosed)] == [f"github:{BIKES}#2"]
    assert [event.ref for event in found.events if isinstance(event, IssueStateChanged)] == [f"github:{BIKES}#1"]
    assert "For AB#7" in [event.body for event in found.events if isinstance(event, TextChanged)]


def test_a_repository_in_which_nothing_happened_costs_two_questions(town: Town) -> None:
    town.github.head(BIKES)
    before = town.hub.faults.count("GET")
    assert town.github.since(BIKES, datetime.now(UTC) + timedelta(minutes=1)).events == ()
    assert town.hub.faults.count("GET") - before == 2


def test_more_comments_than_a_page_holds_are_all_told_once_each_or_twice(town: Town) -> None:
    since = an_hour_ago(town)
    said = [str(town.hub.world.comment("mira", BIKES, 1, f"/train n={number}").id) for number in range(250)]
    found = [one.comment for one in town.github.since(BIKES, since).events if isinstance(one, CommentPosted)]
    assert list(dict.fromkeys(found)) == said


def test_what_is_changed_while_we_read_pushes_nothing_past_us(web: responses.RequestsMock, github: GitHub) -> None:
    def at(second: int) -> str:
        return f"2026-03-01T12:{second // 60:02d}:{second % 60:02d}Z"

    rows = [comment_of(number, at(number)) for number in range(150)]
    web.get(f"{REPO}/issues/comments", json=rows[:100])
    web.get(f"{REPO}/issues/comments", json=rows[99:])
    web.get(f"{REPO}/issues", json=[])
    found = github.since(BIKES, NOON).events
    assert {one.comment for one in found if isinstance(one, CommentPosted)} == {str(number) for number in range(150)}
    asked = [line for line in calls(web) if "/issues/comments" in line]
    assert [f"since=2026-03-01T12%3A0{n}" in line for n, line in enumerate(asked)] == [True, True]
    assert all("page=1" in line.split("&") for line in asked)


def test_comments_of_bots_and_comments_without_an_issue_are_left_out(
    web: responses.RequestsMock, github: GitHub
) -> None:
    robot = {"login": "other[bot]", "type": "Bot"}
    rows = [comment_of(1, AT, robot), {**comment_of(2, AT), "issue_url": ""}, {**comment_of(3, AT), "user": None}]
    web.get(f"{REPO}/issues/comments", json=rows)
    web.get(f"{REPO}/issues", json=[issue(12, state="closed", updated_at=AT)])
    found = github.since(BIKES, BEFORE)
    assert [(one.comment, one.author) for one in found.events if isinstance(one, CommentPosted)] == [("3", "ghost")]
    assert [one.at for one in found.events if isinstance(one, IssueStateChanged)] == [NOON]  # it lacks `closed_at`


@pytest.mark.parametrize(
    ("status", "headers", "raised"),
    [(500, {}, Unavailable), (403, {"retry-after": "30"}, Unavailable), (429, {}, Unavailable), (403, {}, Denied)],
)
def test_a_list_that_cannot_be_read_says_why(
    web: responses.RequestsMock, github: GitHub, status: int, headers: dict[str, str], raised: type[Exception]
) -> None:
    web.get(f"{REPO}/issues/comments", json={"message": "no"}, status=status, headers=headers)
    with pytest.raises(raised):
        github.since(BIKES, BEFORE)


def test_failed_deliveries_are_sent_again_once_and_what_was_refused_is_not(town: Town) -> None:
    world, since = town.hub.world, datetime.now(UTC) - timedelta(minutes=1)
    app = next(iter(world.apps.values()))
    world.app_webhook(app, "http://127.0.0.1:9/nobody", "secret")
    world.comment("mira", BIKES, 1, "/train bike-demand")
    world.retitle("mira", world.issue(BIKES, 1), "Predict")  # `edited` is read, `labeled` is not
    world.add_labels("mira", world.issue(BIKES, 1), ["wish"])
    assert world.courier.drain(10)
    town.github.undelivered(since)
    assert world.courier.drain(10)
    assert app.hook
    sent = [(one.event, one.action) for one in app.hook.deliveries if one.redelivery]
    assert sent == [("issue_comment", "created"), ("issues", "edited")]
    for delivery in app.hook.deliveries:
        delivery.status_code = 400 if delivery.redelivery else 502
    town.github.undelivered(since)
    assert world.courier.drain(10)
    assert len([one for one in app.hook.deliveries if one.redelivery]) == 2


def test_a_delivery_that_arrived_at_last_is_left_alone(town: Town) -> None:
    world, since = town.hub.world, datetime.now(UTC) - timedelta(minutes=1)
    app = next(iter(world.apps.values()))
    world.app_webhook(app, "http://127.0.0.1:9/nobody", "secret")
    for number in range(120):
        world.comment("mira", BIKES, 1, f"/train n={number}")
    assert world.courier.drain(20)
    assert app.hook
    for delivery in app.hook.deliveries[:-1]:
        delivery.status_code = 202
    found = town.github.undelivered(since)
    assert world.courier.drain(10)
    assert [one.guid for one in app.hook.deliveries if one.redelivery] == [app.hook.deliveries[-2].guid]
    assert found.events == ()
    assert found.until is not None


def test_a_delivery_that_github_does_not_send_again_keeps_nobody_waiting(town: Town) -> None:
    world, since = town.hub.world, datetime.now(UTC) - timedelta(minutes=1)
    app = next(iter(world.apps.values()))
    world.app_webhook(app, "http://127.0.0.1:9/nobody", "secret")
    world.comment("mira", BIKES, 1, "/train bike-demand")
    world.comment("mira", BIKES, 1, "/status")
    assert world.courier.drain(10)
    town.fail(Kind.STATUS, "/attempts", "POST", 422)
    town.github.undelivered(since)
    assert world.courier.drain(10)
    assert app.hook
    assert len([one for one in app.hook.deliveries if one.redelivery]) == 1


def test_a_persons_token_has_no_deliveries_and_asks_for_none(web: responses.RequestsMock) -> None:
    github = GitHub("https://api.github.com", Personal("ghp_secret"), seconds_between_writes=0.0)
    assert github.undelivered(BEFORE).until is None
    assert len(web.calls) == 0


def comment_of(number: int, at: str, user: dict[str, str] = SOMEBODY) -> dict[str, Any]:
    """A comment as the list of a whole repository has it."""
    assert user is not ME
    return {**comment(number, "/train", user, at), "issue_url": f"{REPO}/issues/12"}
