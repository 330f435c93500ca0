"""Runs of one model go one after the other, and each that waits says behind whom."""

import os
import re

import pytest

from tests.stories.test_cancel import alive
from tests.stories.world import World

pytestmark = pytest.mark.xdist_group("stories-2")


def run_of(said: str) -> int:
    """The number of the run that a comment tells of."""
    found = re.search(r"\[Run (\d+)\]", said)
    assert found, said
    return int(found[1])


def test_who_waits_says_behind_whom_and_the_words_follow_the_line(world: World) -> None:
    issues, names = [world.issue("lines") for _ in range(3)], [f"line-{n}-{os.getpid()}" for n in range(3)]
    runs = []
    for issue, name in zip(issues, names, strict=True):
        issue.comment(f"/train sleep=600 name={name}")
        runs.append(run_of(issue.says("[Run ")))
    first, second, third = issues
    second.says("waits in line", f"Second in line, after [run {runs[0]}]")
    third.says("waits in line", f"Third in line, after [run {runs[1]}]")
    assert not alive(names[1])

    first.comment("/cancel")
    first.says("was cancelled")
    second.says("⏳")
    third.says("waits in line", f"Second in line, after [run {runs[1]}]")
    world.eventually(lambda: alive(names[1]), "the second trains")
    second.comment("/cancel")
    third.says("⏳")
    world.eventually(lambda: alive(names[2]), "the third trains")
    assert not any(alive(name) for name in names[:2])
    third.comment("/cancel")
    assert "processor" in third.says("was cancelled")


def test_whoever_leaves_the_middle_of_the_line_lets_the_others_move_up(world: World) -> None:
    issues = [world.issue("lines") for _ in range(3)]
    runs = []
    for issue in issues:
        issue.comment("/train sleep=600")
        runs.append(run_of(issue.says("[Run ")))
    first, second, third = issues
    third.says(f"Third in line, after [run {runs[1]}]")
    second.comment("/cancel")
    ended = second.says("was cancelled")
    assert "processor" not in ended
    third.says(f"Second in line, after [run {runs[0]}]")
    for issue in (third, first):
        issue.ask("/cancel", "Cancelling")
