"""Apps, installations, webhooks, checks and statuses as GitHub's JSON."""

import json
from typing import Any

from bot.playground.github.grants import App, CheckRun, CheckSuite, Delivery, Hook, Installation, Status
from bot.playground.github.records import Issue, Kind, Repo
from bot.playground.github.shapes import Json, iso, maybe, node, repo, user


def app(it: App) -> Json:
    return {
        "id": it.id,
        "slug": it.slug,
        "client_id": it.client_id,
        "node_id": node("A", it.id),
        "owner": user(it.owner),
        "name": it.name,
        "description": None,
        "external_url": f"{it.site.url}/apps/{it.slug}",
        "html_url": f"{it.site.url}/apps/{it.slug}",
        "created_at": iso(it.created_at),
        "updated_at": iso(it.created_at),
        "permissions": dict(it.permissions),
        "events": list(it.events),
    }


def installation(it: Installation) -> Json:
    site = it.app.site
    return {
        "id": it.id,
        "client_id": it.app.client_id,
        "account": user(it.account),
        "repository_selection": "all" if it.repos is None else "selected",
        "access_tokens_url": f"{site.api}/app/installations/{it.id}/access_tokens",
        "repositories_url": f"{site.api}/installation/repositories",
        "html_url": f"{site.url}/organizations/{it.account.login}/settings/installations/{it.id}",
        "app_id": it.app.id,
        "app_slug": it.app.slug,
        "target_id": it.account.id,
        "target_type": "Organization" if it.account.kind is Kind.ORGANIZATION else "User",
        "permissions": dict(it.app.permissions),
        "events": list(it.app.events),
        "created_at": iso(it.created_at),
        "updated_at": iso(it.created_at),
        "single_file_name": None,
        "has_multiple_single_files": False,
        "single_file_paths": [],
        "suspended_by": None,
        "suspended_at": None,
    }


def hook(it: Hook, home: Repo) -> Json:
    api = f"{home.api}/hooks/{it.id}"
    latest = next((one for one in reversed(it.deliveries) if one.status != "pending"), None)
    answer = {
        "code": latest.status_code if latest else None,
        "status": ("active" if latest.status_code < 300 else "unused") if latest else "unused",
        "message": latest.status if latest else None,
    }
    return {
        "type": "Repository",
        "id": it.id,
        "name": "web",
        "active": it.active,
        "events": list(it.events),
        "config": {
            "content_type": it.content_type,
            "insecure_ssl": "0",
            "url": it.url,
            **({"secret": "********"} if it.secret else {}),
        },
        "updated_at": iso(it.updated_at),
        "created_at": iso(it.created_at),
        "url": api,
        "test_url": f"{api}/test",
        "ping_url": f"{api}/pings",
        "deliveries_url": f"{api}/deliveries",
        "last_response": answer,
    }


def delivery(it: Delivery) -> Json:
    """As lists have it."""
    return {
        "id": it.id,
        "guid": it.guid,
        "delivered_at": iso(it.delivered_at),
        "redelivery": it.redelivery,
        "duration": round(it.duration, 2),
        "status": it.status,
        "status_code": it.status_code,
        "event": it.event,
        "action": it.action,
        "installation_id": it.installation_id,
        "repository_id": it.repository_id,
        "throttled_at": None,
    }


def full_delivery(it: Delivery) -> Json:
    payload: Any = json.loads(it.body)
    return {
        **delivery(it),
        "url": it.hook.url,
        "request": {"headers": dict(it.request_headers), "payload": payload},
        "response": {"headers": dict(it.response_headers), "payload": it.response_body},
    }


def minimal_pull(it: Issue) -> Json:
    """A pull request as a check names it."""
    assert it.pull is not None  # noqa: S101 (callers choose pull requests)
    head = it.pull.head_repo or it.repo
    return {
        "id": it.pull.id,
        "number": it.number,
        "url": it.pull.api,
        "head": {"ref": it.pull.head_ref, "sha": it.pull.head_sha, "repo": _tiny(head)},
        "base": {"ref": it.pull.base_ref, "sha": it.pull.base_sha, "repo": _tiny(it.repo)},
    }


def _tiny(it: Repo) -> Json:
    return {"id": it.id, "url": it.api, "name": it.name}


def pulls_of(home: Repo, sha: str) -> list[Json]:
    """The open pull requests of the repository's own branches at this commit; forks' are left out, as on GitHub."""
    own = [one for one in home.issues.values() if one.pull and one.state == "open" and one.pull.head_repo is home]
    return [minimal_pull(one) for one in own if one.pull and one.pull.head_sha == sha]


def check_run(it: CheckRun) -> Json:
    api = f"{it.repo.api}/check-runs/{it.id}"
    return {
        "id": it.id,
        "name": it.name,
        "node_id": node("CR", it.id),
        "head_sha": it.head_sha,
        "external_id": it.external_id,
        "url": api,
        "html_url": f"{it.repo.web}/runs/{it.id}",
        "details_url": it.details_url or it.app.site.url + f"/apps/{it.app.slug}",
        "status": it.status,
        "conclusion": it.conclusion,
        "started_at": maybe(it.started_at),
        "completed_at": maybe(it.completed_at),
        "output": {
            "title": it.title,
            "summary": it.summary,
            "text": it.text,
            "annotations_count": len(it.annotations),
            "annotations_url": f"{api}/annotations",
        },
        "check_suite": {"id": it.suite.id},
        "app": app(it.app),
        "pull_requests": pulls_of(it.repo, it.head_sha),
    }


def suite_state(it: CheckSuite) -> tuple[str, str | None]:
    """(status, conclusion) of a suite, from its runs."""
    if not it.runs:
        return "queued", None
    if any(run.status != "completed" for run in it.runs):
        return "in_progress", None
    worst = ("failure", "timed_out", "cancelled", "action_required", "success", "neutral", "skipped")
    found = {run.conclusion for run in it.runs}
    return "completed", next((one for one in worst if one in found), "success")


def check_suite(it: CheckSuite, head_commit: Json) -> Json:
    api = f"{it.repo.api}/check-suites/{it.id}"
    status, conclusion = suite_state(it)
    return {
        "id": it.id,
        "node_id": node("CS", it.id),
        "head_branch": it.head_branch,
        "head_sha": it.head_sha,
        "status": status,
        "conclusion": conclusion,
        "url": api,
        "before": None,
        "after": it.head_sha,
        "pull_requests": pulls_of(it.repo, it.head_sha),
        "app": app(it.app),
        "repository": repo(it.repo),
        "created_at": iso(it.created_at),
        "updated_at": iso(it.updated_at),
        "rerequestable": True,
        "runs_rerequestable": True,
        "latest_check_runs_count": len(it.runs),
        "check_runs_url": f"{api}/check-runs",
        "head_commit": head_commit,
    }


def status(it: Status, home: Repo) -> Json:
    return {
        "url": f"{home.api}/statuses/{it.sha}",
        "avatar_url": user(it.creator)["avatar_url"],
        "id": it.id,
        "node_id": node("SC", it.id),
        "state": it.state,
        "description": it.description,
        "target_url": it.target_url,
        "context": it.context,
        "created_at": iso(it.created_at),
        "updated_at": iso(it.created_at),
        "creator": user(it.creator),
    }
