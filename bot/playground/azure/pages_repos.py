"""Repositories as people see them: their pull requests, and one of them with its checks and discussion."""

from dataclasses import dataclass
from urllib.parse import urlsplit

from flask import Response

from .errors import Refusal
from .markup import render
from .pages import Visit, page_at, show, to
from .pull_requests import abandon, complete, reply, start_thread
from .pull_shapes import pull_page
from .repositories import PullComment, PullRequest, Repository, Status, Thread, find_repository

_REPOSITORY = "/(?P<project>[^/_][^/]*)/_git/(?P<name>[^/]+)"
_PULL = _REPOSITORY + r"/pullrequest/(?P<pull>\d+)"


def _repository(visit: Visit) -> Repository:
    return find_repository(visit.org, visit.project, visit.parts["name"])


def _pull(visit: Visit) -> PullRequest:
    found = _repository(visit).pulls.get(int(visit.parts["pull"]))
    if found is None:
        raise Refusal(404, f"There is no pull request {visit.parts['pull']} here.", "")
    return found


@page_at("GET", "/(?P<project>[^/_][^/]*)/_git")
def repositories(visit: Visit) -> Response:
    title = f"{visit.project.name} · Repositories"
    return show(visit.org, "azure_repositories.html", title=title, project=visit.project)


@page_at("GET", _REPOSITORY + "(/pullrequests)?")
def pulls(visit: Visit) -> Response:
    repo = _repository(visit)
    rows = sorted(repo.pulls.values(), key=lambda pull: -pull.id)
    branches = repo.git.refs()
    title = f"{repo.name} · Pull requests"
    return show(
        visit.org,
        "azure_repository.html",
        title=title,
        project=visit.project,
        repo=repo,
        rows=rows,
        branches=branches,
        clone=repo.remote_url(visit.org),
    )


@dataclass(frozen=True, slots=True)
class Said:
    """A comment to show, under the thread it belongs to."""

    thread: Thread
    comment: PullComment
    html: str


@page_at("GET", _PULL)
def pull_request(visit: Visit) -> Response:
    pull = _pull(visit)
    said = [
        Said(thread, comment, render(comment.text, "markdown"))
        for thread in pull.threads
        for comment in thread.comments
        if not comment.deleted
    ]
    return show(
        visit.org,
        "azure_pull_request.html",
        title=f"Pull request {pull.id} · {pull.title}",
        project=visit.project,
        pull=pull,
        description=render(pull.description, "markdown"),
        said=said,
        statuses=_latest(pull.statuses),
        people=list(visit.org.people.values()),
        here=urlsplit(pull_page(visit.org, pull)).path,
    )


def _latest(entries: list[Status]) -> list[Status]:
    """The last word of each context."""
    return list({(entry.genre, entry.name): entry for entry in entries}.values())


@page_at("POST", _PULL + "/comment")
def comment(visit: Visit) -> Response:
    """Into the thread that the form names, or a new one."""
    pull, number = _pull(visit), visit.form("thread")
    thread = next((one for one in pull.threads if str(one.id) == number), None)
    text = visit.form("text").replace("\r\n", "\n")
    if thread is None:
        start_thread(visit.org, pull, text, visit.person, "active")
    else:
        reply(visit.org, pull, thread, text, visit.person, parent=1)
    return to(urlsplit(pull_page(visit.org, pull)).path)


@page_at("POST", _PULL + "/close")
def close(visit: Visit) -> Response:
    pull = _pull(visit)
    if visit.form("how") == "abandon":
        abandon(visit.org, pull, visit.person)
    else:
        complete(visit.org, pull, visit.person, visit.form("seen"))
    return to(urlsplit(pull_page(visit.org, pull)).path)
