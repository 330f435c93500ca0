"""A command on a retrain item that the bot has opened a moment ago, and does not know by its number yet."""

from collections.abc import Iterator

import pytest

from bot.playground.faults import Fault, Kind
from tests.stories.drifting import Drifting, spread_rows
from tests.stories.starting import begin
from tests.stories.world import World

pytestmark = pytest.mark.xdist_group("stories-late")


@pytest.fixture
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Two repositories share a board, so that an item alone does not say which of them is meant."""
    made = begin(tmp_path_factory.mktemp("fresh"), boarded=("hands", "trains"), alone=(), azure=(), sweep="3h")
    yield made
    made.close()


def test_a_command_on_an_item_that_is_being_opened_waits_until_it_is_linked(world: World) -> None:
    it, azure, faults = Drifting(world, "hands"), world.stage.azure, world.stage.azure_faults
    it.serve()
    before = set(azure.items)
    faults.add(Fault(Kind.AFTER, method="POST", path=r"/workitems/\$", status=502))
    faults.add(Fault(Kind.STATUS, method="POST", path="/wiql", status=503, nth=2, times=2))
    assert world.score("hands", spread_rows(120, month=3, moved=2.0)).status_code == 200
    it.issue.comment("/monitor window=2011-03")
    number = min(world.eventually(lambda: set(azure.items) - before, "the item is made"))
    item = world.item(number)
    item.comment("/snooze 7d")
    item.says("Nothing more is said about this until")
    assert not any("not linked" in said for said in item.said())
