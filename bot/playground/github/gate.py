"""Who is asking, what they may, and how the API answers: authentication, limits, pages and GitHub's headers."""

import math
import secrets
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar
from urllib.parse import urlencode

from flask import Blueprint, Response, current_app, g, jsonify, request

from bot.playground.faults import LAG
from bot.playground.github.apps import STRENGTH
from bot.playground.github.grants import App, Token
from bot.playground.github.problems import Problem, not_found
from bot.playground.github.records import Repo, User
from bot.playground.github.world import GitHub

api = Blueprint("github_api", __name__, url_prefix="/api/v3")
T = TypeVar("T")
HOUR = 3_600
ANONYMOUS_LIMIT = 60
MOST_PER_PAGE = 100
MUST = {"write": "Must have push access to repository", "admin": "Must have admin rights to Repository."}

# What the fields of requests are, the same on every route; others are as they are.
STRINGS = (
    "title body state state_reason name head base head_sha status conclusion started_at completed_at details_url "
    "external_id ref sha message branch content color description new_name context target_url event permission "
    "default_branch merge_method commit_title commit_message assignee"
)
LISTS = "labels assignees events actions repositories repository_ids"
TYPES: dict[str, tuple[type, str]] = {
    **dict.fromkeys(STRINGS.split(), (str, "a string")),
    **dict.fromkeys(LISTS.split(), (list, "an array")),
    **dict.fromkeys(("output", "config", "permissions"), (dict, "an object")),
    **dict.fromkeys(("draft", "force", "active"), (bool, "a boolean")),
}


@dataclass(frozen=True, slots=True)
class Asker:
    """Whoever sent the request: a token's owner, an App with its JWT, or nobody."""

    token: Token | None = None
    app: App | None = None

    @property
    def user(self) -> User | None:
        return self.token.user if self.token else None

    @property
    def key(self) -> str:
        """Whose hourly allowance a call is counted against."""
        if self.token and self.token.installation:
            return f"installation ID {self.token.installation.id}"
        if self.token:
            return f"user ID {self.token.user.id}"
        return f"app ID {self.app.id}" if self.app else "anonymous"


def world() -> GitHub:
    found: GitHub = current_app.extensions["playground_github"]
    return found


def asker() -> Asker:
    found: Asker = g.asker
    return found


def identify(github: GitHub, header: str) -> Asker:
    """Read an Authorization header. Raises Problem 401 for a token that means nothing."""
    if not header:
        return Asker()
    scheme, _, secret = header.partition(" ")
    secret = secret.strip()
    if scheme.lower() == "basic":
        from bot.playground.github.git_http import basic

        secret = basic(secret)
    if scheme.lower() == "bearer" and secret.count(".") == 2:
        return Asker(app=github.app_of_jwt(secret))
    token = github.token(secret) if scheme.lower() in ("bearer", "token", "basic") else None
    if token is None:
        raise Problem(401, "Bad credentials")
    return Asker(token=token)


@api.before_request
def _authenticate() -> None:
    g.asker = Asker()
    g.asker = identify(world(), request.headers.get("Authorization", ""))
    _spend(world(), g.asker)


def _spend(github: GitHub, who: Asker) -> None:
    """Count a call against its owner's hour. Raises Problem 403 when the hour is used up."""
    limit, used, reset = allowance(github, who)
    if request.path.endswith("/rate_limit"):
        return
    if used >= limit:
        raise Problem(403, f"API rate limit exceeded for {who.key}.")
    github.spent[who.key] = (reset, used + 1)


def allowance(github: GitHub, who: Asker) -> tuple[int, int, int]:
    """(calls an hour, calls used, epoch second at which the hour ends)."""
    limit = github.rate_limit if who.token or who.app else min(ANONYMOUS_LIMIT, github.rate_limit)
    reset, used = github.spent.get(who.key, (0, 0))
    now = int(time.time())
    return (limit, 0, now + HOUR) if reset <= now else (limit, used, reset)


@api.after_request
def _headers(response: Response) -> Response:
    limit, used, reset = allowance(world(), g.get("asker") or Asker())
    response.headers.update(
        {
            "X-RateLimit-Limit": str(limit),
            "X-RateLimit-Remaining": str(max(0, limit - used)),
            "X-RateLimit-Reset": str(reset),
            "X-RateLimit-Used": str(used),
            "X-RateLimit-Resource": "core",
            "X-GitHub-Media-Type": "github.v3; format=json",
            "X-GitHub-Request-Id": secrets.token_hex(8).upper(),
            "X-GitHub-Enterprise-Version": "3.19.0",
        }
    )
    token = asker().token if g.get("asker") else None
    if token and token.installation is None:
        response.headers["X-OAuth-Scopes"] = ", ".join(token.scopes)
        response.headers["X-Accepted-OAuth-Scopes"] = "repo"
    return response


def who() -> User:
    """The account that acts. Raises Problem 401 for nobody."""
    user = asker().user
    if user is None:
        raise Problem(401, "Requires authentication")
    return user


