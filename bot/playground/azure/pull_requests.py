"""What happens to pull requests: opened, pushed to, merged on trial, completed, abandoned, discussed."""

from collections.abc import Mapping

from bot.playground.github.bare import GitRefused

from .errors import git_refused, invalid
from .people import Person
from .pull_events import announce_comment, announce_pull, announce_push
from .repositories import Iteration, PullComment, PullRequest, PullStatus, Repository, Thread, moved, signature
from .state import Organisation

STRATEGIES = ("noFastForward", "squash")


def push_files(
    org: Organisation, repository: Repository, branch: str, files: Mapping[str, bytes | None], message: str, by: Person
) -> str:
    """For stories: commits files (None removes one) on a branch, which starts at the default one; the commit's sha."""
    with org.lock:
        before = repository.git.refs()
        start = None if f"refs/heads/{branch}" in before else before.get(repository.default_branch)
        sha = repository.git.write(branch, files, message, signature(by, org.now()), parent=start)
        pushed(org, repository, by, before)
        return sha


def pushed(org: Organisation, repository: Repository, by: Person, before: Mapping[str, str]) -> None:
    """Tells the world what moved since before, and brings the pull requests of the moved branches up to date."""
    moves = moved(before, repository.git.refs())
    if not moves:
        return
    announce_push(org, repository, moves, by)
    names = {move.name for move in moves}
    for pull in repository.pulls.values():
        if pull.status is PullStatus.ACTIVE and pull.source in names:
            _refresh(org, pull, by, push=True)
            announce_pull(org, pull, by, "updated", "updated the source branch of the pull request", "Push")
        elif pull.status is PullStatus.ACTIVE and pull.target in names:
            _refresh(org, pull, by, push=False)


def open_pull(
    org: Organisation,
    repository: Repository,
    source: str,
    target: str,
    title: str,
    by: Person,
    *,
    description: str = "",
    draft: bool = False,
) -> PullRequest:
    """Branches as full refs or short names; refuses missing branches and a second active one between the same two."""
    with org.lock:
        source, target = _full(source), _full(target)
        _may_open(repository, source, target)
        if not title.strip():
            raise invalid("Value cannot be null or empty.\r\nParameter name: title")
        pull = PullRequest(org.next("pull"), repository, title, description, source, target, by, org.now(), draft=draft)
        repository.pulls[pull.id] = pull
        _refresh(org, pull, by, push=True)
        announce_pull(org, pull, by, "created", "created a new pull request")
        return pull


def _may_open(repository: Repository, source: str, target: str) -> None:
    refs = repository.git.refs()
    for name in (source, target):
        if name not in refs:
            text = f"TF401398: The pull request cannot be activated because the branch {name} no longer exists."
            raise git_refused(400, text, "GitPullRequestCannotBeActivated")
    for pull in repository.pulls.values():
        if pull.status is PullStatus.ACTIVE and (pull.source, pull.target) == (source, target):
            text = "TF401179: An active pull request for the source and target branch already exists."
            raise git_refused(409, text, "GitPullRequestExistsException")


def _full(name: str) -> str:
    return name if name.startswith("refs/") else f"refs/heads/{name}"


def _refresh(org: Organisation, pull: PullRequest, by: Person, *, push: bool) -> None:
    """Merges on trial; the service keeps the result at refs/pull/n/merge and tells it as git.pullrequest.merged."""
    git = pull.repository.git
    refs = git.refs()
    if pull.source not in refs or pull.target not in refs:
        pull.merge_status, pull.merge_commit = "failure", None
        return
    pull.source_commit, pull.target_commit = refs[pull.source], refs[pull.target]
    if push:
        pull.iterations.append(
            Iteration(len(pull.iterations) + 1, pull.source_commit, pull.target_commit, by, org.now())
        )
    pull.merge_commit = _merge(org, pull, by, squash=False, message=None)
    pull.merge_status = "conflicts" if pull.merge_commit is None else "succeeded"
    if pull.merge_commit is not None:
        git.update(f"refs/pull/{pull.id}/merge", pull.merge_commit)
        announce_pull(org, pull, by, "merged", "has created a pull request merge commit")


