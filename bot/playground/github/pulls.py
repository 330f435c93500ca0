"""Pull requests: opening, following their branches, merging for real in git."""

from bot.playground.github import shapes_code
from bot.playground.github.bare import Change, GitRefused
from bot.playground.github.diffs import changes
from bot.playground.github.problems import Problem, invalid, not_found
from bot.playground.github.records import Issue, Pull, Repo, Review, User
from bot.playground.github.shapes import Json
from bot.playground.github.talk import Talk


class Pulls(Talk):
    """Pull requests from the repository's own branches and from forks.

    As on GitHub, refs/pull/N/head and refs/pull/N/merge are kept in the base repository, and whether one can be
    merged is worked out in the background: the first look after a push finds `mergeable` null.
    """

    def pull_open(
        self,
        as_user: User | str,
        repo: Repo | str,
        title: str,
        head: str,
        base: str | None = None,
        body: str | None = None,
        draft: bool = False,
    ) -> Issue:
        """Open a pull request from `head`, "branch" or "owner:branch". Raises Problem 422 as GitHub would."""
        with self.lock:
            who, home = self.user_of(as_user), self.repo_of(repo)
            base = base or home.default_branch
            source, owner, branch = self._head(home, head)
            head_sha, base_sha = source.git.branch(branch), home.git.branch(base)
            if head_sha is None or base_sha is None:
                raise invalid("PullRequest", "head" if head_sha is None else "base")
            if any(one.pull and one.state == "open" and _same(one.pull, source, branch, base) for one in _all(home)):
                message = f"A pull request already exists for {owner.login}:{branch}."
                raise Problem(422, "Validation Failed", [_custom(message)])
            home.git.take(source.git, head_sha, f"refs/pull/{max(home.issues, default=0) + 1}/head")
            if not home.git.count(head_sha, base_sha):
                raise Problem(422, "Validation Failed", [_custom(f"No commits between {base} and {head}")])
            issue = self.new_issue(who, home, title, body)
            issue.pull = Pull(self.next_id(), issue, source, owner, branch, head_sha, base, base_sha, draft)
            self.tell_issue(issue, "opened", who)
            return issue

    def _head(self, home: Repo, head: str) -> tuple[Repo, User, str]:
        login, colon, branch = head.partition(":")
        if not colon:
            return home, home.owner, head
        network = [one for one in self.repos.values() if one is home or one.parent is home or home.parent is one]
        for repo in network:
            if repo.owner.login.lower() == login.lower():
                return repo, repo.owner, branch
        raise invalid("PullRequest", "head")

    def pull(self, repo: Repo | str, number: int) -> tuple[Issue, Pull]:
        """A pull request by its number. Raises Problem 404, also for an issue."""
        issue = self.issue(repo, number)
        if issue.pull is None:
            raise not_found()
        return issue, issue.pull

    def pull_shape(self, issue: Issue, look: bool = False) -> Json:
        """The full JSON; with `look`, the background work on `mergeable` is done for the next one who asks."""
        assert issue.pull is not None  # noqa: S101 (callers choose pull requests)
        mergeable = self._mergeable(issue, issue.pull) if look else None
        files = self.pull_files(issue, issue.pull)
        commits = issue.repo.git.count(issue.pull.head_sha, issue.pull.base_sha)
        return shapes_code.full_pull(issue, issue.pull, mergeable, commits, files)

    def _mergeable(self, issue: Issue, code: Pull) -> bool | None:
        if issue.state == "closed":
            return None
        tip = issue.repo.git.branch(code.base_ref)
        if tip is None:
            return False
        if code.settled == (tip, code.head_sha):
            return code.mergeable
        code.settled = (tip, code.head_sha)
        tree = self._merged_tree(issue.repo, tip, code.head_sha)
        code.mergeable, code.merge_commit_sha = tree is not None, None
        if tree:
            title = f"Merge {code.head_sha} into {tip}"
            code.merge_commit_sha = issue.repo.git.join(tree, (tip, code.head_sha), title, self.signature(issue.user))
            issue.repo.git.update(f"refs/pull/{issue.number}/merge", code.merge_commit_sha)
        return None

    def _merged_tree(self, repo: Repo, base: str, head: str) -> str | None:
        try:
            return repo.git.merge(base, head)
        except GitRefused:
            return None

    def pull_files(self, issue: Issue, code: Pull) -> list[Change]:
        """What the pull request changes, against the point where it left its base."""
        return changes(issue.repo.git, issue.repo.git.merge_base(code.base_sha, code.head_sha), code.head_sha)

    def branch_moved(self, repo: Repo, branch: str, before: str | None, after: str | None, sender: User) -> None:
        """Let every open pull request follow its head and notice when its base has swallowed it."""
        for issue in [one for home in self.repos.values() for one in _all(home) if one.pull and one.state == "open"]:
            code = issue.pull
            assert code is not None  # noqa: S101 (chosen above)
            if code.head_repo is repo and code.head_ref == branch:
                self._follow(issue, code, before, after, sender)
                continue
            onto = after if issue.repo is repo and code.base_ref == branch else None
            if onto and repo.git.merge_base(code.head_sha, onto) == code.head_sha:
                self._mark_merged(issue, code, onto, sender)

    def _follow(self, issue: Issue, code: Pull, before: str | None, after: str | None, sender: User) -> None:
        if after is None:
            self.set_state(sender, issue, "closed")
            return
        home = issue.repo
        if code.head_repo is not None:
            home.git.take(code.head_repo.git, after, f"refs/pull/{issue.number}/head")
        code.head_sha, code.base_sha = after, home.git.branch(code.base_ref) or code.base_sha
        code.merge_commit_sha = None
        self.note(issue, sender, f"pushed {after[:7]}")
        self.tell_issue(issue, "synchronize", sender, {"before": before or "0" * 40, "after": after})

    def merge(
        self,
        as_user: User | str,
        repo: Repo | str,
        number: int,
        method: str = "merge",
        title: str | None = None,
        message: str | None = None,
        sha: str | None = None,
    ) -> str:
        """Merge into the base branch; the new commit's sha. Raises Problem 405 (cannot) or 409 (head has moved)."""
        with self.lock:
            who = self.user_of(as_user)
            issue, code = self.pull(repo, number)
            home, tip = issue.repo, issue.repo.git.branch(code.base_ref)
            if sha is not None and sha != code.head_sha:
                raise Problem(409, "Head branch was modified. Review and try the merge again.")
            if method not in ("merge", "squash"):
                raise Problem(405, f"{method.capitalize()} merges are not allowed on this repository.")
            tree = self._merged_tree(home, tip, code.head_sha) if tip else None
            if issue.state == "closed" or code.draft or tree is None or tip is None:
                raise Problem(405, "Pull Request is not mergeable")
            text = title or _merge_title(issue, code, method)
            body = message if message is not None else (issue.title if method == "merge" else "")
            parents = (tip, code.head_sha) if method == "merge" else (tip,)
            before = home.git.refs("refs/")
            new = home.git.join(tree, parents, f"{text}\n\n{body}".strip(), self.signature(who))
            self._mark_merged(issue, code, new, who)
            home.git.update(f"refs/heads/{code.base_ref}", new)
            self.pushed(home, who, before)
            return new

    def _mark_merged(self, issue: Issue, code: Pull, sha: str, who: User) -> None:
        now = self.now()
        code.merged_at, code.merged_by, code.merge_commit_sha = now, who, sha
        issue.state, issue.closed_at, issue.closed_by = "closed", now, who
        self.note(issue, who, f"merged commit {sha[:7]} into {code.base_ref}")
        self.tell_issue(issue, "closed", who)

    def set_draft(self, as_user: User | str, repo: Repo | str, number: int, draft: bool) -> None:
        """Make a pull request a draft, or ready for review."""
        with self.lock:
            who = self.user_of(as_user)
            issue, code = self.pull(repo, number)
            if code.draft is draft:
                return
            code.draft = draft
            self.note(issue, who, "marked this as a draft" if draft else "marked this as ready for review")
            self.tell_issue(issue, "converted_to_draft" if draft else "ready_for_review", who)

    def retarget(self, as_user: User | str, issue: Issue, code: Pull, base: str) -> None:
        """Choose another base branch. Raises Problem 422 when there is none of that name."""
        with self.lock:
            who, tip = self.user_of(as_user), issue.repo.git.branch(base)
            if tip is None:
                raise invalid("PullRequest", "base")
            before, code.base_ref, code.base_sha = (code.base_ref, code.base_sha), base, tip
            changed = {"base": {"ref": {"from": before[0]}, "sha": {"from": before[1]}}}
            self.note(issue, who, f"changed the base from {before[0]} to {base}")
            self.tell_issue(issue, "edited", who, {"changes": changed})

    def review(self, as_user: User | str, repo: Repo | str, number: int, state: str, body: str = "") -> Review:
        """Review: APPROVED, CHANGES_REQUESTED or COMMENTED. Raises Problem 422 for approving one's own."""
        with self.lock:
            who = self.user_of(as_user)
            issue, code = self.pull(repo, number)
            if state not in ("APPROVED", "CHANGES_REQUESTED", "COMMENTED"):
                raise invalid("PullRequestReview", "event")
            if who is issue.user and state != "COMMENTED":
                raise Problem(422, "Unprocessable Entity", ["Can not approve your own pull request"])
            review = Review(self.next_id(), who, body, state, code.head_sha, self.now())
            code.reviews.append(review)
            payload = {
                "review": {**shapes_code.review(review, issue, code), "state": state.lower()},
                "pull_request": shapes_code.pull(issue, code),
            }
            self.note(issue, who, state.lower().replace("_", " ") + (f": {body}" if body else ""))
            self.fire("pull_request_review", "submitted", issue.repo, who, payload)
            return review


def _all(repo: Repo) -> list[Issue]:
    return list(repo.issues.values())


def _same(code: Pull, source: Repo, branch: str, base: str) -> bool:
    return code.head_repo is source and code.head_ref == branch and code.base_ref == base


def _custom(message: str) -> dict[str, str]:
    return {"resource": "PullRequest", "code": "custom", "message": message}


def _merge_title(issue: Issue, code: Pull, method: str) -> str:
    if method == "squash":
        return f"{issue.title} (#{issue.number})"
    return f"Merge pull request #{issue.number} from {code.head_owner.login}/{code.head_ref}"
