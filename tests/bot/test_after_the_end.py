"""What follows from a run's end also follows when the process died right after the end."""

import os
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot import app
from bot.bell import Bell
from bot.commands import COMMANDS
from bot.flows import runs
from bot.inbox import Inbox
from bot.settings import read_settings
from bot.storage import open_storage
from bot.world import World
from lifecycle import Kind, Run, Spec, State

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
SETTINGS = """\
public_url: http://127.0.0.1:1
listen: 127.0.0.1:1
state: state
github: {url: "http://127.0.0.1:1/api/v3", token: "${env:TOKEN}", webhook_secret: "${env:TOKEN}"}
projects: [{repository: octo/bikes}]
"""


class House:
    """A world whose platforms nobody needs, and what was poked in it."""

    def __init__(self, folder: Path) -> None:
        (folder / "app.yaml").write_text(SETTINGS)
        environ = {**os.environ, "TOKEN": "a-secret-of-some-length"}
        settings = read_settings(folder / "app.yaml", environ, [command.name for command in COMMANDS])
        self.storage = open_storage(settings)
        self.inbox = Inbox(self.storage.inbox, Bell(folder / "bell"))
        self.poked: list[tuple[str, int]] = []
        self.world: World = app.the_world(settings, self.storage, self.inbox, self.poke, lambda: True)

    def poke(self, workflow: str, number: int) -> None:
        self.poked.append((workflow, number))

    def ask(self, key: str) -> Run:
        spec = Spec(Kind.TRAIN, "octo/bikes", "line", "3f" * 20, "github:octo/bikes#1", "mira")
        return self.world.life.start(spec, key)


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    made = House(tmp_path)
    yield made
    made.inbox.close()
    made.storage.main.dispose()


def at_once(_name: str, function: Callable[[], str], _attempts: int = 0) -> str:
    """A step without an engine: it is done."""
    return function()


def test_the_links_are_made_and_the_next_in_line_begins(house: House) -> None:
    first, second = house.ask("first"), house.ask("second")
    store = house.world.life.shop.store
    store.end(first, State.SUCCEEDED, "", NOW, "PASS", 3)  # and here the process was killed
    house.poked.clear()
    runs.advance(house.world, at_once, first.id)
    made = [link.other(f"run:{first.id}") for link in house.world.links.of(f"run:{first.id}")]
    assert made == ["version:octo/bikes/line/3"]
    assert ("advance", second.id) in house.poked
    assert ("tell", first.id) in house.poked
    runs.advance(house.world, at_once, first.id)
    assert len(house.world.links.of(f"run:{first.id}")) == 1
