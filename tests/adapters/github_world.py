"""A served stand-in GitHub and the adapter connected to it as an App."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bot.adapters.github import App, GitHub
from bot.playground.faults import Fault, Kind
from bot.playground.github import Playground, start
from bot.playground.github.records import Repo
from bot.ports import Check, Conclusion
from bot.refs import Ref

BIKES = "octo/bikes"


@dataclass(frozen=True, slots=True)
class Town:
    """octo/bikes with an issue (1) by mira, who may write; jonas maintains, sam reads."""

    hub: Playground
    repo: Repo
    github: GitHub
    issue: Ref
    app: App

    @property
    def comments(self) -> list[str]:
        return [comment.body for comment in self.hub.world.issue(self.repo, 1).comments]

    def fail(self, kind: Kind, path: str, method: str, status: int = 502) -> None:
        self.hub.faults.add(Fault(kind, path, method, status))

    def check(self, conclusion: Conclusion, title: str = "0 of 3 stages") -> Check:
        head = self.github.head(BIKES).commit
        return Check(head, "lifecycle / bike-demand", "run:7", conclusion, title, "…", f"{self.hub.url}/runs/7")


@contextmanager
def town_served(folder: Path) -> Iterator[Town]:
    hub = start(folder)
    world = hub.world
    for login, level in (("mira", "write"), ("jonas", "maintain"), ("sam", "read")):
        world.user(login, level)
    repo = world.create_repo(BIKES, {"train.py": "print(1)\n"}, by="mira")
    world.issue_open("mira", BIKES, "Predict demand", "please")
    app = world.app()
    mine = App(app.id, app.private_key)
    github = GitHub(hub.api, mine, seconds_between_writes=0.0, timeout=3)
    try:
        yield Town(hub, repo, github, Ref("github", BIKES, 1), mine)
    finally:
        hub.close()
