"""REST: commits, comparisons, files, refs and trees."""

import base64
import binascii
from typing import Any

from flask import Response, jsonify, request

from bot.playground.github import shapes_code
from bot.playground.github.bare import Commit, Entry, GitRefused
from bot.playground.github.diffs import changes
from bot.playground.github.gate import api, fields, link, number, open_repo, who, world
from bot.playground.github.problems import Problem, not_found
from bot.playground.github.records import Repo
from bot.playground.github.shapes import Json


def shape_commit(home: Repo, commit: Commit, *, files: bool = False) -> Json:
    changed = changes(home.git, commit.parents[0] if commit.parents else None, commit.sha) if files else None
    return shapes_code.commit(commit, home, world().by_email(commit.author.email), changed)


@api.get("/repos/<owner>/<name>/commits")
def commits(owner: str, name: str) -> Response:
    home = open_repo(owner, name, "contents")
    if not home.git.branches():
        raise Problem(409, "Git Repository is empty.")
    start = home.git.resolve(request.args.get("sha") or home.default_branch)
    if start is None:
        raise not_found()
    size, page, path = number("per_page", 30, 100), number("page", 1), request.args.get("path", "")
    found = home.git.log(start, limit=size + 1, skip=(page - 1) * size, path=path)
    response = jsonify([shape_commit(home, commit) for commit in found[:size]])
    leads = {"next": page + 1} if len(found) > size else {}
    if page > 1:
        leads |= {"prev": page - 1, "first": 1}
    response.headers.update(link({rel: {"page": str(target)} for rel, target in leads.items()}))
    return response


@api.get("/repos/<owner>/<name>/commits/<path:ref>")
def commit(owner: str, name: str, ref: str) -> Json | Response:
    home = open_repo(owner, name, "contents")
    sha = home.git.resolve(ref)
    if sha is None:
        raise Problem(422, f"No commit found for SHA: {ref}")
    if "sha" in request.headers.get("Accept", "").split(";")[0]:
        return Response(sha, content_type="application/vnd.github.v3.sha; charset=utf-8")
    return shape_commit(home, home.git.commit(sha), files=True)


@api.get("/repos/<owner>/<name>/git/commits/<sha>")
def git_commit(owner: str, name: str, sha: str) -> Json:
    home = open_repo(owner, name, "contents")
    if home.git.resolve(sha) != sha:
        raise not_found()
    return shapes_code.git_commit(home.git.commit(sha), home)


@api.get("/repos/<owner>/<name>/compare/<path:span>")
def compare(owner: str, name: str, span: str) -> Json:
    home = open_repo(owner, name, "contents")
    base_ref, dots, head_ref = span.partition("...")
    base, head = _tip(home, base_ref), _tip(home, head_ref)
    if not dots or base is None or head is None:
        raise not_found()
    meeting = home.git.merge_base(base, head)
    if meeting is None:
        raise Problem(404, f"No common ancestor between {base_ref} and {head_ref}.")
    ahead, behind = home.git.count(head, base), home.git.count(base, head)
    status = "diverged" if ahead and behind else "ahead" if ahead else "behind" if behind else "identical"
    facts: Json = {
        "base_commit": shape_commit(home, home.git.commit(base)),
        "merge_base_commit": shape_commit(home, home.git.commit(meeting)),
        "status": status,
        "ahead_by": ahead,
        "behind_by": behind,
    }
    new = [shape_commit(home, one) for one in reversed(home.git.log(head, limit=250, exclude=base))]
    files = [shapes_code.change(one, home, head) for one in changes(home.git, meeting, head)]
    return shapes_code.comparison(home, base_ref, head_ref, facts, new, files)


def _tip(home: Repo, ref: str) -> str | None:
    """A commit by ref, also "owner:branch" of a fork, whose commits are brought here to be compared."""
    login, colon, branch = ref.partition(":")
    if not colon:
        return home.git.resolve(ref)
    for repo in world().repos.values():
        if repo.owner.login.lower() == login.lower() and (repo is home or repo.parent is home or home.parent is repo):
            sha = repo.git.branch(branch)
            if sha and repo is not home:
                home.git.take(repo.git, sha, f"refs/compared/{sha}")
            return sha
    return None


@api.get("/repos/<owner>/<name>/contents/", defaults={"path": ""})
@api.get("/repos/<owner>/<name>/contents", defaults={"path": ""}, endpoint="contents_root")
@api.get("/repos/<owner>/<name>/contents/<path:path>")
def contents(owner: str, name: str, path: str) -> Response:
    """A file with its bytes in base64, a folder as a list; raw bytes when they are asked for."""
    home = open_repo(owner, name, "contents")
    ref = request.args.get("ref") or home.default_branch
    sha = world().head_of(home, ref)
    path = path.strip("/")
    entry = _entry(home, sha, path)
    if entry is None or entry.kind == "tree":
        return _folder(home, ref, sha, path)
    blob = home.git.blob(sha, path) or b""
    if "raw" in request.headers.get("Accept", ""):
        return Response(blob, content_type="application/vnd.github.raw; charset=utf-8")
    return jsonify(shapes_code.content(home, ref, path, entry, blob))


