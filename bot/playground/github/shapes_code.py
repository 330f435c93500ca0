"""Commits, branches, files and pull requests as GitHub's JSON."""

import base64
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from bot.playground.github.bare import Change, Commit, Entry, Signature
from bot.playground.github.records import Issue, Pull, Repo, Review, User
from bot.playground.github.shapes import Json, association, iso, label, maybe, node, repo, user

UNSIGNED = {"verified": False, "reason": "unsigned", "signature": None, "payload": None, "verified_at": None}


def signature(who: Signature) -> Json:
    return {"name": who.name, "email": who.email, "date": iso(who.at)}


def git_commit(it: Commit, home: Repo) -> Json:
    """GET /git/commits/{sha}."""
    return {
        "sha": it.sha,
        "node_id": f"C_{it.sha}",
        "url": f"{home.api}/git/commits/{it.sha}",
        "html_url": f"{home.web}/commit/{it.sha}",
        "author": signature(it.author),
        "committer": signature(it.committer),
        "message": it.message,
        "tree": {"sha": it.tree, "url": f"{home.api}/git/trees/{it.tree}"},
        "parents": [
            {"sha": one, "url": f"{home.api}/git/commits/{one}", "html_url": f"{home.web}/commit/{one}"}
            for one in it.parents
        ],
        "verification": dict(UNSIGNED),
    }


def commit(it: Commit, home: Repo, author: User | None, files: list[Change] | None = None) -> Json:
    """GET /commits/{ref}; `author` is the account behind the e-mail address, if any; `files` only for a single one."""
    inner = git_commit(it, home)
    who = user(author) if author else None
    shape: Json = {
        "sha": it.sha,
        "node_id": f"C_{it.sha}",
        "commit": {
            **{name: inner[name] for name in ("author", "committer", "message", "tree", "verification")},
            "url": inner["url"],
            "comment_count": 0,
        },
        "url": f"{home.api}/commits/{it.sha}",
        "html_url": f"{home.web}/commit/{it.sha}",
        "comments_url": f"{home.api}/commits/{it.sha}/comments",
        "author": who,
        "committer": who,
        "parents": [
            {"sha": one, "url": f"{home.api}/commits/{one}", "html_url": f"{home.web}/commit/{one}"}
            for one in it.parents
        ],
    }
    if files is not None:
        plus, minus = sum(one.additions for one in files), sum(one.deletions for one in files)
        shape["stats"] = {"total": plus + minus, "additions": plus, "deletions": minus}
        shape["files"] = [change(one, home, it.sha) for one in files]
    return shape


def push_commit(it: Commit, home: Repo, author: User | None, touched: Mapping[str, list[str]]) -> Json:
    """A commit as the push event has it; `touched` holds the paths added, removed and modified."""
    who = {"name": it.author.name, "email": it.author.email, **({"username": author.login} if author else {})}
    return {
        "id": it.sha,
        "tree_id": it.tree,
        "distinct": True,
        "message": it.message,
        "timestamp": it.committer.at.strftime("%Y-%m-%dT%H:%M:%S+00:00"),
        "url": f"{home.web}/commit/{it.sha}",
        "author": who,
        "committer": who,
        **touched,
    }


def change(it: Change, home: Repo, sha: str) -> Json:
    path = quote(it.path)
    return {
        "sha": it.sha,
        "filename": it.path,
        "status": it.status,
        "additions": it.additions,
        "deletions": it.deletions,
        "changes": it.additions + it.deletions,
        "blob_url": f"{home.web}/blob/{sha}/{path}",
        "raw_url": f"{home.web}/raw/{sha}/{path}",
        "contents_url": f"{home.api}/contents/{path}?ref={sha}",
        **({"patch": it.patch} if it.patch is not None else {}),
        **({"previous_filename": it.previous} if it.previous else {}),
    }


def content(home: Repo, ref: str, path: str, entry: Entry, blob: bytes | None = None) -> Json:
    """A file or folder of a tree; with its bytes in base64 when `blob` is given."""
    where, kind = quote(path), {"blob": "file", "tree": "dir", "commit": "submodule"}[entry.kind]
    api = f"{home.api}/contents/{where}?ref={quote(ref, safe='')}"
    git = f"{home.api}/git/{'trees' if kind == 'dir' else 'blobs'}/{entry.sha}"
    html = f"{home.web}/{'tree' if kind == 'dir' else 'blob'}/{quote(ref)}/{where}"
    shape: Json = {
        "name": path.rpartition("/")[2],
        "path": path,
        "sha": entry.sha,
        "size": entry.size,
        "url": api,
        "html_url": html,
        "git_url": git,
        "download_url": f"{home.web}/raw/{quote(ref)}/{where}" if kind == "file" else None,
        "type": kind,
        "_links": {"self": api, "git": git, "html": html},
    }
    if blob is not None:
        shape |= {"content": base64.encodebytes(blob).decode(), "encoding": "base64"}
    return shape


def ref(home: Repo, name: str, sha: str) -> Json:
    return {
        "ref": name,
        "node_id": f"REF_{base64.urlsafe_b64encode(name.encode()).decode()}",
        "url": f"{home.api}/git/{name}",
        "object": {"sha": sha, "type": "commit", "url": f"{home.api}/git/commits/{sha}"},
    }


