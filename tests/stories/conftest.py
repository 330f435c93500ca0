"""The world of the stories: one for each process that runs tests."""

from collections.abc import Iterator

import pytest

from tests.stories.starting import begin
from tests.stories.world import World


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Both platforms and the bot, running."""
    made = begin(tmp_path_factory.mktemp("world"))
    yield made
    made.close()
