"""What `lifecycle-bot doctor` asks Azure DevOps: who we are there, whether boards take our items, and its webhooks."""

import atexit
import shutil
from collections.abc import Iterator, MutableMapping, Sequence
from functools import cached_property, partial
from tempfile import mkdtemp
from typing import Any

from bot.adapters.azure_errors import Gone
from bot.adapters.azure_process import CATEGORIES, Process
from bot.adapters.azure_process import Board as Place
from bot.adapters.azure_session import Session
from bot.doctor import Finding, Probe, fail, ok, warn
from bot.ports import Category, Denied
from bot.settings import Azure, Board, Settings

CACHE = "AZURE_DEVOPS_CACHE_DIR"
EVENTS = ("workitem.commented", "workitem.updated")
PULL_EVENTS = ("git.pullrequest.created", "git.pullrequest.updated", "ms.vss-code.git-pullrequest-comment-event")
MOVES = (Category.PROPOSED, Category.IN_PROGRESS, Category.COMPLETED)


def probes(settings: Settings, environ: MutableMapping[str, str]) -> list[tuple[str, Probe]]:
    """What can be asked of Azure DevOps without changing anything; nothing where the settings name none.

    `environ` is this process's: azure-devops reads there where it may keep files.
    """
    if settings.azure_devops is None:
        return []
    repositories = [project.repository for project in settings.projects if project.forge == "azure-repos"]
    events = (*EVENTS, *PULL_EVENTS) if repositories else EVENTS
    look = _Look(settings.azure_devops, f"{settings.public_url}/webhooks/azure-devops", environ, events)
    boards = {project.board.project: project.board for project in settings.projects if project.board is not None}
    found: list[tuple[str, Probe]] = [("Azure DevOps", look.ourselves)]
    found += [(f"board {name}", partial(look.board, board)) for name, board in boards.items()]
    found += [(f"repository {name}", partial(look.repository, name)) for name in repositories]
    return [*found, ("Azure DevOps hooks", look.hooks)]


class _Look:
    def __init__(self, said: Azure, hook_url: str, environ: MutableMapping[str, str], events: Sequence[str]) -> None:
        self._said, self._hook_url, self._environ, self._events = said, hook_url, environ, events

    @cached_property
    def _session(self) -> Session:
        # Before the library is imported: it makes the folder then, by default in a home that may not be writable.
        if CACHE not in self._environ:
            self._environ[CACHE] = mkdtemp(prefix="lifecycle-bot-")
            atexit.register(shutil.rmtree, self._environ[CACHE], ignore_errors=True)
        return Session(self._said.url, self._said.token.reveal(), 30, None, lambda: None)

    @cached_property
    def _process(self) -> Process:
        return Process(self._session)

    def ourselves(self) -> Iterator[Finding]:
        """Whether our token is good."""
        yield ok("Azure DevOps", f"{self._said.url} knows us as {self._session.me.login}")

    def board(self, board: Board) -> Iterator[Finding]:
        """Whether a project takes our kinds of work items, where the settings want them, and can move them."""
        name = f"board {board.project}"
        try:
            self._session.ask(f"read project {board.project}", lambda it: it.core.get_project(board.project))
            if board.team:
                self._session.ask(f"read team {board.team}", lambda it: it.core.get_team(board.project, board.team))
        except Gone as error:
            yield fail(name, str(error), "Look at the names in app.yaml, and whether the bot's account is a member.")
            return
        types = {kind: given for kind, given in (("task", board.item_type), ("problem", board.problem_type)) if given}
        place = Place(board.project, board.team, board.area, board.iteration, types)
        taken = [self._process.type_for(place, kind) for kind in CATEGORIES]
        for kind in dict.fromkeys(taken):
            for category in MOVES:
                self._process.state_in(board.project, kind, category)
            self._try(board, kind)
        yield ok(name, f"takes {' and '.join(dict.fromkeys(taken))}")

    def repository(self, place: str) -> Iterator[Finding]:
        """Whether we see a repository, and its pull requests."""
        name, (project, repository) = f"repository {place}", place.split("/")
        wanted = self._session.git_models.GitPullRequestSearchCriteria(status="active")
        try:
            found = self._session.ask(
                f"read repository {place}", lambda clients: clients.git.get_repository(repository, project)
            )
            pulls = self._session.ask(
                f"list the pull requests of {place}",
                lambda clients: clients.git.get_pull_requests(repository, wanted, project, top=100),
            )
        except Gone as error:
            yield fail(name, str(error), "Look at its name in app.yaml, and whether the bot's account may read code.")
            return
        branch = (found.default_branch or "nothing yet").removeprefix("refs/heads/")
        yield ok(name, f"is at {branch}, with {len(pulls or [])} open pull requests")

    def _try(self, board: Board, kind: str) -> None:
        """Let Azure DevOps check a new work item without keeping it: our rights, area, iteration, required fields."""
        fields = {
            "System.Title": "lifecycle-bot doctor",
            "System.AreaPath": board.area,
            "System.IterationPath": board.iteration,
        }
        step = self._session.models.JsonPatchOperation
        steps = [step(op="add", path=f"/fields/{field}", value=value) for field, value in fields.items() if value]
        self._session.write(
            f"try out a {kind} in {board.project}",
            lambda it: it.wit.create_work_item(steps, board.project, kind, validate_only=True),
        )

    def hooks(self) -> Iterator[Finding]:
        """Whether service hooks tell us of work items; only administrators of a project may see them."""
        name = "Azure DevOps hooks"
        try:
            found = [one for one in self._subscriptions() if self._leads_to_us(one)]
        except Denied:
            todo = f"See for yourself that {', '.join(self._events)} lead to {self._hook_url}"
            yield warn(name, "our token may not look at service hooks", todo)
            return
        for event in self._events:
            states = [one.status for one in found if one.event_type == event]
            if not states:
                yield fail(
                    name, f"nothing tells us of {event}", f"Project settings, Service hooks: to {self._hook_url}"
                )
            elif "enabled" in states:
                yield ok(name, f"{event} leads to us")
            elif "onProbation" in states:
                yield warn(name, f"{event} is on probation: deliveries failed", "Compare its password with app.yaml.")
            else:
                yield fail(name, f"{event} is switched off ({states[0]})", "Enable it in Service hooks, and test it.")

    def _leads_to_us(self, subscription: Any) -> bool:
        return str((subscription.consumer_inputs or {}).get("url", "")).rstrip("/") == self._hook_url

    def _subscriptions(self) -> list[Any]:
        from azure.devops.v7_1.service_hooks.service_hooks_client import ServiceHooksClient

        from bot.adapters.azure_client import Signed

        def ask(clients: Any) -> list[Any]:
            asker: Any = ServiceHooksClient(self._said.url, Signed(self._said.token.reveal()))
            asker.config.hooks = list(clients.core.config.hooks)  # the same look at every answer
            return list(asker.list_subscriptions(publisher_id="tfs", consumer_id="webHooks") or [])

        return self._session.ask("read the service hooks", ask)