def branch(home: Repo, name: str, sha: str) -> Json:
    return {"name": name, "commit": {"sha": sha, "url": f"{home.api}/commits/{sha}"}, "protected": False}


def _end(label_owner: User, name: str, sha: str, home: Repo | None) -> Json:
    whole = repo(home) if home else None
    return {
        "label": f"{label_owner.login}:{name}",
        "ref": name,
        "sha": sha,
        "user": user(label_owner),
        "repo": whole,
    }


def pull(it: Issue, code: Pull) -> Json:
    """A pull request as lists have it."""
    home, links = it.repo, _links(it, code)
    return {
        "url": code.api,
        "id": code.id,
        "node_id": node("PR", code.id),
        "html_url": it.web,
        "diff_url": f"{it.web}.diff",
        "patch_url": f"{it.web}.patch",
        "issue_url": it.api,
        **{f"{name}_url": links[name] for name in ("commits", "review_comments", "review_comment")},
        **{f"{name}_url": links[name] for name in ("comments", "statuses")},
        "number": it.number,
        **_conversation(it),
        "merged_at": maybe(code.merged_at),
        "merge_commit_sha": code.merge_commit_sha,
        "requested_reviewers": [],
        "requested_teams": [],
        "draft": code.draft,
        "head": _end(code.head_owner, code.head_ref, code.head_sha, code.head_repo),
        "base": _end(home.owner, code.base_ref, code.base_sha, home),
        "_links": {name: {"href": address} for name, address in links.items()},
        "auto_merge": None,
    }


def _links(it: Issue, code: Pull) -> dict[str, str]:
    return {
        "self": code.api,
        "html": it.web,
        "issue": it.api,
        "comments": f"{it.api}/comments",
        "review_comments": f"{code.api}/comments",
        "review_comment": f"{it.repo.api}/pulls/comments{{/number}}",
        "commits": f"{code.api}/commits",
        "statuses": f"{it.repo.api}/statuses/{code.head_sha}",
    }


def _conversation(it: Issue) -> Json:
    return {
        "state": it.state,
        "locked": False,
        "title": it.title,
        "user": user(it.user),
        "body": it.body,
        "labels": [label(one, it.repo) for one in it.labels],
        "milestone": None,
        "active_lock_reason": None,
        "created_at": iso(it.created_at),
        "updated_at": iso(it.updated_at),
        "closed_at": maybe(it.closed_at),
        "assignee": user(it.assignees[0]) if it.assignees else None,
        "assignees": [user(one) for one in it.assignees],
        "author_association": association(it.user, it.repo),
    }


def full_pull(it: Issue, code: Pull, mergeable: bool | None, commits: int, files: list[Change]) -> Json:
    """GET /pulls/{number}. `mergeable` None: GitHub has not worked it out yet."""
    state = {True: "clean", False: "dirty", None: "unknown"}[mergeable]
    return {
        **pull(it, code),
        "merged": code.merged_at is not None,
        "mergeable": mergeable,
        "rebaseable": mergeable,
        "mergeable_state": state,
        "merged_by": user(code.merged_by) if code.merged_by else None,
        "comments": len(it.comments),
        "review_comments": 0,
        "maintainer_can_modify": False,
        "commits": commits,
        "additions": sum(one.additions for one in files),
        "deletions": sum(one.deletions for one in files),
        "changed_files": len(files),
    }


def review(it: Review, home: Issue, code: Pull) -> Json:
    html = f"{home.web}#pullrequestreview-{it.id}"
    return {
        "id": it.id,
        "node_id": node("PRR", it.id),
        "user": user(it.user),
        "body": it.body,
        "state": it.state,
        "html_url": html,
        "pull_request_url": code.api,
        "author_association": association(it.user, home.repo),
        "_links": {"html": {"href": html}, "pull_request": {"href": code.api}},
        "submitted_at": iso(it.submitted_at),
        "commit_id": it.commit_id,
    }


def comparison(home: Repo, base: str, head: str, facts: Json, commits: list[Json], files: list[Json]) -> Json:
    """GET /compare/{base}...{head}; `facts` holds the commits at both ends and the counts."""
    span = f"{quote(base)}...{quote(head)}"
    sides: dict[str, Any] = {
        "url": f"{home.api}/compare/{span}",
        "html_url": f"{home.web}/compare/{span}",
        "permalink_url": f"{home.web}/compare/{span}",
        "diff_url": f"{home.web}/compare/{span}.diff",
        "patch_url": f"{home.web}/compare/{span}.patch",
    }
    return {**sides, **facts, "total_commits": facts["ahead_by"], "commits": commits, "files": files}


def simple_commit(it: Commit) -> Json:
    """The head commit of a check suite."""
    return {
        "id": it.sha,
        "tree_id": it.tree,
        "message": it.message,
        "timestamp": iso(it.committer.at),
        "author": {"name": it.author.name, "email": it.author.email},
        "committer": {"name": it.committer.name, "email": it.committer.email},
    }
