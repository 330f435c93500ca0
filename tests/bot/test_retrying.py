"""Trying again within a step: how often, how late, and what is remembered of it."""

import pytest

from bot.adapters.github_errors import Limited, Uncertain
from bot.ports import Denied, SignedOut, Unavailable
from bot.retrying import ATTEMPTS, Broken, GaveUp, Json, Postponed, attempt, backoff, failure
from lifecycle import GitTrouble, GitUnreachable


class Trial:
    """Something that fails some times, and the pauses between."""

    def __init__(self, error: Exception, times: int) -> None:
        self.error, self.times = error, times
        self.calls = 0
        self.pauses: list[float] = []
        self.caught: list[Exception] = []

    def __call__(self) -> str:
        self.calls += 1
        if self.calls <= self.times:
            raise self.error
        return "done"

    def run(self, attempts: int = ATTEMPTS) -> Json:
        return attempt(self, attempts, self.caught.append, self.pauses.append)


def test_an_answer_is_given_as_it_is() -> None:
    assert Trial(ValueError(), 0).run() == "done"
    assert failure("done") is None
    assert failure({"a": 1}) is None


def test_pauses_double_and_are_left_to_chance_in_part() -> None:
    trial = Trial(ValueError("x"), 5)
    assert trial.run() == "done"
    assert [round(pause / 2.0**turn, 3) <= 1 for turn, pause in enumerate(trial.pauses)] == [True] * 5
    assert all(pause >= 0.5 * 2.0**turn for turn, pause in enumerate(trial.pauses))
    assert len({backoff(1, 1.0, 10.0) for _ in range(20)}) > 1


def test_what_the_platform_asks_for_is_waited_for_where_it_is_a_moment() -> None:
    trial = Trial(Limited("slow down", after=7.0), 1)
    assert trial.run() == "done"
    assert 7.0 <= trial.pauses[0] <= 7.7


def test_a_limit_of_an_hour_keeps_no_thread() -> None:
    trial = Trial(Limited("slow down", after=3600.0), 9)
    known = failure(trial.run())
    assert isinstance(known, Unavailable)
    assert known.after == 3600.0
    assert (trial.calls, trial.pauses) == (1, [])
    assert GaveUp(known).postponable
    assert Postponed(known).after == 3600.0


def test_an_hour_later_a_platform_that_does_not_answer_has_cost_a_thread_some_seconds() -> None:
    trial = Trial(Uncertain("it broke"), 9)
    assert isinstance(failure(trial.run()), Unavailable)
    assert sum(trial.pauses) < 10


@pytest.mark.parametrize(
    ("error", "kind", "calls", "postponable"),
    [
        (SignedOut("renew it"), SignedOut, 1, True),
        (Denied("no"), Denied, 3, False),
        (GitUnreachable("no route"), GitUnreachable, 4, True),
        (GitTrouble("no such commit"), GitTrouble, 3, False),
        (ZeroDivisionError("x"), Broken, 6, False),
    ],
)
def test_a_failure_is_remembered_with_its_kind(
    error: Exception, kind: type[Exception], calls: int, postponable: bool
) -> None:
    trial = Trial(error, 99)
    known = failure(trial.run())
    assert type(known) is kind
    assert str(error) in str(known)
    assert trial.calls == calls == len(trial.caught)
    assert GaveUp(known).postponable is postponable
