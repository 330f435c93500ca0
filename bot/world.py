"""What flows and commands may touch: a frozen set of ports and stores, made once in `bot.app`."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from bot.acceptances import Acceptances
from bot.cursors import Cursors
from bot.events import Event
from bot.links import Links
from bot.ports import Forge, History, Permission, Talk, Tracker
from bot.refs import Ref
from bot.settings import Keep
from bot.shares import Shares
from bot.told import Told
from lifecycle import Lifecycle


@dataclass(frozen=True, slots=True)
class Plan:
    """Which repository and which board belong together, and where retrain items are opened."""

    repository: str
    forge: str = "github"  # or repos: the system that pull requests' refs name
    branch: str | None = None
    board: str | None = None  # Fabrikam/Bikes
    retrain_items: tuple[str, ...] = ()  # boards, github


class Put(Protocol):
    """Stores events durably, in this order; how many of them were new."""

    def __call__(self, *events: Event) -> int: ...


@dataclass(frozen=True, slots=True)
class World:
    """The ports, by the system that a ref names; the stores; and the few things that only the composition knows."""

    life: Lifecycle
    links: Links
    told: Told
    cursors: Cursors
    acceptances: Acceptances
    shares: Shares | None  # of what may be written to GitHub; None where everybody may ask for all they like
    talks: Mapping[str, Talk]
    forges: Mapping[str, Forge]
    trackers: Mapping[str, Tracker]
    histories: Mapping[str, History]
    plans: Mapping[str, Plan]
    permissions: Mapping[str, Permission]
    two_people: bool
    people: Mapping[str, str]  # a login on GitHub -> the same person's address on Azure DevOps
    public_url: str
    web_url: Callable[[str], str]  # where people see a project's repository
    now: Callable[[], datetime]
    put: Put  # into the inbox, as if it had come from outside
    figure_url: Callable[[int, str, str], str] | None  # (run, name, theme) where others see a figure; None: they cannot
    prune: Callable[[datetime], int]  # forget events that were handled before then
    keep: Keep
    poke: Callable[[str, int], None]  # this workflow has something to do for this number; harmless to repeat

    def talk(self, ref: Ref) -> Talk:
        """Where people write about that thing."""
        return self.talks[ref.system]

    def forge(self, project: str) -> Forge:
        """Where the project's code lives."""
        plan = self.plans.get(project)
        return self.forges[plan.forge if plan else "github"]

    def person(self, name: str) -> str:
        """One name for a person who is known by two; case does not count, as on the platforms."""
        known = {login.casefold(): address.casefold() for login, address in self.people.items()}
        return known.get(name.casefold(), name.casefold())

    def page(self, path: str) -> str:
        """The address of one of our pages."""
        return f"{self.public_url.rstrip('/')}/{path.lstrip('/')}"

    def run_page(self, number: int) -> str:
        """The address of a run's page."""
        return self.page(f"runs/{number}")

    def commit_page(self, project: str, commit: str) -> str:
        """The address of a commit, where people read it."""
        return f"{self.web_url(project).rstrip('/')}/commit/{commit}"
