"""Webhooks as GitHub sends them: headers, signature over the raw bytes, payloads, who hears what."""

import time
import uuid

from bot.playground.courier import Chaos
from tests.playground.github_stage import (
    REPOSITORY,
    SECRET,
    Ear,
    Stage,
    github_stage,  # noqa: F401 (a fixture)
)

R = f"/repos/{REPOSITORY}"


def test_a_comment_through_the_api_arrives_signed(stage: Stage) -> None:
    stage.app()
    repo = stage.repository()
    repo.create_issue("Prédiction").create_comment("/train bike-demand\r\n😀")
    assert stage.events() == ["issues.opened", "issue_comment.created"]
    heard = stage.ear.heard[-1]
    assert heard.signed(SECRET)
    assert not heard.signed(SECRET + "x")
    assert heard.headers["CONTENT-TYPE"] == "application/json"
    assert heard.headers["USER-AGENT"].startswith("GitHub-Hookshot/")
    assert heard.headers["X-GITHUB-HOOK-INSTALLATION-TARGET-TYPE"] == "integration"
    uuid.UUID(heard.headers["X-GITHUB-DELIVERY"])
    body = heard.body
    assert body["comment"]["body"] == "/train bike-demand\r\n😀"
    assert body["comment"]["author_association"] == "MEMBER"
    assert (body["issue"]["number"], body["issue"]["title"]) == (1, "Prédiction")
    assert body["repository"]["full_name"] == REPOSITORY
    assert body["organization"]["login"] == "octo"
    assert body["sender"]["login"] == "mira"
    assert body["installation"]["id"] == stage.app().installations[0].id


def test_a_repositorys_own_webhook_is_pinged_and_has_no_installation(stage: Stage) -> None:
    token = stage.world.personal_token("ada")
    config = {"url": stage.ear.url, "content_type": "json", "secret": SECRET}
    made = stage.call("POST", f"{R}/hooks", token, json={"config": config, "events": ["issues"]})
    assert made.status_code == 201
    assert made.json()["config"]["secret"] == "********"
    assert stage.call("POST", f"{R}/hooks", token, json={"config": config}).status_code == 422
    assert stage.call("GET", f"{R}/hooks", stage.world.personal_token("mira")).status_code == 404
    stage.world.issue_open("mira", stage.repo, "Predict")
    stage.world.comment("mira", stage.repo, 1, "not asked for")
    assert stage.events() == ["issues.opened"]
    ping, opened = stage.ear.heard
    assert (ping.name, ping.signed(SECRET), ping.body["hook_id"]) == ("ping", True, made.json()["id"])
    assert "installation" not in opened.body
    assert stage.repository("ada").get_hooks()[0].id == made.json()["id"]
    last = stage.call("GET", f"{R}/hooks/{made.json()['id']}", token).json()["last_response"]
    assert last["code"] == 202


def test_what_happens_to_an_issue(stage: Stage) -> None:
    stage.app()
    issue = stage.world.issue_open("mira", stage.repo, "Predict", "Hourly")
    stage.world.retitle("mira", issue, "Predict demand")
    stage.world.rewrite("mira", issue, "Daily")
    stage.world.add_labels("mira", issue, ["drift"])
    stage.world.remove_label("mira", issue, "drift")
    stage.world.assign("mira", issue, ["jonas"])
    stage.world.set_state("mira", issue, "closed")
    stage.world.set_state("mira", issue, "open")
    comment = stage.world.comment("mira", stage.repo, 1, "one")
    stage.world.edit_comment("mira", comment, "two")
    stage.world.delete_comment("jonas", comment)
    done = ["opened", "edited", "edited", "labeled", "unlabeled", "assigned", "closed", "reopened"]
    talk = ["created", "edited", "deleted"]
    assert stage.events() == [*(f"issues.{one}" for one in done), *(f"issue_comment.{one}" for one in talk)]
    bodies = [heard.body for heard in stage.ear.heard if heard.name != "ping"]
    assert bodies[1]["changes"] == {"title": {"from": "Predict"}}
    assert bodies[2]["changes"] == {"body": {"from": "Hourly"}}
    assert bodies[3]["label"]["name"] == "drift"
    assert bodies[6]["issue"]["state_reason"] == "completed"
    assert bodies[9]["changes"] == {"body": {"from": "one"}}
    assert bodies[10]["sender"]["login"] == "jonas"
    assert bodies[10]["comment"]["user"]["login"] == "mira"


