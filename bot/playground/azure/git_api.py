"""Git repositories over the REST API: repositories, refs, commits, files and commit statuses."""

import re
from typing import Any

from . import pull_shapes as shapes
from .errors import git_refused, invalid
from .repositories import Repository, Status, find_repository
from .wire import Answer, Call, Routes, collection

routes = Routes()
REPOSITORY = "{project?}/_apis/git/repositories/{repository}"
_STATES = ("notSet", "pending", "succeeded", "failed", "error", "notApplicable")


def repository_of(call: Call) -> Repository:
    return find_repository(call.org, call.scope, call.parts["repository"])


@routes("GET", "{project?}/_apis/git/repositories")
def listed(call: Call) -> Answer:
    owners = [call.scope] if call.scope else call.org.projects
    return collection([shapes.repository(call.org, repo) for owner in owners for repo in owner.repositories])


@routes("GET", REPOSITORY)
def one(call: Call) -> Answer:
    return Answer(shapes.repository(call.org, repository_of(call)))


@routes("GET", REPOSITORY + "/refs")
def refs(call: Call) -> Answer:
    """filter is a prefix without "refs/", as heads/main."""
    repo, prefix = repository_of(call), call.query.get("filter", "")
    found = repo.git.refs("refs/").items()
    some = [(name, sha) for name, sha in found if name.startswith(f"refs/{prefix}")]
    if "filtercontains" in call.query:
        some = [(name, sha) for name, sha in some if call.query["filtercontains"] in name]
    return collection(
        [{"name": name, "objectId": sha, "url": f"{repo.url(call.org)}/refs?filter={name[5:]}"} for name, sha in some]
    )


def _resolve(repo: Repository, version: str, kind: str) -> str:
    prefix = {"branch": "refs/heads/", "tag": "refs/tags/", "commit": ""}.get(kind.lower())
    if prefix is None:
        raise invalid(f"VS402337: versionType is branch, tag or commit, not {kind}.")
    sha = repo.git.resolve(prefix + version)
    if sha is None:
        text = f"TF401175: The version descriptor <{kind.title()}: {version}> could not be resolved."
        raise git_refused(404, text, "GitUnresolvableToCommitException")
    return sha


@routes("GET", REPOSITORY + "/commits/{sha}")
def commit(call: Call) -> Answer:
    repo = repository_of(call)
    return Answer(shapes.commit(call.org, repo, repo.git.commit(_sha(repo, call.parts["sha"]))))


def _sha(repo: Repository, text: str) -> str:
    if not re.fullmatch("[0-9a-f]{40}", text):
        raise git_refused(400, f"TF401174: {text} is not a full commit id.", "InvalidArgumentValueException")
    if repo.git.resolve(text) is None:
        text = f"TF401175: The commit {text} could not be found."
        raise git_refused(404, text, "GitCommitDoesNotExistException")
    return text


@routes("GET", REPOSITORY + "/commits")
def commits(call: Call) -> Answer:
    repo, given = repository_of(call), call.query
    version = given.get("searchcriteria.itemversion.version")
    kind = given.get("searchcriteria.itemversion.versiontype", "branch")
    start = _resolve(repo, version or repo.default_branch.removeprefix("refs/heads/"), kind if version else "branch")
    top, skip = call.count("searchCriteria.$top", 100, 1000), call.count("searchCriteria.$skip", 0, 1_000_000)
    path = given.get("searchcriteria.itempath", "").strip("/")
    rows = repo.git.log(start, limit=top, skip=skip, path=path)
    return collection([shapes.commit(call.org, repo, row) for row in rows])


@routes("GET", REPOSITORY + "/items")
def item(call: Call) -> Answer:
    """One text file, with its content when includeContent=true; folders and downloads are left out."""
    repo, path = repository_of(call), call.query.get("path", "").strip("/")
    version = call.query.get("versiondescriptor.version")
    kind = call.query.get("versiondescriptor.versiontype", "branch")
    sha = _resolve(repo, version or repo.default_branch.removeprefix("refs/heads/"), kind if version else "branch")
    content = repo.git.blob(sha, path) if path else None
    if content is None:
        text = f"TF401174: The item /{path} could not be found in the repository {repo.name} at {sha}."
        raise git_refused(404, text, "GitItemNotFoundException")
    body: dict[str, Any] = {
        "objectId": repo.git.object(f"{sha}:{path}"),
        "gitObjectType": "blob",
        "commitId": sha,
        "path": f"/{path}",
        "url": f"{repo.url(call.org)}/items/{path}?versionType=Commit&version={sha}",
    }
    if call.flag("includeContent"):
        body["content"] = content.decode("utf-8", "replace")
    return Answer(body)


def read_status(call: Call, number: int) -> Status:
    """A status out of a request's body {state, description, context: {name, genre}, targetUrl}."""
    body = call.object
    context = body.object("context")
    if not context.text("name"):
        raise invalid("Value cannot be null or empty.\r\nParameter name: status.Context.Name")
    state = body.text("state", "notSet")
    if state not in _STATES:
        raise invalid(f"VS402337: A status has one of {', '.join(_STATES)}, not {state}.")
    return Status(
        number,
        state,
        body.text("description"),
        context.text("genre"),
        context.text("name"),
        body.text("targetUrl") or None,
        call.person,
        call.org.now(),
        iteration=body.number("iterationId", 0) or None,
    )


@routes("POST", REPOSITORY + "/commits/{sha}/statuses")
def say_status(call: Call) -> Answer:
    repo = repository_of(call)
    sha = _sha(repo, call.parts["sha"])
    entries = repo.statuses.setdefault(sha, [])
    entries.append(read_status(call, len(entries) + 1))
    return Answer(shapes.status(call.org, entries[-1], f"{repo.url(call.org)}/commits/{sha}/statuses"), 201)


@routes("GET", REPOSITORY + "/commits/{sha}/statuses")
def statuses(call: Call) -> Answer:
    """With latestOnly=true the last one of each context."""
    repo = repository_of(call)
    sha = _sha(repo, call.parts["sha"])
    entries = repo.statuses.get(sha, [])
    if call.flag("latestOnly"):
        entries = list({(entry.genre, entry.name): entry for entry in entries}.values())
    url = f"{repo.url(call.org)}/commits/{sha}/statuses"
    return collection([shapes.status(call.org, entry, url) for entry in entries])
