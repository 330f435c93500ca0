"""Commands whose signatures hold everything that a signature can say, and short words for giving them."""

import enum
from typing import Any, Literal

import pytest

from bot.arguments import Value
from bot.grammar import Misread, Where, command, find, fit
from bot.ports import Permission


class Pace(enum.StrEnum):
    SLOW = "slow"
    FAST = "fast"


class Percent:
    EXAMPLE = "2%"

    def __init__(self, share: float) -> None:
        self.share = share

    @classmethod
    def parse(cls, text: str) -> "Percent":
        if not text.endswith("%"):
            raise ValueError(text)
        return cls(float(text[:-1]) / 100)


@command(needs=Permission.WRITE)
def train(ask: str, model: str = "", **params: Value) -> tuple[str, str, dict[str, Value]]:
    """Train a model.

    Example: `/train bike-demand max_depth=6`
    """
    return ask, model, params


@command(needs=Permission.READ)
def link(ask: object, target: str) -> str:
    """Link this to something | else."""
    return target


@command(needs=Permission.WRITE, where={Where.PULL})
def ok_to_run(
    ask: object,
    depth: int,
    rate: float = 0.5,
    *,
    really: bool = False,
    how: Literal["all", "some"] = "all",
    pace: Pace = Pace.SLOW,
    margin: Percent | None = None,
) -> dict[str, object]:
    """Everything that a signature can say."""
    return {"depth": depth, "rate": rate, "really": really, "how": how, "pace": pace, "margin": margin}


@command(needs=Permission.NONE, name="help")
def helping(ask: object, /, command: str | None = None) -> str | None:
    """Tell what there is."""
    return command


ALL = (train, link, ok_to_run, helping)


def call(line: str, where: Where | None = None) -> Any:
    (asked,) = find(line)
    return fit(asked, ALL, where).run("asker")


def misread(line: str) -> str:
    with pytest.raises(Misread) as caught:
        call(line)
    return str(caught.value)
