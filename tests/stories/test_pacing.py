"""A thousand verdicts to tell at once: GitHub's limits are never met, and nobody else waits for them."""

import sqlite3
import time
from collections.abc import Iterator
from datetime import timedelta

import pytest

from bot.playground.faults import Served
from tests.stories.lanes import TURN
from tests.stories.starting import begin
from tests.stories.world import World

pytestmark = [pytest.mark.xdist_group("stories-platforms"), pytest.mark.slow]
MANY = 1_000
MINUTE = timedelta(seconds=60)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A bot that keeps to GitHub's limits, though not to a second between two writes."""
    made = begin(tmp_path_factory.mktemp("busy"), ("busy",), (), (), sweep="3h", between_writes=0.01)
    made.push("busy", "main", train=TURN)
    yield made
    made.close()


def test_a_thousand_comments_to_write_meet_no_limit_and_hold_up_nobody(world: World) -> None:
    issue, item = world.issue("busy"), world.new_item("Ask me anything")
    issue.ask("/train", "did not succeed")
    world.stop()
    _repeat_the_run(world)
    faults = world.stage.github.faults
    faults.forget()
    world.start()
    world.eventually(lambda: len(_writes(faults.log)) >= 40, "it writes")
    began = time.monotonic()
    item.comment("/help train")
    item.says("Who may")
    assert time.monotonic() - began < 15
    world.eventually(lambda: _waiting(world) > 20, "the others wait, without a thread")
    time.sleep(10)
    times = [call.at for call in _writes(faults.log)]
    assert max(sum(start <= at < start + MINUTE for at in times) for start in times) < 80
    reads = faults.count("GET", "/api/v3/")
    assert reads < 20 * len(times), "what cannot be written is not read for either"


def _repeat_the_run(world: World) -> None:
    """As if a thousand runs had ended that nobody was told of."""
    with sqlite3.connect(world.folder / "state" / "lifecycle.db") as database:
        names = [row[1] for row in database.execute("PRAGMA table_info(runs)") if row[1] not in ("id", "key", "told")]
        columns = ", ".join(f'"{name}"' for name in names)
        for number in range(MANY):
            database.execute(
                f'INSERT INTO runs ("key", told, {columns}) SELECT "key" || ?, -1, {columns} FROM runs WHERE id = 1',
                (f"/{number}",),
            )
        stages = [row[1] for row in database.execute("PRAGMA table_info(stages)") if row[1] not in ("id", "run")]
        columns = ", ".join(f'"{name}"' for name in stages)
        database.execute(
            f"INSERT INTO stages (run, {columns}) SELECT runs.id, {', '.join(f's.{one}' for one in stages)} "
            "FROM runs, stages AS s WHERE s.run = 1 AND runs.id > 1"
        )


def _writes(log: list[Served]) -> list[Served]:
    return [
        call
        for call in log
        if call.method in ("POST", "PATCH", "PUT", "DELETE") and "/repos/" in call.path and call.owner.endswith("[bot]")
    ]


def _waiting(world: World) -> int:
    with sqlite3.connect(world.folder / "state" / "lifecycle.db", timeout=30) as database:
        return int(database.execute("SELECT count(*) FROM later").fetchone()[0])
