"""What people asked for, and what an undisturbed day would have made of it."""

import threading
import time
from dataclasses import dataclass, field

ANSWER, EITHER = "answer", "either"


@dataclass(frozen=True, slots=True)
class Command:
    """One comment with one command.

    `makes`: the kind of the one run that it is to make; ANSWER if it makes none and is answered; EITHER where that
    depends on who was quicker. `ends`: the state that its run ends in on an undisturbed day, empty if that depends.
    `revision`: of a work item, the one that the comment made.
    """

    ref: str
    comment: str
    text: str
    makes: str
    ends: str = ""
    revision: int = 0
    at: float = field(default_factory=time.time)

    @property
    def event(self) -> str:
        """The natural id of its event."""
        return f"{self.ref}/comment/{self.comment}"


class Book:
    """Every command and every pull request of the day."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._commands: list[Command] = []
        self.pulls: dict[str, list[str]] = {}  # a pull request's ref -> its heads, oldest first
        self.impatient = 0  # people who gave up waiting for something; what they waited for is judged at the end

    def add(self, command: Command) -> Command:
        with self._guard:
            self._commands.append(command)
        return command

    @property
    def commands(self) -> list[Command]:
        with self._guard:
            return list(self._commands)

    def gave_up(self) -> None:
        with self._guard:
            self.impatient += 1
