"""What a local executor promises, with and without a sandbox."""

import threading
import time
from pathlib import Path

import pytest

from lifecycle.executors import Job, JobState, Refusal
from lifecycle.executors.local import LocalExecutor
from tests.lifecycle.conftest import Bench, MakeBench

USES_ITS_TREE = """
import os, runpy
runpy.run_path("sub/train.py")
open("sub/train.py", "w").write("mine")
print(os.readlink("link"), os.environ["LIFECYCLE_PARAMS"], open(os.environ["LIFECYCLE_DATA"]).read())
print(os.path.basename(os.environ["LIFECYCLE_DATA"]))
open(os.environ["LIFECYCLE_OUTPUT"] + "/model", "w").write("x")
open(os.environ["HOME"] + "/h", "w"), open(os.environ["TMPDIR"] + "/t", "w")
"""


def test_a_job_runs_in_a_copy_of_the_tree_and_only_its_output_stays(bench: Bench, tmp_path: Path):
    (bench.tree / "sub").mkdir()
    (bench.tree / "sub" / "train.py").write_text("print('from the tree')")
    (bench.tree / "link").symlink_to("/etc/passwd")
    (bench.tree / "sub" / "train.py").chmod(0o444)
    data = tmp_path / "rows.csv"
    data.write_text("a,b")
    status = bench.run("run-1", USES_ITS_TREE, inputs={"LIFECYCLE_DATA": data}, values={"LIFECYCLE_PARAMS": "{}"})
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
