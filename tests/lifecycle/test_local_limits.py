"""A job that takes more than its limits is ended, and says which."""

import textwrap
import time

from lifecycle.executors import JobState, Limits
from tests.lifecycle.conftest import Bench


def test_too_much_memory_fails_inside_the_job(bench: Bench):
    status = bench.run("m", "x = bytearray(900 << 20)", limits=Limits(memory_mb=300))
    assert status.state is JobState.FAILED
    assert "MemoryError" in status.reason


def test_many_processes_that_use_too_much_memory_together_are_ended(bench: Bench):
    code = """
        import subprocess, sys
        hog = "x = bytearray(b'1') * (90 << 20); import time; time.sleep(60)"
        [subprocess.Popen([sys.executable, "-c", hog]) for _ in range(4)]
        import time; time.sleep(60)
    """
    status = bench.run("mm", textwrap.dedent(code), limits=Limits(memory_mb=250))
    assert status.state is JobState.FAILED
    assert status.reason == "its processes together used more than 250 MB of memory"


def test_too_many_processes_are_ended(bench: Bench):
    code = "import os, time\nfor _ in range(40):\n  if not os.fork(): time.sleep(60)\ntime.sleep(60)"
    status = bench.run("p", code, limits=Limits(processes=20))
    assert status.state is JobState.FAILED
    assert "processes" in status.reason or "Resource temporarily unavailable" in status.reason


def test_a_file_that_grows_too_large(bench: Bench):
    code = "import os; open(os.environ['LIFECYCLE_OUTPUT'] + '/x', 'wb').write(bytes(20 << 20))"
    status = bench.run("big", code, limits=Limits(file_mb=10))
    assert status.state is JobState.FAILED
    assert "File too large" in status.reason


def test_many_files_that_fill_the_disk_are_ended_and_removed(bench: Bench):
    code = """
        import os, time
        for n in range(60):
            open(os.environ["LIFECYCLE_OUTPUT"] + f"/{n}", "wb").write(b"1" * (1 << 20))
            time.sleep(0.05)
        time.sleep(60)
    """
    status = bench.run("disk", textwrap.dedent(code), limits=Limits(disk_mb=15))
    assert status.state is JobState.FAILED
    assert status.reason == "it wrote more than 15 MB to disk"
    gone = time.monotonic() + 5
    while bench.executor.output("disk").exists():
        assert time.monotonic() < gone
        time.sleep(0.01)


def test_time_is_up(bench: Bench):
    begun = time.monotonic()
    status = bench.run("t", "import time; print('on', flush=True); time.sleep(60)", limits=Limits(seconds=1))
    assert time.monotonic() - begun < 8
    assert status.state is JobState.FAILED
    assert status.reason == "it reached its time limit of 1 seconds"
    assert 0.9 < status.used.seconds < 3
