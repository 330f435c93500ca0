"""GitHub Apps: a signed word for a token, permissions, installations, and the record of deliveries."""

from datetime import UTC, datetime, timedelta

import pytest
from github import GithubException, UnknownObjectException

from bot.playground.courier import Chaos
from tests.playground.github_stage import (
    REPOSITORY,
    SECRET,
    Stage,
    github_stage,  # noqa: F401 (a fixture)
)

R = f"/repos/{REPOSITORY}"


def test_a_signed_word_is_exchanged_for_a_token(stage: Stage) -> None:
    integration = stage.integration()
    assert integration.get_app().slug == "lifecycle-bot"
    found = integration.get_repo_installation("octo", "bikes")
    assert [one.id for one in integration.get_installations()] == [found.id]
    token = integration.get_access_token(found.id)
    assert token.permissions["checks"] == "write"
    assert timedelta(minutes=59) < token.expires_at - datetime.now(UTC) <= timedelta(hours=1)
    comment = stage.as_app().create_issue("Predict").create_comment("hello")
    assert (comment.user.login, comment.user.type) == ("lifecycle-bot[bot]", "Bot")
    assert comment.raw_data["performed_via_github_app"]["slug"] == "lifecycle-bot"
    assert [repo.full_name for repo in found.get_repos()] == [REPOSITORY]


def test_a_word_signed_with_another_key_is_nobodys(stage: Stage) -> None:
    other = stage.world.app("other-bot", owner="elsewhere")
    with pytest.raises(GithubException) as refused:
        stage.integration(other.private_key).get_app()
    assert refused.value.status == 401


def test_an_old_token_is_worth_nothing(stage: Stage) -> None:
    token = stage.world.installation_token(stage.app().installations[0]).secret
    assert stage.call("GET", R, token).status_code == 200
    stage.world.now = lambda: datetime.now(UTC) + timedelta(hours=2)
    assert stage.call("GET", R, token).status_code == 401


def test_a_token_may_be_given_less_but_not_more(stage: Stage) -> None:
    stage.app(permissions={"issues": "read", "contents": "read"})
    integration = stage.integration()
    number = stage.app().installations[0].id
    stage.world.issue_open("mira", stage.repo, "Predict")
    token = integration.get_access_token(number, {"issues": "read"}).token
    assert stage.call("GET", f"{R}/issues/1", token).status_code == 200
    for method, path, body in (
        ("POST", f"{R}/issues/1/comments", {"body": "x"}),
        ("GET", f"{R}/contents/train.py", None),
        ("POST", f"{R}/check-runs", {"name": "a", "head_sha": "0" * 40}),
        ("GET", "/user", None),
    ):
        answer = stage.call(method, path, token, json=body)
        assert (answer.status_code, answer.json()["message"]) == (403, "Resource not accessible by integration")
    with pytest.raises(GithubException) as refused:
        integration.get_access_token(number, {"issues": "write"})
    assert refused.value.status == 422


def test_where_it_is_not_installed_it_only_reads_what_is_public(stage: Stage) -> None:
    stage.world.create_repo("elsewhere/open", {"a": "1"})
    stage.world.create_repo("elsewhere/hidden", {"a": "1"}, private=True)
    token = stage.world.installation_token(stage.app().installations[0]).secret
    assert stage.call("GET", "/repos/elsewhere/open", token).status_code == 200
    assert stage.call("POST", "/repos/elsewhere/open/issues", token, json={"title": "x"}).status_code == 403
    assert stage.call("GET", "/repos/elsewhere/hidden", token).status_code == 404
    with pytest.raises(UnknownObjectException):
        stage.integration().get_repo_installation("elsewhere", "open")


def test_taking_it_off_ends_its_tokens(stage: Stage) -> None:
    installation = stage.app().installations[0]
    token = stage.world.installation_token(installation).secret
    stage.world.uninstall(installation)
    assert stage.call("GET", R, token).status_code == 401
    stage.world.issue_open("mira", stage.repo, "Predict")
    assert stage.events() == []


def test_deliveries_are_recorded_and_sent_again_under_the_same_guid(stage: Stage) -> None:
    stage.app()
    stage.events()
    stage.ear.answers = [500]
    stage.world.issue_open("mira", stage.repo, "Predict")
    assert stage.events() == ["issues.opened"]
    requester = stage.integration().requester
    _, listed = requester.requestJsonAndCheck("GET", "/app/hook/deliveries")
    newest = listed[0]
    assert (newest["event"], newest["action"], newest["status_code"]) == ("issues", "opened", 500)
    _, full = requester.requestJsonAndCheck("GET", f"/app/hook/deliveries/{newest['id']}")
    assert full["request"]["payload"]["issue"]["title"] == "Predict"
    assert full["request"]["headers"]["X-GitHub-Event"] == "issues"
    requester.requestJsonAndCheck("POST", f"/app/hook/deliveries/{newest['id']}/attempts")
    assert stage.events() == ["issues.opened", "issues.opened"]
    first, second = stage.ear.heard[-2:]
    assert first.raw == second.raw
    assert first.headers["X-GITHUB-DELIVERY"] == second.headers["X-GITHUB-DELIVERY"]
    _, again = requester.requestJsonAndCheck("GET", "/app/hook/deliveries")
    assert (again[0]["redelivery"], again[0]["status_code"], again[0]["guid"]) == (True, 202, newest["guid"])


def test_deliveries_come_behind_a_cursor(stage: Stage) -> None:
    stage.app()
    for number in range(5):
        stage.world.issue_open("mira", stage.repo, f"Number {number}")
    stage.events()
    requester = stage.integration().requester
    headers, page = requester.requestJsonAndCheck("GET", "/app/hook/deliveries", {"per_page": 4})
    found = [one["id"] for one in page]
    link = headers["link"].split(";")[0].strip("<>")
    assert "cursor=" in link
    _, rest = requester.requestJsonAndCheck("GET", link)
    assert len({*found, *(one["id"] for one in rest)}) == 6


def test_a_webhook_that_nobody_takes_is_recorded_as_failed(stage: Stage) -> None:
    stage.app()
    stage.events()
    stage.world.courier.chaos = Chaos(drop=1.0)
    stage.world.issue_open("mira", stage.repo, "Predict")
    assert stage.events() == []
    _, listed = stage.integration().requester.requestJsonAndCheck("GET", "/app/hook/deliveries")
    assert listed[0]["status_code"] == 502
    assert SECRET not in str(listed)
