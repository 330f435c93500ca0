"""A command that reaches the bot late does not undo what somebody wanted since."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import pytest

from tests.stories.starting import begin
from tests.stories.world import Thread, World, version_in

pytestmark = pytest.mark.xdist_group("stories-late")


@pytest.fixture
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A bot that sweeps only when it is started."""
    made = begin(tmp_path_factory.mktemp("late"), boarded=(), alone=("late",), azure=(), sweep="3h")
    yield made
    made.close()


@contextmanager
def unheard(world: World, ago: timedelta) -> Iterator[None]:
    """What people write now the bot is not told of; it was written so long ago."""
    github = world.stage.github.world
    hooks = [app.hook for app in github.apps.values() if app.hook]
    github.now = lambda: datetime.now(UTC) - ago
    for hook in hooks:
        hook.active = False
    yield
    for hook in hooks:
        hook.active = True
    github.now = lambda: datetime.now(UTC)


def swept(world: World) -> None:
    """The bot finds what it was not told of."""
    world.stop()
    with sqlite3.connect(world.folder / "state" / "lifecycle.db") as database:
        database.execute("UPDATE cursors SET until = datetime(until, '-3 hours')")
    world.start()


def refusals(issue: Thread) -> list[str]:
    return [one for one in issue.said() if "`/promote` was not carried out" in one]


def test_a_promotion_that_is_read_late_does_not_undo_the_rollback_that_came_after_it(world: World) -> None:
    issue = world.issue("late")
    for number in (1, 2):
        assert version_in(issue.ask(f"/train beside=0.{3 - number}", f"`line` v{number}")) == number
        issue.ask(f"/promote v{number}", f"v{number} serves", by="jonas")

    with unheard(world, timedelta(0)):  # a moment before the rollback
        issue.comment("/promote v2", by="jonas")
    world.stage.github.world.now = lambda: datetime.now(UTC) + timedelta(seconds=1)
    issue.ask("/rollback", "v1 serves again")
    with unheard(world, timedelta(hours=2)):
        issue.comment("/promote v2 share=20", by="jonas")
    swept(world)
    world.eventually(lambda: len(refusals(issue)) == 2, "both are answered")
    for said in refusals(issue):
        assert "`/rollback`, which put v1 of `line` into production, was written after this" in said
    assert "v1" in world.page("models/octo/late/line").text
    runs = [one for one in issue.said() if "v2 serves" in one]
    assert len(runs) == 1, runs

    issue.ask("/promote v2", "v2 serves", by="jonas")  # written again, it is meant
