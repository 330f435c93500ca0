"""When disk, database or clock fail: a clear sentence where one looks, nothing lost, and on it goes when mended."""

import os
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
import requests

from tests.operations.bots import Bot, answers, eventually

MEGABYTES = 40


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A small disk of its own."""
    place = tmp_path / "disk"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={MEGABYTES}m", "none", str(place)]
    if os.geteuid() or subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("needs the right to mount a small disk")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


@pytest.fixture
def bot(tmp_path: Path) -> Bot:
    return Bot(tmp_path, tmp_path / "state")


def fill_up(disk: Path) -> Path:
    """A file that takes all that is left."""
    filler = disk / "filler"
    with filler.open("wb", buffering=0) as file:
        for size in (1 << 20, 1 << 12, 1):
            try:
                while True:
                    file.write(b"x" * size)
            except OSError:
                continue
    return filler


def handled(bot: Bot) -> set[str]:
    """The comments whose workflows the engine has begun."""
    with closing(sqlite3.connect(bot.state / "engine.db")) as connection:
        found = connection.execute(
            "SELECT workflow_uuid FROM workflow_status WHERE workflow_uuid LIKE 'handle:%comment%'"
        )
        return {str(row[0]).rpartition("/")[2] for row in found}


@pytest.mark.slow
def test_a_full_disk_is_said_and_room_again_is_enough(disk: Path, tmp_path: Path) -> None:
    bot = Bot(tmp_path, disk / "state")
    with bot.serving():
        eventually(answers(bot), "the bot answers")
        taken = [number for number in range(5) if bot.deliver(number).status_code == 202]
        assert len(taken) == 5
        filler = fill_up(disk)
        full = [bot.deliver(number, "/help " + "x" * 5000) for number in range(10, 40)]
        assert full[-1].status_code == 503
        assert full[-1].headers["Retry-After"]
        assert "send it again" in full[-1].json()["error"]
        taken += [number for number, answer in zip(range(10, 40), full, strict=True) if answer.status_code == 202]
        health = requests.get(f"{bot.url}/healthz", timeout=5)
        assert (health.status_code, "disk is full" in health.json()["parts"]["state"]) == (503, True)
        doctor = bot.run("doctor")
        assert doctor.returncode == 1
        assert "No space left on device" in doctor.stdout
        backup = bot.run("backup", disk / "it.tar.gz")
        assert backup.returncode == 1
        assert "No space left on device" in backup.stderr or "disk is full" in backup.stderr
        assert not [path for path in disk.iterdir() if "it.tar.gz" in path.name]
        filler.unlink()
        assert bot.deliver(100).status_code == 202
        eventually(answers(bot), "the bot is well again")
        wanted = {str(number) for number in (*taken, 100)}
        eventually(lambda: wanted <= handled(bot), "all that was acknowledged is handled")


def test_a_disk_that_cannot_be_written_is_said_at_the_start_and_by_the_doctor(disk: Path, tmp_path: Path) -> None:
    bot = Bot(tmp_path, disk / "state")
    assert bot.run("prepare").returncode == 0
    subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
    for command in ("web", "worker"):
        done = bot.run(command)
        assert done.returncode == 1
        assert "Read-only file system" in done.stderr
        assert str(bot.state) in done.stderr
        assert "Traceback" not in done.stderr
    doctor = bot.run("doctor")
    assert "cannot be written: Read-only file system" in doctor.stdout
    with bot.serving() as process:
        assert process.wait(90) == 1  # an init system starts it again after a while
    assert "Read-only file system" in bot.log()
    subprocess.run(["mount", "-o", "remount,rw", str(disk)], check=True)
    with bot.serving():
        eventually(answers(bot), "the bot answers")
        assert bot.deliver(1).status_code == 202


@pytest.mark.parametrize("name", ["lifecycle.db", "inbox.db"])
def test_a_damaged_database_stops_the_start_with_what_to_do(bot: Bot, name: str) -> None:
    assert bot.run("prepare").returncode == 0
    assert bot.run("backup", bot.folder / "good.tar.gz").returncode == 0
    (bot.state / name).write_bytes(b"\x00garbage" * 1000)
    for left in bot.state.glob(f"{name}-*"):
        left.unlink()
    with bot.serving() as process:
        assert process.wait(90) == 78
    assert "The database is damaged" in bot.log()
    assert "lifecycle-bot restore FILE --force" in bot.log()
    doctor = bot.run("doctor")
    assert doctor.returncode == 1
    assert "Restore it from a backup" in doctor.stdout
    assert bot.run("restore", bot.folder / "good.tar.gz", "--force").returncode == 0
    with bot.serving():
        eventually(answers(bot), "the restored bot answers")


@pytest.mark.parametrize(("name", "table"), [("lifecycle.db", "bot_version"), ("inbox.db", "inbox_version")])
def test_a_database_of_a_newer_version_stops_the_start_with_what_to_do(bot: Bot, name: str, table: str) -> None:
    assert bot.run("prepare").returncode == 0
    with closing(sqlite3.connect(bot.state / name)) as connection, connection:
        connection.execute(f"UPDATE {table} SET version_num = '9999'")
    with bot.serving() as process:
        assert process.wait(90) == 78
    assert "written by a newer one" in bot.log()
    doctor = bot.run("doctor")
    assert doctor.returncode == 1
    assert "a newer lifecycle-bot has written it" in doctor.stdout
    with closing(sqlite3.connect(bot.state / name)) as connection:
        assert connection.execute(f"SELECT version_num FROM {table}").fetchone() == ("9999",)
