"""Implements bot.ports.Talk, Forge and History on Azure Repos: pull requests, their statuses, threads and labels."""

from collections.abc import Callable, MutableMapping, Sequence
from contextlib import suppress
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

from bot.adapters.azure_errors import Gone
from bot.adapters.azure_people import Members, prepare_library
from bot.adapters.azure_pull_history import PullHistory
from bot.adapters.azure_session import Session
from bot.adapters.azure_threads import Threads, page_of, split
from bot.ports import Check, Comment, Conclusion, Denied, Head, Mark, Missed, Permission, PullRequest, Thing
from bot.refs import Ref
from lifecycle import Source

SYSTEM = "repos"
GENRE = "lifecycle-bot"
PAGE = 100
MOST = 10_000
LONGEST = 250  # characters of a status' description; the service shows one line
STATES = {
    Conclusion.QUEUED: "pending",
    Conclusion.RUNNING: "pending",
    Conclusion.SUCCESS: "succeeded",
    Conclusion.FAILURE: "failed",
    Conclusion.NEUTRAL: "notApplicable",  # what GitHub calls neutral: it blocks nobody, and is no success
    Conclusion.CANCELLED: "error",
    Conclusion.ACTION_REQUIRED: "pending",
}


class AzureRepos:
    """The git repositories of one organisation; a place is `PROJECT/REPOSITORY`. Safe to use from any thread.

    `url`, `token`, `cache`, `environ` and `timeout` are as for AzureBoards. What is here a check is a status there, on
    the commit and on the pull requests whose newest commit it is, which is where branch policies look for it.
    """

    def __init__(
        self,
        url: str,
        token: str | Callable[[], str],
        *,
        cache: Path,
        environ: MutableMapping[str, str] | None = None,
        timeout: int = 30,
    ) -> None:
        self._session = Session(url, token, timeout, None, partial(prepare_library, cache, environ))
        self._token = token
        self._members = Members(self._session)
        self._threads = Threads(self._session)
        self._history = PullHistory(self._session, self._threads)

    def permission(self, ref: Ref, login: str) -> Permission:
        """As on the boards: members of the project's default team may write, its administrators maintain."""
        return self._members.permission(split(ref.place)[0], None, login)

    def thing(self, ref: Ref) -> Thing:
        pull = self.pull(ref)
        return Thing(ref, pull.title, pull.body, pull.url, pull.open, True, pull.author)

    def comments(self, ref: Ref, since: datetime | None = None) -> Sequence[Comment]:
        return self._threads.list(ref, since)

    def say(self, ref: Ref, marker: str, text: str, urgent: bool = True) -> str:
        return self._threads.say(ref, marker, text)

    def acknowledge(self, ref: Ref, comment: str, mark: Mark) -> None:
        self._threads.acknowledge(ref, comment, mark)

    def pull(self, ref: Ref) -> PullRequest:
        project, repository = split(ref.place)
        found = self._session.ask(
            f"read pull request {ref.number}",
            lambda clients: clients.git.get_pull_request(repository, ref.number, project),
        )
        return self._told(ref.place, found)

    def head(self, place: str, branch: str | None = None) -> Head:
        project, repository = split(place)
        name = branch or self._default_branch(place)
        found = self._session.ask(
            f"read branch {name} of {place}",
            lambda clients: clients.git.get_refs(repository, project, filter=f"heads/{name}"),
        )
        commit = next((one.object_id for one in found or [] if one.name == f"refs/heads/{name}"), None)
        if commit is None:
            raise Gone(f"{place} has no branch {name}.")
        return Head(name, commit)

    def open_pulls(self, place: str) -> Sequence[PullRequest]:
        return [self._told(place, pull) for pull in self._active(place)]

    def check(self, place: str, check: Check, urgent: bool = True) -> None:
        project, repository = split(place)
        models = self._session.git_models
        values = {
            "state": STATES[check.conclusion],
            "description": check.title[:LONGEST],
            "context": models.GitStatusContext(name=check.name, genre=GENRE),
            "target_url": check.url,
        }
        commit = self._session.ask(
            f"read the statuses of {check.commit[:8]}",
            lambda clients: clients.git.get_statuses(check.commit, repository, project, latest_only=True),
        )
        if not _reads_so(commit, values):
            self._session.write(
                f"set a status of {check.commit[:8]}",
                lambda clients: clients.git.create_commit_status(
                    models.GitStatus(**values), check.commit, repository, project
                ),
            )
        for pull in self._active(place):
            if pull.last_merge_source_commit and pull.last_merge_source_commit.commit_id == check.commit:
                self._pull_status(project, repository, pull.pull_request_id, values)

    def label(self, ref: Ref, name: str, present: bool) -> None:
        project, repository = split(ref.place)
        what = f"label pull request {ref.number}"
        if present:
            wish = self._session.git_models.WebApiCreateTagRequestData(name=name)
            self._session.write(
                what, lambda clients: clients.git.create_pull_request_label(wish, repository, ref.number, project)
            )
            return
        with suppress(Gone):  # it does not hang there
            self._session.write(
                what, lambda clients: clients.git.delete_pull_request_labels(repository, ref.number, name, project)
            )

    def source(self, place: str) -> Source:
        return Source(place, self._repository(place).remote_url, self._credential)

    def since(self, place: str, since: datetime) -> Missed:
        return self._history.since(place, since, self._active(place))

    def undelivered(self, since: datetime) -> Missed:
        """What the organisation's service hooks could not deliver is told by its boards' history."""
        return Missed(())

    def _credential(self) -> tuple[str, str]:
        """Git takes any user name beside a token."""
        return "lifecycle-bot", self._token if isinstance(self._token, str) else self._token()

    def _pull_status(self, project: str, repository: str, number: int, values: dict[str, Any]) -> None:
        there = self._session.ask(
            f"read the statuses of pull request {number}",
            lambda clients: clients.git.get_pull_request_statuses(repository, number, project),
        )
        mine = [one for one in there or [] if one.context.name == values["context"].name]
        if _reads_so(mine[-1:], values):
            return
        wish = self._session.git_models.GitPullRequestStatus(**values)
        self._session.write(
            f"set a status of pull request {number}",
            lambda clients: clients.git.create_pull_request_status(wish, repository, number, project),
        )

    def _active(self, place: str) -> list[Any]:
        project, repository = split(place)
        wanted = self._session.git_models.GitPullRequestSearchCriteria(status="active")
        found: list[Any] = []
        for skip in range(0, MOST, PAGE):
            page = self._session.ask(
                f"list the open pull requests of {place}",
                lambda clients, skip=skip: clients.git.get_pull_requests(  # type: ignore[misc]
                    repository, wanted, project, skip=skip, top=PAGE
                ),
            )
            found += page or []
            if len(page or []) < PAGE:
                break
        return found

    def _repository(self, place: str) -> Any:
        project, repository = split(place)
        return self._session.ask(
            f"read repository {place}", lambda clients: clients.git.get_repository(repository, project)
        )

    def _default_branch(self, place: str) -> str:
        named = self._repository(place).default_branch
        if not named:
            raise Denied(f"{place} is empty: it has no branch yet.")
        return str(named).removeprefix("refs/heads/")

    def _told(self, place: str, pull: Any) -> PullRequest:
        ref = Ref(SYSTEM, place, pull.pull_request_id)
        merged = pull.last_merge_commit.commit_id if pull.status == "completed" and pull.last_merge_commit else None
        return PullRequest(
            ref=ref,
            head=pull.last_merge_source_commit.commit_id if pull.last_merge_source_commit else "",
            base=pull.last_merge_target_commit.commit_id if pull.last_merge_target_commit else "",
            base_branch=pull.target_ref_name.removeprefix("refs/heads/"),
            author=pull.created_by.unique_name or pull.created_by.display_name or "",
            from_fork=pull.fork_source is not None,
            draft=bool(pull.is_draft),
            open=pull.status == "active",
            merged_as=merged,
            title=pull.title,
            body=pull.description or "",
            url=page_of(self._session.url, ref),
        )


def _reads_so(statuses: Sequence[Any] | None, values: dict[str, Any]) -> bool:
    """Whether the newest status of our context says all this already."""
    mine = [one for one in statuses or [] if one.context.name == values["context"].name and one.context.genre == GENRE]
    return any(
        (one.state, one.description, one.target_url) == (values["state"], values["description"], values["target_url"])
        for one in mine
    )
