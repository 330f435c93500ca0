"""Unanswered writes are not repeated while they may yet show."""

import pytest

from bot.doubts import LAG, Doubts
from bot.ports import Unavailable


def test_nothing_is_written_again_until_it_would_have_shown() -> None:
    now = [100.0]
    doubts = Doubts(clock=lambda: now[0])
    assert not doubts.hold("a")
    doubts.note("a")
    now[0] += 2
    with pytest.raises(Unavailable) as told:
        doubts.hold("a")
    assert told.value.after == pytest.approx(LAG - 2)
    assert not doubts.hold("b")
    now[0] += LAG
    assert doubts.hold("a")
    doubts.settle("a")
    assert not doubts.hold("a")
