"""Issues, pull requests and work items know each other, and commands are followed on all of them."""

import pytest

from tests.stories.world import World

pytestmark = pytest.mark.xdist_group("stories-2")


def test_a_work_item_that_a_text_names_is_linked(world: World) -> None:
    item = world.new_item("A model for y")
    issue = world.issue("linked", body=f"As planned in AB#{item.number} and in AB#98765.")
    world.eventually(lambda: issue.url in item.urls(), "the item links to the issue")
    world.push("linked", "named", readme="For the plan.\n")
    pull = world.pull("linked", "named", body=f"Begins AB#{item.number}")
    world.eventually(lambda: pull.url.replace("/issues/", "/pull/") in item.urls(), "the item links to the change")

    seen = issue.ask("/status", "What is linked here")
    assert f"AB#{item.number}" in seen
    assert f"#{pull.number}" in seen
    assert f"AB#{item.number}" in pull.ask("/status", "What is linked here")
    item.comment("/status")
    on_item = item.says("What is linked here")
    assert f"#{issue.number}" in on_item
    assert f"#{pull.number}" in on_item


def test_a_link_by_hand_is_shown_on_both_ends(world: World) -> None:
    item, issue = world.new_item("Planned by hand"), world.issue("linked")
    assert f"_workitems/edit/{item.number}" in issue.ask(f"/link AB#{item.number}", "Linked with")
    world.eventually(lambda: issue.url in item.urls(), "the item links to the issue")
    assert "Planned by hand" in issue.ask("/status", "What is linked here")


def test_commands_are_followed_on_a_linked_work_item(world: World) -> None:
    item, issue = world.new_item("Train me here"), world.issue("linked")
    item.comment("/help train")
    item.says("Who may")
    item.comment("/train")
    item.says("was not carried out", "not linked to a repository yet")
    issue.ask(f"/link AB#{item.number}", "Linked with")
    item.comment("/train", "Ola Stranger", "ola@example.com")
    item.says("was not carried out", "needs write permission")
    item.comment("/train beside=0.2")
    report = item.says("is good enough", "beside=0.2")
    assert "mira@example.com" in report
    world.eventually(lambda: item.state() == "Resolved", "the card has moved")
    assert "beside=0.2" not in "".join(issue.said())
    assert "| train |" in issue.ask("/status", "What is linked here")
