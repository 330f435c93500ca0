"""Repositories, issues, comments, labels and reactions as the real PyGithub sees them, and what GitHub refuses."""

from datetime import UTC, datetime, timedelta

import pytest
from github import GithubException, UnknownObjectException

from tests.playground.github_stage import (
    REPOSITORY,
    Stage,
    github_stage,  # noqa: F401 (a fixture)
)

R = f"/repos/{REPOSITORY}"


def test_a_repository_tells_what_the_asker_may(stage: Stage) -> None:
    assert stage.client("mira").get_user().login == "mira"
    repo = stage.repository("mira")
    assert (repo.full_name, repo.default_branch, repo.private) == (REPOSITORY, "main", False)
    assert (repo.permissions.push, repo.permissions.admin) == (True, False)
    assert stage.repository("ada").permissions.admin
    assert repo.owner.type == "Organization"


@pytest.mark.parametrize(
    ("login", "permission", "role"),
    [
        ("ada", "admin", "admin"),
        ("jonas", "write", "maintain"),
        ("mira", "write", "write"),
        ("tess", "read", "triage"),
        ("sam", "read", "read"),
        ("stranger", "read", "read"),  # a public repository is everybody's to read
    ],
)
def test_permissions_in_githubs_words(stage: Stage, login: str, permission: str, role: str) -> None:
    repo = stage.repository("mira")
    assert repo.get_collaborator_permission(login) == permission
    assert repo.get_collaborator_role_name(login) == role


def test_a_private_repository_is_hidden_from_strangers(stage: Stage) -> None:
    stage.repo.private = True
    assert stage.repository("mira").get_collaborator_permission("stranger") == "none"
    with pytest.raises(UnknownObjectException):
        stage.repository("stranger")
    assert stage.call("GET", R).status_code == 404


def test_code_can_be_read(stage: Stage) -> None:
    repo = stage.repository()
    first = repo.get_branch("main").commit.sha
    assert repo.get_contents("train.py").decoded_content == b"print(1)\n"  # type: ignore[union-attr]
    assert sorted(one.path for one in repo.get_contents("")) == ["README.md", "data", "train.py"]  # type: ignore[union-attr]
    stage.world.push("mira", stage.repo, "deeper", {"train.py": "print(2)\n"}, "Go deeper")
    comparison = repo.compare("main", "deeper")
    assert (comparison.status, comparison.ahead_by, comparison.behind_by) == ("ahead", 1, 0)
    assert [one.filename for one in comparison.files] == ["train.py"]
    assert comparison.merge_base_commit.sha == first
    head = repo.get_commit("deeper")
    assert (head.commit.message, head.author.login, head.stats.total) == ("Go deeper", "mira", 2)
    assert [one.sha for one in repo.get_commits(sha="deeper")] == [head.sha, first]
    assert repo.get_git_ref("heads/deeper").object.sha == head.sha
    with pytest.raises(GithubException, match="No commit found for the ref nowhere") as missing:
        repo.get_contents("train.py", ref="nowhere")
    # PyGithub tells this 404 from "Not Found" by its words.
    assert (missing.value.status, isinstance(missing.value, UnknownObjectException)) == (404, False)


def test_files_can_be_committed_through_the_api(stage: Stage) -> None:
    repo = stage.repository()
    made = repo.create_file("notes/a b.md", "Add a note", "hello")
    assert repo.get_contents("notes/a b.md").decoded_content == b"hello"  # type: ignore[union-attr]
    repo.update_file("notes/a b.md", "Change it", "bye", made["content"].sha)
    with pytest.raises(GithubException) as refused:
        repo.update_file("notes/a b.md", "Too late", "x", made["content"].sha)
    assert refused.value.status == 409


def test_issues_and_pull_requests_share_one_list(stage: Stage) -> None:
    repo = stage.repository()
    issue = repo.create_issue("Predict", "Hourly demand", labels=["ml"], assignees=["mira"])
    stage.world.push("mira", stage.repo, "deeper", {"train.py": "print(2)\n"}, "Go deeper")
    pull = repo.create_pull("main", "deeper", title="Deeper")
    assert (issue.number, pull.number) == (1, 2)
    listed = list(repo.get_issues())
    assert [(one.number, one.pull_request is None) for one in listed] == [(2, False), (1, True)]
    assert [one.number for one in repo.get_issues(labels=["ml"])] == [1]
    issue.edit(title="Predict demand", state="closed", state_reason="not_planned")
    again = repo.get_issue(1)
    assert (again.title, again.state, again.state_reason) == ("Predict demand", "closed", "not_planned")
    assert again.closed_by.login == "mira"
    assert [one.number for one in repo.get_issues(state="closed")] == [1]
    assert [one.number for one in repo.get_issues(since=datetime.now(UTC) + timedelta(hours=1))] == []


