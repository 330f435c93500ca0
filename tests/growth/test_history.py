"""Intake, pages, sweeps and workers do no more for a bot with years of history than for a young one."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from bot.acceptances import Acceptances
from bot.alive import Alive, living
from bot.bell import Bell
from bot.events import SweepDue
from bot.inbox import Inbox
from bot.links import Links
from bot.secrets import Secret
from bot.settings import Settings
from bot.storage import Storage, open_storage
from bot.told import Told
from bot.web.pages import create_pages
from bot.web.views import Views
from lifecycle import (
    Answer,
    Champion,
    Filter,
    Kind,
    Registry,
    Run,
    Spec,
    Stage,
    State,
    Store,
    Version,
    Watching,
    Window,
)
from lifecycle.hosts import ALONE
from lifecycle.lookout import due
from tests.bench.history import fill
from tests.bench.postgres import postgres, programs
from tests.growth.work import cost
from tests.web.house import SIGNER

YOUNG, OLD = 6_000, 60_000  # runs
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
MORE = 1.6  # times the work of a young bot: indices are a level deeper, and a page may hold a few rows more
SLACK = 60  # rows or tens of steps that make no difference


@dataclass
class House:
    """A bot of a certain age: its stores, and its pages."""

    storage: Storage
    folder: Path
    runs: int

    def __post_init__(self) -> None:
        main = self.storage.main
        self.store, self.registry = Store(main), Registry(main, self.folder / "versions")
        self.watching, self.links, self.told = Watching(main), Links(main), Told(main)
        self.inbox = Inbox(self.storage.inbox, Bell(self.folder / "bell"))
        self.alive = Alive(main, alone=False)
        views = Views(
            runs=self.store, registry=self.registry, watching=self.watching, links=self.links,
            log=lambda _run, _stage, offset: (b"", offset), routes=lambda _project, _model: {},
            score=lambda _project, _model, _body: Answer(200, b"{}"), url_of=lambda _ref: "",
            commit_url=lambda _project, _sha: "", health=lambda: {"worker": "ok" if len(living(main)) >= 0 else ""},
            inbox_depth=self.inbox.waiting, address="https://bot.test", version="1", now=lambda: NOW,
            signer=SIGNER, acceptances=Acceptances(main), label=lambda _project, _model, body: len(body),
        )  # fmt: skip
        self.package = self.folder / "package"
        self.package.mkdir()
        self.pages: FlaskClient = create_pages(views).test_client()

    def get(self, path: str) -> None:
        answer = self.pages.get(path)
        assert answer.status_code == 200, f"{path}: {answer.status}"


def spec(kind: Kind = Kind.VALIDATE) -> Spec:
    return Spec(kind, "octo/r3", "m3", "3f9d2c1b7a5e4f60918273645546372819aabbcc", "github:octo/r3#999999", "mira")


@pytest.fixture(scope="module", params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def houses(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[House, House]]:
    """A young bot and an old one, each with a few open runs."""
    made = []
    with ExitStack() as stack:
        for count in (YOUNG, OLD):
            url = None
            if request.param == "postgresql":
                if programs() is None:
                    pytest.skip("needs PostgreSQL's programs")
                url = Secret(stack.enter_context(postgres()))
            folder = tmp_path_factory.mktemp(f"{request.param}-{count}")
            storage = open_storage(Settings.model_construct(state=folder, database=url))
            fill(storage, 1, count, NOW)
            house = House(storage, folder, count)
            for number in range(5):
                run = house.store.create(spec(), f"open/{number}", NOW)
                house.links.add(spec().ref, f"run:{run.id}", "asked", NOW)
            if url is not None:
                with storage.main.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
                    connection.exec_driver_sql("ANALYZE")
            made.append(house)
        yield made[0], made[1]
        for house in made:
            house.inbox.close()
            house.storage.main.dispose()


def like(house: House, run: int) -> int:
    """The run of the old house that corresponds to one of the young house, counted from the newest."""
    return house.runs - (YOUNG - run)


def place(house: House) -> str:
    return house.store.get(like(house, 1000)).spec.ref.replace("#", "%23")


def model(house: House) -> str:
    spec = house.store.get(like(house, 1000)).spec
    return f"{spec.project}/{spec.model}"


PAGES: Mapping[str, Callable[[House], str]] = {
    "the newest runs": lambda _: "/",
    "older runs": lambda house: f"/?before={house.runs // 2}",
    "the oldest runs": lambda _: "/?before=300",
    "runs of a model": lambda house: f"/?model={model(house)}",
    "older runs of a model": lambda house: f"/?model={model(house)}&before={house.runs // 2}",
    "a state that is usual": lambda _: "/?state=succeeded",
    "a state that is rare": lambda _: "/?state=running",
    "a model and a state": lambda house: f"/?model={model(house)}&state=failed",
    "a model and a state that is rare": lambda house: f"/?model={model(house)}&state=waiting",
    "a place": lambda house: f"/?ref={place(house)}",
    "a place and a state": lambda house: f"/?ref={place(house)}&state=succeeded",
    "a place and a state that is rare": lambda house: f"/?ref={place(house)}&state=running",
    "a place and a model": lambda house: f"/?ref={place(house)}&model={model(house)}",
    "all three": lambda house: f"/?ref={place(house)}&model={model(house)}&state=succeeded",
    "a place without runs": lambda _: "/?ref=github:octo/none%231&state=succeeded&model=octo/r1/m1",
    "a run": lambda house: f"/runs/{like(house, 1000)}",
    "a run that waits": lambda house: f"/runs/{house.store.open_numbers()[-1]}",
    "a run as JSON": lambda house: f"/runs/{like(house, 1000)}.json",
    "models": lambda _: "/models",
    "a model": lambda house: f"/models/{model(house)}",
    "a version": lambda house: f"/models/{model(house)}/versions/3",
    "numbers": lambda _: "/metrics",
    "health": lambda _: "/healthz",
}


@pytest.mark.parametrize("page", PAGES)
def test_a_page_costs_an_old_bot_what_it_costs_a_young_one(houses: tuple[House, House], page: str) -> None:
    _judge(houses, lambda house: house.get(PAGES[page](house)))


WORK: Mapping[str, Callable[[House], Any]] = {
    "a new run": lambda house: house.store.create(spec(Kind.TRAIN), "growth/new", NOW),
    "the line": lambda house: [house.store.ahead(_waiting(house)), house.store.behind(_waiting(house))],
    "how many work": lambda house: house.store.working("train", "here"),
    "what one machine of several looks for": lambda house: due(house.storage.main, ALONE, 2),
    "open runs": lambda house: house.store.open_numbers(),
    "running runs": lambda house: house.store.find(Filter(state=State.RUNNING), limit=1000),
    "waiting runs": lambda house: house.store.find(Filter(state=State.WAITING), limit=100),
    "untold runs": lambda house: house.store.untold(),
    "the newest of a place": lambda house: house.store.find(
        Filter(project="octo/r3", model="m3", ref="github:octo/r3#999999", kinds=(Kind.VALIDATE,)), limit=1
    ),
    "the open ones of a place": lambda house: house.store.find(Filter(ref="github:octo/r3#999999", open_only=True)),
    "the open ones of a place, by kind": lambda house: house.store.find(
        Filter(ref="github:octo/r3#5", kinds=(Kind.VALIDATE,), open_only=True)
    ),
    "a stage": lambda house: house.store.begin_stage(_waiting(house), Stage.TRAIN, 1, {}, NOW),
    "an end": lambda house: house.store.end(house.store.get(house.store.open_numbers()[0]), State.CANCELLED, "", NOW),
    "telling": lambda house: house.store.note_told(_waiting(house)),
    "forgetting what was told": lambda house: house.store.forget_told(_waiting(house).id),
    "the champion": lambda house: house.registry.champion("octo/r0", "m0"),
    "a version": lambda house: house.registry.add(_version(_waiting(house)), house.package, _waiting(house)),
    "a promotion": lambda house: house.registry.crown(
        Champion("octo/r3", "m3", 1, "serve", 100, "jonas", _waiting(house).id, NOW), _waiting(house)
    ),
    "a window": lambda house: house.watching.note(
        Window("octo/r3", "m3", 1, _waiting(house).id, NOW, NOW, 9, "CLEAN", 0.1, NOW)
    ),
    "drift that ended lately": lambda house: house.watching.closed_since(NOW - timedelta(hours=1)),
    "open drift": lambda house: [house.watching.open_episodes(), house.watching.open_episodes("octo/r3", "m3")],
    "links": lambda house: house.links.around(f"run:{like(house, 1000)}", steps=3),
    "what was told": lambda house: [house.told.is_new("github:octo/r0#1", "run-8", "x"), house.told.urls("run:8")],
    "what waits": lambda house: [house.inbox.take(50), house.inbox.waiting()],
    "an event handled": lambda house: house.inbox.done([SweepDue(NOW).id]),
    "events revived": lambda house: house.inbox.revive(lambda _row: True),
    "events kept": lambda house: house.inbox.prune(datetime(2000, 1, 1, tzinfo=UTC)),
    "a heartbeat": lambda house: house.alive.beat(),
}  # fmt: skip


@pytest.mark.parametrize("work", WORK)
def test_work_costs_an_old_bot_what_it_costs_a_young_one(houses: tuple[House, House], work: str) -> None:
    _judge(houses, WORK[work])


def _waiting(house: House) -> Run:
    return house.store.get(house.store.open_numbers()[-1])


def _version(run: Run) -> Version:
    return Version(run.spec.project, run.spec.model, 0, "d", run.id, run.spec.commit, NOW, "PASS")


def _judge(houses: tuple[House, House], act: Callable[[House], object]) -> None:
    young, old = (cost(lambda house=house: act(house)) for house in houses)
    assert old, "nothing was asked"
    least, most = sum(young.values()), sum(old.values())
    worst = sorted(old.items(), key=lambda one: -one[1])[:2]
    assert most <= least * MORE + SLACK, f"{least} for the young, {most} for the old; most of it for {worst}"
