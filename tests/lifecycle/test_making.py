"""Folders made aside: moved into place whole, and cleared away when their maker was killed."""

import subprocess
import sys
from pathlib import Path

from lifecycle.making import clear, making

KILLED = """
import os, signal, sys
from pathlib import Path
from lifecycle.making import making
with making(Path(sys.argv[1])) as folder:
    (folder / "half").write_text("of it")
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_what_is_made_can_be_moved_into_place_and_the_rest_is_gone(tmp_path: Path):
    with making(tmp_path / "all") as folder:
        (folder / "it").mkdir()
        (folder / "scrap").write_text("x")
        (folder / "it").rename(tmp_path / "all" / "done")
    assert [path.name for path in (tmp_path / "all").iterdir()] == ["done"]


def test_what_a_killed_maker_left_is_cleared_and_what_is_being_made_is_not(tmp_path: Path):
    subprocess.run([sys.executable, "-c", KILLED, str(tmp_path)], check=False)
    (tmp_path / "making-nothing-yet").mkdir()
    (left,) = (path for path in tmp_path.iterdir() if (path / "half").exists())
    with making(tmp_path) as mine:
        assert clear(tmp_path) == 1
        assert [path.name for path in tmp_path.iterdir()] == [mine.name]
    assert not left.exists()
    assert clear(tmp_path / "nowhere") == 0


def test_depth_is_no_shelter(tmp_path: Path):
    subprocess.run([sys.executable, "-c", KILLED, str(tmp_path)], check=False)
    (folder,) = tmp_path.iterdir()
    for _ in range(1200):  # deeper than Python's recursion
        folder = folder / "d"
        folder.mkdir()
    assert clear(tmp_path) == 1
    assert list(tmp_path.iterdir()) == []
