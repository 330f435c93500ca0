"""Faults under the real PyGithub: what reference clients do when GitHub answers late, wrongly or not at all."""

import time

import pytest
import requests
from github import Auth, Github, GithubException
from github.GithubRetry import GithubRetry

from bot.playground.faults import Fault, Kind
from tests.playground.github_stage import (
    REPOSITORY,
    Stage,
    github_stage,  # noqa: F401 (a fixture)
)

COMMENTS = r"/issues/1/comments"


def bodies(stage: Stage) -> list[str]:
    return [one.body for one in stage.world.issue(REPOSITORY, 1).comments]


def test_502_after_the_work_makes_a_retrying_client_post_again_and_again(stage: Stage) -> None:
    stage.world.issue_open("mira", stage.repo, "Predict")
    stage.playground.faults.add(Fault(Kind.AFTER, path=COMMENTS, method="POST", status=502, times=None))
    auth = Auth.Token(stage.world.personal_token("mira"))
    eager = Github(auth=auth, base_url=stage.playground.api, seconds_between_requests=0, seconds_between_writes=0)
    with pytest.raises((GithubException, requests.exceptions.RetryError)):
        eager.get_repo(REPOSITORY).get_issue(1).create_comment("once")
    eager.close()
    assert bodies(stage) == ["once"] * 11  # GithubRetry's default: ten more tries, POST included
    with pytest.raises(GithubException) as refused:
        stage.repository().get_issue(1).create_comment("calm")
    assert refused.value.status == 502
    assert bodies(stage).count("calm") == 1


def test_hanging_up_leaves_one_in_doubt(stage: Stage) -> None:
    stage.world.issue_open("mira", stage.repo, "Predict")
    issue, started = stage.repository().get_issue(1), time.monotonic()
    for kind, done in ((Kind.HANGUP, []), (Kind.HANGUP_AFTER, ["x"])):
        stage.playground.faults.add(Fault(kind, path=COMMENTS, method="POST"))
        with pytest.raises(requests.exceptions.ConnectionError):
            issue.create_comment("x")
        assert time.monotonic() - started < 10  # at once, not at the client's timeout
        assert bodies(stage) == done
    assert issue.create_comment("y").id


def test_a_limit_that_says_when_to_come_back(stage: Stage) -> None:
    headers = {"Retry-After": "1"}
    body = '{"message": "You have exceeded a secondary rate limit", "documentation_url": "https://docs.github.com"}'
    stage.playground.faults.add(
        Fault(Kind.STATUS, path=f"/repos/{REPOSITORY}$", status=429, headers=headers, body=body)
    )
    auth = Auth.Token(stage.world.personal_token("mira"))
    patient = Github(auth=auth, base_url=stage.playground.api, retry=GithubRetry(allowed_methods={"GET"}))
    assert patient.get_repo(REPOSITORY).name == "bikes"
    patient.close()
    assert [call.status for call in stage.playground.faults.log] == [429, 200]


def test_calls_are_counted_by_owner(stage: Stage) -> None:
    stage.as_app().create_issue("Predict")
    stage.repository("sam").get_issue(1)
    faults = stage.playground.faults
    assert faults.count("POST", "/issues$", owner="lifecycle-bot[bot]") == 1
    assert faults.count("GET", owner="sam") == 2
    assert faults.count("POST", "/access_tokens$", owner="app:lifecycle-bot") == 1
