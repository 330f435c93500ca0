"""Webhooks that get lost while the bot runs are a delay of one sweep."""

import pytest

from tests.stories.repository import LINE
from tests.stories.test_azure_repos import Azure
from tests.stories.test_lost import cursor, dropped
from tests.stories.world import World

pytestmark = pytest.mark.xdist_group("stories-1")


def test_lost_comments_pushes_and_closes_are_a_delay(world: World) -> None:
    github, azure = world.stage.github.world, world.stage.azure
    world.eventually(lambda: cursor(world, "sweep"), "the first sweep")
    issue, item = world.issue("talks"), world.new_item("Lost")
    world.push("pulls", "closing", line=LINE + "\n# closing\n")
    closing = world.pull("pulls", "closing")
    with dropped(github.courier), dropped(azure.courier):
        issue.comment("/status")
        item.comment("/help train")
        commit = world.push("pulls", "unheard", line=LINE + "\n# unheard\n")
        world.pull("pulls", "unheard")
        github.set_state("mira", github.issue(closing.repo, closing.number), "closed")
        assert github.courier.drain(20)
        assert azure.drain(20)
    issue.says("Nothing is linked")
    item.says("Who may")
    assert world.checked("pulls", commit)["conclusion"] == "success"
    assert len(issue.said()) == 1


def test_a_button_that_only_a_webhook_tells_of_is_sent_again(world: World) -> None:
    github = world.stage.github.world
    commit = world.push("pulls", "pressed", line=LINE + "\n# pressed\n")
    world.pull("pulls", "pressed")
    first = world.checked("pulls", commit)
    (run,) = [one for one in github.check_runs(github.repo_of("octo/pulls")) if one.head_sha == commit]
    with dropped(github.courier):
        github.check_rerequest("jonas", run)
        assert github.courier.drain(20)

    def look() -> bool:
        check = world.check("pulls", commit)
        return check.get("status") == "completed" and check["external_id"] != first["external_id"]

    world.eventually(look, "the check has run again")


def test_lost_pushes_and_words_on_azure_repos_are_a_delay(world: World) -> None:
    there = Azure(world)
    world.eventually(lambda: cursor(world, "repos:Bikes/model"), "the first sweep")
    with dropped(there.org.courier):
        commit = there.push("unheard", line=LINE + "\n# unheard\n")
        pull = there.pull("unheard")
        there.comment(pull, "/help train")
        assert there.org.drain(20)
    there.says(pull, "Who may")
    assert there.ended(commit)["state"] == "succeeded"
    assert len([said for said in there.said(pull) if "Who may" in said]) == 1
