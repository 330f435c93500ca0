"""What a local executor promises, with and without a sandbox."""

import json
import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from pathlib import Path

import pytest

from lifecycle.executors import Job, JobState, Limits, Refusal, processtree
from lifecycle.executors.jobfolder import JobFolder
from lifecycle.executors.local import LocalExecutor
from tests.lifecycle.conftest import Bench, MakeBench


def test_a_job_runs_in_a_copy_of_the_tree_and_only_its_output_stays(bench: Bench, tmp_path: Path):
    (bench.tree / "sub").mkdir()
    (bench.tree / "sub" / "train.py").write_text("print('from the tree')")
    (bench.tree / "link").symlink_to("/etc/passwd")
    (bench.tree / "sub" / "train.py").chmod(0o444)
    data = tmp_path / "rows.csv"
    data.write_text("a,b")
    code = """
        import os, runpy
        runpy.run_path("sub/train.py")
        open("sub/train.py", "w").write("mine")
        print(os.readlink("link"), os.environ["LIFECYCLE_PARAMS"], open(os.environ["LIFECYCLE_DATA"]).read())
        print(os.path.basename(os.environ["LIFECYCLE_DATA"]))
        open(os.environ["LIFECYCLE_OUTPUT"] + "/model", "w").write("x")
        open(os.environ["HOME"] + "/h", "w"), open(os.environ["TMPDIR"] + "/t", "w")
    """
    status = bench.run(
        "run-1", textwrap.dedent(code), inputs={"LIFECYCLE_DATA": data}, values={"LIFECYCLE_PARAMS": "{}"}
    )
    assert status.state is JobState.SUCCEEDED, bench.log("run-1")
    assert status.exit_code == 0
    assert status.reason == ""
    assert status.started is not None
    assert status.ended is not None
    assert status.ended >= status.started
    assert status.used.seconds > 0
    assert status.used.cpu_seconds > 0
    assert 1 < status.used.memory_mb < 500
    assert "from the tree\n/etc/passwd {} a,b\nrows.csv\n" in bench.log("run-1")
    assert [path.name for path in bench.executor.output("run-1").iterdir()] == ["model"]
    assert (bench.tree / "sub" / "train.py").read_text() == "print('from the tree')"
    gone = time.monotonic() + 5
    while (bench.executor.root / "work" / "run-1").exists():
        assert time.monotonic() < gone
        time.sleep(0.01)


def test_a_job_is_started_once_however_often_and_by_whom_it_is_submitted(bench: Bench, tmp_path: Path):
    marks = bench.executor.output("once")
    code = "import os, time; open(os.environ['LIFECYCLE_OUTPUT'] + f'/{time.time_ns()}', 'w'); time.sleep(0.3)"
    job = bench.job("once", code)
    racers = [threading.Thread(target=bench.executor.submit, args=(job,)) for _ in range(6)]
    for racer in racers:
        racer.start()
    for racer in racers:
        racer.join()
    assert bench.executor.status("once").state is JobState.RUNNING
    assert bench.end("once").state is JobState.SUCCEEDED
    bench.executor.submit(job)
    assert bench.executor.status("once").state is JobState.SUCCEEDED
    assert len(list(marks.iterdir())) == 1


def test_a_job_that_fails_says_so_with_its_last_words(bench: Bench):
    status = bench.run("f", "import sys; print('loading'); sys.exit('no such column: x')")
    assert (status.state, status.exit_code) == (JobState.FAILED, 1)
    assert status.reason == "it ended with exit code 1: no such column: x"


def test_a_job_that_fails_without_a_word_is_given_none_of_ours(bench: Bench):
    assert bench.run("silent", "import os; os._exit(3)").reason == "it ended with exit code 3"


def test_a_program_that_is_not_there(bench: Bench):
    bench.executor.submit(Job("n", ("no-such-program", "x"), bench.tree))
    status = bench.end("n")
    assert status.state is JobState.FAILED
    assert "no-such-program" in status.reason


def test_death_by_signal(bench: Bench):
    status = bench.run("s", "import os; os.kill(os.getpid(), 11)")
    assert status.state is JobState.FAILED
    assert status.reason == "it was ended by signal SIGSEGV"


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


