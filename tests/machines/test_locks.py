"""Heartbeats and locks between machines, on PostgreSQL."""

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine

from bot.alive import Alive, host_name, host_of, hosts, living
from bot.locks import Locks
from bot.schema import metadata
from lifecycle import connect

pytestmark = pytest.mark.postgres
LEASE = 1.0


@pytest.fixture
def engine(database: str) -> Iterator[Engine]:
    engine = connect(database)
    metadata.create_all(engine)
    yield engine
    engine.dispose()


def worker(engine: Engine, host: str) -> tuple[Alive, Locks]:
    alive = Alive(engine, alone=False, host=host, lease=LEASE)
    alive.beat()
    return alive, Locks(engine, alive.me, LEASE)


def test_a_lock_is_held_by_one_machine_at_a_time(engine: Engine) -> None:
    (one, mine), (other, theirs) = worker(engine, "a"), worker(engine, "b")
    got = threading.Event()

    def want() -> None:
        with theirs.holding("run:1"):
            got.set()

    with mine.holding("run:1"):
        thread = threading.Thread(target=want)
        thread.start()
        for _ in range(8):
            one.beat()
            other.beat()
            assert not got.wait(0.1)
    assert got.wait(5)
    thread.join()
    assert mine.holder("run:1") == ""


def test_the_lock_of_a_machine_that_is_silent_for_longer_than_its_lease_is_free(engine: Engine) -> None:
    (_, mine), (other, theirs) = worker(engine, "a"), worker(engine, "b")
    with mine.holding("run:1"):
        began = time.monotonic()
        with theirs.holding("run:1"):
            assert 0.1 < time.monotonic() - began < 5
        # The one that was silent gave back what it no longer had: nothing is left, and nobody lost a lock by it.
        with mine.holding("run:2"):
            other.beat()
    assert theirs.holder("run:1") == ""


def test_who_is_alive_and_what_a_machine_is_called(engine: Engine, tmp_path: Path) -> None:
    host = host_of(tmp_path)
    assert host == host_of(tmp_path)
    alive, _ = worker(engine, host)
    (seen,) = living(engine, LEASE)
    assert (seen.executor, seen.host, seen.name) == (alive.me, host, host_name(engine, host))
    assert seen.name


def test_a_machine_is_gone_when_it_was_silent_for_two_leases_or_for_as_long_as_it_said(engine: Engine) -> None:
    (mine, _), (theirs, _) = worker(engine, "mine"), worker(engine, "theirs")

    def seconds_until_gone(host: str, most: float) -> float:
        began = time.monotonic()
        while not mine.gone(host) and time.monotonic() - began < most:
            time.sleep(LEASE / 6)
            mine.beat()
        return time.monotonic() - began

    for _ in range(8):
        time.sleep(LEASE / 5)
        mine.beat()
        theirs.beat()
    assert mine.may_judge()
    assert not mine.gone("theirs")
    assert not mine.gone("never heard of")  # one look is not enough
    assert seconds_until_gone("never heard of", 5) < 2 * LEASE

    with engine.begin() as connection:  # the clock jumps: everybody seems silent until the next beat
        connection.execute(hosts.update().values(until=0))
    mine.beat()
    assert not mine.gone("theirs")
    theirs.beat()
    mine.beat()
    assert seconds_until_gone("theirs", 9) >= 2 * LEASE - 0.1

    theirs.beat()
    theirs.leave(seconds=60.0)  # it said that it would be back
    mine.beat()
    assert seconds_until_gone("theirs", 4 * LEASE) >= 4 * LEASE
    theirs.leave()
    mine.beat()
    assert seconds_until_gone("theirs", 5) < 2 * LEASE
    assert not mine.gone("mine")


def test_of_many_processes_that_ask_first_what_a_machine_is_called_all_hear_the_same(tmp_path: Path) -> None:
    names: list[str] = []
    threads = [threading.Thread(target=lambda: names.append(host_of(tmp_path))) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(names) == 16
    assert len(set(names)) == 1


def test_who_was_cut_off_takes_nobody_for_dead_before_they_could_say_that_they_live(engine: Engine) -> None:
    alive, _ = worker(engine, "a")
    assert not alive.may_judge()
    for _ in range(6):
        time.sleep(LEASE / 5)
        alive.beat()
    assert alive.may_judge()
    time.sleep(1.5 * LEASE)  # as when the database was away for everybody
    alive.beat()
    assert not alive.may_judge()


def test_a_copied_state_folder_is_noticed(engine: Engine) -> None:
    alive, _ = worker(engine, "a")
    assert alive.doubles() == []
    copy = Alive(engine, alone=False, host="a", lease=10)
    copy.me = f"elsewhere-{copy.me.split('-', 1)[1]}"
    copy.beat()
    assert alive.doubles() == ["elsewhere"]
