"""Many changes of one run: what brings it up to date runs a few times only, and in the end tells the newest."""

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.alive import Alive
from bot.engine import Engine, Postponed
from bot.later import Later, later
from bot.schema import metadata
from lifecycle import connect

CHANGES = 150


class Trial:
    """A run's revision, and what was told of it."""

    def __init__(self) -> None:
        self.revision = 0
        self.told: list[int] = []
        self.unavailable = False
        self.at_once, self.most = 0, 0
        self.engine: Engine

    def tell(self, number: int | str) -> None:
        with self.engine.newest(f"tell:{number}") as mine:
            if not mine:
                return
            self.at_once += 1
            self.most = max(self.most, self.at_once)
            found = self.revision
            time.sleep(0.05)
            self.at_once -= 1
            if self.unavailable:
                raise Postponed("GitHub is not there")
            self.told.append(found)


@pytest.fixture
def trial(tmp_path: Path) -> Iterator[Trial]:
    main = connect(f"sqlite:///{tmp_path / 'main.db'}")
    metadata.create_all(main)
    made = Trial()
    made.engine = Engine(
        f"sqlite:///{tmp_path / 'engine.db'}", Alive(main, alone=True), Later(main), {"tell": made.tell}
    )
    made.engine.launch()
    yield made
    made.engine.close()
    main.dispose()


def settled(trial: Trial, wanted: int) -> bool:
    until = time.monotonic() + 60
    while time.monotonic() < until and (not trial.told or trial.told[-1] != wanted):
        time.sleep(0.05)
    return bool(trial.told) and trial.told[-1] == wanted


def test_many_changes_of_one_run_are_told_a_few_times_and_the_newest_last(trial: Trial) -> None:
    for _ in range(CHANGES):
        trial.revision += 1
        trial.engine.kick("tell", 7)
    assert settled(trial, CHANGES)
    assert trial.most == 1
    assert len(trial.told) < CHANGES
    assert trial.told == sorted(trial.told)
    assert threading.active_count() < 60


def test_what_is_postponed_is_one_row_however_often_it_changes_and_is_told_once_then(trial: Trial) -> None:
    trial.unavailable = True
    for _ in range(10):
        trial.revision += 1
        trial.engine.kick("tell", 7)
    waiting = trial.engine._later
    until = time.monotonic() + 30
    while not waiting.waiting() and time.monotonic() < until:
        time.sleep(0.05)
    ((key, tries, why),) = waiting.waiting()
    assert (key, why) == ("tell/7", "GitHub is not there")
    assert tries >= 1
    trial.unavailable = False
    time.sleep(1)
    told = len(trial.told)
    with waiting.engine.begin() as connection:
        connection.execute(later.update().values(due=0.0))
    for name, number in trial.engine.take_up():
        trial.engine.kick(name, number)
    assert settled(trial, 10)
    assert len(trial.told) <= told + 1
