"""An acceptance is for one run, is given once, and cannot be changed."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bot.acceptances import Acceptances
from bot.schema import metadata
from lifecycle import Kind, Run, Spec, State, connect

AT = datetime(2025, 6, 3, 14, 30, tzinfo=UTC)


@pytest.fixture
def acceptances(tmp_path: Path) -> Iterator[Acceptances]:
    engine = connect(f"sqlite:///{tmp_path / 'it.db'}")
    metadata.create_all(engine)
    yield Acceptances(engine)
    engine.dispose()


def run(number: int, commit: str = "a" * 40) -> Run:
    spec = Spec(Kind.VALIDATE, "octo/bikes", "bike-demand", commit, "github:octo/bikes#2", "mira")
    return Run(number, f"key-{number}", spec, State.SUCCEEDED, (), AT, verdict="FAIL")


def test_it_is_for_that_run_alone(acceptances: Acceptances) -> None:
    assert acceptances.add(run(7), "jonas", AT)
    found = acceptances.of(7)
    assert found is not None
    assert (found.by, found.commit, found.verdict, found.at) == ("jonas", "a" * 40, "FAIL", AT)
    assert acceptances.of(8) is None  # the same commit, judged again
    assert acceptances.among([6, 7, 8]) == {7}
    assert acceptances.among([]) == set()


def test_the_first_one_stands(acceptances: Acceptances) -> None:
    assert acceptances.add(run(7), "jonas", AT)
    assert not acceptances.add(run(7), "sam", AT + timedelta(hours=1))
    found = acceptances.of(7)
    assert found is not None
    assert (found.by, found.at) == ("jonas", AT)


def test_of_many_at_once_one_is_first(acceptances: Acceptances) -> None:
    with ThreadPoolExecutor(8) as pool:
        first = list(pool.map(lambda n: acceptances.add(run(7), f"person-{n}", AT), range(8)))
    assert first.count(True) == 1
