"""REST: check runs, check suites and commit statuses."""

from typing import Any

from flask import Response, request

from bot.playground.github import shapes, shapes_apps, shapes_code
from bot.playground.github.gate import api, asker, counted, cut, fields, listed, made, open_repo, settled, who, world
from bot.playground.github.grants import App, CheckRun, CheckSuite
from bot.playground.github.problems import Problem, not_found
from bot.playground.github.records import Repo
from bot.playground.github.shapes import Json


def _app() -> App:
    """The App that asks. Raises Problem 403 for a person's token, as GitHub does."""
    who()
    token = asker().token
    if token is None or token.installation is None:
        raise Problem(403, "You must authenticate via a GitHub App.")
    return token.installation.app


def _sha(home: Repo, ref: str) -> str:
    sha = home.git.resolve(ref)
    if sha is None:
        raise Problem(422, f"No commit found for SHA: {ref}")
    return sha


@api.post("/repos/<owner>/<name>/check-runs")
def create(owner: str, name: str) -> tuple[Response, int]:
    app = _app()
    home = open_repo(owner, name, "checks", "write")
    return made(shapes_apps.check_run(world().check_create(app, home, fields())))


@api.patch("/repos/<owner>/<name>/check-runs/<int:number>")
def update(owner: str, name: str, number: int) -> Json:
    app = _app()
    run = world().check_run(open_repo(owner, name, "checks", "write"), number)
    world().check_update(app, run, fields())
    return shapes_apps.check_run(run)


@api.get("/repos/<owner>/<name>/check-runs/<int:number>")
def check_run(owner: str, name: str, number: int) -> Json:
    return shapes_apps.check_run(world().check_run(open_repo(owner, name, "checks"), number))


@api.get("/repos/<owner>/<name>/check-runs/<int:number>/annotations")
def annotations(owner: str, name: str, number: int) -> Response:
    run = world().check_run(open_repo(owner, name, "checks"), number)
    optional = ("start_column", "end_column", "title", "raw_details")

    def shape(annotation: dict[str, Any]) -> Json:
        blob = run.repo.git.object(f"{run.head_sha}:{annotation['path']}") or ""
        href = f"{run.repo.api}/git/blobs/{blob}"
        return {**dict.fromkeys(optional), **annotation, "blob_href": href}

    return listed(run.annotations, shape)


@api.post("/repos/<owner>/<name>/check-runs/<int:number>/rerequest")
def rerequest(owner: str, name: str, number: int) -> tuple[Json, int]:
    _app()
    run = world().check_run(open_repo(owner, name, "checks", "write"), number)
    world().check_rerequest(who(), run)
    return {}, 201


def _filtered(runs: list[CheckRun]) -> list[CheckRun]:
    query = request.args
    return [
        run
        for run in reversed(runs)
        if query.get("check_name") in (None, run.name)
        and settled(run.started_at)
        and query.get("status") in (None, run.status)
        and query.get("app_id") in (None, str(run.app.id))
    ]


@api.get("/repos/<owner>/<name>/commits/<path:ref>/check-runs")
def runs_of_commit(owner: str, name: str, ref: str) -> Response:
    home = open_repo(owner, name, "checks")
    runs = world().check_runs(home, _sha(home, ref), latest=request.args.get("filter", "latest") != "all")
    return counted(_filtered(runs), "check_runs", shapes_apps.check_run)


def _suite_shape(suite: CheckSuite) -> Json:
    head = shapes_code.simple_commit(suite.repo.git.commit(suite.head_sha))
    return shapes_apps.check_suite(suite, head)


def _suite(owner: str, name: str, number: int) -> CheckSuite:
    home = open_repo(owner, name, "checks")
    found = next((one for one in home.suites if one.id == number), None)
    if found is None:
        raise not_found()
    return found


@api.get("/repos/<owner>/<name>/commits/<path:ref>/check-suites")
def suites_of_commit(owner: str, name: str, ref: str) -> Response:
    home = open_repo(owner, name, "checks")
    sha, app_id = _sha(home, ref), request.args.get("app_id")
    found = [one for one in home.suites if one.head_sha == sha and app_id in (None, str(one.app.id))]
    return counted(found, "check_suites", _suite_shape)


@api.get("/repos/<owner>/<name>/check-suites/<int:number>")
def suite(owner: str, name: str, number: int) -> Json:
    return _suite_shape(_suite(owner, name, number))


@api.get("/repos/<owner>/<name>/check-suites/<int:number>/check-runs")
def runs_of_suite(owner: str, name: str, number: int) -> Response:
    return counted(_filtered(_suite(owner, name, number).runs), "check_runs", shapes_apps.check_run)


@api.post("/repos/<owner>/<name>/statuses/<sha>")
def set_status(owner: str, name: str, sha: str) -> tuple[Response, int]:
    home, wanted = open_repo(owner, name, "statuses", "write", "write"), fields()
    texts = {key: wanted.get(key) for key in ("description", "target_url")}
    context = str(wanted.get("context") or "default")
    status = world().set_status(who(), home, sha, str(wanted.get("state", "")), context, **texts)
    return made(shapes_apps.status(status, home))


@api.get("/repos/<owner>/<name>/statuses/<path:ref>", endpoint="old_statuses")
@api.get("/repos/<owner>/<name>/commits/<path:ref>/statuses")
def statuses(owner: str, name: str, ref: str) -> Response:
    home = open_repo(owner, name, "statuses")
    return listed(world().statuses(home, _sha(home, ref)), lambda one: shapes_apps.status(one, home))


@api.get("/repos/<owner>/<name>/commits/<path:ref>/status")
def combined(owner: str, name: str, ref: str) -> Json:
    home = open_repo(owner, name, "statuses")
    sha = _sha(home, ref)
    latest = world().statuses(home, sha, latest=True)
    states = {one.state for one in latest}
    bad, waiting = states & {"failure", "error"}, "pending" in states or not states
    shown, _ = cut(latest)
    return {
        "state": "failure" if bad else "pending" if waiting else "success",
        "statuses": [_simple(shapes_apps.status(one, home)) for one in shown],
        "sha": sha,
        "total_count": len(latest),
        "repository": shapes.repo(home),
        "commit_url": f"{home.api}/commits/{sha}",
        "url": f"{home.api}/commits/{sha}/status",
    }


def _simple(status: Json) -> Json:
    return {key: value for key, value in status.items() if key != "creator"}
