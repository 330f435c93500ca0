"""What only an inbox in a file meets: a full disk, and another process that writes."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import sqlalchemy as sa

from bot.inbox import Inbox, InboxUnavailable, open_inbox
from tests.bot.comments import comment


@pytest.fixture
def sqlite_box(tmp_path: Path) -> Iterator[Inbox]:
    box = open_inbox(f"sqlite:///{tmp_path}/inbox.db", tmp_path)
    yield box
    box.close()


def test_a_full_disk_refuses_and_room_again_is_enough(sqlite_box: Inbox) -> None:
    full = True

    def limit(connection: object, _record: object) -> None:
        if full:
            connection.execute("PRAGMA max_page_count = 12")  # type: ignore[attr-defined]

    sqlite_box.engine.dispose()
    sa.event.listen(sqlite_box.engine, "connect", limit)
    with pytest.raises(InboxUnavailable, match="full"):
        sqlite_box.put([comment(1, "x" * 100_000)])
    assert sqlite_box.waiting() == 0
    full = False
    sqlite_box.engine.dispose()
    assert sqlite_box.put([comment(1, "x" * 100_000)]) == 1


def test_another_process_that_writes_for_a_moment_is_waited_for(sqlite_box: Inbox) -> None:
    with ThreadPoolExecutor(1) as threads:
        with sqlite_box.engine.begin():
            putting = threads.submit(sqlite_box.put, [comment(1)])
            time.sleep(0.2)
            assert not putting.done()
        assert putting.result(timeout=5) == 1
