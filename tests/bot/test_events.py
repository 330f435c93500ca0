"""An event's id tells what it is about."""

from datetime import UTC, datetime

import pytest

from bot.events import (
    CheckRequested,
    CommentPosted,
    Event,
    IssueStateChanged,
    MonitorDue,
    PullRequestChanged,
    PullRequestClosed,
    SweepDue,
    TextChanged,
    WorkItemTouched,
    about,
    ref_of,
)

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
REFS = ["github:octo/bikes#12", "github:octo/2024#7", "repos:Bikes/7!3", "repos:Big%20Bikes/model!12", "boards:Fab/345"]


@pytest.mark.parametrize("ref", REFS)
def test_the_thing_is_told_from_the_id_of_whatever_happened_to_it(ref: str) -> None:
    happened: list[Event] = [
        CommentPosted(ref, "4.1", "ann", False, "/train", NOON),
        WorkItemTouched(ref, 7, NOON),
        TextChanged(ref, "a", "b", NOON),
        PullRequestChanged(ref, "3f" * 20, NOON),
        PullRequestClosed(ref, NOON),
        IssueStateChanged(ref, True, NOON),
    ]
    for event in happened:
        assert about(event.id) == ref == str(ref_of(event))


def test_the_clock_and_buttons_are_about_no_one_thing() -> None:
    others: list[Event] = [
        SweepDue(NOON),
        MonitorDue("octo/7/line", NOON),
        CheckRequested("octo/bikes", "3f" * 20, "7", "ann", NOON),
    ]
    assert [about(event.id) for event in others] == ["", "", ""]
