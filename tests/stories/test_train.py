"""Somebody asks for a training on an issue."""

import time

import pytest

from tests.stories.world import World, version_in

pytestmark = pytest.mark.xdist_group("stories-1")


def test_one_comment_tells_of_a_training_from_its_first_stage_to_its_version(world: World) -> None:
    issue = world.issue("trains")
    began = time.monotonic()
    comment = issue.comment("/train sleep=1.5")
    world.eventually(lambda: "eyes" in issue.reactions(comment), "a reaction")
    assert time.monotonic() - began < 5

    early = issue.says("Training `line`", "⏳", "sleep=1.5")
    first = issue.comments()[0]
    report = issue.says("is good enough")
    head = world.github("repos/octo/trains/commits/main")["sha"]
    (only,) = issue.comments()

    assert head[:8] in early
    assert only["id"] == first["id"]
    assert only["updated_at"] >= only["created_at"]
    assert head[:8] in report
    assert "asked for by `mira`" in report
    assert f"/promote v{version_in(report)}" in report
    version = world.page(f"models/octo/trains/line/versions/{version_in(report)}")
    assert version.status_code == 200
    assert head[:8] in version.text
    assert f"v{version_in(report)}" in world.page("models/octo/trains/line").text


def test_the_work_item_of_a_training_is_linked_both_ways_and_its_card_moves(world: World) -> None:
    issue = world.issue("trains", "Predict y")
    issue.comment("/train sleep=2")
    item = world.item_of(issue)
    assert world.eventually(lambda: item.state() if item.state() == "Active" else None) == "Active"
    issue.says("is good enough")
    world.eventually(lambda: item.state() == "Resolved", "the card is in the column of what is to be checked")

    assert item.read()["fields"]["System.Title"] == "Predict y"
    assert any(url.startswith(f"{world.url}/runs/") for url in item.urls())
    assert all(world.page(url).ok for url in item.urls() if url.startswith(world.url))
    issue.comment("/status")
    assert f"AB#{item.number}" in issue.says("What is linked here")
    item.comment("/status")
    assert f"#{issue.number}" in item.says("What is linked here")


def test_the_same_delivery_four_times_and_out_of_order_is_one_run_and_one_comment(world: World) -> None:
    issue = world.issue("trains")
    issue.comment("/train beside=0.1")
    issue.comment("/train beside=0.2")
    issue.says("is good enough", "beside=0.1")
    issue.says("is good enough", "beside=0.2")
    sent = world.deliveries("issue_comment", issue.number)
    asked = sent[:2]
    for delivery in (*reversed(asked), *asked, *reversed(asked)):
        world.redeliver(delivery)
    issue.comment("/help train")
    issue.says("Who may")

    assert len(issue.said()) == 3
    issue.comment("/status")
    table = issue.says("What is linked here")
    assert len([line for line in table.splitlines() if "/runs/" in line]) == 2