def open_repo(owner: str, name: str, permission: str = "metadata", access: str = "read", level: str = "read") -> Repo:
    """The repository of a path, if the asker may do this to it.

    permission: the App permissions of which one is needed, as "issues|pull_requests"; access: "read" or "write".
    level: what a person needs, one of LEVELS. Raises Problem 401, 403 or 404 as GitHub would, Moved when renamed.
    """
    github, asking = world(), asker()
    repo = github.repo_of(f"{owner}/{name}")
    token = asking.token
    if token is None:
        if repo.private or asking.app:
            raise not_found()
        if access != "read" or level != "read":
            raise Problem(401, "Requires authentication")
        return repo
    if token.installation:
        _check_installation(token, repo, permission, access)
        return repo
    _check_person(github, token, repo, access, level)
    return repo


def _check_installation(token: Token, repo: Repo, permission: str, access: str) -> None:
    installation = token.installation
    covered = installation is not None and installation.covers(repo) and (token.repos is None or repo in token.repos)
    held = max(STRENGTH.get(token.permissions.get(name, ""), 0) for name in permission.split("|"))
    if not covered and repo.private:
        raise not_found()
    if (held < STRENGTH[access]) if covered else (access != "read"):
        raise Problem(403, "Resource not accessible by integration")


def _check_person(github: GitHub, token: Token, repo: Repo, access: str, level: str) -> None:
    full = "repo" in token.scopes
    if not github.may(token.user, repo, "read") or (repo.private and not full):
        raise not_found()
    if access == "write" and not (full or "public_repo" in token.scopes):
        raise Problem(403, "Resource not accessible by personal access token")
    if not github.may(token.user, repo, level):
        raise Problem(403, MUST.get(level, "Must have admin rights to Repository."))


def is_app() -> bool:
    token = asker().token
    return token is not None and token.installation is not None


def may(repo: Repo, level: str) -> bool:
    """Whether the asker has this level; an installation's rights were checked with the repository."""
    return is_app() or world().may(asker().user, repo, level)


def fields() -> dict[str, Any]:
    """The request's JSON object. Raises Problem 400."""
    if not request.get_data():
        return {}
    body = request.get_json(force=True, silent=True)
    if body is None:
        raise Problem(400, "Problems parsing JSON")
    if not isinstance(body, dict):
        raise Problem(400, "Body should be a JSON object")
    for name, value in body.items():
        _check_type(name, value)
    return body


def _check_type(name: str, value: Any) -> None:
    """Hold a field to its type, in GitHub's words. Raises Problem 422."""
    kind, word = TYPES.get(name, (object, "anything"))
    if value is not None and not isinstance(value, kind):
        raise Problem(422, f"Invalid request.\n\nFor 'properties/{name}', {str(value)[:80]} is not {word}.")


def number(name: str, default: int, most: int | None = None) -> int:
    """A query parameter as a positive number; nonsense counts as the default."""
    text = request.args.get(name, "")
    value = int(text) if text.isascii() and text.isdigit() and len(text) < 12 else default
    return min(max(value, 1), most) if most else max(value, 1)


def cut(items: Iterable[T]) -> tuple[list[T], dict[str, str]]:
    """The asked page of a list, and the Link header that leads to the others."""
    whole = list(items)
    size, page = number("per_page", 30, MOST_PER_PAGE), number("page", 1)
    last = max(1, math.ceil(len(whole) / size))
    leads = {"prev": page - 1, "next": page + 1, "last": last, "first": 1}
    shown = {
        rel: target
        for rel, target in leads.items()
        if 1 <= target <= last and (page < last if rel in ("next", "last") else page > 1)
    }
    return whole[(page - 1) * size : page * size], link({rel: {"page": str(n)} for rel, n in shown.items()})


def link(leads: dict[str, dict[str, str]]) -> dict[str, str]:
    """A Link header to this same request with other parameters."""
    here = f"{world().site.url}{request.path}"
    parts = [f'<{here}?{urlencode({**request.args.to_dict(), **extra})}>; rel="{rel}"' for rel, extra in leads.items()]
    return {"Link": ", ".join(parts)} if parts else {}


def settled(at: datetime | None) -> bool:
    """Whether lists show what was made then; a fault may let them be behind."""
    lag = float(request.environ.get(LAG, 0.0))
    return at is None or not lag or (world().now() - at).total_seconds() >= lag


def listed(items: Iterable[T], shape: Callable[[T], Any]) -> Response:
    """A page of a list as a JSON array."""
    page, headers = cut(items)
    response = jsonify([shape(item) for item in page])
    response.headers.update(headers)
    return response


def counted(items: Iterable[T], name: str, shape: Callable[[T], Any]) -> Response:
    """A page of a list as {"total_count": n, name: [...]}."""
    whole = list(items)
    page, headers = cut(whole)
    response = jsonify({"total_count": len(whole), name: [shape(item) for item in page]})
    response.headers.update(headers)
    return response


def made(shape: Any) -> tuple[Response, int]:
    return jsonify(shape), 201


def gone() -> Response:
    """204, without a body and without a content type."""
    response = Response(status=204)
    response.headers.pop("Content-Type", None)
    return response
