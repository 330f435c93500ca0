"""The inbox keeps what it was given, once and in order, on both databases and through a hard kill."""

import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from bot.events import Event, SweepDue
from bot.inbox import Inbox, InboxUnavailable, inbox, open_inbox
from tests.bench.postgres import postgres, programs
from tests.bot.comments import NOON, comment


@pytest.fixture(scope="module")
def postgres_url() -> Iterator[str]:
    if programs() is None:
        pytest.skip("needs PostgreSQL's programs")
    with postgres() as url:
        yield url


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/inbox.db"
    url: str = request.getfixturevalue("postgres_url")
    engine = sa.create_engine(url)
    inbox.drop(engine, checkfirst=True)
    engine.dispose()
    return url


@pytest.fixture
def box(url: str, tmp_path: Path) -> Iterator[Inbox]:
    box = open_inbox(url, tmp_path)
    yield box
    box.close()


def ids(box: Inbox, limit: int = 1000) -> list[str]:
    return [row.id for row in box.take(limit)]


def stored(url: str) -> set[str]:
    """What somebody else sees in the table."""
    engine = sa.create_engine(url)
    with engine.connect() as connection:
        found = set(connection.scalars(sa.select(inbox.c.id)))
    engine.dispose()
    return found


def test_what_is_put_is_there_for_everybody_in_order_and_reads_as_it_was(box: Inbox, url: str) -> None:
    events: list[Event] = [comment(3, "ünïcode \u0000 and 🚲"), SweepDue(NOON), comment(1)]
    assert box.put(events) == 3
    assert stored(url) == {event.id for event in events}
    rows = box.take(10)
    assert [row.event() for row in rows] == events
    assert all(abs(row.at - datetime.now(UTC)) < timedelta(minutes=1) for row in rows)


def test_the_same_event_again_changes_nothing_however_it_comes(box: Inbox) -> None:
    assert box.put([comment(1), comment(1), comment(2)]) == 2
    assert box.put([comment(2), comment(3), comment(1)]) == 1
    assert box.put([comment(1)]) == 0
    assert box.put([]) == 0
    assert ids(box) == [comment(number).id for number in (1, 2, 3)]


def test_an_event_that_was_handled_stays_handled_when_it_is_delivered_again(box: Inbox) -> None:
    box.put([comment(1)])
    box.done(ids(box))
    assert box.put([comment(1)]) == 0
    assert box.take(10) == []
    assert box.waiting() == 0


def test_fifty_threads_with_the_same_event_and_one_of_their_own_store_each_once(box: Inbox) -> None:
    start = threading.Barrier(50)

    def deliver(number: int) -> int:
        start.wait()
        return box.put([comment(0)]) + box.put([comment(number), comment(0)])

    with ThreadPoolExecutor(50) as threads:
        new = list(threads.map(deliver, range(1, 51)))
    assert sum(new) == 51
    assert box.waiting() == 51


def test_a_batch_is_taken_from_the_front_and_the_rest_waits(box: Inbox) -> None:
    box.put([comment(number) for number in range(1200)])
    first = ids(box, 700)
    assert first == [comment(number).id for number in range(700)]
    box.done(first)
    assert box.waiting() == 500
    assert ids(box, 1) == [comment(700).id]


def test_an_event_of_another_version_is_set_aside_and_comes_back_after_an_upgrade(box: Inbox) -> None:
    with box.engine.begin() as connection:
        connection.execute(inbox.insert().values(id="future", kind="NotYetInvented", body=b"{}"))
        connection.execute(inbox.insert().values(id="changed", kind="CommentPosted", body=b'{"ref": 3}'))
    box.put([comment(1)])
    readable, unreadable = [], []
    for row in box.take(10):
        try:
            readable.append(row.event())
        except (KeyError, ValueError):
            unreadable.append(row.id)
    assert readable == [comment(1)]
    box.done([comment(1).id])
    box.set_aside(unreadable)
    assert box.take(10) == []
    assert box.revive(lambda _row: True) == 2
    assert ids(box) == ["future", "changed"]


def test_pruning_forgets_what_is_done_and_old_and_never_what_waits(box: Inbox) -> None:
    box.put([comment(number) for number in range(30)])
    box.done(ids(box, 20))
    assert box.prune(datetime.now(UTC) - timedelta(hours=1)) == 0
    assert box.prune(datetime.now(UTC) + timedelta(hours=1), batch=7) == 20
    assert box.waiting() == 10
    assert box.put([comment(0), comment(25)]) == 1