def _entry(home: Repo, sha: str, path: str) -> Entry | None:
    """The tree's entry for a path; None for the root. Raises Problem 404."""
    if not path:
        return None
    folder, _, last = path.rpartition("/")
    try:
        found = next((one for one in home.git.tree(sha, folder) if one.name == last), None)
    except GitRefused:
        found = None
    if found is None:
        raise not_found()
    return found


def _folder(home: Repo, ref: str, sha: str, path: str) -> Response:
    prefix = f"{path}/" if path else ""
    return jsonify([shapes_code.content(home, ref, prefix + one.name, one) for one in home.git.tree(sha, path)])


@api.put("/repos/<owner>/<name>/contents/<path:path>")
def write_file(owner: str, name: str, path: str) -> tuple[Response, int]:
    """Commit one file; replacing one needs its blob's `sha`."""
    home, wanted = open_repo(owner, name, "contents", "write", "write"), fields()
    try:
        data = base64.b64decode(str(wanted.get("content", "")), validate=False)
    except binascii.Error:
        raise Problem(422, "content is not valid Base64") from None
    branch, message = _place(home, wanted)
    before = _check_blob(home, branch, path, wanted.get("sha"))
    sha = world().push(who(), home, branch, {path: data}, message)
    shape = shapes_code.content(home, branch, path, _existing(home, sha, path))
    answer = {"content": shape, "commit": shapes_code.git_commit(home.git.commit(sha), home)}
    return jsonify(answer), 200 if before else 201


@api.delete("/repos/<owner>/<name>/contents/<path:path>")
def delete_file(owner: str, name: str, path: str) -> Json:
    home, wanted = open_repo(owner, name, "contents", "write", "write"), fields()
    branch, message = _place(home, wanted)
    if _check_blob(home, branch, path, wanted.get("sha")) is None:
        raise not_found()
    sha = world().push(who(), home, branch, {path: None}, message)
    return {"content": None, "commit": shapes_code.git_commit(home.git.commit(sha), home)}


def _place(home: Repo, wanted: dict[str, Any]) -> tuple[str, str]:
    branch, message = str(wanted.get("branch") or home.default_branch), wanted.get("message")
    if not message:
        raise Problem(422, 'Invalid request.\n\n"message" wasn\'t supplied.')
    if home.git.branch(branch) is None and home.git.branches():
        raise Problem(404, f"Branch {branch} not found")
    return branch, str(message)


def _check_blob(home: Repo, branch: str, path: str, claimed: object) -> str | None:
    """The blob now at a path. Raises Problem 422 without its sha, 409 with another."""
    tip = home.git.branch(branch)
    now = home.git.object(f"{tip}:{path}") if tip else None
    if now and claimed is None:
        raise Problem(422, 'Invalid request.\n\n"sha" wasn\'t supplied.')
    if now and claimed != now:
        raise Problem(409, f"{path} does not match {claimed}")
    return now


def _existing(home: Repo, sha: str, path: str) -> Entry:
    entry = _entry(home, sha, path)
    if entry is None:
        raise not_found()
    return entry


@api.get("/repos/<owner>/<name>/readme")
def readme(owner: str, name: str) -> Response:
    return contents(owner, name, "README.md")


@api.get("/repos/<owner>/<name>/git/trees/<path:ref>")
def tree(owner: str, name: str, ref: str) -> Json:
    home = open_repo(owner, name, "contents")
    sha = home.git.resolve(ref) or home.git.object(f"{ref}^{{tree}}")
    if sha is None:
        raise not_found()

    def walk(prefix: str) -> list[Json]:
        found = []
        for entry in home.git.tree(sha, prefix):
            path = f"{prefix}/{entry.name}".strip("/")
            size = {"size": entry.size} if entry.kind == "blob" else {}
            url = f"{home.api}/git/{entry.kind}s/{entry.sha}"
            found.append({"path": path, "mode": entry.mode, "type": entry.kind, "sha": entry.sha, **size, "url": url})
            if entry.kind == "tree" and request.args.get("recursive"):
                found.extend(walk(path))
        return found

    whole = home.git.object(f"{sha}^{{tree}}") or sha
    return {"sha": whole, "url": f"{home.api}/git/trees/{whole}", "tree": walk(""), "truncated": False}


@api.get("/repos/<owner>/<name>/git/blobs/<sha>")
def blob(owner: str, name: str, sha: str) -> Json:
    home = open_repo(owner, name, "contents")
    if home.git.object(sha) != sha:
        raise not_found()
    data = home.git.run("cat-file", "blob", sha)
    facts = {"sha": sha, "node_id": f"B_{sha}", "size": len(data), "url": f"{home.api}/git/blobs/{sha}"}
    return {**facts, "content": base64.encodebytes(data).decode(), "encoding": "base64"}
