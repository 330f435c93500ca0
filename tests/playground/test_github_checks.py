"""Check runs belong to Apps and have limits; statuses belong to anybody who may push."""

from typing import Any

import pytest
from github import GithubException

from tests.playground.github_stage import (
    REPOSITORY,
    Stage,
    github_stage,  # noqa: F401 (a fixture)
)

ANNOTATION = {"path": "train.py", "start_line": 1, "end_line": 1, "annotation_level": "warning", "message": "m"}


def head(stage: Stage) -> str:
    sha = stage.repo.git.branch("main")
    assert sha
    return sha


def test_a_check_from_start_to_end(stage: Stage) -> None:
    repo, sha = stage.as_app(), head(stage)
    run = repo.create_check_run(
        "lifecycle / bike-demand",
        sha,
        status="in_progress",
        external_id="bike-demand@1",
        details_url="http://127.0.0.1:8000/runs/1",
        output={"title": "Training", "summary": "…", "annotations": [ANNOTATION]},
    )
    assert (run.status, run.conclusion, run.app.slug) == ("in_progress", None, "lifecycle-bot")
    run.edit(
        conclusion="failure",
        output={"title": "Worse", "summary": "by **12 %**", "text": "more", "annotations": [ANNOTATION]},
        actions=[{"label": "Accept", "description": "Take it all the same", "identifier": "accept"}],
    )
    again = repo.get_check_run(run.id)
    assert (again.status, again.conclusion, again.external_id) == ("completed", "failure", "bike-demand@1")
    assert (again.output.title, again.output.annotations_count) == ("Worse", 2)
    assert again.completed_at is not None
    assert len(list(again.get_annotations())) == 2
    assert stage.events() == ["check_run.created", "check_run.completed"]


def test_the_latest_of_a_name_counts(stage: Stage) -> None:
    repo, sha = stage.as_app(), head(stage)
    first = repo.create_check_run("a", sha, conclusion="failure")
    second = repo.create_check_run("a", sha, conclusion="success")
    other = repo.create_check_run("b", sha)
    commit = stage.repository().get_commit(sha)
    assert [run.id for run in commit.get_check_runs()] == [other.id, second.id]
    assert [run.id for run in commit.get_check_runs(check_name="a", filter="all")] == [second.id, first.id]
    assert [run.id for run in commit.get_check_runs(status="completed")] == [second.id]
    suites = list(commit.get_check_suites())
    assert [(suite.status, suite.conclusion) for suite in suites] == [("in_progress", None)]


def test_a_persons_token_may_not_write_checks(stage: Stage) -> None:
    with pytest.raises(GithubException) as refused:
        stage.repository("ada").create_check_run("a", head(stage))
    assert refused.value.status == 403
    assert refused.value.message == "You must authenticate via a GitHub App."


def test_another_apps_check_is_not_ones_own(stage: Stage) -> None:
    run = stage.as_app().create_check_run("a", head(stage))
    other = stage.world.app("other-bot")
    token = stage.world.installation_token(other.installations[0]).secret
    answer = stage.call("PATCH", f"/repos/{REPOSITORY}/check-runs/{run.id}", token, json={"conclusion": "success"})
    assert answer.status_code == 403


@pytest.mark.parametrize(
    "wrong",
    [
        {"output": {"title": "t", "summary": "ä" * 32_768}},  # 65,536 bytes: the limit is in bytes
        {"output": {"title": "t", "summary": "s", "text": "x" * 65_536}},
        {"output": {"title": "t", "summary": "s", "annotations": [ANNOTATION] * 51}},
        {"output": {"title": "t", "summary": "s", "annotations": [{**ANNOTATION, "annotation_level": "error"}]}},
        {"output": {"title": "t"}},
        {"status": "completed"},
        {"conclusion": "good"},
        {"details_url": "javascript:alert(1)"},
        {"actions": [{"label": "x" * 21, "description": "d", "identifier": "i"}]},
        {"actions": [{"label": "l", "description": "d", "identifier": "i"}] * 4},
        {"head_sha": "0" * 40},
        {"started_at": "yesterday"},
    ],
)
def test_limits(stage: Stage, wrong: dict[str, Any]) -> None:
    stage.app()
    token = stage.world.installation_token(stage.app().installations[0]).secret
    body = {"name": "a", "head_sha": head(stage), **wrong}
    answer = stage.call("POST", f"/repos/{REPOSITORY}/check-runs", token, json=body)
    assert answer.status_code == 422
    assert answer.json()["message"]


def test_what_is_just_inside_the_limits(stage: Stage) -> None:
    output = {"title": "t", "summary": "ä" * 32_767, "text": "x" * 65_535, "annotations": [ANNOTATION] * 50}
    run = stage.as_app().create_check_run("a", head(stage), output=output)
    run.edit(output={"title": "t", "summary": "s", "annotations": [ANNOTATION] * 50})
    assert run.output.annotations_count == 100
    assert len(list(run.get_annotations())) == 100


def test_rerunning_and_buttons_reach_the_app_alone(stage: Stage) -> None:
    other = stage.world.app("other-bot", webhook_url=stage.ear.url, secret="other")
    actions = [{"label": "Accept", "description": "d", "identifier": "accept"}]
    run = stage.world.check_create(stage.app(), REPOSITORY, {"name": "a", "head_sha": head(stage), "actions": actions})
    stage.events()
    stage.ear.heard.clear()
    stage.world.check_rerequest("mira", run)
    stage.world.check_action("mira", run, "accept")
    assert stage.events() == ["check_run.rerequested", "check_run.requested_action"]
    pressed = stage.ear.heard[-1].body
    assert pressed["requested_action"] == {"identifier": "accept"}
    assert pressed["sender"]["login"] == "mira"
    assert pressed["installation"]["id"] == stage.app().installations[0].id
    assert other.hook
    assert [one.event for one in other.hook.deliveries] == ["ping", "check_run"]


def test_statuses(stage: Stage) -> None:
    sha = head(stage)
    commit = stage.repository().get_commit(sha)
    assert commit.get_combined_status().state == "pending"
    commit.create_status("pending", "http://127.0.0.1:8000/1", "training", "lifecycle / bike-demand")
    commit.create_status("success", context="ci")
    assert commit.get_combined_status().state == "pending"
    commit.create_status("failure", context="lifecycle / bike-demand", description="worse")
    combined = commit.get_combined_status()
    assert (combined.state, combined.total_count) == ("failure", 2)
    assert [one.state for one in commit.get_statuses()] == ["failure", "success", "pending"]
    for wrong in ({"state": "good"}, {"state": "success", "description": "x" * 141}):
        answer = stage.call(
            "POST", f"/repos/{REPOSITORY}/statuses/{sha}", stage.world.personal_token("mira"), json=wrong
        )
        assert answer.status_code == 422
    with pytest.raises(GithubException) as refused:
        stage.repository("sam").get_commit(sha).create_status("success")
    assert refused.value.status == 403
