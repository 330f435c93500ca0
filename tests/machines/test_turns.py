"""Turns to write and postponed work, shared by machines on one PostgreSQL."""

import itertools
import threading
from collections.abc import Callable, Iterator

import pytest
from sqlalchemy import Engine, select, update

from bot.later import Later, later
from bot.pacing import Budget, Pacing, writes
from bot.ports import Unavailable
from bot.schema import metadata
from lifecycle import connect

pytestmark = pytest.mark.postgres
MACHINES = 4


@pytest.fixture
def engines(database: str) -> Iterator[list[Engine]]:
    made = [connect(database) for _ in range(MACHINES)]
    metadata.create_all(made[0])
    yield made
    for engine in made:
        engine.dispose()


def at_once(engines: list[Engine], work: Callable[[Engine], None]) -> None:
    threads = [threading.Thread(target=work, args=(engine,)) for engine in engines]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def test_machines_share_one_budget_and_keep_their_writes_apart(engines: list[Engine]) -> None:
    budget, refused = Budget(a_minute=20, an_hour=480, patience=30.0), list[float]()

    def write(engine: Engine) -> None:
        pacing = Pacing(engine, 0.1, urgent=budget)
        for _ in range(10):
            try:
                pacing.book("github:1", urgent=True)
            except Unavailable as error:
                refused.append(error.after or 0.0)

    at_once(engines, write)
    with engines[0].connect() as connection:
        times = sorted(connection.execute(select(writes.c.at)).scalars())
    assert len(times) == 20
    assert len(refused) == 20
    assert min(after - before for before, after in itertools.pairwise(times)) > 0.0999
    assert min(refused) > 30


def test_what_was_postponed_is_taken_up_by_one_machine(engines: list[Engine]) -> None:
    for number in range(10):
        Later(engines[0]).put(f"tell/{number}", "", "", 1.0, "GitHub is not there")
    with engines[0].begin() as connection:
        connection.execute(update(later).values(due=0.0))
    taken: list[str] = []
    at_once(engines, lambda engine: taken.extend(due.key for due in Later(engine).claim(10, begun=False)))
    assert sorted(taken) == [f"tell/{number}" for number in range(10)]
