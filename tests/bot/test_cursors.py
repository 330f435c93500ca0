"""Cursors are kept by the database and never move back."""

from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bot.cursors import Cursors, cursors
from lifecycle import connect
from tests.bench.postgres import postgres, programs

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def kept(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Cursors]:
    with ExitStack() as stack:
        url = f"sqlite:///{tmp_path / 'it.db'}"
        if request.param == "postgresql":
            if programs() is None:
                pytest.skip("needs PostgreSQL's programs")
            url = stack.enter_context(postgres())
        engine = connect(url)
        stack.callback(engine.dispose)
        cursors.create(engine)
        yield Cursors(engine)


def test_a_cursor_moves_forward_only_and_each_place_has_its_own(kept: Cursors) -> None:
    assert kept.get("github:octo/bikes") is None
    kept.move("github:octo/bikes", NOON)
    kept.move("boards:Fabrikam/Bikes", NOON + timedelta(hours=1))
    kept.move("github:octo/bikes", NOON - timedelta(hours=1))
    assert kept.get("github:octo/bikes") == NOON
    kept.move("github:octo/bikes", NOON + timedelta(microseconds=1))
    assert kept.get("github:octo/bikes") == NOON + timedelta(microseconds=1)
    assert kept.get("boards:Fabrikam/Bikes") == NOON + timedelta(hours=1)
