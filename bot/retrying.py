"""Trying again within a step: with jitter, as late as the platform asks, never for longer than a thread may wait.

DBOS could repeat a step too, but knows neither jitter nor Retry-After, and what it remembers of a step that failed is
an exception of no particular type. Here a failure is an answer like others: a crash right after it changes nothing.
"""

import logging
import random
import time
from collections.abc import Callable, Mapping
from typing import TypeVar

from bot.ports import Denied, SignedOut, Unavailable
from lifecycle import GitTrouble, GitUnreachable

Json = str | int | float | bool | None | list["Json"] | dict[str, "Json"]
Answer = TypeVar("Answer", bound=Json)

ATTEMPTS = 6  # at something that nobody expects to fail
UNANSWERED = 4  # at a platform that does not answer: seven seconds; what takes longer is postponed
DENIED = 3  # at what is denied or not there: what was made a moment ago may not be there for everybody yet
PATIENCE = 10.0  # seconds, the longest pause for which a thread is kept
FAILED = "lifecycle-bot failed"
KNOWN: Mapping[str, Callable[[str], Exception]] = {
    kind.__name__: kind for kind in (Unavailable, SignedOut, Denied, GitTrouble, GitUnreachable)
}
POSTPONABLE = (Unavailable, GitUnreachable)
log = logging.getLogger(__name__)


class Broken(Exception):
    """What a step said when it failed, where no more is known of it than its words."""


class GaveUp(Exception):
    """A step failed as often as it may be tried; `last` is what it said in the end."""

    def __init__(self, last: BaseException) -> None:
        super().__init__(str(last))
        self.last = last

    @property
    def postponable(self) -> bool:
        """Whether it will work later, by itself or when somebody has renewed our credentials."""
        return isinstance(self.last, POSTPONABLE)


class Postponed(Exception):
    """The workflow ends here and is taken up later; `line` names what must wait behind it, empty for nothing.

    `behind`: nothing went wrong, it only waits for what is before it in that line.
    """

    def __init__(
        self, why: BaseException | str, line: str = "", after: float | None = None, behind: bool = False
    ) -> None:
        super().__init__(str(why))
        self.line, self.behind = line, behind
        self.after = getattr(why, "after", None) if after is None else after


def attempt(
    function: Callable[[], Answer],
    attempts: int,
    caught: Callable[[Exception], None],
    pause: Callable[[float], None] = time.sleep,
) -> Json:
    """The function's answer; what `failure` reads when it failed too often. `caught` hears of every failure."""
    tries = 0
    while True:
        tries += 1
        try:
            return function()
        except Exception as error:
            caught(error)
            seconds = _pause(error, tries, attempts)
            if seconds is None:
                return _failed(error)
            log.info("trying again in %.1f s: %s", seconds, error)
            pause(seconds)


def failure(answer: Json) -> Exception | None:
    """Why there is no answer, None where there is one."""
    if not isinstance(answer, dict) or FAILED not in answer:
        return None
    kind, said, after = str(answer[FAILED]), str(answer["said"]), answer["after"]
    made = KNOWN[kind](said) if kind in KNOWN else Broken(f"{kind}: {said}")
    if isinstance(made, Unavailable) and isinstance(after, int | float):
        made.after = float(after)
    return made


def backoff(tries: int, first: float, longest: float) -> float:
    """Seconds to wait before the next try: twice as long each time, a half of it left to chance."""
    return min(longest, first * 2.0 ** min(tries - 1, 30)) * random.uniform(0.5, 1.0)  # noqa: S311 (no secret)


def _pause(error: Exception, tries: int, attempts: int) -> float | None:
    """How long to wait before the next try; None where there is none."""
    after = 0.0
    if isinstance(error, SignedOut):
        return None
    if isinstance(error, POSTPONABLE):
        attempts, after = min(attempts, UNANSWERED), getattr(error, "after", None) or 0.0
    elif isinstance(error, Denied | GitTrouble):
        attempts = min(attempts, DENIED)
    if tries >= attempts or after > PATIENCE:
        return None
    return max(backoff(tries, 1.0, PATIENCE * 2), after * random.uniform(1.0, 1.1))  # noqa: S311 (no secret)


def _failed(error: Exception) -> Json:
    kind = next((name for name, known in KNOWN.items() if type(error) is known), None)
    if kind is None:  # the adapters have finer kinds of their own
        kinds = (SignedOut, Unavailable, Denied, GitUnreachable, GitTrouble)
        kind = next((one.__name__ for one in kinds if isinstance(error, one)), type(error).__name__)
    return {FAILED: kind, "said": str(error), "after": getattr(error, "after", None)}