def test_many_handled_events_do_not_slow_down_finding_those_that_wait(box: Inbox) -> None:
    count = 100_000
    done = (
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < :count) INSERT INTO inbox "
        "(id, kind, body, dispatched) SELECT 'done/' || i, 'CommentPosted', 'body', 1 FROM n"
    )
    with box.engine.begin() as connection:
        connection.execute(sa.text(done), {"count": count})
        connection.execute(sa.text("ANALYZE inbox"))
    box.put([comment(1)])
    asked: list[tuple[str, Any]] = []

    def note(_connection: object, _cursor: object, statement: str, parameters: Any, *_: object) -> None:
        if "inbox" in statement:
            asked.append((statement, parameters))

    sa.event.listen(box.engine, "before_cursor_execute", note)
    assert box.waiting() == 1
    assert ids(box) == [comment(1).id]
    sa.event.remove(box.engine, "before_cursor_execute", note)
    explain = "EXPLAIN QUERY PLAN" if box.engine.dialect.name == "sqlite" else "EXPLAIN"
    assert len(asked) == 2
    for statement, parameters in asked:
        with box.engine.connect() as connection:
            plan = str(connection.exec_driver_sql(f"{explain} {statement}", parameters).all())
        assert "inbox_waiting" in plan, plan


def test_a_closed_inbox_refuses(box: Inbox) -> None:
    box.put([comment(1)])
    box.close()
    with pytest.raises(InboxUnavailable):
        box.put([comment(2)])


def test_a_missing_table_is_said_and_mended_without_a_restart(box: Inbox) -> None:
    box.put([comment(1)])
    inbox.drop(box.engine)
    with pytest.raises(InboxUnavailable, match="cannot be written"):
        box.put([comment(2)])
    inbox.create(box.engine)
    assert box.put([comment(2)]) == 1


@pytest.mark.postgres
def test_two_workers_on_postgresql_never_hold_the_same_event(postgres_url: str, tmp_path: Path) -> None:
    engine = sa.create_engine(postgres_url)
    inbox.drop(engine, checkfirst=True)
    one, other = (open_inbox(postgres_url, tmp_path) for _ in range(2))
    one.put([comment(number) for number in range(6)])
    first, second, none = ids(one, 4), ids(other, 4), ids(other, 4)
    assert (len(first), len(second), none) == (4, 2, [])
    assert sorted(first + second) == sorted(comment(number).id for number in range(6))
    with engine.begin() as connection:  # the first worker died, long ago
        past = sa.func.now() - sa.text("interval '1 second'")
        connection.execute(inbox.update().where(inbox.c.id.in_(first)).values(claimed=past))
    assert ids(other, 10) == first
    one.close()
    other.close()
    engine.dispose()


@pytest.mark.postgres
def test_a_restart_of_postgresql_costs_no_delivery(postgres_url: str, tmp_path: Path) -> None:
    engine = sa.create_engine(postgres_url, isolation_level="AUTOCOMMIT")
    inbox.drop(engine, checkfirst=True)
    box = open_inbox(postgres_url, tmp_path)
    box.put([comment(1)])
    with engine.connect() as connection:
        others = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE pid <> pg_backend_pid()"
        assert connection.execute(sa.text(f"{others} AND backend_type = 'client backend'")).scalar_one() > 0
    assert box.put([comment(2), comment(1)]) == 1
    engine.dispose()
    box.close()


PUTTER = """
import sys, threading
from pathlib import Path
from bot.inbox import open_inbox
from tests.bot.comments import comment
box = open_inbox(sys.argv[1], Path(sys.argv[2]))
def put(thread):
    for number in range(1_000_000):
        event = comment(thread * 1_000_000 + number)
        box.put([event])
        sys.stdout.write(event.id + "\\n")
        sys.stdout.flush()
for thread in range(8):
    threading.Thread(target=put, args=(thread,)).start()
"""


def test_nothing_acknowledged_is_lost_when_the_process_is_killed(url: str, tmp_path: Path) -> None:
    acknowledged: set[str] = set()
    for _ in range(2):
        argv = [sys.executable, "-c", PUTTER, url, str(tmp_path)]
        with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            for _ in range(200):
                acknowledged.add(process.stdout.readline().strip())
            process.send_signal(signal.SIGKILL)
            rest = process.stdout.read().split("\n")
        acknowledged.update(rest[:-1])  # the last line may be cut off
    assert len(acknowledged) >= 200
    assert acknowledged <= stored(url)


def test_a_waiting_worker_wakes_at_once(box: Inbox) -> None:
    box.wait(0)  # hangs the bell
    late = []
    for number in range(10):
        with ThreadPoolExecutor(1) as threads:
            waiting = threads.submit(lambda: (box.wait(5), time.perf_counter()))
            time.sleep(0.02)
            box.put([comment(number)])
            after = time.perf_counter()
            rang, woke = waiting.result()
        assert rang
        late.append(woke - after)
    assert sorted(late)[5] < 0.005


def test_puts_before_the_wait_are_heard_too_and_once(box: Inbox) -> None:
    box.wait(0)
    _put_each(box, range(100))  # more than a socket's queue holds
    assert box.wait(5)
    assert not box.wait(0.05)


def _put_each(box: Inbox, numbers: Sequence[int]) -> None:
    for number in numbers:
        box.put([comment(number)])
