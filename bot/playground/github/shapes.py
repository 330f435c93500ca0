"""People, repositories, issues and comments as GitHub's JSON, field by field as its OpenAPI description has them."""

import base64
from collections import Counter
from datetime import datetime
from typing import Any

from bot.playground.github.records import LEVELS, REACTIONS, Comment, Issue, Kind, Label, Reaction, Repo, User

Json = dict[str, Any]

REPO_LINKS = {
    "archive_url": "/{archive_format}{/ref}",
    "assignees_url": "/assignees{/user}",
    "blobs_url": "/git/blobs{/sha}",
    "branches_url": "/branches{/branch}",
    "collaborators_url": "/collaborators{/collaborator}",
    "comments_url": "/comments{/number}",
    "commits_url": "/commits{/sha}",
    "compare_url": "/compare/{base}...{head}",
    "contents_url": "/contents/{+path}",
    "contributors_url": "/contributors",
    "deployments_url": "/deployments",
    "downloads_url": "/downloads",
    "events_url": "/events",
    "forks_url": "/forks",
    "git_commits_url": "/git/commits{/sha}",
    "git_refs_url": "/git/refs{/sha}",
    "git_tags_url": "/git/tags{/sha}",
    "hooks_url": "/hooks",
    "issue_comment_url": "/issues/comments{/number}",
    "issue_events_url": "/issues/events{/number}",
    "issues_url": "/issues{/number}",
    "keys_url": "/keys{/key_id}",
    "labels_url": "/labels{/name}",
    "languages_url": "/languages",
    "merges_url": "/merges",
    "milestones_url": "/milestones{/number}",
    "notifications_url": "/notifications{?since,all,participating}",
    "pulls_url": "/pulls{/number}",
    "releases_url": "/releases{/id}",
    "stargazers_url": "/stargazers",
    "statuses_url": "/statuses/{sha}",
    "subscribers_url": "/subscribers",
    "subscription_url": "/subscription",
    "tags_url": "/tags",
    "teams_url": "/teams",
    "trees_url": "/git/trees{/sha}",
}
USER_LINKS = {
    "followers_url": "/followers",
    "following_url": "/following{/other_user}",
    "gists_url": "/gists{/gist_id}",
    "starred_url": "/starred{/owner}{/repo}",
    "subscriptions_url": "/subscriptions",
    "organizations_url": "/orgs",
    "repos_url": "/repos",
    "events_url": "/events{/privacy}",
    "received_events_url": "/received_events",
}


def iso(at: datetime) -> str:
    """GitHub's time: whole seconds, UTC."""
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


def maybe(at: datetime | None) -> str | None:
    return iso(at) if at else None


def node(prefix: str, number: int) -> str:
    """A node id: opaque, but the same for the same thing."""
    return f"{prefix}_{base64.urlsafe_b64encode(number.to_bytes(8, 'big')).decode().rstrip('=')}"


def user(who: User) -> Json:
    return {
        "login": who.login,
        "id": who.id,
        "node_id": node({"User": "U", "Organization": "O", "Bot": "BOT"}[who.kind], who.id),
        "avatar_url": f"{who.site.url}/avatars/{who.id}.svg",
        "gravatar_id": "",
        "url": who.api,
        "html_url": who.web,
        **{name: who.api + tail for name, tail in USER_LINKS.items()},
        "type": str(who.kind),
        "user_view_type": "public",
        "site_admin": False,
    }


def public_user(who: User) -> Json:
    """GET /user and /users/{login}."""
    nothing: Json = dict.fromkeys(("company", "blog", "location", "email", "hireable", "bio", "twitter_username"))
    counts = dict.fromkeys(("public_repos", "public_gists", "followers", "following"), 0)
    times = {"created_at": iso(who.created_at), "updated_at": iso(who.created_at)}
    return {**user(who), "name": who.name or None, **nothing, **counts, **times}


def organization(who: User) -> Json:
    """The `organization` of a webhook's payload."""
    api = f"{who.site.api}/orgs/{who.login}"
    links = {"events_url": "/events", "hooks_url": "/hooks", "issues_url": "/issues", "repos_url": "/repos"}
    members = {"members_url": "/members{/member}", "public_members_url": "/public_members{/member}"}
    return {
        "login": who.login,
        "id": who.id,
        "node_id": node("O", who.id),
        "url": api,
        **{name: api + tail for name, tail in {**links, **members}.items()},
        "avatar_url": f"{who.site.url}/avatars/{who.id}.svg",
        "description": None,
    }


def repo(it: Repo, level: str | None = None) -> Json:
    """A repository; with `permissions` when `level`, one of LEVELS, is what the asker may do."""
    host = it.site.url.split("://", 1)[1]
    shape: Json = {
        "id": it.id,
        "node_id": node("R", it.id),
        "name": it.name,
        "full_name": it.full_name,
        "private": it.private,
        "owner": user(it.owner),
        "html_url": it.web,
        "description": it.description,
        "fork": it.parent is not None,
        "url": it.api,
        **{name: it.api + tail for name, tail in REPO_LINKS.items()},
        "git_url": f"git://{host}/{it.full_name}.git",
        "ssh_url": f"git@{host}:{it.full_name}.git",
        "clone_url": f"{it.web}.git",
        "svn_url": it.web,
        "mirror_url": None,
        "homepage": None,
        **_repo_facts(it),
        **_repo_counts(it),
    }
    if level is not None:
        shape["permissions"] = permissions(level)
    return shape


