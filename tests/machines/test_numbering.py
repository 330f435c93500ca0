"""Numbers that may have been given out are left out, on both databases."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bot.storage import SCRIPTS, TABLES
from lifecycle import Kind, Spec, Store, Watching, Window, connect, migrate, skip_numbers

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
SPEC = Spec(Kind.TRAIN, "octo/r", "m", "c" * 40, "", "mira")


def check(url: str) -> None:
    engine = connect(url)
    migrate(engine, SCRIPTS["lifecycle"], TABLES["lifecycle"])
    store, watching = Store(engine), Watching(engine)

    def episode(model: str, run: int) -> int:
        since = NOW - timedelta(days=1)
        window = Window("octo/r", model, 1, run, since, NOW, 10, "ALARM", 1.0, NOW)
        return watching.open(window, "drift").id

    assert store.create(SPEC, "one", NOW).id == 1
    assert episode("m", 1) == 1
    assert skip_numbers(engine) == 2001
    assert [store.create(SPEC, key, NOW).id for key in ("one", "two", "three")] == [1, 2001, 2002]
    assert [episode(model, 1) for model in ("n", "o")] == [2001, 2002]
    assert skip_numbers(engine, seen=57_300) == 64_001  # the last that is known, and a tenth of it
    assert store.create(SPEC, "four", NOW).id == 64_001
    engine.dispose()


def test_on_sqlite(tmp_path: Path) -> None:
    check(f"sqlite:///{tmp_path / 'it.db'}")


@pytest.mark.postgres
def test_on_postgresql(database: str) -> None:
    check(database)
