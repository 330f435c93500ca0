"""A backup is made while the bot runs, holds what was acknowledged before it, and is put back where that is safe."""

import gzip
import json
import sqlite3
import tarfile
import threading
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from bot.backup import back_up, check
from bot.settings import Settings
from bot.storage import open_storage
from lifecycle import Kind, Registry, Spec, State, Store, Version
from tests.bench.history import fill
from tests.operations.bots import Bot, answers, eventually

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture
def bot(tmp_path: Path) -> Bot:
    return Bot(tmp_path, tmp_path / "state")


def furnish(state: Path, runs: int = 200) -> None:
    """A history, a version with files, a deployment of it, a log, and an open run with what it has made so far."""
    storage = open_storage(Settings.model_construct(state=state, database=None))
    fill(storage, 1, runs - 1, NOW)
    storage.main.dispose()
    storage.inbox.dispose()
    store = Store(storage.main)
    ended = store.create(Spec(Kind.TRAIN, "octo/r", "m", "c" * 40, "", "mira"), "ended", NOW)
    package = state / "runs" / "new"
    package.mkdir(parents=True)
    (package / "model.joblib").write_bytes(b"a model" * 1000)
    registry = Registry(storage.main, state / "versions")
    digest = registry.seal(package, {"model": "m"})
    version = Version("octo/r", "m", 0, digest, ended.id, "c" * 40, NOW, "PASS")
    folder = registry.folder(registry.add(version, package, ended))
    store.end(ended, State.SUCCEEDED, "", NOW)
    deployments = state / "endpoints" / "deployments"
    deployments.mkdir(parents=True)
    (deployments / "serve-m.json").write_text(json.dumps({"folder": str(folder), "attempt": 1}))
    (state / "endpoints" / "routes.json").write_text('{"m": {"serve-m": 100}}')
    still_open = store.create(Spec(Kind.TRAIN, "octo/r", "m", "c" * 40, "", "mira"), "open", NOW)
    for run in (runs, still_open.id):
        for name in ("output/model.joblib", "log", "exit.json", "work/copy.py"):
            path = state / "jobs" / f"run-{run}-train-fit-1" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(f"{name} of {run}")
    (state / "environments" / "e").mkdir(parents=True)
    (state / "environments" / "e" / "large").write_bytes(b"x" * 1000)
    storage.main.dispose()


def rows(state: Path, database: str, table: str) -> list[Any]:
    with closing(sqlite3.connect(state / database)) as connection:
        return connection.execute(f"SELECT * FROM {table} ORDER BY 1").fetchall()


def test_what_was_backed_up_is_there_again_elsewhere_and_caches_are_not(bot: Bot, tmp_path: Path) -> None:
    furnish(bot.state)
    file = tmp_path / "backups" / "it.tar.gz"
    done = bot.run("backup", file)
    assert done.returncode == 0, done.stderr
    assert "201 runs (1 open), 50 versions" in done.stdout
    assert "without the files of m1 v1, m2 v1, m3 v1 and 46 more" in done.stdout  # the invented history has none
    assert [path.name for path in file.parent.iterdir()] == ["it.tar.gz"]
    assert file.stat().st_mode & 0o077 == 0

    other = Bot(tmp_path / "elsewhere", tmp_path / "elsewhere" / "state")
    other.folder.mkdir()
    done = other.run("restore", file)
    assert done.returncode == 0, done.stderr
    assert "201 runs (1 open)" in done.stdout
    for table in ("runs", "stages", "versions", "links", "told"):
        assert rows(other.state, "lifecycle.db", table) == rows(bot.state, "lifecycle.db", table)
    assert rows(other.state, "inbox.db", "inbox") == rows(bot.state, "inbox.db", "inbox")
    storage = open_storage(Settings.model_construct(state=other.state, database=None))
    registry = Registry(storage.main, other.state / "versions")
    version = registry.get("octo/r", "m", 1)
    assert version is not None
    registry.verify(version)
    storage.main.dispose()
    storage.inbox.dispose()
    record = json.loads((other.state / "endpoints" / "deployments" / "serve-m.json").read_text())
    assert Path(record["folder"]) == registry.folder(version)
    jobs = {str(path.relative_to(other.state / "jobs")) for path in (other.state / "jobs").rglob("*") if path.is_file()}
    kept = {f"run-{run}-train-fit-1/{name}" for run in (200, 201) for name in ("log", "exit.json")}
    assert jobs == {*kept, "run-201-train-fit-1/output/model.joblib"}
    assert not (other.state / "environments").exists()


