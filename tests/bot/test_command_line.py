"""The command line explains itself, tells mistakes without a traceback, and takes nothing that is yours."""

import os
import subprocess
import sys
from pathlib import Path


def bot(*words: str, cwd: Path) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "bot", *words]
    root = str(Path(__file__).parents[2])
    environ = {**os.environ, "PYTHONPATH": root}
    return subprocess.run(command, capture_output=True, text=True, cwd=cwd, env=environ, timeout=120, check=False)


def test_the_command_line_explains_itself(tmp_path: Path) -> None:
    assert bot("--version", cwd=tmp_path).stdout.startswith("lifecycle-bot ")
    assert "exit codes:" in bot(cwd=tmp_path).stdout
    assert "Changes nothing." in bot("help", "doctor", cwd=tmp_path).stdout
    slip = bot("serv", cwd=tmp_path)
    assert (slip.returncode, slip.stderr.splitlines()[0]) == (
        2,
        "lifecycle-bot: there is no command serv; did you mean serve?",
    )


def test_bad_settings_are_told_without_a_traceback(tmp_path: Path) -> None:
    missing = bot("doctor", cwd=tmp_path)
    assert missing.returncode == 2
    assert missing.stderr.startswith("app.yaml:1: there is no such file")
    (tmp_path / "app.yaml").write_text("public_url: x\nstat: y\n")
    for command in ("serve", "web", "worker", "doctor"):
        wrong = bot(command, cwd=tmp_path)
        assert wrong.returncode == 2
        assert "app.yaml:1: public_url: expected an address" in wrong.stderr
        assert "app.yaml:2: stat is not a key that belongs here; did you mean `state`?" in wrong.stderr
        assert "Traceback" not in wrong.stderr


def test_the_version_needs_nothing_heavy(tmp_path: Path) -> None:
    program = "import sys; from bot.__main__ import main; main(['--version']); print(*sys.modules)"
    root = str(Path(__file__).parents[2])
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, cwd=root, check=True, timeout=60
    )
    heavy = {"flask", "numpy", "sqlalchemy", "github", "pydantic", "dbos", "lifecycle", "bot.app", "yaml"}
    assert not heavy & set(done.stdout.split())


def test_a_bot_that_has_done_nothing_yet_has_loaded_nothing_to_count_with() -> None:
    program = "import sys, bot.app, bot.web.pages, bot.worker, bot.freeing, bot.flows.handle; print(*sys.modules)"
    root = str(Path(__file__).parents[2])
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, cwd=root, check=True, timeout=60
    )
    assert not {"numpy", "pyarrow", "scipy", "sklearn"} & set(done.stdout.split())


def test_the_demo_empties_no_folder_of_yours(tmp_path: Path) -> None:
    (tmp_path / "work").mkdir()
    (tmp_path / "work" / "thesis.txt").write_text("years")
    refused = bot("demo", "--once", "--folder", "work", cwd=tmp_path)
    assert refused.returncode == 1
    assert "this one is not the demo's: work" in refused.stderr
    assert (tmp_path / "work" / "thesis.txt").exists()
