"""Pages about code: a repository's home, its folders, files, commits."""

from flask import Response

from bot.playground.github.bare import GitRefused
from bot.playground.github.diffs import changes
from bot.playground.github.pages import find_repo, pages, show, tabs
from bot.playground.github.problems import not_found
from bot.playground.github.records import Repo

SHOWN = 200_000  # characters of a file that a page shows


@pages.get("/<owner>/<name>")
def repository(owner: str, name: str) -> str:
    return folder(owner, name, find_repo(owner, name).default_branch)


def _split(repo: Repo, where: str) -> tuple[str, str, str]:
    """(ref, its commit, path) of "ref/path", where a branch may have slashes of its own. Raises Problem 404."""
    words = where.strip("/").split("/")
    for count in range(len(words), 0, -1):
        ref = "/".join(words[:count])
        if (sha := repo.git.resolve(ref)) is not None:
            return ref, sha, "/".join(words[count:])
    raise not_found()


@pages.get("/<owner>/<name>/tree/<path:where>")
def folder(owner: str, name: str, where: str) -> str:
    repo = find_repo(owner, name)
    facts = {"repo": repo, "tabs": tabs(repo), "tab": "code", "branches": repo.git.branches()}
    if not facts["branches"]:
        return show("github_repo.html", entries=[], ref=where, path="", commit=None, readme=None, **facts)
    ref, sha, path = _split(repo, where)
    try:
        entries = repo.git.tree(sha, path)
    except GitRefused:
        raise not_found() from None
    readme = next((entry.name for entry in entries if entry.name.lower() == "readme.md"), None)
    text = repo.git.blob(sha, f"{path}/{readme}") if readme else None
    facts |= {"entries": entries, "ref": ref, "path": path, "commit": repo.git.commit(sha)}
    return show("github_repo.html", readme=text.decode("utf-8", "replace") if text else None, **facts)


@pages.get("/<owner>/<name>/blob/<path:where>")
def file(owner: str, name: str, where: str) -> str:
    repo = find_repo(owner, name)
    ref, sha, path = _split(repo, where)
    data = repo.git.blob(sha, path)
    if data is None:
        raise not_found()
    text = None if b"\0" in data[:8_000] else data.decode("utf-8", "replace")[:SHOWN]
    return show(
        "github_file.html", repo=repo, tabs=tabs(repo), tab="code", ref=ref, path=path, text=text, size=len(data)
    )


@pages.get("/<owner>/<name>/raw/<path:where>")
def raw(owner: str, name: str, where: str) -> Response:
    """A file's bytes, as text or for download: never as something that a browser would run."""
    repo = find_repo(owner, name)
    _, sha, path = _split(repo, where)
    data = repo.git.blob(sha, path)
    if data is None:
        raise not_found()
    return Response(data, mimetype="application/octet-stream" if b"\0" in data[:8_000] else "text/plain")


@pages.get("/<owner>/<name>/commits/<path:ref>")
def commits(owner: str, name: str, ref: str) -> str:
    repo = find_repo(owner, name)
    sha = repo.git.resolve(ref)
    if sha is None:
        raise not_found()
    return show(
        "github_commits.html", repo=repo, tabs=tabs(repo), tab="code", ref=ref, commits=repo.git.log(sha, limit=50)
    )


@pages.get("/<owner>/<name>/commit/<sha>")
def commit(owner: str, name: str, sha: str) -> str:
    repo = find_repo(owner, name)
    full = repo.git.resolve(sha)
    if full is None:
        raise not_found()
    it = repo.git.commit(full)
    files = changes(repo.git, it.parents[0] if it.parents else None, full)
    return show("github_commit.html", repo=repo, tabs=tabs(repo), tab="code", commit=it, files=files)
