"""Who holds a lock on its file lives; who was killed is dead; a copy of the folder says nothing."""

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

from bot.presence import Presence

HOLD = """
import sys
from pathlib import Path
from bot.presence import Presence
presence = Presence(Path(sys.argv[1]))
presence.hold("it")
print("holds", flush=True)
sys.stdin.read()
"""


def test_only_who_was_killed_is_dead_and_only_in_the_folder_itself(tmp_path: Path) -> None:
    folder, copy = tmp_path / "workers", tmp_path / "copy"
    presence = Presence(folder)
    argv = [sys.executable, "-c", HOLD, str(folder)]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout
        assert other.stdout.readline() == b"holds\n"
        os.kill(other.pid, signal.SIGSTOP)
        assert presence.dead() == set()
        shutil.copytree(folder, copy)
        assert Presence(copy).dead() == set()
        other.kill()
    assert presence.dead() == {"it"}
    presence.bury({"it"})
    assert presence.dead() == set()
    assert not list(folder.iterdir())
