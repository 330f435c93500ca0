"""A model that is kept on Azure Repos: its pull requests get statuses, its threads answers, its board the card."""

from collections.abc import Mapping
from typing import Any

import pytest

from bot.playground.azure.people import Person
from bot.playground.azure.pull_requests import abandon, complete
from bot.playground.azure.repositories import PullRequest, Repository, find_repository
from tests.stories.repository import LINE, beside, files, slow
from tests.stories.world import World

pytestmark = pytest.mark.xdist_group("stories-2")
PLACE = "git/repositories/model"
CONTEXT = "lifecycle / line"


class Azure:
    """The repository, as people act on it and as its API shows it."""

    def __init__(self, world: World) -> None:
        self.world, self.org = world, world.stage.azure
        self.mira = self.org.person("Mira Holm", "mira@example.com")
        self.jonas = self.org.person("Jonas Berg", "jonas@example.com")
        self.sam = self.org.person("Sam Ek", "sam@example.com")

    @property
    def repository(self) -> Repository:
        return find_repository(self.org, self.world.stage.project, "model")

    def push(self, branch: str, **changed: str | None) -> str:
        content = {name: text.encode() if isinstance(text, str) else text for name, text in files(**changed).items()}
        return self.org.push(self.repository, branch, content, f"Try {branch}", self.mira)

    def pull(self, branch: str, description: str = "") -> PullRequest:
        return self.org.open_pull_request(
            self.repository, branch, "main", f"Try {branch}", self.mira, description=description
        )

    def comment(self, pull: PullRequest, text: str, by: Person | None = None) -> None:
        self.org.comment_on_pull_request(pull, text, by or self.mira)

    def said(self, pull: PullRequest) -> list[str]:
        """The bot's comments, thread by thread."""
        threads = self.world.azure(f"{PLACE}/pullRequests/{pull.id}/threads")["value"]
        return [
            comment["content"]
            for thread in threads
            for comment in thread["comments"]
            if comment["author"]["displayName"] == "lifecycle-bot" and not comment.get("isDeleted")
        ]

    def says(self, pull: PullRequest, *words: str) -> str:
        def look() -> str | None:
            return next((one for one in self.said(pull) if all(word in one for word in words)), None)

        try:
            return self.world.eventually(look, f"{words} on !{pull.id}")
        except AssertionError as error:
            raise AssertionError(f"said was {self.said(pull)}: {error}") from None

    def status(self, commit: str) -> Mapping[str, Any]:
        """The newest status of a commit by the bot."""
        found = self.world.azure(f"{PLACE}/commits/{commit}/statuses?latestOnly=true")["value"]
        return next((one for one in found if one["context"]["name"] == CONTEXT), {})

    def ended(self, commit: str) -> Mapping[str, Any]:
        def look() -> Mapping[str, Any] | None:
            status = self.status(commit)
            return status if status.get("state", "pending") != "pending" else None

        return self.world.eventually(look, f"the status of {commit[:8]}")


@pytest.fixture(scope="module")
def azure(world: World) -> Azure:
    """A version already serves, a little beside the rows."""
    it = Azure(world)
    it.push("first", train=beside(0.3))
    pull = it.pull("first")
    it.comment(pull, "/train")
    it.says(pull, "is good enough", "v1")
    complete(it.org, pull, it.mira, pull.source_commit)
    it.says(pull, "is good enough", "v2")
    it.comment(pull, "/promote v2", by=it.jonas)
    it.says(pull, "serves")
    return it


def test_a_worse_change_fails_its_status_and_a_better_push_passes_in_the_same_thread(azure: Azure) -> None:
    worse = azure.push("change", train=slow(1).replace("BESIDE = 0.0", "BESIDE = 5.0"))
    pull = azure.pull("change")
    status = azure.ended(worse)
    assert status["state"] == "failed"
    assert azure.world.page(status["targetUrl"]).status_code == 200
    report = azure.says(pull, "is worse", worse[:8])
    assert "<details>" not in report
    assert "```mermaid" not in report
    on_pull = azure.world.azure(f"{PLACE}/pullRequests/{pull.id}/statuses")["value"]
    assert [one["state"] for one in on_pull if one["context"]["genre"] == "lifecycle-bot"][-1] == "failed"

    better = azure.push("change", train=beside(0.0) + "# better\n")
    assert azure.ended(better)["state"] == "succeeded"
    azure.says(pull, "is good enough", better[:8])
    assert len(azure.said(pull)) == 1


def test_a_failed_report_is_accepted_by_a_second_person_who_may_and_by_nobody_else(azure: Azure) -> None:
    commit = azure.push("accepted", train=beside(5.0) + "# accepted\n")
    pull = azure.pull("accepted")
    assert azure.ended(commit)["state"] == "failed"
    azure.says(pull, "is worse", commit[:8])
    azure.comment(pull, "/accept", by=azure.sam)
    azure.says(pull, "accept", "write")
    azure.comment(pull, "/accept")
    azure.says(pull, "It takes two people")
    assert azure.status(commit)["state"] == "failed"
    azure.comment(pull, "/accept", by=azure.jonas)
    azure.says(pull, "Accepted as it is: what")
    azure.world.eventually(lambda: azure.status(commit)["state"] == "notApplicable", "it blocks nobody")
    told = azure.says(pull, "**Accepted as it is** by", commit[:8])
    assert "is worse" in told
    status = azure.status(commit)
    assert status["description"].startswith("Accepted as it is by jonas@example.com.")
    assert "<b>Accepted as it is</b> by <bdi>jonas@example.com</bdi>" in azure.world.page(status["targetUrl"]).text


def test_commands_are_answered_where_they_are_asked_and_strangers_are_refused(azure: Azure) -> None:
    azure.push("talk", line=LINE + "\n# words\n")
    pull = azure.pull("talk")
    azure.comment(pull, "/trian line")
    azure.says(pull, "/train")
    azure.comment(pull, "/train", by=azure.sam)
    azure.says(pull, "write")
    azure.comment(pull, "/status")
    azure.says(pull, "Run")
    threads = azure.world.azure(f"{PLACE}/pullRequests/{pull.id}/threads")["value"]
    mine = [one for one in threads if one["comments"][0]["author"]["displayName"] == "lifecycle-bot"]
    assert {one["status"] for one in mine} == {"closed"}  # an open thread would keep people from completing

    def liked() -> set[str]:
        threads = azure.world.azure(f"{PLACE}/pullRequests/{pull.id}/threads")["value"]
        return {one["content"] for thread in threads for one in thread["comments"] if one["usersLiked"]}

    azure.world.eventually(lambda: liked() == {"/trian line", "/train", "/status"}, "every command is noticed")


def test_work_items_named_in_a_pull_request_are_linked_with_it(azure: Azure) -> None:
    item = azure.world.new_item("Plan the change")
    azure.push("linked", line=LINE + "\n# linked\n")
    pull = azure.pull("linked", f"As planned in #{item.number}.")
    page = f"{azure.repository.remote_url(azure.org)}/pullrequest/{pull.id}"
    azure.world.eventually(lambda: page in item.urls(), f"{page} on AB#{item.number}")


def test_an_abandoned_pull_request_ends_its_run(azure: Azure) -> None:
    commit = azure.push("left", train=slow(600))
    pull = azure.pull("left")
    azure.world.eventually(lambda: azure.status(commit).get("state") == "pending", "it is in progress")
    abandon(azure.org, pull, azure.mira)
    assert azure.ended(commit)["state"] == "error"
