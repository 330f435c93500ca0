"""Breaks one call at a time, in every way that platforms do, while something is done over and over as the bot does."""

import re
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from bot.playground.faults import Fault, Faults, Kind
from bot.retrying import ATTEMPTS, GaveUp, Json, attempt, failure

T = TypeVar("T")
TURNS = 20  # how often what is unavailable is taken up again before a test has had enough


@dataclass(frozen=True, slots=True)
class Breakage:
    """What happens to one call."""

    name: str
    fault: Fault
    methods: str = ".*"  # of the calls worth breaking so

    def at(self, number: int) -> Fault:
        """The fault for the so-manieth call."""
        return replace(self.fault, nth=number)


EFFECT = "(?!GET|OPTIONS)"  # a read has none, so that before and after are the same
SILENT = (
    Breakage("500", Fault(Kind.STATUS, status=500)),
    Breakage("502 after the work", Fault(Kind.AFTER, status=502), EFFECT),
    Breakage("hang-up", Fault(Kind.HANGUP)),
    Breakage("hang-up after the work", Fault(Kind.HANGUP_AFTER), EFFECT),
)

SIGN_IN = {"Content-Type": "text/html; charset=utf-8"}
WRITES = "PATCH|POST(?!.*wiql)"
AZURE = (
    *SILENT,
    Breakage("203 sign-in", Fault(Kind.STATUS, status=203, headers=SIGN_IN, body="<html>Sign in</html>")),
    Breakage("429", Fault(Kind.STATUS, status=429, headers={"Retry-After": "1"}), WRITES),
    Breakage("409", Fault(Kind.STATUS, status=409, body='{"message": "TF26071: changed by someone else"}'), WRITES),
    Breakage("412", Fault(Kind.STATUS, status=412, body='{"message": "VS403351: Test Operation failed"}'), WRITES),
    Breakage("200, slower", Fault(Kind.SLOW, seconds=0.1), WRITES),
)


def calls_of(faults: Faults, act: Callable[[], T]) -> tuple[T, list[str]]:
    """What `act` gives undisturbed, and the calls that it takes, as "POST /api/v3/repos/octo/bikes/issues"."""
    faults.clear()
    faults.forget()
    answer = act()
    return answer, [f"{call.method} {re.sub(r'[?].*', '', call.path)}" for call in faults.log]


def persistently(act: Callable[[], Json]) -> Json:
    """Do it as a step does, and take it up again as the bot does later, only sooner. Raises what cannot be mended."""
    for _ in range(TURNS):
        answer = attempt(act, ATTEMPTS, lambda _: None, lambda seconds: time.sleep(min(seconds, 0.1)))
        known = failure(answer)
        if known is None:
            return answer
        if not GaveUp(known).postponable:
            raise known
        time.sleep(min(getattr(known, "after", None) or 0.1, 1.2))
    raise AssertionError(f"not even after {TURNS} turns: {known}")


def broken_once(
    faults: Faults, breakages: tuple[Breakage, ...], calls: Sequence[str]
) -> Iterator[tuple[Breakage, int]]:
    """Each call broken in each way, one at a time; the rule is in force while the caller acts."""
    for breakage in breakages:
        for number, call in enumerate(calls, start=1):
            if not re.match(breakage.methods, call):
                continue
            faults.clear()
            faults.add(breakage.at(number))
            yield breakage, number
            faults.clear()
