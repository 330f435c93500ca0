"""Discussions, permissions and identities on Azure Boards, also when the service answers badly."""

import json
import threading
import time
from datetime import timedelta

import pytest

from bot.adapters.azure_boards import AzureBoards
from bot.playground.faults import Kind
from bot.ports import Denied, Mark, Permission, SignedOut, Unavailable
from tests.adapters.azure_world import World

MARKER = "run:7 (second)"
LINE = "[lifecycle-bot]: # (run:7 %28second%29)"


def test_one_comment_is_kept_up_to_date_in_markdown(fabrikam: World) -> None:
    item, boards = fabrikam.item(), fabrikam.boards
    url = boards.say(fabrikam.ref(item), MARKER, "queued")
    revision = item.rev
    assert boards.say(fabrikam.ref(item), MARKER, "**training**") == url
    (comment,) = item.comments
    assert comment.text == f"{LINE}\n\n**training**"
    assert (comment.format, comment.by) == ("markdown", fabrikam.bot)
    assert item.rev == revision  # an edited comment is no revision, of which an item has 10,000
    assert url == f"{fabrikam.org.base_url}/Bikes/_workitems/edit/{item.id}#{comment.id}"
    assert fabrikam.writes() == 2


def test_after_a_restart_the_comment_is_found_and_left_alone_when_it_reads_right(
    fabrikam: World, azure_cache: object
) -> None:
    item = fabrikam.item()
    fabrikam.org.comment(item, f"{LINE}\n\nqueued", fabrikam.mira)  # a copied marker is not ours
    fabrikam.boards.say(fabrikam.ref(item), MARKER, "queued")
    fabrikam.org.comment(item, "thanks", fabrikam.mira)
    again = AzureBoards(fabrikam.org.base_url, fabrikam.token, cache=azure_cache)  # type: ignore[arg-type]
    again.say(fabrikam.ref(item), MARKER, "queued")
    assert len(item.comments) == 3
    assert fabrikam.writes() == 1
    again.say(fabrikam.ref(item), MARKER, "done")
    assert [comment.text for comment in item.comments][1] == f"{LINE}\n\ndone"
    assert item.comments[0].text.endswith("queued")


def test_a_comment_that_somebody_deleted_is_written_anew(fabrikam: World) -> None:
    item = fabrikam.item()
    fabrikam.boards.say(fabrikam.ref(item), MARKER, "queued")
    item.comments[0].deleted = True
    fabrikam.boards.say(fabrikam.ref(item), MARKER, "training")
    assert [comment.text for comment in item.comments if not comment.deleted] == [f"{LINE}\n\ntraining"]


@pytest.mark.parametrize("kind", [Kind.AFTER, Kind.HANGUP_AFTER])
def test_a_comment_that_was_made_but_not_answered_is_not_made_twice(fabrikam: World, kind: Kind) -> None:
    item = fabrikam.item()
    fabrikam.fail(kind, "/comments", "POST", 502)
    fabrikam.boards.say(fabrikam.ref(item), MARKER, "queued")
    assert len(item.comments) == 1
    assert fabrikam.writes() == 1


def test_second_comments_from_an_uncertain_past_are_cleared_away(fabrikam: World) -> None:
    item = fabrikam.item()
    for text in ("queued", "queued again"):
        fabrikam.org.comment(item, f"{LINE}\n\n{text}", fabrikam.bot)
    fabrikam.boards.say(fabrikam.ref(item), MARKER, "training")
    assert item.comments[0].text.endswith("training")
    assert [comment.deleted for comment in item.comments] == [False, True]


def test_comments_are_read_as_people_meant_them(fabrikam: World) -> None:
    item = fabrikam.item()
    rich = "<div>Let us try it:</div><div>/train bike-demand&nbsp;max_depth=6<br></div><pre>/train x</pre>"
    fabrikam.org.comment(item, rich + "<blockquote>/train y</blockquote>", fabrikam.mira, "html")
    fabrikam.org.comment(item, "/train `a` <b>", fabrikam.ada, "markdown")
    fabrikam.boards.say(fabrikam.ref(item), MARKER, "queued")
    first, second, ours = fabrikam.boards.comments(fabrikam.ref(item))
    assert first.body == "Let us try it:\n/train bike-demand max_depth=6\n```\n/train x\n```\n> /train y"
    assert (first.author, first.author_is_bot, first.edited) == ("mira@example.com", False, False)
    assert second.body == "/train `a` <b>"
    assert ours.author_is_bot
    fabrikam.org.comment(item, "/status", fabrikam.bot)  # by the person whose account we were lent
    assert not fabrikam.boards.comments(fabrikam.ref(item))[-1].author_is_bot
    assert ours.author == fabrikam.boards.login == "bot@example.com"


def test_comments_since_and_the_newest_two_hundred(fabrikam: World) -> None:
    item = fabrikam.item()
    for number in range(230):
        fabrikam.org.comment(item, f"/status {number}", fabrikam.mira)
    found = fabrikam.boards.comments(fabrikam.ref(item))
    assert [found[0].body, found[-1].body] == ["/status 30", "/status 229"]
    since = found[-3].created
    assert [one.body for one in fabrikam.boards.comments(fabrikam.ref(item), since)] == [
        "/status 227",
        "/status 228",
        "/status 229",
    ]
    assert fabrikam.boards.comments(fabrikam.ref(item), since + timedelta(hours=1)) == []


