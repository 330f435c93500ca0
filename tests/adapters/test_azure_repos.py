"""Azure Repos through the real client, over the wire: what is read, what is written once, and what servers do wrong."""

import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bot.adapters.azure_repos import AzureRepos
from bot.events import CommentPosted, PullRequestClosed, TextChanged
from bot.playground.azure import AzureDevOps
from bot.playground.azure.pull_requests import abandon
from bot.playground.azure.repositories import PullRequest as Theirs
from bot.playground.azure.repositories import Repository
from bot.playground.faults import Fault, Faults, Kind
from bot.playground.server import free_port, serve
from bot.ports import Check, Conclusion, Denied, Mark, Permission, Unavailable
from bot.refs import Ref

PLACE = "Bikes/model"


class Place:
    """An organisation with one repository and one pull request, and our adapter."""

    def __init__(self, folder: Path) -> None:
        port = free_port()
        self.org, self.faults = AzureDevOps(f"http://127.0.0.1:{port}/Fabrikam"), Faults()
        self.running = serve(self.org.wsgi(faults=self.faults), port=port)
        self.project = self.org.create_project("Bikes")
        people = [self.org.person(name, f"{name.lower()}@example.com") for name in ("Mira", "Jonas", "Robot")]
        self.mira, self.jonas, self.robot = people
        for person in people:
            self.project.join(person, admin=person is self.jonas)
        self.repository: Repository = self.org.create_repository(self.project, "model")
        self.org.push(self.repository, "main", {"a": b"1\n"}, "Start", self.mira)
        self.head = self.org.push(self.repository, "change", {"a": b"2\n"}, "Change", self.mira)
        self.pull: Theirs = self.org.open_pull_request(self.repository, "change", "main", "A change", self.mira)
        self.ref = Ref("repos", PLACE, self.pull.id)
        token = self.org.personal_token(self.robot)
        self.repos = AzureRepos(self.org.base_url, token, cache=folder, environ=os.environ, timeout=5)

    def ours(self) -> list[str]:
        return [c.text for t in self.pull.threads for c in t.comments if c.by == self.robot and not c.deleted]


@pytest.fixture(name="place")
def a_place(tmp_path: Path) -> Iterator[Place]:
    it = Place(tmp_path)
    yield it
    it.running.close()
    it.org.close()


def check(place: Place, conclusion: Conclusion, title: str = "Fine") -> Check:
    return Check(place.head, "lifecycle / line", "x", conclusion, title, "Words", "https://bot.example.org/runs/1")


def test_a_pull_request_is_read_as_it_is(place: Place) -> None:
    pull = place.repos.pull(place.ref)
    assert (pull.head, pull.base_branch, pull.author) == (place.head, "main", "mira@example.com")
    assert (pull.open, pull.draft, pull.from_fork, pull.merged_as) == (True, False, False, None)
    assert pull.url.endswith(f"/Bikes/_git/model/pullrequest/{place.pull.id}")
    assert [one.ref for one in place.repos.open_pulls(PLACE)] == [place.ref]
    assert place.repos.head(PLACE).commit == place.repository.git.refs()["refs/heads/main"]
    assert place.repos.head(PLACE, "change").commit == place.head
    with pytest.raises(Denied, match="no branch nothing"):
        place.repos.head(PLACE, "nothing")
    with pytest.raises(Denied):
        place.repos.pull(Ref("repos", PLACE, 999))


def test_permissions_are_those_of_the_team(place: Place) -> None:
    levels = {name: place.repos.permission(place.ref, f"{name}@example.com") for name in ("mira", "jonas", "sam")}
    assert levels == {"mira": Permission.WRITE, "jonas": Permission.MAINTAIN, "sam": Permission.READ}


def test_one_thread_is_kept_and_edited_also_by_an_adapter_that_remembers_nothing(place: Place, tmp_path: Path) -> None:
    place.repos.say(place.ref, "run-1", "one")
    place.repos.say(place.ref, "run-1", "two")
    token = place.org.personal_token(place.robot)
    AzureRepos(place.org.base_url, token, cache=tmp_path).say(place.ref, "run-1", "three")
    (only,) = place.ours()
    assert only.endswith("three")
    assert [thread.status for thread in place.pull.threads] == ["closed"]


