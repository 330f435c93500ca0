"""The pages that people type into: they act as the person chosen, fire webhooks, and take forms from nowhere else."""

import pytest
import requests

from tests.playground.github_stage import (
    REPOSITORY,
    Stage,
    github_stage,  # noqa: F401 (a fixture)
)


def get(stage: Stage, path: str, **options: str) -> requests.Response:
    return requests.get(stage.playground.url + path, headers=options, timeout=10)


def post(stage: Stage, path: str, origin: str | None = None, **form: str) -> requests.Response:
    url = stage.playground.url
    headers = {"Origin": url if origin is None else origin}
    return requests.post(url + path, data=form, headers=headers, timeout=10)


def test_a_comment_typed_on_the_page_fires_a_webhook(stage: Stage) -> None:
    stage.app()
    stage.world.issue_open("mira", stage.repo, "Predict", "Hourly")
    page = post(stage, f"/{REPOSITORY}/issues/1/comment", **{"as": "jonas", "body": "/train bike-demand\r\n<b>now</b>"})
    assert page.status_code == 200
    assert "<b>now</b>" in page.text
    assert "jonas" in page.text
    assert stage.events() == ["issues.opened", "issue_comment.created"]
    body = stage.ear.heard[-1].body
    assert (body["comment"]["user"]["login"], body["comment"]["body"]) == ("jonas", "/train bike-demand\r\n<b>now</b>")


def test_an_issue_is_opened_and_closed(stage: Stage) -> None:
    assert "New issue" in get(stage, f"/{REPOSITORY}/issues").text
    page = post(stage, f"/{REPOSITORY}/issues/new", **{"as": "sam", "title": "Predict", "body": "x"})
    assert page.url.endswith("/issues/1")
    assert post(stage, f"/{REPOSITORY}/issues/1/close", **{"as": "stranger"}).status_code == 403
    post(stage, f"/{REPOSITORY}/issues/1/close", **{"as": "mira", "body": "Done with it."})
    issue = stage.world.issue(REPOSITORY, 1)
    assert (issue.state, [one.body for one in issue.comments]) == ("closed", ["Done with it."])
    assert "closed this as completed" in get(stage, f"/{REPOSITORY}/issues/1").text
    assert "Predict" in get(stage, f"/{REPOSITORY}/issues?state=closed").text


def test_a_comment_is_edited_and_deleted(stage: Stage) -> None:
    stage.world.issue_open("mira", stage.repo, "Predict")
    comment = stage.world.comment("sam", stage.repo, 1, "one")
    path = f"/{REPOSITORY}/issues/1/edit/{comment.id}"
    assert post(stage, path, **{"as": "stranger", "body": "two"}).status_code == 403
    assert post(stage, path, **{"as": "sam", "body": "two"}).status_code == 200
    assert comment.body == "two"
    post(stage, path, **{"as": "mira", "delete": "1"})
    assert stage.world.issue(REPOSITORY, 1).comments == []


def test_a_pull_request_with_its_checks_is_merged_by_a_writer(stage: Stage) -> None:
    sha = stage.world.push("mira", stage.repo, "deeper", {"train.py": "print(2)\n"}, "Go deeper")
    stage.world.pull_open("mira", stage.repo, "Deeper", "deeper")
    output = {"title": "Worse by 12 %", "summary": "| a |\n|---|\n| <script>x</script>1 |"}
    fields = {"name": "lifecycle / bike", "head_sha": sha, "conclusion": "failure", "output": output}
    actions = [{"label": "Accept it", "description": "d", "identifier": "accept"}]
    url = "http://127.0.0.1:8000/runs/1"
    run = stage.world.check_create(stage.app(), REPOSITORY, {**fields, "details_url": url, "actions": actions})
    page = get(stage, f"/{REPOSITORY}/pull/1").text
    assert "Worse by 12 %" in page
    assert "http://127.0.0.1:8000/runs/1" in page
    check = get(stage, f"/{REPOSITORY}/runs/{run.id}").text
    assert "<td>1</td>" in check
    assert "Accept it" in check
    post(stage, f"/{REPOSITORY}/runs/{run.id}", **{"as": "mira", "identifier": "accept"})
    assert stage.events()[-1] == "check_run.requested_action"
    files = get(stage, f"/{REPOSITORY}/pull/1/files").text
    assert '<span class="add">+print(2)</span>' in files
    assert post(stage, f"/{REPOSITORY}/issues/1/merge", **{"as": "sam"}).status_code == 403
    assert "Merged" in post(stage, f"/{REPOSITORY}/issues/1/merge", **{"as": "mira"}).text
    assert stage.repo.git.blob("main", "train.py") == b"print(2)\n"


