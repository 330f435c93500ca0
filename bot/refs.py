"""The address of a thing outside: `github:octo/bikes#12`, `repos:Bikes/model!7`, `boards:Fabrikam/345`."""

import re
from dataclasses import dataclass
from typing import Self

SHAPE = re.compile(r"^(?P<system>[a-z]+):(?P<place>[^#!\s]+?)(?P<mark>[#!/])(?P<number>[0-9]{1,18})$")
MARKS = {"github": "#", "repos": "!", "boards": "/"}


@dataclass(frozen=True, slots=True, order=True)
class Ref:
    """One issue, pull request or work item; `place` is a repository (github, repos) or an organisation (boards)."""

    system: str
    place: str
    number: int

    def __str__(self) -> str:
        return f"{self.system}:{self.place}{MARKS[self.system]}{self.number}"

    @classmethod
    def parse(cls, text: str) -> Self:
        """The inverse of str(). Raises ValueError."""
        match = SHAPE.match(text)
        if match is None or MARKS.get(match["system"]) != match["mark"]:
            raise ValueError(
                f"{text!r} is not an address such as github:octo/bikes#12, repos:Bikes/model!7 or boards:Fabrikam/345"
            )
        return cls(match["system"], match["place"], int(match["number"]))

    @property
    def short(self) -> str:
        """How people write it: `#12` on GitHub, `!7` for a pull request of Azure Repos, `AB#345` for a work item."""
        return f"{'AB#' if self.system == 'boards' else MARKS[self.system]}{self.number}"
