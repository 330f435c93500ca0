"""The committing thread serves everybody in its batch, and one bad row spoils nothing for the others."""

import sqlite3
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from bot import insertion
from bot.group_commit import GroupCommit, WriteFailed
from bot.insertion import MOST, IntoSqlite, Row


class Slow(IntoSqlite):
    """Writes when the gate is open."""

    def __init__(self) -> None:
        self.gate = threading.Event()
        self.gate.set()

    def write(self, connection: sqlite3.Connection, rows: Sequence[Row]) -> list[bool]:
        self.gate.wait()
        return super().write(connection, rows)


class Table:
    """An inbox in a file, and a writer for it whose commits are counted and may be held up."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.commits = 0
        self.insertion = Slow()
        self.gate = self.insertion.gate
        connection = self.connect()
        connection.execute("CREATE TABLE inbox (seq INTEGER PRIMARY KEY, id TEXT UNIQUE, kind, body)")
        connection.close()
        self.writer = GroupCommit(self.connect, self.insertion, self.committed)

    def connect(self) -> sqlite3.Connection:
        return sqlite3.connect(self.path, isolation_level=None, check_same_thread=False)

    def committed(self) -> None:
        self.commits += 1

    def put(self, *ids: str) -> int:
        return self.writer.put([(id_, "kind", b"body") for id_ in ids])

    def put_nonsense(self) -> int:
        return self.writer.put([("nonsense", object(), b"")])  # type: ignore[list-item]

    def ids(self) -> list[str]:
        connection = self.connect()
        found = [id_ for (id_,) in connection.execute("SELECT id FROM inbox ORDER BY seq")]
        connection.close()
        return found


@pytest.fixture
def table(tmp_path: Path) -> Iterator[Table]:
    table = Table(tmp_path / "inbox.db")
    yield table
    table.gate.set()
    table.writer.close()


def test_what_comes_while_the_thread_is_busy_shares_a_commit(table: Table) -> None:
    table.gate.clear()
    with ThreadPoolExecutor(30) as threads:
        puts = [threads.submit(table.put, f"{number}") for number in range(30)]
        time.sleep(0.2)
        table.gate.set()
        assert [put.result() for put in puts] == [1] * 30
    assert table.commits <= 3
    assert len(table.ids()) == 30


def test_more_rows_than_a_statement_takes_are_one_transaction_all_the_same(table: Table) -> None:
    many = [f"{number}" for number in range(MOST * 3 + 1)]
    assert table.put(*many) == len(many)
    assert table.commits == 1
    assert table.put(*many, "new") == 1
    assert table.ids() == [*many, "new"]


def test_who_brings_what_is_there_already_hears_so_and_the_others_count_their_own(table: Table) -> None:
    table.put("old")
    table.gate.clear()
    with ThreadPoolExecutor(4) as threads:
        first = threads.submit(table.put, "first")
        time.sleep(0.1)
        puts = [threads.submit(table.put, *ids) for ids in (["old"], ["a", "b", "old"], ["c", "c"])]
        time.sleep(0.1)
        table.gate.set()
        assert first.result() == 1
        assert [put.result() for put in puts] == [0, 2, 1]


def test_a_row_that_the_database_cannot_hold_fails_alone(table: Table) -> None:
    table.gate.clear()
    with ThreadPoolExecutor(4) as threads:
        first, bad, also = (
            threads.submit(table.put, "first"),
            threads.submit(table.put_nonsense),
            threads.submit(table.put, "also good"),
        )
        time.sleep(0.1)
        table.gate.set()
        assert (first.result(), also.result()) == (1, 1)
        with pytest.raises(WriteFailed):
            bad.result()
    assert sorted(table.ids()) == ["also good", "first"]


def test_after_an_error_nothing_stays_locked(table: Table) -> None:
    with pytest.raises(WriteFailed) as kept:  # the error, and with it the statement, stays alive
        table.put_nonsense()
    other = table.connect()
    other.execute("BEGIN IMMEDIATE")
    other.execute("ROLLBACK")
    other.close()
    assert kept.value.__cause__ is not None
    assert table.put("next") == 1


def test_a_lock_that_is_not_let_go_fails_the_put_and_the_next_one_goes_through(
    table: Table, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(insertion, "PATIENCE", 0.1)
    other = table.connect()
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(WriteFailed, match="locked"):
        table.put("early")
    other.execute("ROLLBACK")
    other.close()
    assert table.put("late") == 1
    assert table.ids() == ["late"]


def test_closing_writes_what_waits_and_refuses_what_comes_after(table: Table) -> None:
    table.gate.clear()
    with ThreadPoolExecutor(2) as threads:
        put = threads.submit(table.put, "waiting")
        time.sleep(0.1)
        closing = threads.submit(table.writer.close)
        time.sleep(0.1)
        table.gate.set()
        assert put.result() == 1
        closing.result()
    with pytest.raises(WriteFailed):
        table.put("after")
    assert table.ids() == ["waiting"]
