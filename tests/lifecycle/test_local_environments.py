"""A model's packages: installed once, read-only, wheels only, and every refusal in a sentence."""

import os
import re
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from lifecycle.executors import JobState, Refusal, environments
from tests.lifecycle.conftest import Bench, MakeBench, needs_sandbox, pinned


def test_packages_are_there_and_ours_are_not(bench: Bench):
    code = (
        "import joblib, importlib.util as u; print(joblib.__version__, u.find_spec('flask'), u.find_spec('lifecycle'))"
    )
    status = bench.run("e", code, requirements=pinned("joblib"), seconds=60)
    assert status.state is JobState.SUCCEEDED, bench.log("e")
    version = pinned("joblib").split("==")[1]
    assert f"{version} None None" in bench.log("e")
    assert version in (bench.executor.environment(pinned("joblib")) / environments.READY).read_text()
    bench.run("again", code, requirements=f"# the same\n\n{pinned('joblib')}  # pinned\n")
    assert bench.log("again").startswith("environment: ready (cached)\n")


def test_two_jobs_that_want_the_same_environment_make_it_once(make_bench: MakeBench, tmp_path: Path):
    bench = make_bench("off", environments=tmp_path / "fresh")
    jobs = [
        bench.job(f"j{number}", "import threadpoolctl", requirements=pinned("threadpoolctl")) for number in range(3)
    ]
    racers = [threading.Thread(target=bench.executor.submit, args=(job,)) for job in jobs]
    for racer in racers:
        racer.start()
    for racer in racers:
        racer.join()
    logs = []
    for job in jobs:
        assert bench.end(job.name, 60).state is JobState.SUCCEEDED, bench.log(job.name)
        logs.append(bench.log(job.name))
    assert sum("installing 1 package\n" in log for log in logs) == 1
    assert sum("waiting for another job" in log or "(cached)" in log for log in logs) == 2


def test_half_an_environment_is_made_again(make_bench: MakeBench, tmp_path: Path):
    bench = make_bench("off", environments=tmp_path / "fresh")
    home = bench.executor.environment("")
    (home / "bin").mkdir(parents=True)
    (home / "bin" / "python").write_text("broken")
    assert bench.run("j", "print('fine')").state is JobState.SUCCEEDED


def test_without_uv_the_standard_library_does_it(tmp_path: Path):
    python = os.path.realpath(sys._base_executable)  # type: ignore[attr-defined]
    if subprocess.run([python, "-m", "pip", "--version"], capture_output=True).returncode:
        pytest.skip("this Python has no pip")
    environments.build(tmp_path / "e", pinned("threadpoolctl"), python, uv="")
    assert environments.is_ready(tmp_path / "e")
    assert environments.run([str(tmp_path / "e" / "bin" / "python"), "-c", "import threadpoolctl; print(1)"]) == "1\n"


@pytest.mark.parametrize(
    ("requirements", "words"),
    [
        ("numpy=1", "requirements.*no such comparison operator"),
        ("no-such-package-of-ours==1", "no-such-package-of-ours"),
        ("joblib==0.0.99", "joblib==0.0.99"),
    ],
)
def test_what_cannot_be_installed_fails_in_one_sentence(make_bench: MakeBench, requirements: str, words: str):
    bench = make_bench("off")
    status = bench.run("bad", "print(1)", requirements=requirements, seconds=90)
    assert status.state is JobState.FAILED
    assert status.reason.startswith("the environment could not be made: ")
    assert "\n" not in status.reason
    assert str(bench.executor.root) not in status.reason
    assert re.search(words, status.reason), status.reason


STRANGE = [
    "--index-url https://evil.example/simple",
    "--extra-index-url=https://evil.example/simple",
    "-i https://evil.example/simple",
    "-f ./wheels",
    "-e .",
    "--no-binary :all:",
    "--trusted-host evil.example",
    "./local",
    "../up",
    "/abs/path",
    "local.whl",
    "pkg-1.0.tar.gz",
    "pkg @ git+https://github.com/x/y",
    "pkg@https://evil.example/pkg.whl",
    "git+https://github.com/x/y",
    "https://evil.example/pkg.whl",
    "file:///etc",
    "numpy --config-settings=x=y",
    "numpy \\\n --global-option=x",
]


@needs_sandbox
@pytest.mark.parametrize("line", STRANGE)
def test_a_stranger_may_only_name_packages(make_bench: MakeBench, line: str):
    bench = make_bench("auto")
    with pytest.raises(Refusal, match="untrusted commit"):
        bench.executor.submit(bench.job("x", "print(1)", requirements=f"joblib\n{line}\n", trusted=False))
    assert bench.executor.status("x").state is JobState.UNKNOWN


PLAIN = [
    "numpy",
    "numpy==2.0",
    "numpy >= 1.2, < 3 ; python_version > '3.8'",
    "scikit-learn[alldeps]~=1.5  # why",
    "joblib==1 --hash=sha256:ab --hash=sha256:cd",
    "joblib==1 \\\n    --hash=sha256:ab",
    "numpy===1.0",
    "numpy!=1.2",
    "mlflow (>=2)",
    "--require-hashes",
]


@pytest.mark.parametrize("line", PLAIN)
def test_plain_requirements_pass(line: str):
    environments.check(line, trusted=False)


def test_other_files_are_refused_for_everyone():
    for line in ("-r base.txt", "--constraint=c.txt"):
        with pytest.raises(environments.Unsuitable, match="another file"):
            environments.check(line, trusted=True)


def test_order_and_comments_do_not_make_another_environment():
    assert environments.digest("a\nb # x\n", "/p") == environments.digest("# y\n b\na", "/p")
    assert environments.digest("a==1", "/p") != environments.digest("a==2", "/p")
