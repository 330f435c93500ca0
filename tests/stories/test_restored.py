"""A backup is restored: what was told of runs that are lost stays as it was, and new runs have new numbers."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.stories.starting import begin, environment
from tests.stories.test_line import run_of
from tests.stories.world import World

pytestmark = pytest.mark.xdist_group("stories-late")


def command(world: World, *words: str | Path) -> str:
    argv = [sys.executable, "-m", "bot", *map(str, words), "--settings", str(world.folder / "app.yaml")]
    done = subprocess.run(argv, env=environment(world.stage), capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_new_run_does_not_edit_what_was_told_of_a_lost_one(tmp_path: Path) -> None:
    world = begin(tmp_path, boarded=(), alone=("restored",), azure=(), sweep="3h")
    try:
        issue = world.issue("restored")
        issue.ask("/train", "`line` v1 is good enough")
        command(world, "backup", tmp_path / "it.tar.gz")
        withdrawn = issue.comment("/train beside=0.1")
        lost = [issue.says("is good enough", "beside=0.1")]
        lost.append(issue.ask("/train beside=0.2", "is good enough", "beside=0.2"))
        github = world.stage.github.world
        github.delete_comment("mira", github.find_comment("octo/restored", withdrawn))
        world.stop()
        command(world, "restore", tmp_path / "it.tar.gz", "--force")
        world.start()

        def told_again() -> str:
            return next((one for one in issue.said()[3:] if "is good enough" in one), "")

        again = world.eventually(told_again, "it is done again")
        assert issue.said()[1:3] == lost
        assert "beside=0.2" in again  # what was asked for since the backup, and not withdrawn, is done again
        assert run_of(again) == 2001
        assert run_of(issue.ask("/train beside=0.3", "is good enough")) == 2002
        assert "The next run, and the next item of drift, has number 4001." in command(world, "renumber")
    finally:
        world.close()
