"""Repositories, pull requests, threads and statuses as the REST API and service hooks write them."""

from typing import Any

from bot.playground.github.bare import Commit

from .fields import write_time
from .people import identity_ref
from .projects import project_reference
from .repositories import Iteration, PullComment, PullRequest, Repository, Status, Thread
from .state import Organisation


def repository(org: Organisation, repo: Repository) -> dict[str, Any]:
    body: dict[str, Any] = {
        "id": repo.id,
        "name": repo.name,
        "url": repo.url(org),
        "project": project_reference(org, repo.project),
        "size": 0,
        "remoteUrl": repo.remote_url(org),
        "webUrl": repo.remote_url(org),
        "isDisabled": False,
    }
    if repo.git.refs():  # an empty repository has no default branch, as on the service
        body["defaultBranch"] = repo.default_branch
    return body


def pull_url(org: Organisation, pull: PullRequest) -> str:
    return f"{pull.repository.url(org)}/pullRequests/{pull.id}"


def pull_page(org: Organisation, pull: PullRequest) -> str:
    """Where people look at it."""
    return f"{pull.repository.remote_url(org)}/pullrequest/{pull.id}"


def _commit_reference(org: Organisation, repo: Repository, sha: str) -> dict[str, str]:
    return {"commitId": sha, "url": f"{repo.url(org)}/commits/{sha}"}


def pull_request(org: Organisation, pull: PullRequest) -> dict[str, Any]:
    """GitPullRequest of the REST API, and the resource of git.pullrequest hooks."""
    body: dict[str, Any] = {
        "repository": repository(org, pull.repository),
        "pullRequestId": pull.id,
        "codeReviewId": pull.id,
        "status": pull.status.value,
        "createdBy": identity_ref(pull.by, org.base_url),
        "creationDate": write_time(pull.created),
        "title": pull.title,
        "description": pull.description,
        "sourceRefName": pull.source,
        "targetRefName": pull.target,
        "mergeStatus": pull.merge_status,
        "isDraft": pull.draft,
        "mergeId": pull.merge_id,
        "lastMergeSourceCommit": _commit_reference(org, pull.repository, pull.source_commit),
        "lastMergeTargetCommit": _commit_reference(org, pull.repository, pull.target_commit),
        "reviewers": [reviewer(org, pull, number) for number in pull.votes],
        "url": pull_url(org, pull),
        "_links": {"web": {"href": pull_page(org, pull)}, "statuses": {"href": f"{pull_url(org, pull)}/statuses"}},
        "supportsIterations": True,
        "artifactId": f"vstfs:///Git/PullRequestId/{pull.repository.project.id}%2F{pull.repository.id}%2F{pull.id}",
    }
    if pull.merge_commit is not None:
        body["lastMergeCommit"] = _commit_reference(org, pull.repository, pull.merge_commit)
    if pull.closed is not None and pull.closed_by is not None:
        body |= {"closedDate": write_time(pull.closed), "closedBy": identity_ref(pull.closed_by, org.base_url)}
    return body


def reviewer(org: Organisation, pull: PullRequest, number: str) -> dict[str, Any]:
    person, vote = pull.votes[number]
    url = f"{pull_url(org, pull)}/reviewers/{number}"
    return identity_ref(person, org.base_url) | {"reviewerUrl": url, "vote": vote, "hasDeclined": False}


def status(org: Organisation, entry: Status, url: str) -> dict[str, Any]:
    body: dict[str, Any] = {
        "id": entry.id,
        "state": entry.state,
        "description": entry.description,
        "context": {"name": entry.name, "genre": entry.genre},
        "creationDate": write_time(entry.created),
        "updatedDate": write_time(entry.created),
        "createdBy": identity_ref(entry.by, org.base_url),
        "targetUrl": entry.target_url,
        "_links": {"self": {"href": url}},
    }
    return body if entry.iteration is None else body | {"iterationId": entry.iteration}


def comment(org: Organisation, pull: PullRequest, thread: Thread, entry: PullComment) -> dict[str, Any]:
    """Comment of the REST API, and the resource of the comment hook; the thread's number is in _links alone."""
    own = f"{pull_url(org, pull)}/threads/{thread.id}"
    hrefs = {"self": f"{own}/comments/{entry.id}", "repository": pull.repository.url(org), "threads": own}
    hrefs["pullRequests"] = pull_url(org, pull)
    body: dict[str, Any] = {
        "id": entry.id,
        "parentCommentId": entry.parent,
        "author": identity_ref(entry.by, org.base_url),
        "publishedDate": write_time(entry.published),
        "lastUpdatedDate": write_time(entry.updated),
        "lastContentUpdatedDate": write_time(entry.updated),
        "commentType": entry.kind,
        "usersLiked": [identity_ref(person, org.base_url) for person in entry.likes],
        "_links": {name: {"href": href} for name, href in hrefs.items()},
    }
    return body | ({"isDeleted": True} if entry.deleted else {"content": entry.text})


def thread(org: Organisation, pull: PullRequest, entry: Thread) -> dict[str, Any]:
    comments = [comment(org, pull, entry, one) for one in entry.comments]
    url = f"{pull_url(org, pull)}/threads/{entry.id}"
    body: dict[str, Any] = {
        "id": entry.id,
        "pullRequestThreadContext": None,
        "publishedDate": write_time(entry.created),
        "lastUpdatedDate": write_time(max([entry.created, *(one.updated for one in entry.comments)])),
        "comments": comments,
        "threadContext": entry.context,
        "properties": entry.properties,
        "identities": None,
        "isDeleted": bool(entry.comments) and all(one.deleted for one in entry.comments),
        "_links": {"self": {"href": url}, "repository": {"href": pull.repository.url(org)}},
    }
    return body if entry.status is None else body | {"status": entry.status}


def iteration(org: Organisation, pull: PullRequest, entry: Iteration) -> dict[str, Any]:
    return {
        "id": entry.id,
        "description": pull.title,
        "author": identity_ref(entry.by, org.base_url),
        "createdDate": write_time(entry.at),
        "updatedDate": write_time(entry.at),
        "sourceRefCommit": {"commitId": entry.source},
        "targetRefCommit": {"commitId": entry.target},
        "commonRefCommit": {"commitId": pull.repository.git.merge_base(entry.source, entry.target)},
        "hasMoreCommits": False,
        "reason": "create" if entry.id == 1 else "push",
    }


def commit(org: Organisation, repo: Repository, entry: Commit) -> dict[str, Any]:
    body = _commit_reference(org, repo, entry.sha)
    people = {"author": entry.author, "committer": entry.committer}
    named = {who: {"name": one.name, "email": one.email, "date": write_time(one.at)} for who, one in people.items()}
    return {**body, **named, "comment": entry.message, "parents": list(entry.parents), "treeId": entry.tree}
