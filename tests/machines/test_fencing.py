"""Two machines that both think that a run is theirs: only one of them can change it."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from lifecycle import (
    Begin,
    Champion,
    Conclude,
    Kind,
    Observed,
    Overtaken,
    PutBack,
    Registry,
    Run,
    Spec,
    Stage,
    State,
    Store,
    Version,
    Wait,
    connect,
    next_move,
)
from lifecycle.hosts import Hosts
from lifecycle.lookout import due
from lifecycle.runs import ATTEMPTS, StageState
from lifecycle.schema import metadata

NOW = datetime(2026, 3, 1, tzinfo=UTC)
SPEC = Spec(Kind.TRAIN, "octo/bikes", "line", "c" * 40, "github:octo/bikes#1", "mira")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    engine = connect(f"sqlite:///{tmp_path / 'it.db'}")
    metadata.create_all(engine)
    yield Store(engine)
    engine.dispose()


def begun(store: Store, host: str = "one", key: str = "a") -> Run:
    """A run that trains on a machine."""
    run = store.create(replace(SPEC, model=f"line-{key}"), key, NOW)
    assert store.begin_stage(run, Stage.TRAIN, run.stages[0].attempt + 1, {"fit": "job"}, NOW, host)
    return store.get(run.id)


def test_a_machine_that_was_replaced_changes_nothing_of_the_run_any_more(store: Store, tmp_path: Path) -> None:
    old = begun(store)
    store.put_back(old)
    back = store.get(old.id)
    assert (back.state, back.host, back.tenure) == (State.WAITING, "", 2)
    assert store.begin_stage(back, Stage.TRAIN, 2, {"fit": "job-2"}, NOW, "two")
    new = store.get(old.id)

    record = replace(old.stages[0], state=StageState.DONE, note="of the first")
    registry = Registry(store.engine, tmp_path / "versions")
    (tmp_path / "package").mkdir()
    version = Version("octo/bikes", "line", 0, registry.seal(tmp_path / "package", {}), old.id, "c" * 40, NOW, "PASS")
    champion = Champion("octo/bikes", "line", 1, "serve", 100, "mira", old.id, NOW)
    for late in (
        lambda: store.end_stage(old, record, NOW),
        lambda: store.begin_stage(old, Stage.PACKAGE, 1, {}, NOW, "one"),
        lambda: store.put_back(old),
        lambda: store.end(old, State.SUCCEEDED, "", NOW),
        lambda: registry.add(version, tmp_path / "package", old),
        lambda: registry.crown(champion, old),
    ):
        with pytest.raises(Overtaken):
            late()

    assert store.get(old.id) == new
    assert registry.of_run(old.id) is None
    assert registry.reign("octo/bikes", "line") == []
    assert registry.add(version, tmp_path / "package", new).number == 1


def test_of_two_machines_that_begin_a_run_at_once_one_gets_it(store: Store) -> None:
    seen = store.create(SPEC, "a", NOW)
    assert store.begin_stage(seen, Stage.TRAIN, 1, {"fit": "job"}, NOW, "one")
    with pytest.raises(Overtaken):
        store.begin_stage(seen, Stage.TRAIN, 1, {"fit": "job"}, NOW, "two")
    assert store.get(seen.id).host == "one"


def test_what_is_done_about_a_run_that_another_machine_has(store: Store) -> None:
    run = begun(store)
    assert next_move(Observed(run, {}, elsewhere=True)) == Wait()
    assert next_move(Observed(replace(run, cancelled_by="jo"), {}, elsewhere=True)) == Wait()
    assert next_move(Observed(run, {}, elsewhere=True, gone=True)) == PutBack()
    cancelled = next_move(Observed(replace(run, cancelled_by="jo"), {}, elsewhere=True, gone=True))
    assert cancelled == Conclude(State.CANCELLED, "Cancelled by jo.")

    store.put_back(run)
    assert next_move(Observed(store.get(run.id), {})) == Begin(Stage.TRAIN, 2)
    often = replace(run, stages=(replace(run.stages[0], attempt=ATTEMPTS), *run.stages[1:]))
    match next_move(Observed(often, {}, elsewhere=True, gone=True)):
        case Conclude(State.FAILED, reason):
            assert reason == "The machine that had it went away 3 times."
        case other:
            raise AssertionError(other)


def test_each_machine_finds_what_only_it_can_do(store: Store) -> None:
    mine, theirs, lost = (begun(store, host, host) for host in ("me", "you", "ghost"))
    waiting = [store.create(replace(SPEC, model=name), f"{name}-{n}", NOW) for name in ("a", "b") for n in (1, 2)]
    hosts = Hosts("me", lambda host: host == "ghost")
    first, second = waiting[0].id, waiting[2].id  # of each model's line

    assert due(store.engine, hosts, room=1) == [lost.id, first]
    assert due(store.engine, hosts, room=5) == [lost.id, first, second]
    assert due(store.engine, hosts, room=0) == [lost.id]
    for run in (mine, theirs, waiting[3]):
        store.cancel(run.id, "jo")
    assert due(store.engine, hosts, room=0) == [mine.id, lost.id, waiting[3].id]