def test_what_happens_to_a_pull_request(stage: Stage) -> None:
    stage.app()
    stage.world.push("mira", stage.repo, "deeper", {"train.py": "print(2)\n"}, "Go deeper")
    issue = stage.world.pull_open("mira", stage.repo, "Deeper", "deeper")
    stage.world.add_labels("mira", issue, ["drift"])
    stage.world.comment("sam", stage.repo, 1, "nice")
    stage.world.set_draft("mira", stage.repo, 1, draft=True)
    stage.world.set_draft("mira", stage.repo, 1, draft=False)
    stage.world.merge("jonas", stage.repo, 1)
    assert stage.events() == [
        "push",
        "pull_request.opened",
        "pull_request.labeled",
        "issue_comment.created",
        "pull_request.converted_to_draft",
        "pull_request.ready_for_review",
        "pull_request.closed",
        "push",
    ]
    bodies = {heard.name: heard.body for heard in stage.ear.heard}
    assert bodies["issue_comment.created"]["issue"]["pull_request"]["url"].endswith("/pulls/1")
    closed = bodies["pull_request.closed"]
    assert (closed["pull_request"]["merged"], closed["pull_request"]["merged_by"]["login"]) == (True, "jonas")
    assert bodies["push"]["after"] == closed["pull_request"]["merge_commit_sha"]


def test_the_bot_hears_itself(stage: Stage) -> None:
    stage.as_app().create_issue("Retrain").create_comment("<!-- marker -->")
    assert stage.events() == ["issues.opened", "issue_comment.created"]
    assert {heard.body["sender"]["type"] for heard in stage.ear.heard if heard.name != "ping"} == {"Bot"}


def test_an_app_hears_only_what_its_permissions_cover(stage: Stage) -> None:
    stage.app(permissions={"checks": "write"}, events=["issues", "push", "check_run"])
    stage.world.issue_open("mira", stage.repo, "Predict")
    stage.world.push("mira", stage.repo, "main", {"a": "1"}, "x")
    sha = stage.repo.git.branch("main")
    stage.world.check_create(stage.app(), REPOSITORY, {"name": "a", "head_sha": sha})
    assert stage.events() == ["check_run.created"]


def test_a_slow_ear_is_given_ten_seconds_and_others_do_not_wait(stage: Stage) -> None:
    assert stage.world.courier._timeout == 10.0
    quick = Ear()
    stage.world.add_webhook(stage.repo, quick.url)
    stage.app()
    stage.events()
    served = stage.ear.__class__.__call__

    def slowly(environ: dict[str, object], start_response: object) -> object:
        time.sleep(0.5)
        return served(stage.ear, environ, start_response)  # type: ignore[arg-type]

    stage.ear.served._server.app = slowly  # type: ignore[assignment]
    stage.world.issue_open("mira", stage.repo, "Predict")
    time.sleep(0.25)
    assert [heard.name for heard in quick.heard] == ["ping", "issues.opened"]
    assert stage.events() == ["issues.opened"]
    quick.served.close()


def test_chaos_repeats_with_the_same_guid(stage: Stage) -> None:
    stage.app()
    stage.events()
    stage.world.courier.chaos = Chaos(repeat=1.0)
    stage.world.issue_open("mira", stage.repo, "Predict")
    assert stage.events() == ["issues.opened", "issues.opened"]
    assert len({heard.headers["X-GITHUB-DELIVERY"] for heard in stage.ear.heard[-2:]}) == 1


def test_everybody_who_listens_hears_in_order(stage: Stage) -> None:
    stage.app()
    for number in range(30):
        stage.world.issue_open("mira", stage.repo, f"Number {number}")
    stage.events()
    opened = [heard.body["issue"]["number"] for heard in stage.ear.heard if heard.name != "ping"]
    assert opened == list(range(1, 31))
