"""The real git over HTTP: cloning, pushing, what is refused, and the webhooks of a push."""

import os
from pathlib import Path

from tests.playground.github_stage import (
    REPOSITORY,
    Stage,
    git,
    github_stage,  # noqa: F401 (a fixture)
)


def cloned(stage: Stage, tmp_path: Path, login: str | None = "mira") -> Path:
    git("clone", "-q", stage.address(login), "clone", at=tmp_path)
    return tmp_path / "clone"


def test_a_clone_and_a_push(stage: Stage, tmp_path: Path) -> None:
    stage.app()
    clone = cloned(stage, tmp_path)
    assert (clone / "train.py").read_text() == "print(1)\n"
    git("checkout", "-q", "-b", "fix/deeper", at=clone)
    (clone / "train.py").write_text("print(2)\n")
    (clone / "new.py").write_text("1\n")
    git("add", ".", at=clone)
    git("commit", "-q", "-m", "Go deeper", at=clone)
    git("push", "-q", "origin", "fix/deeper", at=clone)
    sha = git("rev-parse", "HEAD", at=clone).strip()
    assert stage.repository().get_branch("fix/deeper").commit.sha == sha
    assert stage.events() == ["push"]
    push = stage.ear.heard[-1].body
    assert (push["ref"], push["after"], push["created"], push["forced"]) == ("refs/heads/fix/deeper", sha, True, False)
    assert push["before"] == "0" * 40
    assert [(one["message"], one["added"], one["modified"]) for one in push["commits"]] == [
        ("Go deeper", ["new.py"], ["train.py"])
    ]
    assert push["pusher"]["name"] == "mira"


def test_a_pull_request_follows_a_push_and_a_forced_one(stage: Stage, tmp_path: Path) -> None:
    stage.app()
    stage.world.push("mira", stage.repo, "deeper", {"train.py": "print(2)\n"}, "Go deeper")
    issue = stage.world.pull_open("mira", stage.repo, "Deeper", "deeper")
    clone = cloned(stage, tmp_path)
    git("checkout", "-q", "deeper", at=clone)
    git("commit", "-q", "--amend", "-m", "Otherwise", at=clone)
    git("push", "-q", "--force", "origin", "deeper", at=clone)
    sha = git("rev-parse", "HEAD", at=clone).strip()
    assert stage.events() == ["create", "push", "pull_request.opened", "push", "pull_request.synchronize"][1:]
    push, moved = (heard.body for heard in stage.ear.heard[-2:])
    assert push["forced"] is True
    assert (moved["after"], moved["pull_request"]["head"]["sha"]) == (sha, sha)
    assert moved["before"] == push["before"]
    assert issue.pull
    assert issue.pull.head_sha == sha
    git("push", "-q", "origin", ":deeper", at=clone)
    assert stage.events()[-2:] == ["push", "pull_request.closed"]


def test_who_may_fetch_and_push(stage: Stage, tmp_path: Path) -> None:
    clone = cloned(stage, tmp_path, None)
    git("commit", "-q", "--allow-empty", "-m", "x", at=clone)
    for login in ("sam", "stranger"):
        assert "denied" in git("push", "-q", stage.address(login), "main", at=clone, fails=True)
    assert "could not read Username" in git("push", "-q", stage.address(), "main", at=clone, fails=True)
    stage.repo.private = True
    git("ls-remote", stage.address("sam"), at=tmp_path)
    for login in (None, "stranger"):
        git("ls-remote", stage.address(login), at=tmp_path, fails=True)
    git("ls-remote", stage.address("sam").replace("ghp_", "ghp_0"), at=tmp_path, fails=True)


def test_an_apps_token_clones_and_needs_contents_write_to_push(stage: Stage, tmp_path: Path) -> None:
    stage.repo.private = True
    token = stage.world.installation_token(stage.app().installations[0]).secret
    address = stage.address().replace("http://", f"http://x-access-token:{token}@")
    git("clone", "-q", address, "clone", at=tmp_path)
    git("commit", "-q", "--allow-empty", "-m", "x", at=tmp_path / "clone")
    assert "denied" in git("push", "-q", "origin", "main", at=tmp_path / "clone", fails=True)


def test_a_push_of_megabytes_comes_in_chunks(stage: Stage, tmp_path: Path) -> None:
    clone = cloned(stage, tmp_path)
    content = os.urandom(3_000_000)  # beyond http.postBuffer git sends Transfer-Encoding: chunked
    (clone / "model.bin").write_bytes(content)
    git("add", ".", at=clone)
    git("commit", "-q", "-m", "Add a model", at=clone)
    git("push", "-q", "origin", "main", at=clone)
    git("clone", "-q", "--depth", "1", stage.address(), "second", at=tmp_path)
    assert (tmp_path / "second" / "model.bin").read_bytes() == content


def test_refs_of_pull_requests_cannot_be_pushed(stage: Stage, tmp_path: Path) -> None:
    clone = cloned(stage, tmp_path)
    git("push", "-q", "origin", "HEAD:refs/pull/1/head", at=clone, fails=True)
    git("push", "-q", "origin", "HEAD:refs/tags/v1", at=clone)
    assert stage.call("GET", f"/repos/{REPOSITORY}/commits/v1").status_code == 200


def test_a_renamed_repository_still_clones(stage: Stage, tmp_path: Path) -> None:
    stage.world.rename_repo(REPOSITORY, "bicycles")
    git("clone", "-q", stage.address(), "clone", at=tmp_path)
    assert (tmp_path / "clone" / "train.py").exists()