@pytest.mark.parametrize("origin", ["http://evil.example", "null", ""])
def test_forms_come_from_these_pages_alone(stage: Stage, origin: str) -> None:
    stage.world.issue_open("mira", stage.repo, "Predict")
    answer = post(stage, f"/{REPOSITORY}/issues/1/comment", origin, **{"as": "ada", "body": "/promote"})
    assert answer.status_code == 403
    assert stage.world.issue(REPOSITORY, 1).comments == []


def test_a_name_that_merely_points_here_is_refused(stage: Stage) -> None:
    assert get(stage, "/", Host="evil.example:80").status_code == 403
    assert get(stage, "/", Host=f"localhost:{stage.playground.running.port}").status_code == 200


def test_bots_do_not_type_and_strangers_do_not_see_what_is_private(stage: Stage) -> None:
    stage.app()
    stage.world.issue_open("mira", stage.repo, "Predict")
    path = f"/{REPOSITORY}/issues/1/comment"
    assert post(stage, path, **{"as": "lifecycle-bot[bot]", "body": "x"}).status_code == 422
    stage.repo.private = True
    assert post(stage, path, **{"as": "stranger", "body": "x"}).status_code == 404


def test_code_is_shown_as_it_is(stage: Stage) -> None:
    nasty = {"page.html": "<script>alert(1)</script>", "d/x.bin": b"\0\1", "ü&<b>.txt": "odd"}
    stage.world.push("mira", stage.repo, "feature/one", nasty, "Add <i>odd</i> files")
    home = f"/{REPOSITORY}"
    assert "<h1>Bikes</h1>" in get(stage, home).text
    tree = get(stage, f"{home}/tree/feature/one").text
    assert "ü&amp;&lt;b&gt;.txt" in tree
    assert "Add &lt;i&gt;odd" in tree
    shown = get(stage, f"{home}/blob/feature/one/page.html").text
    assert "&lt;script&gt;" in shown
    raw = get(stage, f"{home}/raw/feature/one/page.html")
    assert raw.headers["Content-Type"].startswith("text/plain")
    assert raw.headers["X-Content-Type-Options"] == "nosniff"
    assert get(stage, f"{home}/raw/feature/one/ü&<b>.txt").text == "odd"
    assert "Not text" in get(stage, f"{home}/blob/feature/one/d/x.bin").text
    assert get(stage, f"{home}/commits/main").status_code == 200
    assert "print(1)" in get(stage, f"{home}/commit/{stage.repo.git.branch('main')}").text


def test_every_page_is_there_and_forbids_strange_scripts(stage: Stage) -> None:
    stage.world.issue_open("mira", stage.repo, "Predict")
    stage.app()
    for path in ("/", "/octo", "/mira", "/apps/lifecycle-bot", f"/{REPOSITORY}/pulls", f"/{REPOSITORY}/issues/new"):
        page = get(stage, path)
        assert page.status_code == 200, path
        assert "script-src 'self'" in page.headers["Content-Security-Policy"]
    assert get(stage, f"/avatars/{stage.world.user('mira').id}.svg").headers["Content-Type"].startswith("image/svg")
    for path in ("/nobody", f"/{REPOSITORY}/issues/9", f"/{REPOSITORY}/runs/9", f"/{REPOSITORY}/tree/none", "/a/b/c/d"):
        assert get(stage, path).status_code == 404, path


def test_deliveries_are_shown_and_can_be_sent_again(stage: Stage) -> None:
    stage.app()
    stage.world.issue_open("mira", stage.repo, "Predict")
    assert stage.events() == ["issues.opened"]
    assert "issues" in get(stage, "/apps/lifecycle-bot").text
    hook = stage.app().hook
    assert hook
    post(stage, "/apps/lifecycle-bot/redeliver", delivery=str(hook.deliveries[-1].id))
    assert stage.events() == ["issues.opened", "issues.opened"]
