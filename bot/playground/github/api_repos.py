"""REST: repositories, their branches, people, labels and forks."""

from flask import Response, jsonify

from bot.playground.github import shapes, shapes_code
from bot.playground.github.gate import api, asker, fields, gone, is_app, listed, made, open_repo, who, world
from bot.playground.github.problems import Problem, invalid, not_found
from bot.playground.github.records import LEVELS, Label, Repo, User
from bot.playground.github.shapes import Json

# GitHub's older four words for its five levels.
OLD_WORD = {"admin": "admin", "maintain": "write", "write": "write", "triage": "read", "read": "read", "none": "none"}
UNPROTECTED: Json = {"enforcement_level": "off", "contexts": [], "checks": []}


@api.get("/repos/<owner>/<name>")
def repo(owner: str, name: str) -> Json:
    found = open_repo(owner, name)
    return shapes.full_repo(found, "read" if is_app() else world().level(asker().user, found))


@api.patch("/repos/<owner>/<name>")
def change_repo(owner: str, name: str) -> Json:
    found, wanted = open_repo(owner, name, "administration", "write", "admin"), fields()
    if branch := wanted.get("default_branch"):
        if found.git.branch(branch) is None:
            raise invalid("Repository", "default_branch")
        found.default_branch = branch
        found.git.head(branch)
    found.description = wanted.get("description", found.description)
    if (new := wanted.get("name")) and new != found.name:
        world().rename_repo(found, new)
    return shapes.full_repo(found, "admin")


@api.delete("/repos/<owner>/<name>")
def delete_repo(owner: str, name: str) -> Response:
    world().delete_repo(open_repo(owner, name, "administration", "write", "admin"))
    return gone()


@api.get("/repositories/<int:number>")
def repo_by_id(number: int) -> Json:
    found = next((one for one in world().repos.values() if one.id == number), None)
    if found is None:
        raise not_found()
    return repo(found.owner.login, found.name)


@api.get("/repos/<owner>/<name>/branches")
def branches(owner: str, name: str) -> Response:
    found = open_repo(owner, name, "contents")
    return listed(found.git.branches().items(), lambda pair: shapes_code.branch(found, *pair))


@api.get("/repos/<owner>/<name>/branches/<path:branch>")
def branch(owner: str, name: str, branch: str) -> Json:
    found = open_repo(owner, name, "contents")
    sha = found.git.branch(branch)
    if sha is None:
        raise Problem(404, "Branch not found")
    commit = found.git.commit(sha)
    api_url = f"{found.api}/branches/{branch}"
    return {
        **shapes_code.branch(found, branch, sha),
        "commit": shapes_code.commit(commit, found, world().by_email(commit.author.email)),
        "_links": {"self": api_url, "html": f"{found.web}/tree/{branch}"},
        "protection": {"enabled": False, "required_status_checks": dict(UNPROTECTED)},
        "protection_url": f"{api_url}/protection",
    }


@api.get("/repos/<owner>/<name>/collaborators/<login>/permission")
def permission(owner: str, name: str, login: str) -> Json:
    """As on GitHub, everyone has "read" on a public repository: "none" is only ever seen on private ones."""
    found = open_repo(owner, name, "metadata", "read", "write")
    person = world().user_of(login)
    level = world().level(person, found)
    shape = {**shapes.user(person), "permissions": shapes.permissions(level), "role_name": level}
    return {"permission": OLD_WORD[level], "role_name": level, "user": shape}


@api.get("/repos/<owner>/<name>/collaborators")
def collaborators(owner: str, name: str) -> Response:
    found = open_repo(owner, name, "metadata", "read", "write")

    def shape(person: User) -> Json:
        level = world().level(person, found)
        return {**shapes.user(person), "permissions": shapes.permissions(level), "role_name": level}

    return listed([one for one in world().users.values() if _collaborates(one, found)], shape)


def _collaborates(person: User, found: Repo) -> bool:
    if person.kind != "User":
        return False
    own = found.collaborators.get(person.login.lower(), person.permission)
    return own != "none" or person is found.owner


@api.get("/repos/<owner>/<name>/collaborators/<login>")
def collaborator(owner: str, name: str, login: str) -> Response:
    found = open_repo(owner, name, "metadata", "read", "write")
    if not _collaborates(world().user_of(login), found):
        raise not_found()
    return gone()


@api.put("/repos/<owner>/<name>/collaborators/<login>")
def add_collaborator(owner: str, name: str, login: str) -> Response:
    """Takes effect at once: the playground sends no invitations."""
    found = open_repo(owner, name, "administration", "write", "admin")
    words = {"pull": "read", "push": "write"}
    level = fields().get("permission", "push")
    level = words.get(level, level)
    if level not in LEVELS:
        raise invalid("Repository", "permission")
    world().grant(found, login, level)
    return gone()


@api.get("/repos/<owner>/<name>/labels")
def labels(owner: str, name: str) -> Response:
    found = open_repo(owner, name, "issues|pull_requests|metadata")
    return listed(found.labels.values(), lambda label: shapes.label(label, found))


@api.post("/repos/<owner>/<name>/labels")
def make_label(owner: str, name: str) -> tuple[Response, int]:
    found, wanted = open_repo(owner, name, "issues|pull_requests", "write", "write"), fields()
    if str(wanted.get("name", "")).lower() in found.labels:
        raise invalid("Label", "name", "already_exists")
    color = str(wanted.get("color", "ededed")).removeprefix("#")
    label = world().label_of(found, str(wanted.get("name", "")), color, wanted.get("description"))
    return made(shapes.label(label, found))


def _label(found: Repo, label: str) -> Label:
    if label.lower() not in found.labels:
        raise not_found()
    return found.labels[label.lower()]


@api.get("/repos/<owner>/<name>/labels/<path:label>")
def label(owner: str, name: str, label: str) -> Json:
    found = open_repo(owner, name, "issues|pull_requests|metadata")
    return shapes.label(_label(found, label), found)


@api.patch("/repos/<owner>/<name>/labels/<path:label>")
def change_label(owner: str, name: str, label: str) -> Json:
    found, wanted = open_repo(owner, name, "issues|pull_requests", "write", "write"), fields()
    it = _label(found, label)
    it.color = str(wanted.get("color", it.color)).removeprefix("#")
    it.description = wanted.get("description", it.description)
    if new := wanted.get("new_name"):
        found.labels.pop(it.name.lower())
        it.name = new
        found.labels[new.lower()] = it
    return shapes.label(it, found)


@api.delete("/repos/<owner>/<name>/labels/<path:label>")
def delete_label(owner: str, name: str, label: str) -> Response:
    found = open_repo(owner, name, "issues|pull_requests", "write", "write")
    it = _label(found, label)
    for issue in found.issues.values():
        if it in issue.labels:
            issue.labels.remove(it)
    found.labels.pop(it.name.lower())
    return gone()


@api.get("/repos/<owner>/<name>/forks")
def forks(owner: str, name: str) -> Response:
    found = open_repo(owner, name)
    return listed([one for one in world().repos.values() if one.parent is found], shapes.repo)


@api.post("/repos/<owner>/<name>/forks")
def fork(owner: str, name: str) -> tuple[Response, int]:
    """202 as on GitHub, where the copy is made in the background; here it is there at once."""
    found = open_repo(owner, name, "administration", "write")
    return jsonify(shapes.full_repo(world().fork(who(), found, fields().get("name")), "admin")), 202
