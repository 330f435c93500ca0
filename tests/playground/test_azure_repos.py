"""Azure Repos: git over HTTP, pull requests that really merge, statuses, threads, and their hooks."""

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
from azure.devops.exceptions import AzureDevOpsServiceError
from azure.devops.v7_1.git.models import (
    Comment,
    GitPullRequest,
    GitPullRequestCommentThread,
    GitPullRequestSearchCriteria,
    GitPullRequestStatus,
    GitStatus,
    GitStatusContext,
    IdentityRefWithVote,
)

from bot.playground.azure.repositories import PullRequest, Repository
from tests.playground.azure_fixtures import Receiver, World, agile_world, hook_receiver, op  # noqa: F401 (fixtures)

EVENTS = ["git.push", "git.pullrequest.created", "git.pullrequest.updated", "git.pullrequest.merged"]
COMMENTED = "ms.vss-code.git-pullrequest-comment-event"


@pytest.fixture(name="repo")
def filled_repository(world: World) -> Repository:
    repo = world.org.create_repository(world.project, "bikes model")
    world.org.push(repo, "main", {"train.py": b"print(1)\n"}, "Start", world.ada)
    return repo


@pytest.fixture(name="pull")
def open_pull(world: World, repo: Repository) -> PullRequest:
    world.org.push(repo, "better", {"train.py": b"print(2)\n"}, "Improve", world.mira)
    return world.org.open_pull_request(repo, "better", "main", "Improve it", world.mira)


def git(world: World, *words: str, where: Path, token: str | None = None) -> str:
    keep = {name: os.environ[name] for name in ("PATH",) if name in os.environ}
    settings = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_TERMINAL_PROMPT": "0", "HOME": str(where)}
    who = ["-c", "user.name=Mira", "-c", "user.email=mira@example.com"]
    done = subprocess.run(
        ["git", *who, *words], cwd=where, capture_output=True, text=True, env=keep | settings, check=False
    )
    if done.returncode:
        raise RuntimeError(done.stderr)
    return done.stdout.strip()


def address(world: World, repo: Repository, token: str) -> str:
    return repo.remote_url(world.org).replace("http://", f"http://any:{token}@")


def heard(receiver: Receiver, event: str) -> list[dict[str, Any]]:
    return [body for body in (json.loads(delivery.body) for delivery in receiver.got) if body["eventType"] == event]


def test_clone_and_push_over_http(world: World, repo: Repository, receiver: Receiver, tmp_path: Path) -> None:
    world.org.subscribe("git.push", receiver.url, world.ada, project=world.project, filters={"branch": "main"})
    token = world.org.personal_token(world.mira)
    git(world, "clone", "-q", address(world, repo, token), "work", where=tmp_path)
    work = tmp_path / "work"
    assert (work / "train.py").read_text() == "print(1)\n"
    (work / "new.txt").write_text("x" * 300_000)
    git(world, "add", ".", where=work)
    git(world, "commit", "-q", "-m", "A new file", where=work)
    git(world, "push", "-q", "origin", "HEAD:main", "HEAD:other", where=work)
    assert world.org.drain()
    sha = git(world, "rev-parse", "HEAD", where=work)
    (push,) = heard(receiver, "git.push")
    assert push["resource"]["pushedBy"]["uniqueName"] == "mira@example.com"
    assert {update["name"]: update["newObjectId"] for update in push["resource"]["refUpdates"]} == {
        "refs/heads/main": sha,
        "refs/heads/other": sha,
    }
    assert push["resource"]["commits"][0]["comment"] == "A new file"


def test_git_without_a_good_token_is_refused(world: World, repo: Repository, tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match=r"could not read Username|Authentication failed"):
        git(world, "clone", "-q", repo.remote_url(world.org), "work", where=tmp_path)
    with pytest.raises(RuntimeError, match="Authentication failed"):
        git(world, "clone", "-q", address(world, repo, "wrong"), "work", where=tmp_path)


def test_repositories_refs_commits_and_files(world: World, repo: Repository) -> None:
    client = world.client("git")
    assert [found.name for found in client.get_repositories("Bikes")] == ["bikes model"]
    assert client.get_repository("bikes model", project="Bikes").default_branch == "refs/heads/main"
    (ref,) = client.get_refs(repo.id, filter="heads/main")
    commit = client.get_commit(ref.object_id, repo.id)
    assert (commit.comment, commit.author.email) == ("Start", "ada@example.com")
    assert client.get_item(repo.id, "/train.py", include_content=True).content == "print(1)\n"
    with pytest.raises(AzureDevOpsServiceError, match="could not be found"):
        client.get_item(repo.id, "/nothing.py")
    with pytest.raises(AzureDevOpsServiceError, match="TF401019"):
        client.get_repository("cars", project="Bikes")
    with pytest.raises(AzureDevOpsServiceError, match="TF401175"):
        client.get_commit("0" * 40, repo.id)


