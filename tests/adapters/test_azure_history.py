"""What Azure DevOps remembers of work items and of service hooks, read over the wire, also when it answers badly."""

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bot.adapters.azure_boards import AzureBoards
from bot.events import WorkItemTouched
from bot.playground.faults import Kind
from bot.ports import Missed, SignedOut, Unavailable
from tests.adapters.azure_world import PLACE, World

HOOK = "http://127.0.0.1:9/webhooks/azure-devops"


def recently() -> datetime:
    return datetime.now(UTC) - timedelta(minutes=1)


def touched(found: Missed) -> list[tuple[str, int]]:
    return [(event.ref, event.revision) for event in found.events if isinstance(event, WorkItemTouched)]


def test_each_revision_is_told_in_its_order_and_those_of_other_projects_are_not(fabrikam: World) -> None:
    first, second = fabrikam.item(), fabrikam.item()
    fabrikam.org.comment(first, "/train", fabrikam.mira)
    fabrikam.org.comment(second, "/status", fabrikam.mira)
    other = fabrikam.org.create_project("Cars")
    fabrikam.org.create_item(other, "Task", fabrikam.mira, **{"System.Title": "Elsewhere"})
    found = fabrikam.boards.since(PLACE, recently())
    one, two = f"boards:Fabrikam/{first.id}", f"boards:Fabrikam/{second.id}"
    assert touched(found) == [(one, 1), (two, 1), (one, 2), (two, 2)]
    assert found.until == found.events[-1].at
    again = fabrikam.boards.since(PLACE, found.events[2].at)
    assert touched(again) == [(one, 2), (two, 2)]


def test_a_board_on_which_nothing_happened_costs_one_question(fabrikam: World) -> None:
    fabrikam.item()
    later = datetime.now(UTC) + timedelta(minutes=1)
    fabrikam.boards.since(PLACE, later)  # the first one also asks where everything is
    before = fabrikam.faults.count(".*")
    assert fabrikam.boards.since(PLACE, later) == Missed(())
    assert fabrikam.faults.count(".*") - before == 1


def test_more_revisions_than_a_page_holds_are_all_told(fabrikam: World) -> None:
    item = fabrikam.item()
    for number in range(1_100):
        fabrikam.org.comment(item, f"comment {number}", fabrikam.mira)
    found = touched(fabrikam.boards.since(PLACE, recently()))
    assert [revision for _, revision in found] == list(range(1, 1_102))


def test_notifications_of_our_own_service_hooks_that_failed_are_told(fabrikam: World, azure_cache: Path) -> None:
    boards = AzureBoards(fabrikam.org.base_url, fabrikam.token, cache=azure_cache, environ=os.environ, hook=HOOK)
    org = fabrikam.org
    ours = org.subscribe("workitem.commented", HOOK, fabrikam.ada, project=fabrikam.project)
    org.subscribe("workitem.commented", "http://127.0.0.1:9/others", fabrikam.ada, project=fabrikam.project)
    item = fabrikam.item()
    org.comment(item, "/train", fabrikam.mira)
    assert org.drain(20)
    found = boards.undelivered(recently())
    assert touched(found) == [(f"boards:Fabrikam/{item.id}", 2)]
    assert found.until == ours.notifications[0].created
    assert touched(boards.since(PLACE, recently()))[-1] == touched(found)[0]  # the same event by its id
    assert boards.undelivered(datetime.now(UTC) + timedelta(minutes=1)) == Missed(())


def test_a_service_hook_that_was_switched_off_is_told_once(
    fabrikam: World, azure_cache: Path, caplog: pytest.LogCaptureFixture
) -> None:
    boards = AzureBoards(fabrikam.org.base_url, fabrikam.token, cache=azure_cache, environ=os.environ, hook=HOOK)
    ours = fabrikam.org.subscribe("workitem.commented", HOOK, fabrikam.ada, project=fabrikam.project)
    ours.status = "disabledBySystem"
    boards.undelivered(recently())
    boards.undelivered(recently())
    assert [record.getMessage() for record in caplog.records if "disabledBySystem" in record.getMessage()] == [
        "the service hook for workitem.commented is disabledBySystem: see Project settings"
    ]


def test_service_hooks_that_our_token_may_not_read_are_not_asked_for_again_soon(
    fabrikam: World, azure_cache: Path
) -> None:
    boards = AzureBoards(fabrikam.org.base_url, fabrikam.token, cache=azure_cache, environ=os.environ, hook=HOOK)
    fabrikam.fail(Kind.STATUS, "/hooks/subscriptions", "GET", 403)
    assert boards.undelivered(recently()) == Missed(())
    asked = fabrikam.faults.count("GET", "/hooks/")
    assert boards.undelivered(recently()) == Missed(())
    assert fabrikam.faults.count("GET", "/hooks/") == asked == 1


@pytest.mark.parametrize(
    ("status", "raised"), [(500, Unavailable), (429, Unavailable), (203, SignedOut), (401, SignedOut)]
)
def test_revisions_that_cannot_be_read_say_why(fabrikam: World, status: int, raised: type[Exception]) -> None:
    for _ in range(4):  # reads are repeated twice
        fabrikam.fail(Kind.STATUS, "workitemrevisions", "GET", status)
    with pytest.raises(raised):
        fabrikam.boards.since(PLACE, recently())
