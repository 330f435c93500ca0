"""Jobs that do not end by themselves: cancelled, killed, lost, or alive when the bot is not."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from lifecycle.executors import JobState, processtree
from lifecycle.executors.jobfolder import JobFolder
from tests.lifecycle.conftest import Bench

SECONDS = str(100_000 + os.getpid())  # by which these processes are told from those of other tests
STUBBORN = """
import os, signal, subprocess, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
child = "import os, signal, time; os.setsid(); signal.signal(15, signal.SIG_IGN); time.sleep(SECONDS)"
if os.fork() == 0:
    os.setsid()
    subprocess.Popen([sys.executable, "-c", child])
    os._exit(0)
print("ready", flush=True)
time.sleep(SECONDS)
""".replace("SECONDS", SECONDS)


def sleepers() -> int:
    """How many of the stubborn processes there are on this machine."""
    found = 0
    for pid in os.listdir("/proc"):
        if pid.isdigit():
            try:
                found += f"time.sleep({SECONDS})".encode() in Path("/proc", pid, "cmdline").read_bytes()
            except OSError:
                continue
    return found


@pytest.mark.skipif(sys.platform != "linux", reason="counts processes in /proc")
def test_cancelling_ends_all_of_it_even_what_left_its_session_and_ignores_signals(bench: Bench):
    before = sleepers()
    bench.executor.submit(bench.job("c", STUBBORN))
    bench.until("c", "ready")
    late = time.monotonic() + 20
    while sleepers() < before + 2:
        assert time.monotonic() < late
        time.sleep(0.01)
    begun = time.monotonic()
    bench.executor.cancel("c")
    assert time.monotonic() - begun < 5
    status = bench.executor.status("c")
    assert (status.state, status.reason) == (JobState.CANCELLED, "it was cancelled")
    assert sleepers() == before
    bench.executor.cancel("c")
    bench.executor.cancel("never-was")
    assert bench.executor.status("never-was").state is JobState.UNKNOWN


@pytest.mark.skipif(sys.platform != "linux", reason="counts processes in /proc")
def test_what_a_job_leaves_running_ends_with_it(bench: Bench):
    before = sleepers()
    status = bench.run(
        "left",
        STUBBORN.replace('print("ready", flush=True)\ntime.sleep(' + SECONDS, "time.sleep(0.5"),
    )
    assert status.state is JobState.SUCCEEDED
    assert sleepers() == before


def test_a_job_that_was_cancelled_while_its_keeper_hangs(bench: Bench):
    bench.executor.submit(bench.job("h", "import time; print('on', flush=True); time.sleep(60)"))
    bench.until("h", "on")
    keeper = json.loads((bench.executor.output("h").parent / "pid.json").read_text())["pid"]
    os.kill(keeper, signal.SIGSTOP)
    begun = time.monotonic()
    bench.executor.cancel("h")
    assert time.monotonic() - begun < 5
    assert bench.executor.status("h").state is JobState.CANCELLED


def test_a_job_whose_keeper_was_killed_is_lost_and_not_started_again(bench: Bench):
    job = bench.job("l", "import time; print('on', flush=True); time.sleep(60)")
    bench.executor.submit(job)
    bench.until("l", "on")
    keeper = json.loads((bench.executor.output("l").parent / "pid.json").read_text())["pid"]
    os.kill(keeper, signal.SIGKILL)
    status = bench.end("l", 5)
    assert (status.state, status.reason) == (JobState.LOST, "its keeper was killed while it ran")
    bench.executor.submit(job)
    assert bench.executor.status("l").state is JobState.LOST


def test_a_job_from_before_the_machine_was_restarted_is_lost(bench: Bench):
    bench.run("r", "pass")
    folder = bench.executor.output("r").parent
    while JobFolder(folder).kept():  # the keeper has written its last word, but may not be gone yet
        time.sleep(0.01)
    (folder / "exit.json").unlink()
    begun = json.loads((folder / "pid.json").read_text())
    (folder / "pid.json").write_text(json.dumps(begun | {"boot": "another"}))
    status = bench.executor.status("r")
    assert (status.state, status.reason) == (JobState.LOST, "the machine was restarted while it ran")
    bench.executor.cancel("r")
    assert bench.executor.status("r").state is JobState.LOST


def test_a_keeper_told_to_stop_by_the_system_leaves_a_lost_job(bench: Bench):
    bench.executor.submit(bench.job("sys", "import time; print('on', flush=True); time.sleep(60)"))
    bench.until("sys", "on")
    os.kill(json.loads((bench.executor.output("sys").parent / "pid.json").read_text())["pid"], signal.SIGTERM)
    assert bench.end("sys", 5).state is JobState.LOST


def test_a_job_that_was_killed_from_outside_is_lost_and_not_failed(bench: Bench):
    """Nobody knows that it would go wrong again: memory may have been short for a moment."""
    bench.executor.submit(bench.job("oom", "import time; print('on', flush=True); time.sleep(60)"))
    bench.until("oom", "on")
    keeper = json.loads((bench.executor.output("oom").parent / "pid.json").read_text())["pid"]
    processtree.send(processtree.descendants(keeper)[-1:], signal.SIGKILL)
    status = bench.end("oom", 5)
    assert status.state is JobState.LOST
    assert "killed from outside" in status.reason


BOT = """
import os, sys, time
from pathlib import Path
from lifecycle.executors import Job
from lifecycle.executors.jobfolder import JobFolder
from lifecycle.executors.local import LocalExecutor
executor = LocalExecutor(Path(sys.argv[1]), sys.argv[2], os.environ)
code = "import time\\nfor n in range(20): print('line', n, flush=True); time.sleep(0.1)\\nraise SystemExit(7)"
executor.submit(Job("survivor", ("python", "-c", code), Path(sys.argv[3])))
print("submitted", flush=True)
time.sleep(60)
"""


def test_a_job_survives_the_bot_and_is_found_again(bench: Bench):
    bench.run("warm", "pass")
    argv = [sys.executable, "-c", BOT, str(bench.executor.root), bench.executor.wall, str(bench.tree)]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, start_new_session=True) as bot:
        assert bot.stdout is not None
        assert bot.stdout.readline() == b"submitted\n"
        bench.until("survivor", "line 3")
        os.killpg(bot.pid, signal.SIGKILL)
    assert bench.executor.status("survivor").state is JobState.RUNNING
    status = bench.end("survivor")
    assert (status.state, status.exit_code) == (JobState.FAILED, 7)
    assert [line for line in bench.log("survivor").splitlines() if line.startswith("line")] == [
        f"line {n}" for n in range(20)
    ]
