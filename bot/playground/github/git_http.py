"""git over smart HTTP: `git http-backend` as a CGI program behind GitHub's tokens and permissions."""

import base64
import binascii
import os
import re
import subprocess
import tempfile
from collections.abc import Iterable, Iterator
from typing import IO

from bot.playground.github.bare import ENVIRONMENT
from bot.playground.github.grants import Token
from bot.playground.github.problems import Moved, Problem
from bot.playground.github.records import Repo
from bot.playground.github.world import GitHub
from bot.playground.server import Environ, StartResponse

PATH = re.compile(r"/(?P<repo>[^/]+/[^/]+?)(\.git)?/(?P<rest>info/refs|git-upload-pack|git-receive-pack)")
CHUNK = 65_536


def basic(encoded: str) -> str:
    """The token in a Basic header: the password, or the user name when there is no password, as GitHub takes it."""
    try:
        name, _, password = base64.b64decode(encoded, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return ""
    return name if password in ("", "x-oauth-basic") else password


def serves(environ: Environ) -> bool:
    """Whether a request is git's."""
    return PATH.fullmatch(environ["PATH_INFO"]) is not None


def git_application(github: GitHub, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
    """The WSGI application for fetching and pushing; a push ends with its webhooks being sent."""
    found = PATH.fullmatch(environ["PATH_INFO"])
    assert found is not None  # noqa: S101 (`serves` was asked first)
    pushing = "git-receive-pack" in environ["PATH_INFO"] + environ.get("QUERY_STRING", "")
    try:
        with github.lock:
            repo = github.repo_of(found["repo"])
            token = _token(github, environ)
            _allow(github, repo, token, pushing)
    except Moved as moved:
        target = f"{github.site.url}/{moved.new}.git/{found['rest']}?{environ.get('QUERY_STRING', '')}"
        return _say(start_response, "301 Moved Permanently", "", [("Location", target)])
    except Problem as problem:
        asking = [("WWW-Authenticate", 'Basic realm="GitHub"')] if problem.status == 401 else []
        return _say(start_response, f"{problem.status} No", problem.message, asking)
    with _body(environ) as body:
        if found["rest"] == "git-receive-pack":
            return _receive(github, repo, token, environ, body, start_response)
        return _Relay(_start(repo, found["rest"], token, environ, body), start_response)


def _token(github: GitHub, environ: Environ) -> Token | None:
    header = environ.get("HTTP_AUTHORIZATION", "")
    if not header:
        return None
    scheme, _, value = header.partition(" ")
    token = github.token(basic(value.strip()) if scheme.lower() == "basic" else value.strip())
    if token is None:
        raise Problem(401, "Invalid username or token.")
    return token


def _allow(github: GitHub, repo: Repo, token: Token | None, pushing: bool) -> None:
    if token is None:
        if repo.private or pushing:
            raise Problem(401, "No anonymous write access." if pushing else "Repository not found.")
        return
    if token.installation:
        held = token.permissions.get("contents", "")
        covered = token.installation.covers(repo) and (token.repos is None or repo in token.repos)
        readable = not repo.private or (covered and held)
        writable = covered and held == "write"
    else:
        readable = github.may(token.user, repo, "read") and (not repo.private or "repo" in token.scopes)
        writable = github.may(token.user, repo, "write") and bool({"repo", "public_repo"} & set(token.scopes))
    if not readable:
        raise Problem(404, "Repository not found.")
    if pushing and not writable:
        raise Problem(403, f"Permission to {repo.full_name}.git denied to {token.user.login}.")


def _say(start_response: StartResponse, line: str, text: str, headers: list[tuple[str, str]]) -> list[bytes]:
    body = text.encode()
    start_response(line, [("Content-Type", "text/plain"), ("Content-Length", str(len(body))), *headers])
    return [body]


def _body(environ: Environ) -> IO[bytes]:
    """The request's body as a real file, which a child process can read."""
    body: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 (the caller closes it)
    stream, whole = environ["wsgi.input"], environ.get("wsgi.input_terminated")  # a chunked body has an end, no length
    left = int(environ.get("CONTENT_LENGTH") or 0)
    while (whole or left > 0) and (chunk := stream.read(CHUNK if whole else min(left, CHUNK))):
        body.write(chunk)
        left -= len(chunk)
    body.seek(0)
    return body


def _start(repo: Repo, rest: str, token: Token | None, environ: Environ, body: IO[bytes]) -> "subprocess.Popen[bytes]":
    variables = {
        **ENVIRONMENT,
        "GIT_PROJECT_ROOT": str(repo.git.path),
        "GIT_HTTP_EXPORT_ALL": "1",
        "PATH_INFO": f"/{rest}",
        "REQUEST_METHOD": environ["REQUEST_METHOD"],
        "QUERY_STRING": environ.get("QUERY_STRING", ""),
        "CONTENT_TYPE": environ.get("CONTENT_TYPE", ""),
        "CONTENT_LENGTH": str(os.fstat(body.fileno()).st_size),
        "HTTP_CONTENT_ENCODING": environ.get("HTTP_CONTENT_ENCODING", ""),
        "GIT_PROTOCOL": environ.get("HTTP_GIT_PROTOCOL", ""),
        "REMOTE_ADDR": environ.get("REMOTE_ADDR", ""),
        "REMOTE_USER": token.user.login if token else "",
    }
    return subprocess.Popen(
        ["git", "http-backend"], stdin=body, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=variables
    )


def _head(output: IO[bytes]) -> tuple[str, list[tuple[str, str]]]:
    """The status line and headers that a CGI program wrote before its body."""
    line, headers = "200 OK", []
    while (raw := output.readline()) and raw.strip():
        name, _, value = raw.decode("latin-1").strip().partition(": ")
        if name.lower() == "status":
            line = value
        else:
            headers.append((name, value))
    return line, headers


class _Relay:
    """A fetch, passed on as git produces it."""

    def __init__(self, process: "subprocess.Popen[bytes]", start_response: StartResponse) -> None:
        assert process.stdout is not None  # noqa: S101 (it is a pipe)
        self._process, self._output = process, process.stdout
        start_response(*_head(self._output))

    def __iter__(self) -> Iterator[bytes]:
        while chunk := self._output.read(CHUNK):
            yield chunk

    def close(self) -> None:
        """Called by the server at the end, also when the caller has gone."""
        with self._process:
            self._output.close()


def _receive(
    github: GitHub, repo: Repo, token: Token | None, environ: Environ, body: IO[bytes], start_response: StartResponse
) -> Iterable[bytes]:
    """Take a push and tell the world before answering, so that nothing else moves a branch in between."""
    with github.lock:
        before = repo.git.refs("refs/")
        with _start(repo, "git-receive-pack", token, environ, body) as process:
            assert process.stdout is not None  # noqa: S101 (it is a pipe)
            line, headers = _head(process.stdout)
            answer = process.stdout.read()
        if token:
            github.pushed(repo, token.user, before)
    start_response(line, [*headers, ("Content-Length", str(len(answer)))])
    return [answer]