def _repo_facts(it: Repo) -> Json:
    return {
        "created_at": iso(it.created_at),
        "updated_at": iso(it.updated_at),
        "pushed_at": iso(it.pushed_at),
        "size": 1,
        "language": "Python",
        "has_issues": True,
        "has_projects": False,
        "has_downloads": False,
        "has_wiki": False,
        "has_pages": False,
        "has_discussions": False,
        "archived": False,
        "disabled": False,
        "license": None,
        "allow_forking": True,
        "is_template": False,
        "web_commit_signoff_required": False,
        "topics": [],
        "visibility": "private" if it.private else "public",
        "default_branch": it.default_branch,
    }


def _repo_counts(it: Repo) -> Json:
    still_open = sum(one.state == "open" for one in it.issues.values())
    zero = dict.fromkeys(("stargazers_count", "watchers_count", "watchers", "forks_count", "forks"), 0)
    return {**zero, "open_issues_count": still_open, "open_issues": still_open}


def full_repo(it: Repo, level: str) -> Json:
    """GET /repos/{owner}/{repo}."""
    shape = {
        **repo(it, level),
        "network_count": 0,
        "subscribers_count": 0,
        "allow_merge_commit": True,
        "allow_squash_merge": True,
        "allow_rebase_merge": False,
        "allow_auto_merge": False,
        "delete_branch_on_merge": False,
    }
    if it.owner.kind is Kind.ORGANIZATION:
        shape["organization"] = user(it.owner)
    if it.parent:
        shape |= {"parent": repo(it.parent), "source": repo(it.parent)}
    return shape


def permissions(level: str) -> Json:
    rank = LEVELS.index(level)
    names = {"admin": "admin", "maintain": "maintain", "push": "write", "triage": "triage", "pull": "read"}
    return {name: rank >= LEVELS.index(needed) for name, needed in names.items()}


def label(it: Label, home: Repo) -> Json:
    return {
        "id": it.id,
        "node_id": node("LA", it.id),
        "url": f"{home.api}/labels/{it.name}",
        "name": it.name,
        "color": it.color,
        "default": False,
        "description": it.description,
    }


def rollup(url: str, reactions: list[Reaction]) -> Json:
    counts = Counter(one.content for one in reactions)
    return {"url": url, "total_count": len(reactions), **{name: counts[name] for name in REACTIONS}}


def reaction(it: Reaction) -> Json:
    return {
        "id": it.id,
        "node_id": node("REA", it.id),
        "user": user(it.user),
        "content": it.content,
        "created_at": iso(it.created_at),
    }


def association(who: User, home: Repo) -> str:
    """GitHub's author_association, without telling contributors and first-timers apart."""
    if who is home.owner:
        return "OWNER"
    if home.owner.kind is Kind.ORGANIZATION and who.kind is Kind.USER and who.permission != "none":
        return "MEMBER"
    return "COLLABORATOR" if who.login.lower() in home.collaborators else "NONE"


def issue(it: Issue) -> Json:
    shape: Json = {
        "url": it.api,
        "repository_url": it.repo.api,
        "labels_url": it.api + "/labels{/name}",
        **{f"{name}_url": f"{it.api}/{name}" for name in ("comments", "events", "timeline")},
        "html_url": it.web,
        "id": it.id,
        "node_id": node("PR" if it.pull else "I", it.id),
        "number": it.number,
        "title": it.title,
        "user": user(it.user),
        "labels": [label(one, it.repo) for one in it.labels],
        "state": it.state,
        "locked": False,
        "assignee": user(it.assignees[0]) if it.assignees else None,
        "assignees": [user(one) for one in it.assignees],
        "milestone": None,
        "comments": len(it.comments),
        **_times(it),
        "author_association": association(it.user, it.repo),
        "active_lock_reason": None,
        "body": it.body,
        "reactions": rollup(it.api + "/reactions", it.reactions),
        "performed_via_github_app": via(it.user),
        "state_reason": it.state_reason,
    }
    if it.pull:
        links = {"url": it.pull.api, "html_url": it.web, "diff_url": it.web + ".diff", "patch_url": it.web + ".patch"}
        shape |= {"draft": it.pull.draft, "pull_request": {**links, "merged_at": maybe(it.pull.merged_at)}}
    return shape


def _times(it: Issue) -> Json:
    closer = user(it.closed_by) if it.closed_by else None
    at = {"created_at": iso(it.created_at), "updated_at": iso(it.updated_at), "closed_at": maybe(it.closed_at)}
    return {**at, "closed_by": closer}


def via(who: User) -> Json | None:
    """`performed_via_github_app`."""
    from bot.playground.github.shapes_apps import app  # the two shapes need each other

    return app(who.app) if who.app else None


def comment(it: Comment) -> Json:
    api = f"{it.issue.repo.api}/issues/comments/{it.id}"
    return {
        "url": api,
        "html_url": f"{it.issue.web}#issuecomment-{it.id}",
        "issue_url": it.issue.api,
        "id": it.id,
        "node_id": node("IC", it.id),
        "user": user(it.user),
        "created_at": iso(it.created_at),
        "updated_at": iso(it.updated_at),
        "author_association": association(it.user, it.issue.repo),
        "body": it.body,
        "reactions": rollup(api + "/reactions", it.reactions),
        "performed_via_github_app": via(it.user),
    }