def test_comments_come_in_pages(stage: Stage) -> None:
    issue = stage.repository().create_issue("Predict")
    for number in range(65):
        stage.world.comment("mira", stage.repo, 1, f"number {number}")
    assert [one.body for one in issue.get_comments()] == [f"number {number}" for number in range(65)]
    assert issue.get_comments().totalCount == 65
    answer = stage.call("GET", f"{R}/issues/1/comments?per_page=20&page=2")
    assert 'rel="next"' in answer.headers["Link"]
    assert 'rel="last"' in answer.headers["Link"]
    assert "page=4" in answer.headers["Link"]
    assert stage.playground.api in answer.headers["Link"]


def test_comments_since_a_moment_across_the_repository(stage: Stage) -> None:
    early, late = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 2, 1, tzinfo=UTC)
    stage.world.now = lambda: early
    stage.world.issue_open("mira", stage.repo, "One")
    old = stage.world.comment("mira", stage.repo, 1, "old")
    stage.world.now = lambda: late
    stage.world.comment("sam", stage.repo, 1, "new")
    repo = stage.repository()
    assert [one.body for one in repo.get_issues_comments(since=late)] == ["new"]
    stage.world.edit_comment("mira", old, "old, edited")
    found = repo.get_issues_comments(sort="updated", direction="asc", since=late)
    assert [one.body for one in found] == ["old, edited", "new"]


def test_a_comment_is_changed_by_its_author_or_by_a_writer(stage: Stage) -> None:
    stage.repository().create_issue("Predict")
    comment = stage.repository("sam").get_issue(1).create_comment("mine")
    comment.edit("still mine")
    theirs = stage.repository("stranger").get_issue(1).get_comment(comment.id)
    with pytest.raises(GithubException) as refused:
        theirs.edit("not yours")
    assert refused.value.status == 403
    stage.repository("mira").get_issue(1).get_comment(comment.id).delete()
    with pytest.raises(UnknownObjectException):
        stage.repository().get_issue(1).get_comment(comment.id)


def test_a_body_may_have_65536_characters_and_no_more(stage: Stage) -> None:
    issue = stage.repository().create_issue("Predict")
    assert issue.create_comment("ß" * 65_536).id
    for body in ("ß" * 65_537, "", "  \n"):
        with pytest.raises(GithubException) as refused:
            issue.create_comment(body)
        assert refused.value.status == 422


def test_one_reaction_a_person_and_kind(stage: Stage) -> None:
    issue = stage.repository().create_issue("Predict")
    comment = issue.create_comment("/train")
    mine = comment.create_reaction("eyes")
    assert comment.create_reaction("eyes").id == mine.id
    stage.repository("sam").get_issue(1).get_comment(comment.id).create_reaction("eyes")
    token = stage.world.personal_token("jonas")
    path = f"{R}/issues/comments/{comment.id}/reactions"
    assert stage.call("POST", path, token, json={"content": "rocket"}).status_code == 201
    assert stage.call("POST", path, token, json={"content": "rocket"}).status_code == 200
    assert stage.call("POST", path, token, json={"content": "thumbs"}).status_code == 422
    assert [(one.user.login, one.content) for one in comment.get_reactions()] == [
        ("mira", "eyes"),
        ("sam", "eyes"),
        ("jonas", "rocket"),
    ]
    assert comment.delete_reaction(mine.id)
    assert stage.call("GET", f"{R}/issues/comments/{comment.id}").json()["reactions"]["eyes"] == 1
    assert issue.create_reaction("heart").content == "heart"


