"""Telling of a run, and a crash in the middle of it: the engine does not repeat what was done, so it must not count."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from bot.flows import runs
from bot.settings import Settings
from bot.storage import Storage, open_storage
from bot.told import Told
from lifecycle import Kind, Run, Spec, State, Store

NOW = datetime(2026, 11, 28, 12, tzinfo=UTC)
ISSUE = "github:octo/bikes#1"


class Killed(BaseException):
    """The process is gone."""


class Talk:
    """An issue's comments, by marker."""

    def __init__(self) -> None:
        self.comments: dict[str, str] = {}

    def say(self, ref: object, marker: str, text: str, urgent: bool = False) -> str:
        self.comments[marker] = text
        return "https://example.org"


class Engine:
    """Remembers what steps answered, as DBOS does; `dies_after` names the one that the process does not survive."""

    def __init__(self, dies_after: str = "") -> None:
        self.answers: dict[str, Any] = {}
        self.dies_after = dies_after

    def step(self, name: str, function: Callable[[], Any]) -> Any:
        if name not in self.answers:
            self.answers[name] = function()
            if name == self.dies_after:
                raise Killed
        return self.answers[name]


@pytest.fixture
def storage(tmp_path: Path) -> Iterator[Storage]:
    made = open_storage(Settings.model_construct(database=None, state=tmp_path))
    yield made
    made.main.dispose()
    made.inbox.dispose()


@pytest.mark.parametrize("step", ["check", "comment", "card", "label"])
def test_an_end_that_came_between_a_crash_and_its_recovery_is_told(storage: Storage, step: str) -> None:
    store, talk, poked = Store(storage.main), Talk(), []
    spec = Spec(Kind.VALIDATE, "octo/bikes", "demand", "0" * 40, ISSUE, "mira")
    run = store.create(spec, "one", NOW)
    world: Any = SimpleNamespace(
        life=SimpleNamespace(shop=SimpleNamespace(store=store)),
        told=Told(storage.main),
        talk=lambda ref: talk,
        acceptances=SimpleNamespace(of=lambda number: None),
        now=lambda: NOW,
        poke=lambda *what: poked.append(what),
        run_page=lambda number: f"https://example.org/runs/{number}",
        commit_page=lambda project, commit: "https://example.org/commit",
    )
    first = Engine(dies_after=step)
    with pytest.raises(Killed):
        runs.tell(world, first.step, run.id)
    _end(store, run)
    runs.tell(world, first.step, run.id)  # the engine takes it up again
    assert run.id in store.untold() or "did not succeed" in talk.comments[f"run-{run.id}"]
    runs.tell(world, Engine().step, run.id)
    assert "did not succeed" in talk.comments[f"run-{run.id}"]
    assert run.id not in store.untold()


def _end(store: Store, run: Run) -> None:
    store.end(run, State.FAILED, "It could not be.", NOW)