def test_permission_is_the_teams_at_this_moment(fabrikam: World) -> None:
    ref = fabrikam.ref(fabrikam.item())
    ask = fabrikam.boards.permission
    assert ask(ref, "Mira@example.com") is Permission.WRITE
    assert ask(ref, "ada@example.com") is Permission.MAINTAIN
    assert ask(ref, "stranger@example.com") is Permission.READ
    assert ask(ref, "") is Permission.NONE
    fabrikam.project.leave(fabrikam.mira)
    assert ask(ref, "mira@example.com") is Permission.READ


def test_a_reaction_where_there_are_none_is_no_error(fabrikam: World) -> None:
    item = fabrikam.item()
    comment = fabrikam.org.comment(item, "/train", fabrikam.mira)
    fabrikam.boards.acknowledge(fabrikam.ref(item), str(comment.id), Mark.SEEN)
    assert [one.text for one in item.comments] == ["/train"], "nothing is said instead"


def test_a_thing_is_told_in_our_words(fabrikam: World) -> None:
    new = {"System.Title": "Predict", "System.Description": "<p>see <b>#12</b></p>"}
    item = fabrikam.org.create_item(fabrikam.project, "Bug", fabrikam.mira, **new)
    thing = fabrikam.boards.thing(fabrikam.ref(item))
    assert (thing.title, thing.body, thing.author, thing.open) == ("Predict", "see #12", "mira@example.com", True)
    assert thing.url == f"{fabrikam.org.base_url}/Bikes/_workitems/edit/{item.id}"


def test_a_bad_token_is_told_as_such(fabrikam: World) -> None:
    ref = fabrikam.ref(fabrikam.item())
    fabrikam.boards.thing(ref)
    fabrikam.org.revoke(fabrikam.token)
    for call in (lambda: fabrikam.boards.thing(ref), lambda: fabrikam.boards.say(ref, "m", "x")):
        with pytest.raises(SignedOut, match="the token is wrong or expired") as told:
            call()
        assert fabrikam.token not in str(told.value)


def test_a_bearer_token_is_asked_for_at_every_request(fabrikam: World, azure_cache: object) -> None:
    tokens = [fabrikam.token, "expired"]
    boards = AzureBoards(fabrikam.org.base_url, lambda: tokens[0], cache=azure_cache)  # type: ignore[arg-type]
    ref = fabrikam.ref(fabrikam.item())
    assert boards.thing(ref).open
    tokens.reverse()
    with pytest.raises(SignedOut, match="sign-in page"):
        boards.thing(ref)


@pytest.mark.parametrize("status", [302, 401, 403])
def test_a_person_must_act(fabrikam: World, status: int) -> None:
    item = fabrikam.item()
    fabrikam.fail(Kind.STATUS, "workitems", "GET", status, headers={"Location": "https://example.com/_signin"})
    with pytest.raises((Denied, SignedOut)):
        fabrikam.boards.thing(fabrikam.ref(item))


def test_a_limit_is_told_with_its_time_and_never_slept_on(fabrikam: World) -> None:
    item = fabrikam.item()
    fabrikam.boards.thing(fabrikam.ref(item))
    fabrikam.fail(Kind.STATUS, "workitems", "GET", 429, headers={"Retry-After": "30"})
    started = time.monotonic()
    with pytest.raises(Unavailable) as told:
        fabrikam.boards.thing(fabrikam.ref(item))
    assert told.value.after == 30
    with pytest.raises(Unavailable, match="slow down") as told:  # and we keep to it without asking again
        fabrikam.boards.thing(fabrikam.ref(item))
    assert told.value.after is not None
    assert 25 < told.value.after <= 30
    assert time.monotonic() - started < 2


def test_a_good_answer_may_ask_us_to_slow_down_too(fabrikam: World) -> None:
    ref = fabrikam.ref(fabrikam.item())
    fields = {"System.TeamProject": "Bikes", "System.WorkItemType": "Task", "System.State": "New"}
    page = json.dumps({"id": 1, "rev": 1, "fields": fields})
    fabrikam.fail(Kind.STATUS, "workitems/1", "GET", 200, headers={"Retry-After": "1"}, body=page)
    started = time.monotonic()
    fabrikam.boards.category(ref)
    fabrikam.boards.category(ref)
    assert time.monotonic() - started >= 1


def test_a_read_is_repeated_and_a_service_that_is_away_is_unavailable(fabrikam: World) -> None:
    ref = fabrikam.ref(fabrikam.item())
    fabrikam.fail(Kind.STATUS, "workitems", "GET", 503, times=2)
    assert fabrikam.boards.thing(ref).title == "Predict demand"
    fabrikam.fail(Kind.HANGUP, "workitems", "GET", times=None)
    with pytest.raises(Unavailable, match="when we wanted to read work item 1"):
        fabrikam.boards.thing(ref)


def test_an_answer_that_makes_no_sense_is_unavailable(fabrikam: World) -> None:
    fabrikam.fail(Kind.STATUS, "workitems", "GET", 200, body="]")
    with pytest.raises(Unavailable, match="makes no sense"):
        fabrikam.boards.thing(fabrikam.ref(fabrikam.item()))


def test_threads_share_the_adapter(fabrikam: World) -> None:
    items = [fabrikam.item(str(number)) for number in range(6)]
    problems = list[Exception]()

    def talk(number: int) -> None:
        try:
            fabrikam.boards.say(fabrikam.ref(items[number]), MARKER, f"text {number}")
        except Exception as problem:
            problems.append(problem)

    threads = [threading.Thread(target=talk, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert problems == []
    assert [item.comments[0].text.splitlines()[-1] for item in items] == [f"text {number}" for number in range(6)]
