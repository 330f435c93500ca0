"""Platforms that fail for a while: what was asked is done when they are back, and who waits is told where they look."""

import sqlite3
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import pytest

from bot.playground.faults import Fault, Kind
from tests.stories.lanes import TURN
from tests.stories.starting import begin
from tests.stories.world import Thread, World

pytestmark = [pytest.mark.xdist_group("stories-platforms"), pytest.mark.slow]
SECONDARY = (
    '{"message": "You have exceeded a secondary rate limit. Please wait a few minutes before you try again.", '
    '"documentation_url": "https://docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api"}'
)
SIGN_IN = "<!DOCTYPE html><html><head><title>Azure DevOps Services | Sign In</title></head></html>"


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A bot that does not sweep: what it owes it must remember by itself."""
    made = begin(tmp_path_factory.mktemp("weather"), ("weather",), ("renamed",), (), sweep="3h")
    for name in ("weather", "renamed"):
        made.push(name, "main", train=TURN)
    made.issue("weather").ask("/train", "did not succeed")
    yield made
    made.close()


@pytest.fixture(autouse=True)
def fair(world: World) -> Iterator[None]:
    yield
    for faults in (world.stage.github.faults, world.stage.azure_faults):
        faults.clear()


def postponed(world: World, words: str = "") -> list[str]:
    """What waits, with the reasons."""
    with sqlite3.connect(world.folder / "state" / "lifecycle.db", timeout=30) as database:
        rows = database.execute("SELECT key, why FROM later").fetchall()
    return [f"{key}: {why}" for key, why in rows if words in why]


def one_comment(thread: Thread, *words: str) -> str:
    """The only thing that the bot has said there."""
    thread.says(*words)
    (only,) = thread.said()
    return only


@pytest.mark.parametrize("kind", [Kind.STATUS, Kind.HANGUP])
def test_a_command_of_an_outage_is_carried_out_once_when_it_is_over(world: World, kind: Kind) -> None:
    faults = world.stage.github.faults
    rule = faults.add(Fault(kind, path="/api/v3/repos/octo/weather", status=500, times=None))
    issue = world.issue("weather")
    comment = issue.comment("/train")
    world.eventually(lambda: postponed(world, "GitHub"), "it is postponed", 90)
    faults.remove(rule)
    one_comment(issue, "did not succeed", "no luck")
    world.eventually(lambda: not postponed(world), "nothing waits any longer")
    assert issue.reactions(comment) in ([], ["eyes"])
    assert issue.said() == [one_comment(issue, "did not succeed")]


def test_a_limit_is_kept_to_by_everybody_and_what_it_held_up_is_told_after_it(world: World) -> None:
    github, azure = world.stage.github.faults, world.stage.azure_faults
    limit = Fault(Kind.STATUS, "/comments$", "POST", 403, {"Retry-After": "15", "Server": "github.com"}, SECONDARY)
    issue, item = world.issue("weather"), world.new_item("Ask me anything")
    github.forget()
    rule = github.add(limit)
    issue.comment("/train")
    at = world.eventually(lambda: next((one.at for one in github.log if one.fault == rule), None), "the limit is met")
    item.comment("/help train")
    item.says("Who may")
    assert azure.count("POST", "/comments") > 0
    one_comment(issue, "did not succeed")
    bots = [one.at for one in github.log if one.owner == "lifecycle-bot[bot]" and "/api/" in one.path and one.at > at]
    assert bots
    assert min((moment - at).total_seconds() for moment in bots) > 14.5
    assert len([one for one in github.log if one.fault == rule]) == 1


def test_a_command_on_the_board_that_needs_github_waits_and_says_so_there(world: World) -> None:
    item, faults = world.new_item("A better line"), world.stage.github.faults
    rule = faults.add(Fault(Kind.STATUS, path="/api/v3/repos/octo/weather", status=503, times=None))
    item.comment("/train")
    waits = item.says("This has to wait", "503")
    assert "nothing to repeat" in waits
    faults.remove(rule)
    item.says("did not succeed", "no luck")
    item.says("It had to wait, and is carried out now")
    world.eventually(lambda: not postponed(world), "nothing waits any longer")
    assert len(item.said()) == 2


def test_a_command_that_nobody_expects_any_more_is_answered_with_what_stood_in_its_way(world: World) -> None:
    github = world.stage.github
    github.faults.add(Fault(Kind.STATUS, path="/octo/weather/branches/", status=503, times=None))
    issue = world.issue("weather")
    github.world.now = lambda: datetime.now(UTC) - timedelta(days=2)
    issue.comment("/train")
    github.world.now = lambda: datetime.now(UTC)
    said = one_comment(issue, "`/train` was not carried out")
    assert "GitHub has a problem of its own (503" in said
    assert not postponed(world)


def test_a_board_whose_token_is_expired_holds_up_nothing_else_and_is_caught_up_with(world: World) -> None:
    faults = world.stage.azure_faults
    html = {"Content-Type": "text/html; charset=utf-8"}
    rule = faults.add(Fault(Kind.STATUS, path="/_apis/", status=203, headers=html, body=SIGN_IN, times=None))
    issue = world.issue("weather", "Predict z")
    issue.comment("/train")
    one_comment(issue, "did not succeed")
    world.eventually(lambda: postponed(world, "renew it"), "the card is owed")
    faults.remove(rule)
    item = world.item_of(issue)
    world.eventually(lambda: item.state() == "Active", "the card moves")
    assert len(issue.said()) == 1


def test_a_repository_that_is_renamed_in_the_middle_gets_its_comment_under_the_new_name(world: World) -> None:
    world.push("renamed", "main", train=TURN.replace("print(", "import time\n\ntime.sleep(3)\nprint("))
    issue = world.issue("renamed")
    issue.comment("/train")
    issue.says("⏳")
    world.stage.github.world.rename_repo("octo/renamed", "named-anew")
    there = Thread(world, "octo/named-anew", issue.number)
    one_comment(there, "did not succeed")
    assert world.stage.github.faults.count("PATCH", "/octo/named-anew/issues/comments/")


def test_an_answer_that_comes_too_late_is_not_given_twice(world: World) -> None:
    slow = Fault(Kind.SLOW, path="/octo/weather/issues/[0-9]+/comments$", method="POST", seconds=17)
    world.stage.github.faults.add(slow)
    issue = world.issue("weather")
    began = time.monotonic()
    issue.comment("/train")
    one_comment(issue, "did not succeed")
    assert time.monotonic() - began > 15
    time.sleep(3)
    assert len(issue.said()) == 1


@pytest.mark.parametrize(
    ("name", "fault"),
    [
        ("lists that are behind", Fault(Kind.LAG, path=r"/octo/weather/.*/comments\?", seconds=3, times=None)),
        ("an App's token that is refused", Fault(Kind.STATUS, path="/octo/weather/", status=401, times=2)),
        ("a conflict", Fault(Kind.STATUS, path="/octo/weather/", method="POST|PATCH", status=409, times=2)),
    ],
)
def test_what_passes_by_itself_is_not_noticed(world: World, name: str, fault: Fault) -> None:
    def after_all(path: str) -> Callable[[], bool]:
        return lambda: world.stage.github.faults.count("POST", path) > 0

    world.stage.github.faults.add(Fault(Kind.AFTER, path="/octo/weather/.*/comments$", method="POST", status=502))
    world.stage.github.faults.add(fault)
    issue = world.issue("weather", name)
    issue.comment("/train")
    world.eventually(after_all("/octo/weather/.*/comments$"), "it is told")
    one_comment(issue, "did not succeed")
