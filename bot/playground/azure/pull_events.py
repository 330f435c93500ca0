"""Turns what happened in a repository into the events of service hooks."""

from html import escape
from typing import Any

from . import pull_shapes as shapes
from .fields import write_time
from .people import Person, identity_ref
from .repositories import Moved, PullComment, PullRequest, Repository, Thread, commits_of
from .state import Organisation
from .subscriptions import Event, publish


def _texts(text: str) -> dict[str, str]:
    return {"text": text, "html": escape(text, quote=False), "markdown": text}


def announce_push(org: Organisation, repo: Repository, moves: list[Moved], by: Person) -> None:
    """git.push: one event for all refs that one push moved."""
    commits = [commit for move in moves for commit in commits_of(repo, move)]
    number = org.next("push")
    resource = {
        "commits": [shapes.commit(org, repo, commit) for commit in commits],
        "refUpdates": [{"name": move.name, "oldObjectId": move.old, "newObjectId": move.new} for move in moves],
        "repository": shapes.repository(org, repo),
        "pushedBy": identity_ref(by, org.base_url),
        "pushId": number,
        "date": write_time(org.now()),
        "url": f"{repo.url(org)}/pushes/{number}",
    }
    branch = moves[0].name.removeprefix("refs/heads/")
    text = f"{by.display_name} pushed updates to branch {branch} of repository {repo.name}."
    facts = {"repository": repo.id, "branch": moves[0].name, "pushedBy": by.id}
    lines = "".join(f"\n - {commit.message.splitlines()[0]} {commit.sha[:8]}" for commit in commits if commit.message)
    event = Event("git.push", repo.project, _texts(text), _texts(text + lines), lambda _: resource, facts, org.now())
    publish(org, event)


def _facts(pull: PullRequest, kind: str) -> dict[str, str]:
    return {
        "repository": pull.repository.id,
        "branch": pull.target,
        "pullrequestCreatedBy": pull.by.id,
        "pullrequestReviewersContains": next(iter(pull.votes), ""),
        "notificationType": f"{kind}Notification" if kind else "",
        "mergeResult": pull.merge_status,
    }


def announce_pull(
    org: Organisation, pull: PullRequest, by: Person, what: str, words: str, kind: str = "StatusUpdate"
) -> None:
    """git.pullrequest.created, .updated or .merged (a merge was tried; completion is an update with that status)."""
    resource = shapes.pull_request(org, pull)
    text = f"{by.display_name} {words}"
    detail = f"{text}\r\n\r\n- Merge status: {pull.merge_status.title()}\r\n"
    if pull.merge_commit is not None:
        detail += f"- Merge commit: {pull.merge_commit[:6]}({resource['lastMergeCommit']['url']})\r\n"
    event = Event(
        f"git.pullrequest.{what}",
        pull.repository.project,
        _texts(text),
        _texts(detail),
        lambda _: resource,
        _facts(pull, kind),
        org.now(),
    )
    publish(org, event)


def announce_comment(
    org: Organisation, pull: PullRequest, thread: Thread, comment: PullComment, by: Person, words: str
) -> None:
    """The comment event, for new, edited and deleted comments alike; version 1.0 has no pull request in it."""
    said = shapes.comment(org, pull, thread, comment)
    whole = shapes.pull_request(org, pull)

    def resource(version: str) -> dict[str, Any]:
        return said if version == "1.0" else {"comment": said, "pullRequest": whole}

    url = f"{shapes.pull_page(org, pull)}?discussionId={thread.id}"
    verb, _, rest = words.partition(" ")
    text = f"{by.display_name} has {words}"
    message = {
        "text": text,
        "html": f'{escape(by.display_name)} has <a href="{escape(url)}">{verb}</a> {rest}',
        "markdown": f"{by.display_name} has [{verb}]({url}) {rest}",
    }
    detail = {
        "text": f"{text}\r\n{comment.text}\r\n",
        "html": f"{message['html']}<p>{escape(comment.text)}</p>",
        "markdown": f"{message['markdown']}\r\n{comment.text}\r\n",
    }
    name = "ms.vss-code.git-pullrequest-comment-event"
    facts = {"repository": pull.repository.id, "branch": pull.target}
    publish(org, Event(name, pull.repository.project, message, detail, resource, facts, org.now()))
