"""The house behind the pages, empty or furnished, and a client that asks for them."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from bot.web.pages import create_pages
from lifecycle import Filter, Run
from tests.web.house import House
from tests.web.story import furnish


@pytest.fixture(scope="session")
def furnished(tmp_path_factory: pytest.TempPathFactory) -> House:
    """Furnished once, because that takes half a second; every test gets its own copy."""
    house = House(tmp_path_factory.mktemp("furnished"))
    furnish(house)
    house.engine.dispose()
    return house


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    house = House(tmp_path)
    yield house
    house.engine.dispose()


@pytest.fixture
def client(house: House) -> FlaskClient:
    return create_pages(house.views()).test_client()


@pytest.fixture
def runs(house: House, furnished: House) -> dict[str, Run]:
    """The furnished house's runs by their keys."""
    house.become(furnished)
    return {run.key: run for run in house.store.find(Filter(), limit=100)}