@pytest.mark.parametrize("kind", [Kind.AFTER, Kind.HANGUP_AFTER])
def test_a_comment_whose_answer_was_lost_is_found_and_not_repeated(place: Place, kind: Kind) -> None:
    place.faults.add(Fault(kind, path=r"/threads", method="POST", status=502))
    place.repos.say(place.ref, "run-1", "one")
    assert len(place.ours()) == 1


def test_a_status_is_set_on_the_commit_and_its_pull_request_once(place: Place) -> None:
    for _ in range(2):
        place.repos.check(PLACE, check(place, Conclusion.RUNNING, "Training"))
    for _ in range(2):
        place.repos.check(PLACE, check(place, Conclusion.SUCCESS))
    assert [one.state for one in place.repository.statuses[place.head]] == ["pending", "succeeded"]
    assert [(one.state, one.name) for one in place.pull.statuses] == [
        ("pending", "lifecycle / line"),
        ("succeeded", "lifecycle / line"),
    ]


def test_labels_come_and_go_and_nothing_happens_twice(place: Place) -> None:
    for _ in range(2):
        place.repos.label(place.ref, "needs-human", True)
    assert place.pull.labels == ["needs-human"]
    for _ in range(2):
        place.repos.label(place.ref, "needs-human", False)
    assert place.pull.labels == []


def test_comments_are_read_in_order_and_liked_when_seen(place: Place) -> None:
    first = place.org.comment_on_pull_request(place.pull, "/train", place.mira)
    place.repos.say(place.ref, "answer", "Yes.")
    found = place.repos.comments(place.ref)
    assert [(one.author, one.author_is_bot) for one in found] == [
        ("mira@example.com", False),
        ("robot@example.com", True),
    ]
    place.repos.acknowledge(place.ref, found[0].id, Mark.SEEN)
    place.repos.acknowledge(place.ref, found[0].id, Mark.SEEN)
    assert first.comments[0].likes == [place.robot]
    place.repos.acknowledge(place.ref, "77.1", Mark.SEEN)  # it was deleted: no need to say so


def test_git_gets_an_address_and_a_credential_that_no_text_shows(place: Place) -> None:
    source = place.repos.source(PLACE)
    user, secret = source.credential() or ("", "")
    assert source.url.endswith("/Bikes/_git/model")
    assert user
    assert secret not in repr(source)


@pytest.mark.parametrize(("fault", "wrong"), [
    (Fault(Kind.STATUS, path="/pullrequests/", status=503, times=None), Unavailable),
    (Fault(Kind.STATUS, path="/pullrequests/", status=401, times=None), Unavailable),
    (Fault(Kind.STATUS, path="/pullrequests/", status=403, times=None), Denied),
])  # fmt: skip
def test_what_goes_wrong_is_one_sentence(place: Place, fault: Fault, wrong: type[Exception]) -> None:
    place.faults.add(fault)
    with pytest.raises(wrong, match=r"^Azure DevOps .*\.?$"):
        place.repos.pull(place.ref)


def test_what_was_said_and_closed_while_nobody_listened_is_told(place: Place) -> None:
    org, since = place.org, datetime.now(UTC) - timedelta(minutes=1)
    place.pull.description = "Begins #7"
    org.comment_on_pull_request(place.pull, "/validate", place.mira)
    place.repos.say(place.ref, "run-1", "ours")
    org.push(place.repository, "other", {"a": b"3\n"}, "Other", place.mira)
    other = org.open_pull_request(place.repository, "other", "main", "Other", place.mira)
    org.comment_on_pull_request(other, "/status", place.jonas)
    abandon(org, other, place.mira)
    found = place.repos.since(PLACE, since)
    comments = [event for event in found.events if isinstance(event, CommentPosted)]
    assert [(one.ref, one.body, one.author) for one in comments] == [
        (str(place.ref), "/validate", "mira@example.com"),
        (f"repos:{PLACE}!{other.id}", "/status", "jonas@example.com"),
    ]
    assert [event.ref for event in found.events if isinstance(event, PullRequestClosed)] == [comments[1].ref]
    assert [event.body for event in found.events if isinstance(event, TextChanged)] == ["Begins #7"]
    assert place.repos.since(PLACE, datetime.now(UTC) + timedelta(minutes=1)).until is None
