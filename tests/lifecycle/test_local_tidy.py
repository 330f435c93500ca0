"""What is left when a keeper is killed, and how it is cleared away."""

import fcntl
import json
import os
import signal
import time
from pathlib import Path

from lifecycle.executors import JobState, environments
from tests.lifecycle.conftest import Bench

FAMILY = """
import subprocess, sys, time
subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"], start_new_session=True)
print("on", flush=True)
time.sleep(60)
"""


def test_processes_and_folders_of_a_job_whose_keeper_was_killed_are_cleared(bench: Bench):
    bench.executor.submit(bench.job("torn", FAMILY))
    bench.until("torn", "on")
    folder, private = bench.executor.output("torn").parent, bench.executor.root / "work" / "torn"
    bench.executor.tidy()
    assert private.exists()
    assert bench.executor.status("torn").state is JobState.RUNNING
    os.kill(json.loads((folder / "pid.json").read_text())["pid"], signal.SIGKILL)
    bench.end("torn", 5)
    (folder / "exit.json.99999999").write_text("{")
    bench.executor.tidy()
    assert not private.exists()
    assert not (folder / "exit.json.99999999").exists()
    assert bench.executor.status("torn").state is JobState.LOST
    until = time.monotonic() + 5
    while _carrying(folder):
        assert time.monotonic() < until, "a process of the job lives on"
        time.sleep(0.02)


def test_what_was_made_for_a_keeper_that_never_began_is_cleared_after_a_while(bench: Bench):
    folder, private = bench.executor.output("never").parent, bench.executor.root / "work" / "never"
    for path in (folder, private):
        path.mkdir(parents=True)
    (folder / "pid.json.99999999").write_text("{")
    bench.executor.tidy()
    assert private.exists(), "its keeper may be about to begin"
    bench.executor.patience = 0
    bench.executor.tidy()
    assert not private.exists()
    assert not (folder / "pid.json.99999999").exists()
    bench.executor.submit(bench.job("never", "print('on')"))
    assert bench.end("never", 30).state is JobState.SUCCEEDED


def _carrying(path: Path) -> list[str]:
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            alive = (process / "stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
            if alive and str(path / "output").encode() in (process / "environ").read_bytes():
                found.append(process.name)
        except OSError:
            continue
    return found


def test_half_an_environment_is_cleared_unless_somebody_makes_it(tmp_path: Path):
    for name in ("whole", "half", "growing"):
        (tmp_path / name / "lib").mkdir(parents=True)
    (tmp_path / "whole" / environments.READY).write_text("")
    with open(tmp_path / "growing.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        environments.clear(tmp_path)
    assert sorted(path.name for path in tmp_path.glob("*/")) == ["growing", "whole"]
