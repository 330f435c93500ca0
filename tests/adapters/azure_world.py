"""A served stand-in organisation and the adapter connected to it, for any of the four processes."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bot.adapters.azure_boards import AzureBoards, Board
from bot.playground.azure import AzureDevOps, Person, Project, WorkItem
from bot.playground.faults import Fault, Faults, Kind
from bot.playground.server import free_port, serve
from bot.refs import Ref

PLACE = "Fabrikam/Bikes"


@dataclass(frozen=True, slots=True)
class World:
    """Organisation Fabrikam, project Bikes; mira is in its team, ada leads it, the bot is in none."""

    org: AzureDevOps
    project: Project
    mira: Person
    ada: Person
    bot: Person
    token: str
    boards: AzureBoards
    faults: Faults

    def item(self, title: str = "Predict demand", kind: str = "Task") -> WorkItem:
        return self.org.create_item(self.project, kind, self.mira, **{"System.Title": title})

    def ref(self, item: WorkItem) -> Ref:
        return Ref("boards", "Fabrikam", item.id)

    def at(self, ref: Ref) -> WorkItem:
        return self.org.item(ref.number)

    def fail(self, kind: Kind, path: str, method: str = ".*", status: int = 500, **more: object) -> None:
        self.faults.add(Fault(kind, path, method, status, **more))  # type: ignore[arg-type]

    def writes(self) -> int:
        return self.faults.count("POST|PATCH|PUT|DELETE") - self.faults.count("POST", "/wit/wiql")


@contextmanager
def served(cache: Path, process: str = "Agile", board: Board | None = None) -> Iterator[World]:
    port = free_port()
    org = AzureDevOps(f"http://127.0.0.1:{port}/Fabrikam", retry_scale=0.01)
    project = org.create_project("Bikes", process=process)
    mira, ada = org.person("Mira Holm", "mira@example.com"), org.person("Ada Berg", "ada@example.com")
    bot = org.person("Lifecycle Bot", "bot@example.com")
    project.join(mira)
    project.join(ada, admin=True)
    project.add_area("Models")
    faults, token = Faults(), org.personal_token(bot)
    settings = {PLACE: board} if board else None
    boards = AzureBoards(org.base_url, token, boards=settings, cache=cache, environ=os.environ, timeout=3)
    running = serve(org.wsgi(faults=faults), port=port)
    try:
        yield World(org, project, mira, ada, bot, token, boards, faults)
    finally:
        running.close()
        org.close()