def test_waiting_gives_the_jobs_that_ended_and_gives_up_in_time(bench: Bench):
    bench.run("warm", "pass")
    bench.executor.submit(bench.job("slow", "import time; time.sleep(30)"))
    bench.executor.submit(bench.job("quick", "import time; time.sleep(0.3)"))
    assert "slow" in bench.executor.running()
    begun = time.monotonic()
    assert bench.executor.wait(["slow", "quick", "unknown"], 10) == {"quick"}
    assert bench.executor.wait(["slow"], 0.3) == frozenset()
    assert time.monotonic() - begun < 6
    assert bench.executor.wait([], 0.05) == frozenset()


def test_the_log_is_read_in_pieces(bench: Bench):
    bench.run("log", "print('a' * 100); print('b' * 100)")
    whole = bench.log("log").encode()
    offset, pieces = 0, b""
    while True:
        piece, offset = bench.executor.log("log", offset, 37)
        if not piece:
            break
        assert len(piece) <= 37
        pieces += piece
    assert pieces == whole
    assert bench.executor.log("never") == (b"", 0)


def test_a_log_that_is_too_long_keeps_its_beginning_and_its_end(make_bench: MakeBench):
    bench = make_bench("off", log_bytes=10_000)
    status = bench.run("chatty", "for n in range(20_000): print('line', n)\nraise SystemExit('the reason')")
    log = bench.log("chatty")
    assert len(log) < 90_000
    assert "line 5\n" in log
    assert "the reason" in log
    assert "the log was cut" in log.splitlines()[-1]
    assert status.reason.endswith("the reason")


def test_forgetting(bench: Bench):
    code = "import os; os.mkdir(os.environ['LIFECYCLE_OUTPUT'] + '/d'); os.makedirs('a/b'); os.chmod('a', 0)"
    bench.run("gone", code)
    bench.executor.forget("gone")
    assert bench.executor.status("gone").state is JobState.UNKNOWN
    assert not bench.executor.output("gone").exists()
    bench.executor.forget("gone")
    bench.executor.submit(bench.job("busy", "import time; time.sleep(30)"))
    with pytest.raises(Refusal, match="running"):
        bench.executor.forget("busy")


def test_nothing_of_ours_is_in_its_environment(make_bench: MakeBench, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("GITHUB_TOKEN", "s3cret")
    monkeypatch.setenv("UV_INDEX_PASSWORD", "s3cret")
    for wall in ("off", "auto"):
        bench = make_bench(wall)  # type: ignore[arg-type]
        bench.run(f"env-{wall}", "import os; print(dict(os.environ))")
        assert "s3cret" not in bench.log(f"env-{wall}")


@pytest.mark.parametrize("name", ["", "../x", "a/b", ".hidden", "a b", "x" * 300])
def test_names_that_would_leave_the_folder(make_bench: MakeBench, name: str):
    with pytest.raises(ValueError, match="not a job's name"):
        make_bench("off").executor.status(name)


def test_without_a_sandbox_strangers_code_does_not_run(make_bench: MakeBench):
    bench = make_bench("off")
    with pytest.raises(Refusal, match="runs only in a sandbox"):
        bench.executor.submit(bench.job("x", "print(1)", trusted=False))
    assert bench.executor.status("x").state is JobState.UNKNOWN


def test_the_first_line_comes_soon(bench: Bench):
    bench.run("warm", "pass")
    waits = []
    for number in range(5):
        begun = time.time()
        bench.executor.submit(bench.job(f"soon-{number}", "import time; print('at', time.time(), flush=True)"))
        bench.end(f"soon-{number}")
        waits.append(float(bench.log(f"soon-{number}").split("at ")[1]) - begun)
    assert min(waits) < 0.35, waits


def test_an_executor_elsewhere_sees_the_same_job(bench: Bench):
    bench.run("seen", "print('x')")
    other = LocalExecutor(bench.executor.root)
    assert other.status("seen").state is JobState.SUCCEEDED
    assert b"x" in other.log("seen")[0]
