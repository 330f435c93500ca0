"""Turns to write: kept apart, below both limits, progress before nobody, and shared between workers."""

import itertools
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, insert, select, update

from bot.pacing import HOUR, MINUTE, PROGRESS, URGENT, Budget, Pacing, free_at, writes
from bot.ports import Unavailable
from bot.schema import clock, metadata
from lifecycle import connect

LINE = "github:1"


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    made = connect(f"sqlite:///{tmp_path / 'it.db'}")
    metadata.create_all(made)
    yield made
    made.dispose()


def written(engine: Engine, count: int, ago: float) -> None:
    with engine.begin() as connection:
        now = connection.execute(select(clock(engine))).scalar_one()
        connection.execute(insert(writes), [{"line": LINE, "at": now - ago} for _ in range(count)])


@pytest.mark.parametrize("urgent", [True, False])
def test_a_thousand_writes_at_any_speed_stay_below_both_limits(urgent: bool) -> None:
    """Whoever waits as told, however eager, never has more in any minute or hour than GitHub allows."""
    budget, now, times = (URGENT if urgent else PROGRESS), 0.0, list[float]()
    for _ in range(1_000):
        now = free_at(now, times[::-1][: budget.an_hour], 0.01, budget)
        times.append(now)
    for span, most in ((MINUTE, 80), (HOUR, 500)):
        assert max(sum(start <= at < start + span for at in times) for start in times) < most
    assert times[-1] < 4 * HOUR


def test_writes_are_kept_apart(engine: Engine) -> None:
    pacing = Pacing(engine, 1.0)
    first, second, third = (pacing.book(LINE, urgent=True) for _ in range(3))
    assert first == 0.0
    assert 0.8 < second <= 1.0
    assert 1.8 < third <= 2.0
    assert pacing.book("github:2", urgent=True) == 0.0


def test_where_writes_are_short_an_answer_still_has_room_and_progress_has_not(engine: Engine) -> None:
    pacing = Pacing(engine, 0.01)
    written(engine, PROGRESS.a_minute, ago=5)
    with pytest.raises(Unavailable, match="as much to GitHub as it allows") as told:
        pacing.look(LINE, urgent=False)
    assert 50 < (told.value.after or 0) <= 55
    assert pacing.book(LINE, urgent=True) == 0.0


def test_an_hour_that_is_used_up_says_when_it_ends_and_is_forgotten_then(engine: Engine) -> None:
    pacing = Pacing(engine, 0.01)
    written(engine, URGENT.an_hour, ago=1_000)
    with pytest.raises(Unavailable) as told:
        pacing.book(LINE, urgent=True)
    assert 2_500 < (told.value.after or 0) <= 2_600
    with engine.begin() as connection:
        connection.execute(update(writes).values(at=writes.c.at - 2_700))
    assert pacing.book(LINE, urgent=True) == 0.0
    with engine.connect() as connection:
        assert len(connection.execute(select(writes.c.id)).all()) == 1


def test_workers_that_share_a_database_share_the_turns(engine: Engine) -> None:
    waits: list[float] = []
    pacings = [Pacing(engine, 0.5, urgent=Budget(76, 480, 60.0)) for _ in range(4)]

    def write(pacing: Pacing) -> None:
        waits.extend(pacing.book(LINE, urgent=True) for _ in range(5))

    threads = [threading.Thread(target=write, args=(pacing,)) for pacing in pacings]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with engine.connect() as connection:
        times = sorted(connection.execute(select(writes.c.at)).scalars())
    assert len(waits) == len(times) == 20
    assert min(later - earlier for earlier, later in itertools.pairwise(times)) > 0.499