def test_labels(stage: Stage) -> None:
    repo = stage.repository()
    repo.create_label("drift", "ff0000", "something has moved")
    issue = repo.create_issue("Predict")
    issue.add_to_labels("drift", "area/new one")
    assert [one.name for one in issue.get_labels()] == ["drift", "area/new one"]
    issue.remove_from_labels("area/new one")
    issue.set_labels("fresh")
    assert [one.name for one in repo.get_issue(1).labels] == ["fresh"]
    assert repo.get_label("drift").color == "ff0000"
    with pytest.raises(GithubException, match="Label does not exist") as refused:
        issue.remove_from_labels("drift")
    assert refused.value.status == 404
    with pytest.raises(GithubException) as refused:
        repo.create_label("drift", "00ff00")
    assert refused.value.status == 422


def test_labels_of_somebody_without_the_right_are_dropped_in_silence(stage: Stage) -> None:
    issue = stage.repository("stranger").create_issue("Predict", labels=["urgent"])
    assert issue.labels == []
    with pytest.raises(GithubException) as refused:
        issue.add_to_labels("urgent")
    assert refused.value.status == 403


def test_refusals_are_githubs(stage: Stage) -> None:
    assert stage.call("GET", "/user", "ghp_wrong").json()["message"] == "Bad credentials"
    assert stage.call("GET", "/user").status_code == 401
    assert stage.call("POST", f"{R}/issues", json={"title": "x"}).status_code == 401
    token = stage.world.personal_token("mira")
    missing = stage.call("GET", f"{R}/issues/99", token)
    assert (missing.status_code, missing.json()["message"], missing.json()["status"]) == (404, "Not Found", "404")
    assert stage.call("POST", f"{R}/issues", token, data=b"{nonsense").status_code == 400
    assert stage.call("POST", f"{R}/issues", token, json=[1]).status_code == 400
    untitled = stage.call("POST", f"{R}/issues", token, json={"body": "x"})
    assert untitled.json()["errors"] == [{"resource": "Issue", "field": "title", "code": "missing_field"}]
    numbered = stage.call("POST", f"{R}/issues", token, json={"title": 7, "milestone": 1})
    assert numbered.status_code == 422
    assert numbered.json()["message"] == "Invalid request.\n\nFor 'properties/title', 7 is not a string."
    stage.world.revoke(token)
    assert stage.call("GET", R, token).status_code == 401


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/gists"), ("PUT", f"{R}/issues/1"), ("DELETE", "/user"), ("POST", "/graphql"), ("OPTIONS", R)],
)
def test_what_is_left_out_says_so(stage: Stage, method: str, path: str) -> None:
    answer = stage.call(method, path, stage.world.personal_token("mira"))
    assert answer.status_code == 404
    assert f"does not implement {method}" in answer.json()["message"]
    assert path in answer.json()["message"]


def test_the_hour_is_counted(stage: Stage) -> None:
    token = stage.world.personal_token("mira")
    stage.world.rate_limit = 3
    left = [stage.call("GET", R, token).headers["X-RateLimit-Remaining"] for _ in range(3)]
    assert left == ["2", "1", "0"]
    refused = stage.call("GET", R, token)
    assert refused.status_code == 403
    assert "API rate limit exceeded" in refused.json()["message"]
    assert stage.call("GET", "/rate_limit", token).json()["rate"]["remaining"] == 0
    assert stage.call("GET", R, stage.world.personal_token("sam")).status_code == 200


def test_a_renamed_repository_redirects_reads_and_swallows_writes(stage: Stage) -> None:
    """PyGithub follows 301 but takes a 307 for success: a comment that was never posted has no id."""
    old = stage.repository()
    issue = old.create_issue("Predict")
    stage.world.rename_repo(REPOSITORY, "bicycles")
    assert old.get_issue(1).title == "Predict"
    assert issue.create_comment("Lost").id is None
    token = stage.world.personal_token("mira")
    answer = stage.call("POST", f"{R}/issues/1/comments", token, json={"body": "x"})
    assert answer.status_code == 307
    assert answer.headers["Location"].endswith("/repos/octo/bicycles/issues/1/comments")
    assert stage.world.issue("octo/bicycles", 1).comments == []


def test_teams_and_members(stage: Stage) -> None:
    stage.world.team("ml", ["mira"])
    token = stage.world.personal_token("jonas")
    assert stage.call("GET", "/orgs/octo/members/mira", token).status_code == 204
    assert stage.call("GET", "/orgs/octo/members/stranger", token).status_code == 404
    assert stage.call("GET", "/orgs/octo/teams/ml/memberships/mira", token).json()["state"] == "active"
    assert stage.call("GET", "/orgs/octo/teams/ml/memberships/sam", token).status_code == 404
