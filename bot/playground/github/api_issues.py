"""REST: issues, their labels and assignees."""

from datetime import datetime
from typing import Any

from flask import Response, request

from bot.playground.github import shapes
from bot.playground.github.checks import parse_time
from bot.playground.github.gate import api, fields, listed, made, may, open_repo, settled, who, world
from bot.playground.github.problems import Problem, invalid
from bot.playground.github.records import Issue, Repo
from bot.playground.github.shapes import Json

SORTS = ("created", "updated", "comments")
TALK = "issues|pull_requests"


def since() -> datetime | None:
    """The query's `since`, in whole seconds as GitHub keeps time."""
    text = request.args.get("since")
    return parse_time(text.replace(" ", "+")) if text else None


def newer(at: datetime, start: datetime | None) -> bool:
    return start is None or at.replace(microsecond=0) >= start


def _sorted(issues: list[Issue]) -> list[Issue]:
    by = request.args.get("sort", "created")
    if by not in SORTS:
        by = "created"

    def key(issue: Issue) -> tuple[Any, int]:
        value = len(issue.comments) if by == "comments" else getattr(issue, f"{by}_at")
        return value, issue.number

    return sorted(issues, key=key, reverse=request.args.get("direction", "desc") != "asc")


@api.get("/repos/<owner>/<name>/issues")
def issues(owner: str, name: str) -> Response:
    """Issues and pull requests alike, as on GitHub."""
    home, query, start = open_repo(owner, name, TALK), request.args, since()
    state, labels = query.get("state", "open"), {one.lower() for one in query.get("labels", "").split(",") if one}
    creator, assignee = query.get("creator"), query.get("assignee")
    found = [
        issue
        for issue in home.issues.values()
        if state in ("all", issue.state)
        and labels <= {label.name.lower() for label in issue.labels}
        and newer(issue.updated_at, start)
        and settled(issue.created_at)
        and creator in (None, issue.user.login)
        and (assignee in (None, "*") or assignee in [one.login for one in issue.assignees])
    ]
    return listed(_sorted(found), shapes.issue)


@api.post("/repos/<owner>/<name>/issues")
def open_issue(owner: str, name: str) -> tuple[Response, int]:
    """Labels and assignees of somebody without the right to set them are dropped in silence, as on GitHub."""
    home, wanted = open_repo(owner, name, "issues", "write"), fields()
    trusted = may(home, "triage")
    issue = world().issue_open(
        who(),
        home,
        wanted.get("title", ""),
        wanted.get("body"),
        _names(wanted.get("labels")) if trusted else (),
        _assignees(wanted) if trusted else (),
    )
    return made(shapes.issue(issue))


def _names(labels: Any) -> list[str]:
    """Labels as strings or as {"name": …}."""
    if labels is None:
        return []
    if not isinstance(labels, list):
        raise invalid("Issue", "labels")
    return [str(one.get("name", "")) if isinstance(one, dict) else str(one) for one in labels]


def _assignees(wanted: dict[str, Any]) -> list[str]:
    single = wanted.get("assignee")
    names = wanted.get("assignees") or ([single] if single else [])
    if unknown := [name for name in names if str(name).lower() not in world().users]:
        raise Problem(422, "Validation Failed", [{"value": unknown[0], "resource": "Issue", "field": "assignees"}])
    return [str(name) for name in names]


@api.get("/repos/<owner>/<name>/issues/<int:number>")
def issue(owner: str, name: str, number: int) -> Json:
    return shapes.issue(world().issue(open_repo(owner, name, TALK), number))


@api.patch("/repos/<owner>/<name>/issues/<int:number>")
def change_issue(owner: str, name: str, number: int) -> Json:
    home, wanted, person = open_repo(owner, name, TALK, "write"), fields(), who()
    it = world().issue(home, number)
    trusted = may(home, "triage")
    if not trusted and it.user is not person:
        raise Problem(403, "Must have admin rights to Repository.")
    if "title" in wanted:
        world().retitle(person, it, wanted["title"])
    if "body" in wanted:
        world().rewrite(person, it, wanted["body"])
    if wanted.get("state"):
        world().set_state(person, it, str(wanted["state"]), wanted.get("state_reason"))
    if trusted and wanted.get("labels") is not None:
        world().set_labels(person, it, _names(wanted["labels"]))
    if trusted and ("assignees" in wanted or "assignee" in wanted):
        world().assign(person, it, _assignees(wanted))
    return shapes.issue(it)


def _labelled(owner: str, name: str, number: int) -> tuple[Repo, Issue]:
    home = open_repo(owner, name, TALK, "write", "triage")
    return home, world().issue(home, number)


def _label_list(it: Issue) -> Response:
    return listed(it.labels, lambda label: shapes.label(label, it.repo))


def _asked_labels() -> list[str]:
    """Labels come as {"labels": […]} or, from older clients, as a bare list."""
    body = request.get_json(force=True, silent=True)
    return _names(body if isinstance(body, list) else fields().get("labels"))


@api.get("/repos/<owner>/<name>/issues/<int:number>/labels")
def issue_labels(owner: str, name: str, number: int) -> Response:
    return _label_list(world().issue(open_repo(owner, name, TALK), number))


@api.post("/repos/<owner>/<name>/issues/<int:number>/labels")
def add_issue_labels(owner: str, name: str, number: int) -> Response:
    _, it = _labelled(owner, name, number)
    world().add_labels(who(), it, _asked_labels())
    return _label_list(it)


@api.put("/repos/<owner>/<name>/issues/<int:number>/labels")
def set_issue_labels(owner: str, name: str, number: int) -> Response:
    _, it = _labelled(owner, name, number)
    world().set_labels(who(), it, _asked_labels())
    return _label_list(it)


@api.delete("/repos/<owner>/<name>/issues/<int:number>/labels")
def clear_issue_labels(owner: str, name: str, number: int) -> Response:
    _, it = _labelled(owner, name, number)
    world().set_labels(who(), it, [])
    return Response(status=204)


@api.delete("/repos/<owner>/<name>/issues/<int:number>/labels/<path:label>")
def remove_issue_label(owner: str, name: str, number: int, label: str) -> Response:
    _, it = _labelled(owner, name, number)
    world().remove_label(who(), it, label)
    return _label_list(it)


@api.post("/repos/<owner>/<name>/issues/<int:number>/assignees")
def add_assignees(owner: str, name: str, number: int) -> tuple[Response, int]:
    _, it = _labelled(owner, name, number)
    world().assign(who(), it, [*(one.login for one in it.assignees), *_assignees(fields())])
    return made(shapes.issue(it))


@api.delete("/repos/<owner>/<name>/issues/<int:number>/assignees")
def remove_assignees(owner: str, name: str, number: int) -> Json:
    _, it = _labelled(owner, name, number)
    unwanted = {name.lower() for name in _assignees(fields())}
    world().assign(who(), it, [one.login for one in it.assignees if one.login.lower() not in unwanted])
    return shapes.issue(it)
