"""Repositories and what moves in them: creating, pushing, forking, and the events that follow."""

import shutil
from collections.abc import Mapping
from pathlib import Path

from bot.playground.github import shapes, shapes_code
from bot.playground.github.bare import Bare, GitRefused, Signature
from bot.playground.github.diffs import touched
from bot.playground.github.problems import Problem, invalid, not_found
from bot.playground.github.records import Repo, User
from bot.playground.github.webhooks import Webhooks

NOTHING = "0" * 40
MOST_COMMITS = 2_048  # a push event lists no more
MOST_TAGS = 3  # GitHub sends no event for a push of more tags
Files = Mapping[str, bytes | str | None]


class Code(Webhooks):
    """Repositories with real git behind them. A push by HTTP, by API or from Python ends in `pushed`."""

    def create_repo(
        self,
        full_name: str,
        files: Files | None = None,
        *,
        private: bool = False,
        description: str | None = None,
        default_branch: str = "main",
        by: User | str | None = None,
        message: str = "Initial commit",
    ) -> Repo:
        """Make "owner/name" with a first commit of `files` (no commit when None). An unknown owner becomes an
        organisation. Raises Problem 422 when the name is taken."""
        login, _, name = full_name.partition("/")
        with self.lock:
            if full_name.lower() in self.repos:
                raise invalid("Repository", "name", message="name already exists on this account")
            owner = self.users.get(login.lower()) or self.organization(login)
            git = Bare(self._folder(full_name))
            git.create(default_branch)
            now = self.now()
            repo = Repo(self.site, self.next_id(), owner, name, git, now, now, now, private, description)
            repo.default_branch = default_branch
            self.repos[full_name.lower()] = repo
            self.renamed.pop(full_name.lower(), None)
        if files is not None:
            self.push(self.user_of(by) if by else owner, repo, default_branch, files, message)
        return repo

    def _folder(self, full_name: str) -> Path:
        path = self.root / f"{full_name}.git"
        number = 1
        while path.exists():  # a renamed or deleted repository may have left its folder
            number += 1
            path = self.root / f"{full_name}-{number}.git"
        return path

    def push(
        self, as_user: User | str, repo: Repo | str, branch: str, files: Files, message: str, parent: str | None = None
    ) -> str:
        """Commit `files` (None removes one) onto a branch, on top of `parent` (default: the branch's tip, or the
        default branch's for a new branch), with all its events; the new commit's sha."""
        who, home = self.user_of(as_user), self.repo_of(repo)
        changes = {path: text.encode() if isinstance(text, str) else text for path, text in files.items()}
        with self.lock:
            before = home.git.refs("refs/")
            start = parent or home.git.branch(branch) or home.git.branch(home.default_branch)
            sha = home.git.write(branch, changes, message, self.signature(who), start)
            self.pushed(home, who, before)
            return sha

    def signature(self, who: User) -> Signature:
        return Signature(who.name or who.login, who.email, self.now())

    def set_branch(self, as_user: User | str, repo: Repo | str, branch: str, sha: str | None) -> None:
        """Point a branch at a commit, wherever it was; None deletes it. Raises Problem 422 for a bad name."""
        with self.lock:
            home = self.repo_of(repo)
            before = home.git.refs("refs/")
            try:
                home.git.update(f"refs/heads/{branch}", sha)
            except GitRefused as refusal:
                raise Problem(422, f"Reference update failed: {refusal}") from None
            self.pushed(home, self.user_of(as_user), before)

    def pushed(self, repo: Repo, sender: User, before: Mapping[str, str]) -> None:
        """Tell the world what changed in a repository since its refs were `before` (full name -> sha)."""
        with self.lock:
            after = repo.git.refs("refs/")
            moved = [
                name
                for name in sorted({*before, *after})
                if before.get(name) != after.get(name) and name.startswith(("refs/heads/", "refs/tags/"))
            ]
            if not moved:
                return
            repo.pushed_at = repo.updated_at = self.now()
            many_tags = sum(name.startswith("refs/tags/") for name in moved) > MOST_TAGS
            for name in moved:
                if not (many_tags and name.startswith("refs/tags/")):
                    self._tell_push(repo, sender, name, before.get(name), after.get(name))
                if name.startswith("refs/heads/"):
                    branch = name.removeprefix("refs/heads/")
                    self.branch_moved(repo, branch, before.get(name), after.get(name), sender)

    def branch_moved(self, repo: Repo, branch: str, before: str | None, after: str | None, sender: User) -> None:
        """A branch has moved: the place where pull requests follow their branches."""

    def _tell_push(self, repo: Repo, sender: User, name: str, before: str | None, after: str | None) -> None:
        kind, short = ("tag" if name.startswith("refs/tags/") else "branch"), name.split("/", 2)[2]
        if before is None or after is None:
            made = {"ref": short, "ref_type": kind, "pusher_type": "user"}
            if after is not None:
                made |= {"master_branch": repo.default_branch, "description": repo.description or ""}
            self.fire("create" if before is None else "delete", None, repo, sender, made)
        base = before or (repo.git.branch(repo.default_branch) if short != repo.default_branch else None)
        commits = self._new_commits(repo, base, after) if after and kind == "branch" else []
        pusher = {"name": sender.login, "email": sender.email}
        payload = {
            "ref": name,
            "before": before or NOTHING,
            "after": after or NOTHING,
            "created": before is None,
            "deleted": after is None,
            "forced": bool(before and after and repo.git.merge_base(before, after) != before),
            "base_ref": None,
            "compare": f"{repo.web}/compare/{(before or NOTHING)[:12]}...{(after or NOTHING)[:12]}",
            "commits": commits,
            "head_commit": self._push_commits(repo, [after])[0] if after else None,
            "pusher": pusher,
        }
        self.fire("push", None, repo, sender, payload)

    def _new_commits(self, repo: Repo, before: str | None, after: str) -> list[shapes.Json]:
        new = repo.git.log(after, limit=MOST_COMMITS, exclude=before or "")
        return self._push_commits(repo, [commit.sha for commit in reversed(new)])

    def _push_commits(self, repo: Repo, shas: list[str]) -> list[shapes.Json]:
        paths = touched(repo.git, shas)
        commits = [repo.git.commit(repo.git.resolve(sha) or sha) for sha in shas]
        return [
            shapes_code.push_commit(commit, repo, self.by_email(commit.author.email), paths[sha])
            for sha, commit in zip(shas, commits, strict=True)
        ]

    def fork(self, as_user: User | str, repo: Repo | str, name: str | None = None) -> Repo:
        """Copy a repository to somebody's account; the fork that is there already, if one is."""
        with self.lock:
            who, source = self.user_of(as_user), self.repo_of(repo)
            mine = next((one for one in self.repos.values() if one.parent is source and one.owner is who), None)
            if mine:
                return mine
            full_name = f"{who.login}/{name or source.name}"
            if full_name.lower() in self.repos:
                raise invalid("Repository", "name", message="name already exists on this account")
            git = source.git.copy_to(self._folder(full_name), source.default_branch)
            now = self.now()
            fork = Repo(self.site, self.next_id(), who, name or source.name, git, now, now, now, source.private)
            fork.default_branch, fork.parent, fork.description = source.default_branch, source, source.description
            self.repos[full_name.lower()] = fork
            self.fire("fork", None, source, who, {"forkee": shapes.repo(fork)})
            return fork

    def delete_repo(self, repo: Repo | str) -> None:
        """Delete a repository; pull requests from it keep their commits and lose their head repository."""
        with self.lock:
            gone = self.repo_of(repo)
            self.repos.pop(gone.full_name.lower())
            for other in self.repos.values():
                if other.parent is gone:
                    other.parent = None
                for issue in other.issues.values():
                    if issue.pull and issue.pull.head_repo is gone:
                        issue.pull.head_repo = None
            shutil.rmtree(gone.git.path, ignore_errors=True)

    def head_of(self, repo: Repo, ref: str | None = None) -> str:
        """The commit behind a ref (default: the default branch's tip). Raises Problem 404."""
        sha = repo.git.resolve(ref or repo.default_branch)
        if sha is None:
            raise not_found() if ref is None else Problem(404, f"No commit found for the ref {ref}")
        return sha