def _merge(org: Organisation, pull: PullRequest, by: Person, *, squash: bool, message: str | None) -> str | None:
    git = pull.repository.git
    try:
        tree = git.merge(pull.target_commit, pull.source_commit)
    except GitRefused:
        return None
    if tree is None:
        return None
    parents = [pull.target_commit] if squash else [pull.target_commit, pull.source_commit]
    text = message or f"Merged PR {pull.id}: {pull.title}"
    return git.join(tree, parents, text, signature(by, org.now()))


def complete(
    org: Organisation, pull: PullRequest, by: Person, seen: str, options: Mapping[str, object] | None = None
) -> None:
    """Merges into the target branch, if the source is still at the commit that was seen."""
    with org.lock:
        wanted = dict(options or {})
        strategy = str(wanted.get("mergeStrategy") or ("squash" if wanted.get("squashMerge") else STRATEGIES[0]))
        if strategy not in STRATEGIES:
            raise git_refused(400, f"The playground does not merge by {strategy}.", "InvalidArgumentValueException")
        _may_complete(pull, seen)
        message = str(wanted["mergeCommitMessage"]) if wanted.get("mergeCommitMessage") else None
        merged = _merge(org, pull, by, squash=strategy == "squash", message=message)
        if merged is None:
            raise git_refused(409, "TF401192: The merge has conflicts.", "GitPullRequestMergeException")
        before = pull.repository.git.refs()
        pull.merge_commit, pull.merge_status = merged, "succeeded"
        _close(org, pull, by, PullStatus.COMPLETED)
        pull.repository.git.update(pull.target, merged)
        if wanted.get("deleteSourceBranch"):
            pull.repository.git.update(pull.source, None)
        announce_pull(org, pull, by, "updated", "marked the pull request as completed")
        pushed(org, pull.repository, by, before)


def _may_complete(pull: PullRequest, seen: str) -> None:
    if pull.status is not PullStatus.ACTIVE:
        raise git_refused(
            409, "TF401181: The pull request cannot be edited due to its state.", "GitPullRequestNotEditable"
        )
    if pull.draft:
        raise git_refused(400, "A draft pull request cannot be completed.", "GitPullRequestDraftCannotVoteException")
    if seen != pull.source_commit:
        text = "TF401192: The pull request has been changed since it was last seen: lastMergeSourceCommit is stale."
        raise git_refused(409, text, "GitPullRequestStaleException")


def abandon(org: Organisation, pull: PullRequest, by: Person) -> None:
    with org.lock:
        _close(org, pull, by, PullStatus.ABANDONED)
        announce_pull(org, pull, by, "updated", "abandoned the pull request")


def reactivate(org: Organisation, pull: PullRequest, by: Person) -> None:
    """An abandoned one lives again."""
    with org.lock:
        pull.status, pull.closed, pull.closed_by = PullStatus.ACTIVE, None, None
        _refresh(org, pull, by, push=False)
        announce_pull(org, pull, by, "updated", "reactivated the pull request")


def _close(org: Organisation, pull: PullRequest, by: Person, status: PullStatus) -> None:
    pull.status, pull.closed, pull.closed_by = status, org.now(), by


def start_thread(
    org: Organisation, pull: PullRequest, text: str, by: Person, status: str | None = None, kind: str = "text"
) -> Thread:
    """A new thread whose first comment is text."""
    with org.lock:
        thread = Thread(org.next("thread"), status, org.now())
        pull.threads.append(thread)
        reply(org, pull, thread, text, by, kind=kind)
        return thread


def reply(
    org: Organisation,
    pull: PullRequest,
    thread: Thread,
    text: str,
    by: Person,
    *,
    parent: int = 0,
    kind: str = "text",
) -> PullComment:
    """A comment in a thread; its number counts within the thread."""
    if not text.strip():
        raise invalid("Value cannot be null or empty.\r\nParameter name: content")
    with org.lock:
        now = org.now()
        comment = PullComment(len(thread.comments) + 1, parent, text, kind, by, now, now)
        thread.comments.append(comment)
        announce_comment(org, pull, thread, comment, by, "commented on a pull request")
        return comment