def test_a_pull_request_from_opening_to_completion(world: World, repo: Repository, receiver: Receiver) -> None:
    for event in EVENTS:
        world.org.subscribe(event, receiver.url, world.ada, project=world.project)
    world.org.push(repo, "better", {"train.py": b"print(2)\n"}, "Improve", world.mira)
    client = world.client("git")
    wish = GitPullRequest(title="Improve it", source_ref_name="refs/heads/better", target_ref_name="refs/heads/main")
    pull = client.create_pull_request(wish, repo.id)
    assert (pull.status, pull.merge_status) == ("active", "succeeded")
    stale = GitPullRequest(status="completed", last_merge_source_commit=pull.last_merge_target_commit)
    with pytest.raises(AzureDevOpsServiceError, match="stale"):
        client.update_pull_request(stale, repo.id, pull.pull_request_id)
    done = GitPullRequest(status="completed", last_merge_source_commit=pull.last_merge_source_commit)
    closed = client.update_pull_request(done, repo.id, pull.pull_request_id)
    assert (closed.status, closed.closed_by.unique_name) == ("completed", "bot@example.com")
    assert repo.git.refs()["refs/heads/main"] == closed.last_merge_commit.commit_id
    assert client.get_item(repo.id, "/train.py", include_content=True).content == "print(2)\n"
    assert world.org.drain()
    assert len(heard(receiver, "git.pullrequest.created")) == 1
    (updated,) = heard(receiver, "git.pullrequest.updated")
    assert (updated["resource"]["status"], updated["resource"]["pullRequestId"]) == ("completed", 1)
    (merged,) = heard(receiver, "git.pullrequest.merged")  # the trial merge, long before completion
    assert merged["resource"]["status"] == "active"
    assert len(heard(receiver, "git.push")) == 2


def test_pushing_to_it_makes_an_iteration(world: World, pull: PullRequest, receiver: Receiver) -> None:
    filters = {"notificationType": "PushNotification"}
    world.org.subscribe("git.pullrequest.updated", receiver.url, world.ada, filters=filters)
    sha = world.org.push(pull.repository, "better", {"more.py": b"1"}, "More", world.mira)
    client = world.client("git")
    iterations = client.get_pull_request_iterations(pull.repository.id, pull.id)
    assert [entry.source_ref_commit.commit_id for entry in iterations][-1] == sha
    assert [commit.comment for commit in client.get_pull_request_commits(pull.repository.id, pull.id)] == [
        "More",
        "Improve",
    ]
    assert world.org.drain()
    assert heard(receiver, "git.pullrequest.updated")[0]["resource"]["lastMergeSourceCommit"]["commitId"] == sha


def test_conflicts_block_completion(world: World, pull: PullRequest) -> None:
    world.org.push(pull.repository, "main", {"train.py": b"print(3)\n"}, "Elsewhere", world.ada)
    client = world.client("git")
    now = client.get_pull_request_by_id(pull.id)
    assert now.merge_status == "conflicts"
    done = GitPullRequest(status="completed", last_merge_source_commit=now.last_merge_source_commit)
    with pytest.raises(AzureDevOpsServiceError, match="conflicts"):
        client.update_pull_request(done, pull.repository.id, pull.id)


def test_abandoning_and_coming_back(world: World, pull: PullRequest) -> None:
    client, repo = world.client("git"), pull.repository.id
    client.update_pull_request(GitPullRequest(status="abandoned"), repo, pull.id)
    assert client.get_pull_requests(repo, GitPullRequestSearchCriteria()) == []
    assert len(client.get_pull_requests(repo, GitPullRequestSearchCriteria(status="all"))) == 1
    assert client.update_pull_request(GitPullRequest(status="active"), repo, pull.id).status == "active"
    twice = GitPullRequest(title="Twice", source_ref_name="refs/heads/better", target_ref_name="refs/heads/main")
    with pytest.raises(AzureDevOpsServiceError, match="TF401179"):
        client.create_pull_request(twice, repo)


