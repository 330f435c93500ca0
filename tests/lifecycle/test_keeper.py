"""The keeper's own parts: its log, the tree of processes, copies and removals."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from lifecycle.executors import processtree

HERE = Path(processtree.__file__).parent
SLEEP = "import time; time.sleep(60)"
TREE = f"import subprocess, sys; subprocess.Popen([sys.executable, '-c', {SLEEP!r}]); {SLEEP}"


def test_it_starts_without_anything_heavy():
    """What it imports is on the way to every job's first line."""
    code = "import sys; sys.path.append(sys.argv[1]); import keeper; print(*sorted(sys.modules))"
    argv = [sys.executable, "-I", "-S", "-c", code, str(HERE)]
    loaded = set(subprocess.run(argv, capture_output=True, text=True, check=True).stdout.split())
    assert not loaded & {"subprocess", "ctypes", "shutil", "pathlib", "dataclasses", "logging", "asyncio", "lifecycle"}


@pytest.fixture
def family():
    """A process with a child of its own."""
    with subprocess.Popen([sys.executable, "-c", TREE], start_new_session=True) as parent:
        until = time.monotonic() + 10
        while not processtree.descendants(parent.pid):
            assert time.monotonic() < until
            time.sleep(0.01)
        yield parent
        os.killpg(parent.pid, signal.SIGKILL)


@pytest.mark.parametrize("linux", [True, False])
def test_descendants_are_found_on_any_system(family, monkeypatch: pytest.MonkeyPatch, linux: bool):
    if linux and not processtree.LINUX:
        pytest.skip("not Linux")
    monkeypatch.setattr(processtree, "LINUX", linux)
    found = processtree.descendants(os.getpid())
    assert family.pid in found
    (child,) = processtree.descendants(family.pid)
    assert child in found
    assert child != family.pid
    assert 1 < processtree.memory_mb([family.pid], 0) < 200
    assert processtree.memory_mb([family.pid], 0.001) > 0.5
    ticks = processtree.start_ticks(family.pid)
    assert ticks
    assert processtree.start_ticks(family.pid) == ticks


def test_a_process_that_is_gone_has_no_start_and_no_memory():
    gone = subprocess.Popen([sys.executable, "-c", "pass"])
    gone.wait()
    assert processtree.start_ticks(gone.pid) == ""
    assert processtree.memory_mb([gone.pid], 0) == 0
    processtree.send([gone.pid], signal.SIGKILL)


def test_a_copy_keeps_links_and_leaves_odd_things_out(tmp_path: Path):
    source = tmp_path / "source"
    (source / "deep" / "er").mkdir(parents=True)
    (source / "deep" / "er" / "run").write_text("#!/bin/sh")
    (source / "deep" / "er" / "run").chmod(0o555)
    (source / "plain").write_bytes(os.urandom(3 << 20))
    (source / "plain").chmod(0o400)
    (source / "out").symlink_to("/etc")
    (source / "broken").symlink_to("nowhere")
    os.mkfifo(source / "pipe")
    processtree.copy_tree(str(source), str(tmp_path / "copy"))
    copy = tmp_path / "copy"
    assert sorted(path.name for path in copy.iterdir()) == ["broken", "deep", "out", "plain"]
    assert os.readlink(copy / "out") == "/etc"
    assert (copy / "plain").read_bytes() == (source / "plain").read_bytes()
    assert (copy / "plain").stat().st_mode & 0o777 == 0o644
    assert (copy / "deep" / "er" / "run").stat().st_mode & 0o777 == 0o755


def test_whatever_a_job_leaves_can_be_removed(tmp_path: Path):
    top = tmp_path / "top"
    (top / "shut" / "in").mkdir(parents=True)
    (top / "shut" / "in" / "file").write_text("x")
    (tmp_path / "kept").write_text("kept")
    (top / "link").symlink_to(tmp_path / "kept")
    (top / "shut" / "in").chmod(0)
    (top / "shut").chmod(0)
    dig = "import os\nos.chdir(os.sys.argv[1])\nfor _ in range(3000): os.mkdir('deeper'); os.chdir('deeper')"
    subprocess.run([sys.executable, "-c", dig, str(top)], check=True)
    processtree.remove_tree(str(top), str(tmp_path / "never-was"))
    assert not top.exists()
    assert (tmp_path / "kept").read_text() == "kept"


LOG = """
import sys
sys.path.append(sys.argv[1])
import keeper
log = keeper.Log(sys.argv[2], cap=1000)
for number in range(100_000):
    log.write(b"line %d\\n" % number)
log.write(b"\\x1b[31mthe end\\n\\n  \\n")
log.finish()
print(log.last_words())
"""


def test_the_log_keeps_its_beginning_and_its_end(tmp_path: Path):
    argv = [sys.executable, "-I", "-S", "-c", LOG, str(HERE), str(tmp_path / "log")]
    words = subprocess.run(argv, capture_output=True, text=True, check=True).stdout
    text = (tmp_path / "log").read_text()
    assert words == "[31mthe end\n"
    assert text.startswith("line 0\nline 1\n")
    assert "the log is full" in text
    assert "the end" in text
    assert "the log was cut" in text.splitlines()[-1]
    assert len(text) < 1000 + (64 << 10) + 300
