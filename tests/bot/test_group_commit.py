"""The committing thread serves everybody in its batch, and one bad row spoils nothing for the others."""

import sqlite3
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from bot import group_commit
from bot.group_commit import GroupCommit, WriteFailed


class Table:
    """A table in a file, and a writer for it whose commits are counted and may be held up."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.commits = 0
        self.gate = threading.Event()
        self.gate.set()
        with sqlite3.connect(path) as connection:
            connection.execute("CREATE TABLE thing (name TEXT PRIMARY KEY) WITHOUT ROWID")
        connection.close()
        self.writer = GroupCommit(self.connect, self.insert, self.committed)

    def connect(self) -> sqlite3.Connection:
        return sqlite3.connect(self.path, isolation_level=None, check_same_thread=False, timeout=0.2)

    def insert(self, rows: int) -> str:
        self.gate.wait()
        return f"INSERT INTO thing VALUES {', '.join(['(?)'] * rows)} ON CONFLICT DO NOTHING"

    def committed(self) -> None:
        self.commits += 1

    def names(self) -> set[str]:
        connection = self.connect()
        found = {name for (name,) in connection.execute("SELECT name FROM thing")}
        connection.close()
        return found


@pytest.fixture
def table(tmp_path: Path) -> Iterator[Table]:
    table = Table(tmp_path / "things.db")
    yield table
    table.gate.set()
    table.writer.close()


def test_what_comes_while_the_thread_is_busy_shares_a_commit(table: Table) -> None:
    table.gate.clear()
    with ThreadPoolExecutor(30) as threads:
        puts = [threads.submit(table.writer.put, [(f"{number}",)]) for number in range(30)]
        time.sleep(0.2)
        table.gate.set()
        assert [put.result() for put in puts] == [1] * 30
    assert table.commits <= 3
    assert len(table.names()) == 30


def test_more_rows_than_a_statement_takes_are_one_transaction_all_the_same(table: Table) -> None:
    many = [(f"{number}",) for number in range(group_commit.MOST * 3 + 1)]
    assert table.writer.put(many) == len(many)
    assert table.commits == 1
    assert table.writer.put([*many, ("new",)]) == 1


def test_who_brings_what_is_there_already_hears_so_and_the_others_count_their_own(table: Table) -> None:
    table.writer.put([("old",)])
    table.gate.clear()
    with ThreadPoolExecutor(4) as threads:
        first = threads.submit(table.writer.put, [("first",)])
        time.sleep(0.1)
        puts = [threads.submit(table.writer.put, rows) for rows in ([("old",)], [("a",), ("b",), ("old",)], [("c",)])]
        time.sleep(0.1)
        table.gate.set()
        assert first.result() == 1
        assert [put.result() for put in puts] == [0, 2, 1]


def test_a_row_that_the_database_cannot_hold_fails_alone(table: Table) -> None:
    table.gate.clear()
    with ThreadPoolExecutor(3) as threads:
        good = threads.submit(table.writer.put, [("good",)])
        time.sleep(0.1)
        bad = threads.submit(table.writer.put, [(object(),)])
        also = threads.submit(table.writer.put, [("also good",)])
        time.sleep(0.1)
        table.gate.set()
        assert (good.result(), also.result()) == (1, 1)
        with pytest.raises(WriteFailed):
            bad.result()
    assert table.names() == {"good", "also good"}


def test_after_an_error_nothing_stays_locked(table: Table) -> None:
    with pytest.raises(WriteFailed) as kept:  # the error, and with it the statement, stays alive
        table.writer.put([(object(),)])
    other = table.connect()
    other.execute("BEGIN IMMEDIATE")
    other.execute("ROLLBACK")
    other.close()
    assert kept.value.__cause__ is not None
    assert table.writer.put([("next",)]) == 1


def test_a_lock_that_is_not_let_go_fails_the_put_and_the_next_one_goes_through(table: Table) -> None:
    other = table.connect()
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(WriteFailed, match="locked"):
        table.writer.put([("early",)])
    other.execute("ROLLBACK")
    other.close()
    assert table.writer.put([("late",)]) == 1
    assert table.names() == {"late"}


def test_closing_writes_what_waits_and_refuses_what_comes_after(table: Table) -> None:
    table.gate.clear()
    with ThreadPoolExecutor(2) as threads:
        put = threads.submit(table.writer.put, [("waiting",)])
        time.sleep(0.1)
        closing = threads.submit(table.writer.close)
        time.sleep(0.1)
        table.gate.set()
        assert put.result() == 1
        closing.result()
    with pytest.raises(WriteFailed):
        table.writer.put([("after",)])
    assert table.names() == {"waiting"}
