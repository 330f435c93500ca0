"""The engine forgets what finished long ago, and costs an old bot what it costs a young one."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from bot.alive import Alive
from bot.engine import Engine
from bot.later import Later
from bot.secrets import Secret
from bot.settings import Settings
from bot.storage import Storage, open_storage
from tests.bench.history import fill
from tests.bench.postgres import postgres, programs
from tests.growth.work import cost

YOUNG, OLD = 2_000, 20_000  # finished workflows
MORE, SLACK = 1.6, 60
DATABASES = ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)]


@contextmanager
def engine_of(name: str, folder: Path, finished: int, until: datetime) -> Iterator[tuple[Engine, Storage]]:
    """An engine at work, in whose tables so many workflows have finished, one a minute, the last at `until`."""
    with ExitStack() as stack:
        url = None
        if name == "postgresql":
            if programs() is None:
                pytest.skip("needs PostgreSQL's programs")
            url = Secret(stack.enter_context(postgres()))
        folder.mkdir()
        storage = open_storage(Settings.model_construct(state=folder, database=url))
        alive = Alive(storage.main, alone=storage.sqlite)
        engine = Engine(storage.engine_url, alive, Later(storage.main), {"work": lambda number: None})
        engine.launch()
        stack.callback(storage.main.dispose)
        stack.callback(storage.inbox.dispose)
        stack.callback(engine.close, seconds=5)
        fill(storage, 1, finished, until, workflows=True)
        yield engine, storage


def left(storage: Storage) -> int:
    """How many workflows there are."""
    table = "workflow_status" if storage.sqlite else "dbos.workflow_status"
    database = sa.create_engine(storage.engine_url)
    with database.connect() as connection:
        found = connection.exec_driver_sql(f"SELECT count(*) FROM {table}").scalar_one()
    database.dispose()
    return int(found)


@pytest.mark.parametrize("database", DATABASES)
def test_looking_for_the_dead_and_the_old_reads_no_history(database: str, tmp_path: Path) -> None:
    spent: dict[str, list[dict[str, int]]] = {"take over": [], "forget": []}
    for count in (YOUNG, OLD):
        with engine_of(database, tmp_path / str(count), count, datetime.now(UTC)) as (engine, _):
            spent["take over"].append(cost(engine.take_over))
            spent["forget"].append(cost(lambda engine=engine: engine.forget(datetime(2000, 1, 1, tzinfo=UTC))))
    for name, (young, old) in spent.items():
        assert old, f"{name}: nothing was asked"
        assert sum(old.values()) <= sum(young.values()) * MORE + SLACK, f"{name}: {young}, then {old}"


@pytest.mark.parametrize("database", DATABASES)
def test_what_finished_long_ago_is_forgotten_in_batches_and_the_rest_is_kept(database: str, tmp_path: Path) -> None:
    noon = datetime(2026, 3, 1, 12, tzinfo=UTC)
    with engine_of(database, tmp_path / "it", 1_000, noon) as (engine, storage):
        assert left(storage) == 1_000
        before = noon - timedelta(minutes=299, seconds=30)
        assert [engine.forget(before, batch=400) for _ in range(3)] == [400, 300, 0]
        assert left(storage) == 300
        engine.start("work", "fresh", 1)
        assert engine.forget(before) == 0
