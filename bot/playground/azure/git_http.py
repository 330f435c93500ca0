"""git over smart HTTP at /{project}/_git/{repository}: `git http-backend` behind the organisation's tokens."""

import re
import subprocess
from collections.abc import Mapping

from flask import Request, Response

from bot.playground.github.bare import ENVIRONMENT

from .errors import Refusal
from .people import Person
from .pull_requests import pushed
from .repositories import Repository, find_repository
from .state import Organisation
from .wire import token_of

_PATH = re.compile(
    r"(?:/(?P<project>(?!_)[^/]+))?/_git/(?P<name>[^/]+)/(?P<rest>info/refs|git-upload-pack|git-receive-pack)",
    re.IGNORECASE,
)


def serves(path: str) -> bool:
    """Whether a path below the organisation's name is git's."""
    return _PATH.fullmatch(path) is not None


def git_answer(org: Organisation, request: Request, path: str) -> Response:
    """A fetch or push; without a good token 401, which makes git send one (the REST API answers 203 instead)."""
    found = _PATH.fullmatch(path)
    person = org.owner(token_of(request))
    if person is None or found is None:
        return Response("TF400813: Sign in.", 401, {"WWW-Authenticate": f'Basic realm="{org.base_url}/"'})
    try:
        project = org.project(found["project"] or found["name"])
        repo = find_repository(org, project, found["name"])
    except Refusal as refusal:
        return Response(refusal.message, refusal.status, mimetype="text/plain")
    if found["rest"] == "git-receive-pack":
        return _receive(org, repo, person, request)
    return _run(repo, found["rest"], person, request)


def _receive(org: Organisation, repo: Repository, person: Person, request: Request) -> Response:
    """Takes a push and tells the world before answering, so that nothing moves a branch in between."""
    with org.lock:
        before = repo.git.refs()
        response = _run(repo, "git-receive-pack", person, request)
        pushed(org, repo, person, before)
        return response


def _run(repo: Repository, rest: str, person: Person, request: Request) -> Response:
    body = request.get_data()
    variables: Mapping[str, str] = {
        **ENVIRONMENT,
        "GIT_PROJECT_ROOT": str(repo.git.path),
        "GIT_HTTP_EXPORT_ALL": "1",
        "PATH_INFO": f"/{rest}",
        "REQUEST_METHOD": request.method,
        "QUERY_STRING": request.query_string.decode("latin-1"),
        "CONTENT_TYPE": request.headers.get("Content-Type", ""),
        "CONTENT_LENGTH": str(len(body)),
        "HTTP_CONTENT_ENCODING": request.headers.get("Content-Encoding", ""),
        "GIT_PROTOCOL": request.headers.get("Git-Protocol", ""),
        "REMOTE_USER": person.unique_name,
    }
    done = subprocess.run(["git", "http-backend"], input=body, capture_output=True, env=variables, check=False)
    head, _, content = done.stdout.partition(b"\r\n\r\n")
    if not head:
        return Response(done.stderr or b"git http-backend said nothing", 500, mimetype="text/plain")
    headers = dict(line.split(": ", 1) for line in head.decode("latin-1").split("\r\n"))
    status = int(headers.pop("Status", "200").split()[0])
    return Response(content, status, headers)
