"""A clock that jumps delays nothing for longer than it must, repeats nothing, and makes no time negative."""

import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from bot.alive import Alive, executors
from bot.engine import Engine
from bot.events import Event, SweepDue
from bot.later import Later
from bot.schedule import Clock
from bot.secrets import Secret
from bot.settings import Settings
from bot.storage import open_storage
from bot.web.format import between
from lifecycle import JobStatus, Used
from lifecycle.executors import JobState, used_of
from tests.bench.postgres import postgres, programs
from tests.operations.bots import eventually

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


class Watch:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.time = NOON
        self.ticks: list[Event] = []

    def __call__(self) -> datetime:
        return self.time


@pytest.fixture
def watch() -> Iterator[Watch]:
    watch = Watch()
    clock = Clock(watch.ticks.append, 3600, watch, look=0.02)
    clock.start()
    yield watch
    clock.close()


def test_after_a_jump_back_the_sweep_does_not_wait_for_the_time_to_come_again(watch: Watch) -> None:
    threading.Event().wait(0.1)
    watch.time = NOON - timedelta(hours=5)
    eventually(lambda: SweepDue(NOON - timedelta(hours=5)) in watch.ticks, "a sweep by the new clock", 5)


def test_small_corrections_and_jumps_forward_are_no_reason_to_sweep(watch: Watch) -> None:
    for seconds in (-5, 30, 86400, 86395):
        watch.time = NOON + timedelta(seconds=seconds)
        threading.Event().wait(0.06)
    assert watch.ticks == []


def test_a_time_that_went_backwards_reads_as_none_at_all() -> None:
    earlier = NOON - timedelta(hours=1)
    assert between(NOON, earlier, NOON) == "0.0 s"
    status = JobStatus(JobState.LOST, started=NOON, ended=earlier)
    assert used_of(status) == Used(seconds=0.0)


@pytest.mark.postgres
def test_a_jump_of_the_databases_clock_takes_no_workflow_from_whoever_lives(tmp_path: "pytest.TempPathFactory") -> None:
    if programs() is None:
        pytest.skip("needs PostgreSQL's programs")
    begun: list[int] = []
    with postgres() as url:
        storage = open_storage(Settings.model_construct(state=tmp_path, database=Secret(url)))
        other, mine = (Alive(storage.main, alone=False, host=name, lease=2.0) for name in ("other", "mine"))
        engine = Engine(storage.engine_url, mine, Later(storage.main), {"work": begun.append})
        engine.launch()
        engine.start("work", "one", 1)
        eventually(lambda: begun == [1], "it has run here")
        theirs = (
            "UPDATE dbos.workflow_status SET executor_id = :other, status = 'PENDING' WHERE workflow_uuid = 'work:one'"
        )
        with storage.main.begin() as connection:
            connection.execute(sa.text(theirs), {"other": other.me})  # as if another machine were at it
        for _ in range(8):
            other.beat()
            assert engine.take_over() == 0
            time.sleep(0.3)
        assert mine.may_judge()
        with storage.main.begin() as connection:  # an hour forward: all heartbeats are old
            connection.execute(sa.update(executors).values(seen=executors.c.seen - 3600))
        assert engine.take_over() == 0
        other.beat()
        assert engine.take_over() == 0
        with storage.main.begin() as connection:  # now it is dead indeed
            connection.execute(sa.update(executors).where(executors.c.id == other.me).values(seen=0))
        assert [engine.take_over(), engine.take_over()] == [0, 1]
        eventually(lambda: begun == [1, 1], "it was taken over")
        engine.close(seconds=5)
        storage.main.dispose()
