"""The stand-in GitHub as one WSGI application: its API, its git, its pages; and a way to start it all at once."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flask import Flask, Response, jsonify, redirect, request
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers.response import Response as AnyResponse

from bot.playground.faults import Faults
from bot.playground.github import (  # noqa: F401 (importing them puts their routes on the blueprint)
    api_apps,
    api_checks,
    api_comments,
    api_git,
    api_issues,
    api_pulls,
    api_refs,
    api_repos,
    api_users,
    pages,
    pages_code,
    pages_talk,
)
from bot.playground.github.bare import GitRefused
from bot.playground.github.gate import api, identify
from bot.playground.github.git_http import git_application, serves
from bot.playground.github.problems import DOCS, Moved, Problem
from bot.playground.github.world import GitHub
from bot.playground.server import Environ, Running, StartResponse, WsgiApp, free_port, serve

LARGEST = 30_000_000  # bytes of a request to the API or to a page


def application(github: GitHub) -> WsgiApp:
    """Everything that this GitHub answers, one request at a time but for git's downloads."""
    flask = _flask(github)

    def answer(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        if serves(environ):
            return git_application(github, environ, start_response)
        # State is plain data: whoever reads or writes it holds the lock, and every answer is whole when it is let go.
        with github.lock:
            return flask(environ, start_response)

    return answer


def _flask(github: GitHub) -> Flask:
    flask = Flask("bot.playground", template_folder="templates", static_folder="static", static_url_path="/_static")
    flask.config.update(MAX_CONTENT_LENGTH=LARGEST, PROVIDE_AUTOMATIC_OPTIONS=False)
    flask.json.sort_keys = False  # type: ignore[attr-defined]  # the default provider has it
    flask.url_map.strict_slashes = False
    flask.url_map.merge_slashes = False
    flask.extensions["playground_github"] = github
    flask.register_blueprint(api)
    flask.register_blueprint(pages.pages)
    flask.register_error_handler(Problem, _problem)
    flask.register_error_handler(Moved, _moved)
    flask.register_error_handler(GitRefused, lambda refusal: _problem(Problem(422, f"git: {refusal}")))
    flask.register_error_handler(HTTPException, _http)
    return flask


def _for_api() -> bool:
    return request.path.startswith("/api/")


def _problem(problem: Problem) -> Response | tuple[str, int]:
    if not _for_api():
        return pages.trouble(problem.status, problem.message)
    response = jsonify(problem.body)
    response.status_code = problem.status
    response.headers.update(problem.headers)
    return response


def _moved(moved: Moved) -> AnyResponse:
    """Reads are sent on with 301 and writes with 307, to the same path under the new name."""
    status = 301 if request.method == "GET" else 307
    old, new = f"/{moved.old}", f"/{moved.new}"
    at = request.full_path.rstrip("?").lower().find(old.lower())
    path = request.full_path.rstrip("?")
    target = request.host_url.rstrip("/") + path[:at] + new + path[at + len(old) :]
    if not _for_api():
        return redirect(target, status)
    response = jsonify({"message": "Moved Permanently", "url": target, "documentation_url": DOCS})
    response.status_code = status
    response.headers["Location"] = target
    return response


def _http(problem: HTTPException) -> Any:
    status = problem.code or 500
    if not _for_api():
        return pages.trouble(status, problem.description or problem.name)
    if status in (404, 405):
        what = f"The playground does not implement {request.method} {request.path}"
        return jsonify({"message": what, "documentation_url": DOCS, "status": "404"}), 404
    return jsonify({"message": problem.description, "documentation_url": DOCS, "status": str(status)}), status


def _owner(github: GitHub, environ: Environ) -> str:
    """Whose token a call carries, for the log: a login, "app:slug" for a JWT, "" for nobody."""
    try:
        who = identify(github, environ.get("HTTP_AUTHORIZATION", ""))
    except (Problem, Moved):
        return "?"
    return who.user.login if who.user else f"app:{who.app.slug}" if who.app else ""


@dataclass(frozen=True, slots=True)
class Playground:
    """A GitHub being served: `world` to act in it, `faults` to break it, `url` to reach it."""

    world: GitHub
    faults: Faults
    running: Running

    @property
    def url(self) -> str:
        return self.running.url

    @property
    def api(self) -> str:
        return self.world.site.api

    def close(self) -> None:
        self.running.close()
        self.world.close()


def start(root: Path, *, host: str = "127.0.0.1", port: int = 0, **options: Any) -> Playground:
    """Serve a new GitHub whose bare repositories live under `root`; `options` go to GitHub. Raises OSError."""
    chosen = port or free_port(host)
    world, faults = GitHub(root, f"http://{host}:{chosen}", **options), Faults()
    guarded = faults.guard(application(world), owner=lambda environ: _owner(world, environ), courier=world.courier)
    try:
        return Playground(world, faults, serve(guarded, host, chosen))
    except OSError:
        world.close()
        raise
