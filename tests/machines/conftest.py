"""A PostgreSQL for the tests of several machines: one server for a process of tests, a database for each that asks."""

from collections.abc import Iterator
from uuid import uuid4

import pytest
import sqlalchemy as sa

from lifecycle import connect
from tests.bench.postgres import postgres, programs


@pytest.fixture(scope="session")
def server() -> Iterator[str]:
    """The URL of a server's database."""
    if programs() is None:
        pytest.skip("PostgreSQL's programs are not installed")
    with postgres() as url:
        yield url


@pytest.fixture
def database(server: str) -> str:
    """The URL of an empty database."""
    name = f"d{uuid4().hex}"
    engine = connect(server)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(sa.text(f"CREATE DATABASE {name}"))
    engine.dispose()
    return server.rsplit("/", 1)[0] + f"/{name}"
