"""What was postponed: when it is due, who takes it up, and what waits behind it."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import update

from bot.later import FIRST, LONGEST, Later, later
from bot.schema import metadata
from lifecycle import connect


@pytest.fixture
def waiting(tmp_path: Path) -> Iterator[Later]:
    engine = connect(f"sqlite:///{tmp_path / 'it.db'}")
    metadata.create_all(engine)
    yield Later(engine)
    engine.dispose()


def let_time_pass(waiting: Later, seconds: float) -> None:
    with waiting.engine.begin() as connection:
        connection.execute(update(later).values(due=later.c.due - seconds))


def test_it_is_due_after_a_while_and_later_each_time(waiting: Later) -> None:
    seconds = [waiting.put("tell/7", "", "", None, "it broke") for _ in range(9)]
    assert FIRST <= seconds[0] <= 2 * FIRST
    assert seconds[-1] > LONGEST / 2
    assert max(seconds) <= LONGEST
    assert waiting.claim(10, begun=False) == ()
    let_time_pass(waiting, LONGEST)
    (due,) = waiting.claim(10, begun=False)
    assert (due.key, due.tries) == ("tell/7", 9)


def test_it_is_never_due_before_the_platform_says(waiting: Later) -> None:
    assert 3600 <= waiting.put("tell/7", "", "", 3600.0, "limited") <= 3660


def test_one_worker_takes_it_up_and_another_if_that_one_does_not_begin(waiting: Later) -> None:
    waiting.put("tell/7", "", "", None, "it broke")
    let_time_pass(waiting, 60)
    assert len(waiting.claim(10, begun=False)) == 1
    assert waiting.claim(10, begun=False) == ()
    let_time_pass(waiting, 61)
    assert len(waiting.claim(10, begun=False)) == 1
    waiting.done("tell/7")
    let_time_pass(waiting, 600)
    assert waiting.claim(10, begun=False) == ()
    assert waiting.waiting() == []


def test_what_comes_later_about_the_same_thing_waits_and_goes_on_at_once_then(waiting: Later) -> None:
    assert not waiting.ahead("github:octo/bikes#1", "handle:b")
    waiting.put("handle:a", "handle:a", "github:octo/bikes#1", 3600.0, "limited")
    assert waiting.ahead("github:octo/bikes#1", "handle:b")
    assert not waiting.ahead("github:octo/bikes#1", "handle:a")
    assert not waiting.ahead("github:octo/bikes#2", "handle:c")
    waiting.put("handle:b", "handle:b", "github:octo/bikes#1", None, "in line")
    waiting.done("handle:a")
    assert waiting.claim(10, begun=False) == ()
    assert [due.key for due in waiting.claim(10, begun=True)] == ["handle:b"]
    assert not waiting.ahead("github:octo/bikes#1", "handle:b")


def test_a_long_line_moves_on_one_by_one_and_nobody_in_it_misses_his_turn(waiting: Later) -> None:
    line = "github:octo/bikes#1"
    waiting.put("handle:a", "handle:a", line, 3600.0, "limited")
    for name in "bcd":
        waiting.put(f"handle:{name}", f"handle:{name}", line, None, "in line", behind=True)
    waiting.done("handle:a")
    assert [due.key for due in waiting.claim(10, begun=True)] == ["handle:b"]  # not all, who would find b before them
    assert waiting.ahead(line, "handle:c")
    waiting.done("handle:b")
    assert waiting.put("handle:c", "handle:c", line, None, "in line", behind=True) == 0  # it looked before b was done
    assert [due.key for due in waiting.claim(10, begun=True)] == ["handle:c"]
    assert waiting.put("handle:d", "handle:d", line, None, "in line", behind=True) > 0