def test_a_backup_under_load_loses_nothing_that_was_acknowledged_before_it(bot: Bot, tmp_path: Path) -> None:
    acknowledged: list[int] = []
    stop = threading.Event()

    def send() -> None:
        number = 0
        while not stop.is_set():
            number += 1
            if bot.deliver(number).status_code == 202:
                acknowledged.append(number)

    with bot.serving():
        eventually(answers(bot), "the bot answers")
        thread = threading.Thread(target=send)
        thread.start()
        try:
            eventually(lambda: len(acknowledged) >= 50, "deliveries are taken in")
            before = list(acknowledged)
            file = tmp_path / "it.tar.gz"
            done = bot.run("backup", file)
        finally:
            stop.set()
            thread.join()
        assert done.returncode == 0, done.stderr
        refused = bot.run("restore", file, "--force")
        assert (refused.returncode, "stop it first" in refused.stderr) == (1, True), refused.stderr
    other = Bot(tmp_path / "elsewhere", tmp_path / "elsewhere" / "state")
    other.folder.mkdir()
    assert other.run("restore", file).returncode == 0
    stored = {str(row[1]).rpartition("/")[2] for row in rows(other.state, "inbox.db", "inbox")}
    assert {str(number) for number in before} <= stored
    handled = {row[1] for row in rows(other.state, "inbox.db", "inbox") if row[5] == 1}
    started = {str(row[0]) for row in rows(other.state, "engine.db", "workflow_status")}
    assert handled
    assert {f"handle:{one}" for one in handled} <= started  # what the inbox calls done, the engine knows
    with other.serving():
        eventually(answers(other), "the restored bot works")
        assert other.deliver(before[0]).json()["accepted"] == 1


def test_a_full_folder_is_refused_and_with_force_moved_aside(bot: Bot, tmp_path: Path) -> None:
    furnish(bot.state, 40)
    file = tmp_path / "it.tar.gz"
    assert bot.run("backup", file).returncode == 0
    with closing(sqlite3.connect(bot.state / "lifecycle.db")) as connection, connection:
        connection.execute("UPDATE runs SET asked_by = 'later'")
    refused = bot.run("restore", file)
    assert refused.returncode == 1
    assert "is not empty" in refused.stderr
    assert "--force" in refused.stderr
    done = bot.run("restore", file, "--force")
    assert done.returncode == 0, done.stderr
    [aside] = bot.state.glob("before-restore-*")
    assert str(aside) in done.stdout
    assert {row[8] for row in rows(aside, "lifecycle.db", "runs")} == {"later"}
    assert "later" not in {row[8] for row in rows(bot.state, "lifecycle.db", "runs")}
    assert not list(bot.state.glob(".restoring-*"))


@pytest.fixture
def good(tmp_path: Path) -> Path:
    furnish(tmp_path / "from", 40)
    back_up(tmp_path / "from", tmp_path / "good.tar.gz", "0.1.0", NOW)
    return tmp_path / "good.tar.gz"


def cut(good: Path) -> None:
    good.write_bytes(good.read_bytes()[:-400])


def flip(good: Path) -> None:
    plain = bytearray(gzip.decompress(good.read_bytes()))
    place = plain.index(b"a model")
    plain[place] ^= 1
    good.write_bytes(gzip.compress(bytes(plain)))


def other_format(good: Path) -> None:
    good.write_bytes(gzip.compress(gzip.decompress(good.read_bytes()).replace(b'"format": 1', b'"format": 9')))


def no_backup(good: Path) -> None:
    with tarfile.open(good, "w:gz") as archive:
        archive.add(__file__, "something.py")


def no_archive(good: Path) -> None:
    good.write_text("hello")


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (cut, "damaged"),
        (flip, "damaged"),
        (other_format, "reads format 1"),
        (no_backup, "is not a backup of lifecycle-bot"),
        (no_archive, "cannot be read"),
        (Path.unlink, "There is no file"),
    ],
)
def test_what_is_no_whole_backup_is_refused_before_anything_is_touched(
    bot: Bot, good: Path, spoil: Any, words: str
) -> None:
    spoil(good)
    done = bot.run("restore", good)
    assert done.returncode == 1
    assert words in done.stderr
    assert not list(bot.state.glob("*.db"))


def test_a_backup_of_a_newer_version_is_refused(bot: Bot, tmp_path: Path) -> None:
    furnish(tmp_path / "from", 40)
    with closing(sqlite3.connect(tmp_path / "from" / "lifecycle.db")) as connection, connection:
        connection.execute("UPDATE lifecycle_version SET version_num = '9999'")
    back_up(tmp_path / "from", tmp_path / "newer.tar.gz", "9.9", NOW)
    done = bot.run("restore", tmp_path / "newer.tar.gz")
    assert done.returncode == 1
    assert "newer lifecycle-bot" in done.stderr
    assert not (bot.state / "lifecycle.db").exists()


def test_a_damaged_database_gives_no_backup_and_keeps_the_last_good_one(bot: Bot, tmp_path: Path) -> None:
    furnish(bot.state, 2000)
    file = tmp_path / "it.tar.gz"
    assert bot.run("backup", file).returncode == 0
    good = file.read_bytes()
    with closing(sqlite3.connect(bot.state / "lifecycle.db")) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    with (bot.state / "lifecycle.db").open("r+b") as database:
        database.seek(200_000)
        database.write(b"\xff" * 20_000)
    done = bot.run("backup", file)
    assert done.returncode == 1
    assert "damaged" in done.stderr or "cannot be copied" in done.stderr
    assert file.read_bytes() == good
    check(file)


def test_postgresql_and_nothing_are_said(bot: Bot, tmp_path: Path) -> None:
    done = bot.run("backup", tmp_path / "it.tar.gz")
    assert (done.returncode, "There is nothing to back up" in done.stderr) == (1, True)
    bot.more = 'database: "postgresql+psycopg://bot@127.0.0.1:9/none"\n'
    done = bot.run("backup", tmp_path / "it.tar.gz")
    assert done.returncode == 1
    assert "pg_dump" in done.stderr
    assert "versions" in done.stderr

    assert "127.0.0.1:9" not in done.stderr
