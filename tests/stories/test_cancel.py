"""A training that should end early, and one whose worker dies."""

import os
import re
import signal
from pathlib import Path

import pytest

from tests.stories.world import World

pytestmark = pytest.mark.xdist_group("stories-2")


def alive(words: str) -> list[int]:
    """Processes of this machine that have these words among their arguments."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if words.encode() in (folder / "cmdline").read_bytes().split(b"\0"):
                found.append(int(folder.name))
        except OSError:
            continue
    return found


def test_cancel_ends_a_training_with_everything_that_it_started(world: World) -> None:
    issue, name = world.issue("cancels"), f"nap-{os.getpid()}"
    issue.comment(f"/train sleep=600 name={name}")
    world.eventually(lambda: alive(name), "the training's child runs")
    issue.says("⏳", "/cancel ")
    issue.comment("/cancel", by="jonas")
    world.eventually(lambda: not alive(name), "its processes are gone")
    ended = issue.says("was cancelled")
    assert "jonas" in ended
    assert re.search(r"during train, after [\d.]+ s; it had used [\d.]+ s of processor and at most \d+ MB", ended)
    assert "`/cancel" not in ended
    issue.says("Cancelling [run")

    issue.comment("/cancel")
    assert "nothing to cancel" in issue.says("was not carried out")


def test_the_worker_is_killed_and_the_training_is_found_again(world: World) -> None:
    issue, name = world.issue("crashes"), f"crash-{os.getpid()}"
    issue.comment(f"/train sleep=6 name={name}")
    world.eventually(lambda: alive(name), "the training's child runs")
    before = alive(name)
    (worker,) = [pid for pid in alive("worker") if _parent(pid) == world.bot.pid]
    os.kill(worker, signal.SIGKILL)
    assert alive(name) == before
    report = issue.says("is good enough")
    assert f"name={name}" in report
    assert "attempt" not in report
    assert len(issue.said()) == 1
    assert [pid for pid in alive("worker") if _parent(pid) == world.bot.pid] not in ([], [worker])


def _parent(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[1])
    except OSError:
        return 0
