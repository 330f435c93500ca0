"""The bot is down while people go on: one sweep catches up with it, but for what was withdrawn meanwhile."""

import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from itertools import count

import pytest

from bot.playground.courier import Chaos, Courier
from tests.stories.repository import LINE, slow
from tests.stories.starting import begin
from tests.stories.test_cancel import alive
from tests.stories.test_line import run_of
from tests.stories.world import World

pytestmark = pytest.mark.xdist_group("stories-lost")
TOUCHED = LINE + "\n# nothing changes\n"
HOUR = timedelta(hours=1)


@pytest.fixture(scope="module", params=["app", "personal token"])
def world(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A bot that sweeps when it is started, and then not before the stories are over."""
    folder = tmp_path_factory.mktemp("lost")
    made = begin(
        folder, boarded=("lost",), alone=("pushed",), azure=(), sweep="3h", personal=request.param == "personal token"
    )
    made.eventually(lambda: cursor(made, "github:octo/pushed"), "the first sweep")
    yield made
    made.close()


def cursor(world: World, name: str) -> str | None:
    with sqlite3.connect(world.folder / "state" / "lifecycle.db") as database:
        found = database.execute("SELECT until FROM cursors WHERE name = ?", (name,)).fetchone()
    return found and str(found[0])


@contextmanager
def an_hour_without(world: World) -> Iterator[Callable[[], None]]:
    """The bot is stopped, and started again an hour after what happens in here; calling what it gives is a minute."""
    world.stop()
    with sqlite3.connect(world.folder / "state" / "lifecycle.db") as database:
        database.execute("UPDATE cursors SET until = datetime(until, '-2 hours')")
    github = world.stage.github.world
    minutes = count()
    ago = [HOUR - timedelta(minutes=next(minutes))]
    github.now = lambda: datetime.now(UTC) - ago[-1]
    yield lambda: ago.append(HOUR - timedelta(minutes=next(minutes)))
    github.now = lambda: datetime.now(UTC)
    world.start()


def test_commands_are_carried_out_in_their_order_and_each_once(world: World) -> None:
    issue, other = world.issue("lost"), world.issue("lost")
    with an_hour_without(world):
        issue.comment("/train beside=0.1")
        other.comment("/status")
        issue.comment("/train beside=0.2")
        issue.comment("What do you think?")
    first, second = issue.says("is good enough", "beside=0.1"), issue.says("is good enough", "beside=0.2")
    assert run_of(first) < run_of(second)
    other.says("Nothing is linked")
    assert len(issue.said()) == 2
    assert len(other.said()) == 1


def test_many_commands_on_one_issue_keep_their_order(world: World) -> None:
    issue = world.issue("lost")
    world.stop()
    for number in range(8):
        issue.comment(f"/train sleep=600 n={number}")
    issue.comment("/cancel", by="jonas")
    world.start()
    issue.says("Cancelling")
    runs = {number: run_of(issue.says(f"n={number}", "was cancelled")) for number in range(8)}
    assert sorted(runs, key=lambda number: runs[number]) == list(range(8))


def test_what_was_withdrawn_meanwhile_is_not_done(world: World) -> None:
    deleted, edited, emptied, taken_back = (world.issue("lost") for _ in range(4))
    github = world.stage.github.world
    with an_hour_without(world) as a_minute:
        gone, other = deleted.comment("/train beside=0.3"), edited.comment("/train sleep=1")
        nothing = emptied.comment("/train sleep=3")
        taken_back.comment("/train sleep=600")
        a_minute()
        github.delete_comment("mira", github.find_comment("octo/lost", gone))
        github.edit_comment("mira", github.find_comment("octo/lost", other), "/train sleep=2")
        github.edit_comment("mira", github.find_comment("octo/lost", nothing), "Never mind.")
        taken_back.comment("/cancel", by="jonas")
        a_minute()
        taken_back.comment("/train beside=0.4")
    edited.says("was not carried out", "edited before I read it")
    assert "wrote `/cancel` before I read it" in taken_back.says("`/train` was not carried out", "jonas")
    taken_back.says("is good enough", "beside=0.4")
    assert not deleted.said()
    assert not emptied.said()
    assert not any("sleep=" in said for said in taken_back.said())


def test_pull_requests_are_as_they_should_be(world: World) -> None:
    github = world.stage.github.world
    pushed, closed, drafted = (f"{word}-{os.getpid()}-{world.me}" for word in ("pushed", "closed", "drafted"))
    older = world.push("pushed", "again", train=slow(600, pushed))
    again = world.pull("pushed", "again")
    world.eventually(lambda: alive(pushed), "the older push trains")
    world.push("pushed", "gone", train=slow(600, closed))
    gone = world.pull("pushed", "gone")
    gone.says("waits in line")
    world.push("pushed", "unsure", train=slow(600, drafted))
    unsure = world.pull("pushed", "unsure")
    unsure.says("waits in line")
    with an_hour_without(world) as a_minute:
        newer = world.push("pushed", "again", line=TOUCHED)
        github.set_state("mira", github.issue(gone.repo, gone.number), "closed")
        a_minute()
        github.set_draft("mira", unsure.repo, unsure.number, True)
        opened = world.push("pushed", "late", line=TOUCHED + "# late\n")
        late = world.pull("pushed", "late")
    world.eventually(lambda: not alive(pushed), "the older push is ended")
    again.says("is good enough", newer[:8])
    late.says("is good enough", opened[:8])
    # Which comes first after the hour, the event or the run's turn in the line, decides how it is told.
    told = gone.says("was cancelled")
    assert "the end of the pull request" in told or "closed before the run began" in told
    told = unsure.says("was cancelled")
    assert "conversion to a draft" in told or "became a draft before the run began" in told
    assert not alive(closed)
    assert not alive(drafted)
    assert older[:8] not in "".join(again.said())

    with an_hour_without(world):
        github.merge("jonas", again.repo, again.number)
        github.set_draft("mira", unsure.repo, unsure.number, False)
    merged = world.github(f"repos/octo/pushed/pulls/{again.number}")["merge_commit_sha"]
    world.eventually(lambda: alive(drafted), "what is ready again is validated again")
    unsure.ask("/cancel", "Cancelling")
    again.says("is good enough", merged[:8], "`line` v1")


def test_a_text_that_names_a_work_item_and_a_closed_issue_are_noticed(world: World) -> None:
    item = world.new_item("Planned while nobody looked")
    with an_hour_without(world):
        issue = world.issue("lost", body=f"As in AB#{item.number}.")
    world.eventually(lambda: issue.url in item.urls(), "the item links to the issue")


def test_only_what_is_new_is_looked_at_when_nothing_happened(world: World) -> None:
    before = cursor(world, "github:octo/lost")
    world.stop()
    world.start()
    world.eventually(lambda: cursor(world, "sweep"), "a sweep")
    assert cursor(world, "github:octo/lost") == before


def test_the_board_is_caught_up_with(world: World) -> None:
    item, other, azure = world.new_item("Asked in vain"), world.new_item("Taken back"), world.stage.azure
    with an_hour_without(world), dropped(azure.courier):
        item.comment("/train beside=0.6")
        other.comment("/train beside=0.7")
        azure.items[other.number].comments[-1].deleted = True
        item.comment("/status")
        assert azure.drain(20)
    assert "beside=0.6" in item.says("is good enough")
    item.says("What is linked here")
    assert not other.said()


@contextmanager
def dropped(courier: Courier) -> Iterator[None]:
    """Every webhook is lost."""
    courier.chaos = Chaos(drop=1.0)
    yield
    courier.chaos = None
