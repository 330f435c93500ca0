"""REST: pull requests, their files and commits, merging and reviews."""

from typing import Any

from flask import Response, jsonify, request

from bot.playground.github import shapes_code
from bot.playground.github.api_git import shape_commit
from bot.playground.github.api_issues import SORTS
from bot.playground.github.gate import api, fields, listed, made, may, open_repo, who, world
from bot.playground.github.problems import Problem, invalid, not_found
from bot.playground.github.records import Issue, Pull
from bot.playground.github.shapes import Json

CODE = "pull_requests"
EVENTS = {"APPROVE": "APPROVED", "REQUEST_CHANGES": "CHANGES_REQUESTED", "COMMENT": "COMMENTED"}


@api.get("/repos/<owner>/<name>/pulls")
def pulls(owner: str, name: str) -> Response:
    home, query = open_repo(owner, name, CODE), request.args
    state, head, base = query.get("state", "open"), query.get("head"), query.get("base")

    def fits(it: Issue, code: Pull) -> bool:
        label = f"{code.head_owner.login}:{code.head_ref}"
        return state in ("all", it.state) and head in (None, label) and base in (None, code.base_ref)

    found = [(it, it.pull) for it in home.issues.values() if it.pull and fits(it, it.pull)]
    by = query.get("sort", "created")
    by = by if by in SORTS and by != "comments" else "created"
    newest_first = query.get("direction", "desc" if by == "created" else "asc") != "asc"
    found.sort(key=lambda pair: (getattr(pair[0], f"{by}_at"), pair[0].number), reverse=newest_first)
    return listed(found, lambda pair: shapes_code.pull(*pair))


@api.post("/repos/<owner>/<name>/pulls")
def open_pull(owner: str, name: str) -> tuple[Response, int]:
    home, wanted = open_repo(owner, name, CODE, "write"), fields()
    head, base = wanted.get("head"), wanted.get("base")
    if not isinstance(head, str) or not isinstance(base, str):
        raise invalid("PullRequest", "base" if isinstance(head, str) else "head", "missing_field")
    if ":" not in head and not may(home, "write"):
        raise not_found()
    title, draft = wanted.get("title", ""), bool(wanted.get("draft"))
    it = world().pull_open(who(), home, title, head, base, wanted.get("body"), draft)
    return made(world().pull_shape(it))


@api.get("/repos/<owner>/<name>/pulls/<int:number>")
def pull(owner: str, name: str, number: int) -> Json | Response:
    """The JSON, or the diff or patch when the Accept header asks for one."""
    it, code = world().pull(open_repo(owner, name, CODE), number)
    accept = request.headers.get("Accept", "")
    if "diff" in accept or "patch" in accept:
        git = it.repo.git
        meeting = git.merge_base(code.base_sha, code.head_sha) or code.base_sha
        diff = git.run("diff", "--no-color", "--no-ext-diff", meeting, code.head_sha)
        return Response(diff, content_type="application/vnd.github.v3.diff; charset=utf-8")
    return world().pull_shape(it, look=True)


@api.patch("/repos/<owner>/<name>/pulls/<int:number>")
def change_pull(owner: str, name: str, number: int) -> Json:
    home, wanted, person = open_repo(owner, name, CODE, "write"), fields(), who()
    it, code = world().pull(home, number)
    if it.user is not person and not may(home, "write"):
        raise Problem(403, "Must have push access to repository")
    if wanted.get("title") is not None:
        world().retitle(person, it, wanted["title"])
    if "body" in wanted:
        world().rewrite(person, it, wanted["body"])
    if wanted.get("base"):
        world().retarget(person, it, code, str(wanted["base"]))
    if wanted.get("state"):
        world().set_state(person, it, str(wanted["state"]))
    return world().pull_shape(it)


@api.get("/repos/<owner>/<name>/pulls/<int:number>/files")
def pull_files(owner: str, name: str, number: int) -> Response:
    it, code = world().pull(open_repo(owner, name, CODE), number)
    return listed(world().pull_files(it, code), lambda one: shapes_code.change(one, it.repo, code.head_sha))


@api.get("/repos/<owner>/<name>/pulls/<int:number>/commits")
def pull_commits(owner: str, name: str, number: int) -> Response:
    it, code = world().pull(open_repo(owner, name, CODE), number)
    commits = it.repo.git.log(code.head_sha, limit=250, exclude=code.base_sha)
    return listed(reversed(commits), lambda one: shape_commit(it.repo, one))


@api.get("/repos/<owner>/<name>/pulls/<int:number>/merge")
def is_merged(owner: str, name: str, number: int) -> Response:
    """204 when it is merged, 404 when not."""
    _, code = world().pull(open_repo(owner, name, CODE), number)
    if code.merged_at is None:
        raise not_found()
    return Response(status=204)


@api.put("/repos/<owner>/<name>/pulls/<int:number>/merge")
def merge(owner: str, name: str, number: int) -> Json:
    home, wanted = open_repo(owner, name, "contents", "write", "write"), fields()
    text: dict[str, Any] = {"title": wanted.get("commit_title"), "message": wanted.get("commit_message")}
    method = str(wanted.get("merge_method", "merge"))
    sha = world().merge(who(), home, number, method, sha=wanted.get("sha"), **text)
    return {"sha": sha, "merged": True, "message": "Pull Request successfully merged"}


@api.get("/repos/<owner>/<name>/pulls/<int:number>/reviews")
def reviews(owner: str, name: str, number: int) -> Response:
    it, code = world().pull(open_repo(owner, name, CODE), number)
    return listed(code.reviews, lambda one: shapes_code.review(one, it, code))


@api.post("/repos/<owner>/<name>/pulls/<int:number>/reviews")
def review(owner: str, name: str, number: int) -> Json:
    home, wanted = open_repo(owner, name, CODE, "write"), fields()
    it, code = world().pull(home, number)
    state = EVENTS.get(str(wanted.get("event", "")))
    if state is None:
        raise Problem(422, "Pending reviews are not part of the playground: give an event.")
    made_now = world().review(who(), home, number, state, str(wanted.get("body") or ""))
    return shapes_code.review(made_now, it, code)


@api.get("/repos/<owner>/<name>/commits/<sha>/pulls")
def pulls_of_commit(owner: str, name: str, sha: str) -> Response:
    """The pull requests that brought a commit, or propose it."""
    home = open_repo(owner, name, CODE)
    pairs = [(it, it.pull) for it in home.issues.values() if it.pull]
    found = [(it, code) for it, code in pairs if sha in (code.head_sha, code.merge_commit_sha)]
    return jsonify([shapes_code.pull(it, code) for it, code in found])