def test_statuses_of_pull_requests_and_commits(world: World, pull: PullRequest) -> None:
    client, repo = world.client("git"), pull.repository.id
    context = GitStatusContext(genre="lifecycle", name="bike-demand")
    for state in ("pending", "failed"):
        status = GitPullRequestStatus(context=context, state=state, description="worse", target_url="https://e.com/1")
        made = client.create_pull_request_status(status, repo, pull.id)
    assert (made.id, made.state, made.created_by.unique_name) == (2, "failed", "bot@example.com")
    assert [entry.state for entry in client.get_pull_request_statuses(repo, pull.id)] == ["pending", "failed"]
    for state in ("pending", "succeeded"):
        client.create_commit_status(GitStatus(context=context, state=state), pull.source_commit, repo)
    (latest,) = client.get_statuses(pull.source_commit, repo, latest_only=True)
    assert (latest.state, latest.context.genre) == ("succeeded", "lifecycle")
    with pytest.raises(AzureDevOpsServiceError, match="VS402337"):
        client.create_commit_status(GitStatus(context=context, state="splendid"), pull.source_commit, repo)


def test_threads_and_the_two_versions_of_their_event(world: World, pull: PullRequest, receiver: Receiver) -> None:
    for version in ("1.0", "2.0"):
        world.org.subscribe(COMMENTED, receiver.url, world.ada, resource_version=version)
    client, repo = world.client("git"), pull.repository.id
    first = Comment(content="| a |\n|---|\n| 1 |", comment_type="text", parent_comment_id=0)
    thread = client.create_thread(GitPullRequestCommentThread(comments=[first], status="active"), repo, pull.id)
    client.create_comment(Comment(content="/train", comment_type=1), repo, pull.id, thread.id)
    client.update_comment(Comment(content="edited"), repo, pull.id, thread.id, 1)
    client.delete_comment(repo, pull.id, thread.id, 2)
    client.update_thread(GitPullRequestCommentThread(status="fixed"), repo, pull.id, thread.id)
    (read,) = client.get_threads(repo, pull.id)
    assert (read.status, read.comments[0].content, read.comments[1].is_deleted) == ("fixed", "edited", True)
    assert world.org.drain()
    events = heard(receiver, COMMENTED)
    old = [event["resource"] for event in events if event["resourceVersion"] == "1.0"]
    new = [event["resource"] for event in events if event["resourceVersion"] == "2.0"]
    assert [resource.get("content") for resource in old] == [first.content, "/train", "edited", None]
    assert {resource["pullRequest"]["pullRequestId"] for resource in new} == {pull.id}
    assert new[1]["comment"]["author"]["uniqueName"] == "bot@example.com"
    assert new[1]["pullRequest"]["createdBy"]["uniqueName"] == "mira@example.com"
    assert new[3]["comment"]["isDeleted"] is True
    assert f"/threads/{thread.id}" in old[0]["_links"]["threads"]["href"]
    assert "has edited a pull request comment" in [event["message"]["text"].split(" ", 2)[2] for event in events]


def test_nobody_edits_anothers_comment_or_votes_for_them(world: World, pull: PullRequest) -> None:
    thread = world.org.comment_on_pull_request(pull, "Mine", world.mira)
    client, repo = world.client("git"), pull.repository.id
    with pytest.raises(AzureDevOpsServiceError, match="TF401027"):
        client.update_comment(Comment(content="Yours"), repo, pull.id, thread.id, 1)
    with pytest.raises(AzureDevOpsServiceError, match="TF401186"):
        client.create_pull_request_reviewer(IdentityRefWithVote(vote=10), repo, pull.id, world.mira.id)
    client.create_pull_request_reviewer(IdentityRefWithVote(vote=10), repo, pull.id, world.bot.id)
    assert [(found.unique_name, found.vote) for found in client.get_pull_request_reviewers(repo, pull.id)] == [
        ("bot@example.com", 10)
    ]


def test_work_items_linked_to_a_pull_request(world: World, pull: PullRequest) -> None:
    item = world.org.create_item(world.project, "Task", world.mira, **{"System.Title": "Improve"})
    client = world.client("git")
    artifact = client.get_pull_request_by_id(pull.id).artifact_id.replace("%2F", "%2f")
    link = {"rel": "ArtifactLink", "url": artifact, "attributes": {"name": "Pull Request"}}
    world.wit().update_work_item([op("/relations/-", link)], item.id)
    assert [ref.id for ref in client.get_pull_request_work_item_refs(pull.repository.id, pull.id)] == [str(item.id)]
    with pytest.raises(AzureDevOpsServiceError, match="already exists"):
        world.wit().update_work_item([op("/relations/-", {**link, "url": artifact.replace("%2f", "%2F")})], item.id)
