"""What several processes share: workflows of the dead, migrations, the clock, the order of events, and what is told."""

import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa

from bot.bell import Bell
from bot.events import MonitorDue, SweepDue
from bot.inbox import Inbox, inbox, open_inbox, readable
from bot.schedule import Clock
from bot.schema import metadata
from bot.storage import newest
from bot.told import Told
from lifecycle import connect

NOW = datetime(2026, 3, 1, tzinfo=UTC)
SETTINGS = """\
public_url: https://bot.test
state: {name}
{database}
github: {{token: "${{env:TOKEN}}", webhook_secret: "${{env:TOKEN}}"}}
projects: [{{repository: octo/bikes}}]
"""


def until(look: Callable[[], bool], what: str, patience: float = 60.0) -> None:
    end = time.monotonic() + patience
    while not look():
        assert time.monotonic() < end, what
        time.sleep(0.1)


@pytest.mark.postgres
def test_the_private_call_that_takes_over_the_workflows_of_a_dead_worker_does_what_we_need(
    database: str, tmp_path: Path
) -> None:
    noted = tmp_path / "noted"
    noted.touch()

    def half(role: str) -> "subprocess.Popen[bytes]":
        return subprocess.Popen([sys.executable, "-m", "tests.machines.half", database, str(noted), role])

    one = half("begin")
    until(lambda: "waits" in noted.read_text(), "the workflow begins")
    other = half("finish")
    others = half("finish")
    time.sleep(2.5)
    assert "second" not in noted.read_text()  # nobody takes over from the living
    one.send_signal(signal.SIGKILL)
    until(lambda: "third" in noted.read_text(), "it is finished by another")
    time.sleep(1.5)
    for process in (one, other, others):
        process.kill()
        process.wait()
    assert noted.read_text().splitlines() == ["begin first 7", "begin waits", "finish second 7", "finish third 7"]


@pytest.mark.parametrize("kind", ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def test_tables_are_made_once_however_many_processes_start_at_the_same_time(
    kind: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    url = request.getfixturevalue("database") if kind == "postgresql" else f"sqlite:///{tmp_path}/state0/lifecycle.db"
    said = f'database: "{url.replace("+psycopg", "")}"' if kind == "postgresql" else ""
    processes = []
    for number in range(5):
        path = tmp_path / f"{number}.yaml"
        name = f"state{number if kind == 'postgresql' else 0}"
        path.write_text(SETTINGS.format(name=name, database=said))
        argv = [sys.executable, "-m", "bot", "prepare", "--settings", str(path)]
        processes.append(subprocess.Popen(argv, env={"TOKEN": "t" * 40, "PATH": "/usr/bin"}, stderr=subprocess.PIPE))
    failed = [error for process in processes if (error := process.communicate(timeout=120)[1]) or process.returncode]
    assert not failed
    engine = connect(url)
    with engine.connect() as connection:
        versions = connection.exec_driver_sql("SELECT version_num FROM lifecycle_version").scalars().all()
    engine.dispose()
    assert versions == [newest("lifecycle")]


@pytest.fixture
def boxes(database: str, tmp_path: Path) -> Iterator[list[Inbox]]:
    made = [open_inbox(database, tmp_path)]
    made += [Inbox(connect(database), Bell(tmp_path / f"bell{number}")) for number in range(2)]
    yield made
    for box in made:
        box.close()


@pytest.mark.postgres
def test_a_tick_is_one_event_whatever_the_number_of_machines(boxes: list[Inbox]) -> None:
    clocks = []
    for box in boxes:
        clock = Clock(lambda event, box=box: box.put([event]), 1, lambda: datetime.now(UTC))
        clock.watch({"octo/bikes/line": "* * * * *"})
        clock.start()
        clocks.append(clock)
    time.sleep(4.2)
    for clock in clocks:
        clock.close()
    with boxes[0].engine.connect() as connection:
        ids = connection.execute(sa.select(inbox.c.id).where(inbox.c.kind == "SweepDue")).scalars().all()
    assert len(ids) == len(set(ids))
    assert 3 <= len(ids) <= 6
    due = MonitorDue("octo/bikes/line", NOW)
    assert [box.put([due]) for box in boxes] == [1, 0, 0]


@pytest.mark.postgres
def test_what_an_older_worker_cannot_read_waits_for_one_that_can(boxes: list[Inbox]) -> None:
    one, other, _ = boxes
    one.put([SweepDue(NOW)])
    with one.engine.begin() as connection:
        connection.execute(sa.insert(inbox).values(id="newer:1", kind="SeenInTheFuture", body=b"{}"))
    taken = one.take(10)
    assert [readable(row) for row in taken] == [True, False]
    one.set_aside([row.id for row in taken if not readable(row)])
    one.give_back([row.id for row in taken if readable(row)])
    assert [row.id for row in other.take(10)] == [SweepDue(NOW).id]
    assert one.revive(readable) == 0
    assert other.revive(lambda row: row.kind == "SeenInTheFuture") == 1  # as a newer worker would
    assert [row.id for row in one.take(10)] == ["newer:1"]


@pytest.mark.postgres
def test_who_was_stalled_while_telling_does_not_leave_an_older_text_behind(database: str) -> None:
    engine = connect(database)
    metadata.create_all(engine)
    told, comment = Told(engine), [""]

    def say(text: str) -> Callable[[], str]:
        def write() -> str:
            comment[0] = text
            return "https://github.test/comment"

        return write

    assert told.tell("issue", "run-1", "waits", 0, NOW, say("waits"))
    assert told.tell("issue", "run-1", "waits", 0, NOW, lambda: pytest.fail("was said already"))

    def stalled() -> str:
        assert told.tell("issue", "run-1", "is good", 5, NOW, say("is good"))  # the successor's, meanwhile
        return say("trains")()

    assert not told.tell("issue", "run-1", "trains", 3, NOW, stalled)
    assert comment == ["trains"]
    assert told.tell("issue", "run-1", "is good", 5, NOW, say("is good"))  # nothing says that it stands there already
    assert comment == ["is good"]
    engine.dispose()
