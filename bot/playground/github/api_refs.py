"""REST: reading and moving refs."""

from flask import Response, jsonify

from bot.playground.github import shapes_code
from bot.playground.github.gate import api, fields, gone, listed, made, open_repo, who, world
from bot.playground.github.problems import Problem, not_found
from bot.playground.github.records import Repo
from bot.playground.github.shapes import Json

HIDDEN = "refs/compared/"


def _refs(home: Repo, prefix: str) -> dict[str, str]:
    found = home.git.refs("refs/")
    return {name: sha for name, sha in found.items() if name.startswith(prefix) and not name.startswith(HIDDEN)}


@api.get("/repos/<owner>/<name>/git/ref/<path:ref>")
def ref(owner: str, name: str, ref: str) -> Json:
    home = open_repo(owner, name, "contents")
    sha = _refs(home, f"refs/{ref}").get(f"refs/{ref}")
    if sha is None:
        raise not_found()
    return shapes_code.ref(home, f"refs/{ref}", sha)


@api.get("/repos/<owner>/<name>/git/matching-refs/<path:prefix>")
def matching_refs(owner: str, name: str, prefix: str) -> Response:
    home = open_repo(owner, name, "contents")
    return listed(_refs(home, f"refs/{prefix}").items(), lambda pair: shapes_code.ref(home, *pair))


@api.post("/repos/<owner>/<name>/git/refs")
def make_ref(owner: str, name: str) -> tuple[Response, int]:
    home, wanted = open_repo(owner, name, "contents", "write", "write"), fields()
    full, sha = str(wanted.get("ref", "")), str(wanted.get("sha", ""))
    if not full.startswith("refs/heads/"):
        raise Problem(422, "Reference name must start with 'refs/heads/' here: the playground moves branches only.")
    if full in home.git.refs("refs/"):
        raise Problem(422, "Reference already exists")
    if home.git.resolve(sha) != sha:
        raise Problem(422, "Object does not exist")
    world().set_branch(who(), home, full.removeprefix("refs/heads/"), sha)
    return made(shapes_code.ref(home, full, sha))


@api.patch("/repos/<owner>/<name>/git/refs/heads/<path:branch>")
def move_ref(owner: str, name: str, branch: str) -> Response:
    """Move a branch; anything but a fast-forward needs `force`."""
    home, wanted = open_repo(owner, name, "contents", "write", "write"), fields()
    before, sha = home.git.branch(branch), str(wanted.get("sha", ""))
    if before is None:
        raise Problem(422, "Reference does not exist")
    if home.git.resolve(sha) != sha:
        raise Problem(422, "Object does not exist")
    if not wanted.get("force") and home.git.merge_base(before, sha) != before:
        raise Problem(422, "Update is not a fast forward")
    world().set_branch(who(), home, branch, sha)
    return jsonify(shapes_code.ref(home, f"refs/heads/{branch}", sha))


@api.delete("/repos/<owner>/<name>/git/refs/heads/<path:branch>")
def delete_ref(owner: str, name: str, branch: str) -> Response:
    home = open_repo(owner, name, "contents", "write", "write")
    if home.git.branch(branch) is None:
        raise Problem(422, "Reference does not exist")
    world().set_branch(who(), home, branch, None)
    return gone()
