"""Pull requests: they follow their branches, merge for real in git, and come from forks."""

from pathlib import Path

import pytest
from github import GithubException

from tests.playground.github_stage import (
    REPOSITORY,
    Stage,
    git,
    github_stage,  # noqa: F401 (a fixture)
)


def propose(stage: Stage, branch: str = "deeper", text: str = "print(2)\n", draft: bool = False) -> int:
    stage.world.push("mira", stage.repo, branch, {"train.py": text}, "Go deeper")
    return stage.world.pull_open("mira", stage.repo, "Deeper", branch, draft=draft).number


def test_opening_one(stage: Stage) -> None:
    stage.world.push("mira", stage.repo, "deeper", {"train.py": "print(2)\n", "new.py": "1\n"}, "Go deeper")
    repo = stage.repository()
    pull = repo.create_pull("main", "deeper", title="Deeper", body="Because", draft=True)
    assert (pull.head.label, pull.base.ref, pull.draft, pull.commits) == ("octo:deeper", "main", True, 1)
    assert pull.head.sha == repo.get_branch("deeper").commit.sha
    assert [(one.filename, one.status, one.additions) for one in pull.get_files()] == [
        ("new.py", "added", 1),
        ("train.py", "modified", 1),
    ]
    assert [one.commit.message for one in pull.get_commits()] == ["Go deeper"]
    assert [one.number for one in repo.get_pulls(head="octo:deeper", base="main")] == [1]
    assert [one.number for one in repo.get_pulls(head="octo:else")] == []
    for head, message in (("deeper", "already exists"), ("nowhere", "invalid"), ("main", "No commits between")):
        with pytest.raises(GithubException) as refused:
            repo.create_pull("main", head, title="Again")
        assert refused.value.status == 422
        assert message in str(refused.value.data)


def test_mergeable_is_null_at_the_first_look(stage: Stage) -> None:
    repo = stage.repository()
    number = propose(stage)
    assert [repo.get_pull(number).mergeable for _ in range(2)] == [None, True]
    assert repo.get_git_ref(f"pull/{number}/merge").object.sha == repo.get_pull(number).merge_commit_sha
    stage.world.push("jonas", stage.repo, "main", {"train.py": "print(3)\n"}, "Meanwhile")
    looks = [repo.get_pull(number) for _ in range(2)]
    assert [(one.mergeable, one.mergeable_state) for one in looks] == [(None, "unknown"), (False, "dirty")]
    with pytest.raises(GithubException) as refused:
        repo.get_pull(number).merge()
    assert refused.value.status == 405


def test_merging_happens_in_git(stage: Stage) -> None:
    repo = stage.repository()
    number = propose(stage)
    stage.world.push("jonas", stage.repo, "main", {"other.py": "1\n"}, "Meanwhile")
    pull = repo.get_pull(number)
    with pytest.raises(GithubException) as refused:
        pull.merge(sha="0" * 40)
    assert refused.value.status == 409
    done = pull.merge(commit_title="Take it")
    assert done.merged
    assert repo.get_branch("main").commit.sha == done.sha
    commit = repo.get_commit(done.sha)
    assert len(commit.parents) == 2
    assert commit.commit.message.startswith("Take it")
    assert repo.get_contents("train.py").decoded_content == b"print(2)\n"  # type: ignore[union-attr]
    assert repo.get_contents("other.py")
    again = repo.get_pull(number)
    assert (again.merged, again.state, again.merged_by.login) == (True, "closed", "mira")
    assert again.is_merged()
    with pytest.raises(GithubException):
        again.edit(state="open")


def test_squashing_makes_one_commit_with_one_parent(stage: Stage) -> None:
    repo = stage.repository()
    number = propose(stage)
    stage.world.push("mira", stage.repo, "deeper", {"train.py": "print(4)\n"}, "Still deeper")
    done = repo.get_pull(number).merge(merge_method="squash")
    assert len(repo.get_commit(done.sha).parents) == 1
    assert repo.get_commit(done.sha).commit.message == f"Deeper (#{number})"


def test_only_writers_merge(stage: Stage) -> None:
    number = propose(stage)
    with pytest.raises(GithubException) as refused:
        stage.repository("sam").get_pull(number).merge()
    assert refused.value.status == 403


def test_a_push_moves_the_head_and_a_deleted_branch_closes(stage: Stage) -> None:
    repo = stage.repository()
    number = propose(stage)
    sha = stage.world.push("mira", stage.repo, "deeper", {"train.py": "print(4)\n"}, "Still deeper")
    assert repo.get_pull(number).head.sha == sha
    repo.get_git_ref("heads/deeper").delete()
    assert repo.get_pull(number).state == "closed"


def test_a_base_that_swallows_the_head_merges_it(stage: Stage) -> None:
    number = propose(stage)
    head = stage.world.pull(REPOSITORY, number)[1].head_sha
    stage.world.set_branch("jonas", stage.repo, "main", head)
    assert stage.repository().get_pull(number).merged


def test_a_fork_and_its_end(stage: Stage, tmp_path: Path) -> None:
    stranger = stage.client("stranger")
    fork = stranger.get_user().create_fork(stage.repository("stranger"))
    assert (fork.full_name, fork.fork, fork.parent.full_name) == ("stranger/bikes", True, REPOSITORY)
    stage.world.push("stranger", "stranger/bikes", "patch", {"train.py": "import os\n"}, "Trust me")
    pull = stage.repository("stranger").create_pull("main", "stranger:patch", title="Trust me")
    assert (pull.head.repo.full_name, pull.base.repo.full_name) == ("stranger/bikes", REPOSITORY)
    assert (pull.user.login, pull.raw_data["author_association"]) == ("stranger", "NONE")
    # The commit can be fetched from the base repository, by its sha and by refs/pull.
    git("init", "-q", ".", at=tmp_path)
    git("fetch", "-q", stage.address(), pull.head.sha, at=tmp_path)
    git("fetch", "-q", stage.address(), f"refs/pull/{pull.number}/head", at=tmp_path)
    stage.world.delete_repo("stranger/bikes")
    orphan = stage.repository().get_pull(pull.number)
    assert orphan.head.repo is None
    assert (orphan.head.sha, orphan.state) == (pull.head.sha, "open")


def test_drafts_and_reviews(stage: Stage) -> None:
    number = propose(stage, draft=True)
    with pytest.raises(GithubException) as refused:
        stage.repository().get_pull(number).merge()
    assert refused.value.status == 405
    stage.world.set_draft("mira", REPOSITORY, number, draft=False)
    stage.repository("jonas").get_pull(number).create_review(event="APPROVE", body="Good")
    with pytest.raises(GithubException) as refused:
        stage.repository("mira").get_pull(number).create_review(event="APPROVE")
    assert refused.value.status == 422
    reviews = list(stage.repository().get_pull(number).get_reviews())
    assert [(one.user.login, one.state) for one in reviews] == [("jonas", "APPROVED")]
    assert stage.repository().get_pull(number).merge().merged
