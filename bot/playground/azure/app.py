"""Puts the stand-in organisation together: what stories call, and the application that answers HTTP."""

from collections.abc import Iterable, Mapping

from flask import Flask, Request, Response, request

from bot.playground.faults import Faults
from bot.playground.server import Environ, StartResponse, WsgiApp

from . import (  # importing the pages registers them
    comments,
    git_api,
    hooks,
    locations,
    pages_boards,  # noqa: F401
    pages_hooks,  # noqa: F401
    pages_repos,  # noqa: F401
    projects,
    pull_api,
    pull_marks,
    pull_requests,
    queries,
    recycle_bin,
    reporting,
    thread_api,
    trees,
    work_item_types,
    work_items,
)
from .git_http import git_answer, serves
from .items import Comment, WorkItem
from .pages import page
from .people import Person
from .repositories import PullRequest, Repository, Thread, create_repository
from .state import Organisation, Project
from .subscriptions import Subscription
from .wire import Route, Routes, answer, token_of

_METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "HEAD"]


class AzureDevOps(Organisation):
    """The organisation with what a story does in it; everything else goes over HTTP, through `wsgi`."""

    def create_item(self, project: Project, kind: str, by: Person, **fields: object) -> WorkItem:
        """A work item of that type; fields by reference name, as **{"System.Title": "…"}. Tells the service hooks."""
        return work_items.create_item(self, project, kind, fields, by)

    def change_item(self, item: WorkItem, by: Person, **fields: object) -> WorkItem:
        """Replaces fields; tells the service hooks."""
        return work_items.change_item(self, item, fields, by)

    def comment(self, item: WorkItem, text: str, by: Person, form: str = "markdown") -> Comment:
        """Says something on an item in "markdown" or "html"; tells the service hooks."""
        return comments.add_comment(self, item, text, by, form)

    def subscribe(
        self,
        event_type: str,
        url: str,
        by: Person,
        *,
        project: Project | None = None,
        username: str = "",
        password: str = "",
        headers: Mapping[str, str] | None = None,
        filters: Mapping[str, str] | None = None,
        resource_version: str = "1.0",
    ) -> Subscription:
        """A web hook: event_type as in subscriptions.EVENTS, filters its publisher inputs, project None for all."""
        inputs = {"basicAuthUsername": username, "basicAuthPassword": password}
        inputs["httpHeaders"] = "\n".join(f"{name}:{value}" for name, value in (headers or {}).items())
        return hooks.subscribe(
            self,
            event_type,
            url,
            by,
            publisher_inputs={"projectId": project.id if project else "", **(filters or {})},
            consumer_inputs={name: value for name, value in inputs.items() if value},
            resource_version=resource_version,
        )

    def create_repository(self, project: Project, name: str, branch: str = "main") -> Repository:
        """An empty git repository, cloned from `repository.remote_url(org)` with any token as password."""
        return create_repository(self, project, name, branch)

    def push(
        self, repository: Repository, branch: str, files: Mapping[str, bytes | None], message: str, by: Person
    ) -> str:
        """Commits files on a branch (None removes one); tells git.push. The commit's sha."""
        return pull_requests.push_files(self, repository, branch, files, message, by)

    def open_pull_request(
        self, repository: Repository, source: str, target: str, title: str, by: Person, description: str = ""
    ) -> PullRequest:
        """A pull request between two branches; tells git.pullrequest.created and, for the trial merge, .merged."""
        return pull_requests.open_pull(self, repository, source, target, title, by, description=description)

    def comment_on_pull_request(self, pull: PullRequest, text: str, by: Person) -> Thread:
        """A new thread with one comment; tells the comment event."""
        return pull_requests.start_thread(self, pull, text, by, "active")

    def wsgi(self, other: WsgiApp | None = None, faults: Faults | None = None) -> WsgiApp:
        """The organisation as a WSGI application; what is not under its name goes to other, if there is one."""
        inner = _flask(self)

        def either(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
            mine = environ["PATH_INFO"].strip("/").split("/")[0].lower() == self.name.lower()
            chosen = inner if mine or other is None else other
            return chosen(environ, start_response)

        return (
            faults.guard(either, owner=self.caller, scope=self.project_of, courier=self.courier) if faults else either
        )

    def project_of(self, environ: Environ) -> str:
        """The name of the project that a call is about, as its path or the number of its work item says."""
        parts = environ["PATH_INFO"].strip("/").split("/")[1:]
        if parts and parts[0] != "_apis":
            return str(parts[0])
        number = next((part for part in parts if part.isdigit()), "")
        item = self.items.get(int(number)) if number and "wit" in parts else None
        return item.project.name if item else ""

    def caller(self, environ: Environ) -> str:
        """The sign-in name of whoever the call's token belongs to, "" when nobody's; for the log of calls."""
        person = self.owner(token_of(Request(environ)))
        return person.unique_name if person else ""


def routing_table() -> list[Route]:
    """Everything that the REST side answers."""
    everything = Routes()
    everything.include(locations.routes, projects.routes, trees.routes, work_item_types.routes)
    everything.include(work_items.routes, recycle_bin.routes, comments.routes, queries.routes, reporting.routes)
    everything.include(hooks.routes, git_api.routes, pull_api.routes, thread_api.routes, pull_marks.routes)
    return everything.table


def _flask(org: AzureDevOps) -> Flask:
    app = Flask("bot.playground", static_folder=None)
    app.url_map.merge_slashes = False
    table = routing_table()

    def serve(**_parts: str) -> Response:
        first, _, rest = request.path.lstrip("/").partition("/")
        if not first:
            return Response(status=302, headers={"Location": f"/{org.name}"})
        if first.lower() != org.name.lower():
            return Response(f"There is no organisation {first} here; there is {org.name}.", 404, mimetype="text/plain")
        path = f"/{rest}"
        if serves(path):
            return git_answer(org, request, path)
        if "/_apis" in path.lower():
            return answer(org, table, request, path)
        return page(org, request, path)

    app.add_url_rule("/", "root", serve, methods=_METHODS, provide_automatic_options=False)
    app.add_url_rule("/<path:whole>", "whole", serve, methods=_METHODS, provide_automatic_options=False)
    return app
