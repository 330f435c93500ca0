"""One person asks for more than a fair share of what may be written to GitHub: others are not held up."""

import pytest

from tests.stories.starting import begin

pytestmark = pytest.mark.xdist_group("stories-late")


def test_a_flood_of_one_person_is_answered_once_and_others_go_on(tmp_path_factory: pytest.TempPathFactory) -> None:
    world = begin(tmp_path_factory.mktemp("shares"), (), ("busy",), (), sweep="3h", between_writes=0.01, share=3)
    try:
        flooded, other = world.issue("busy"), world.issue("busy")
        for _ in range(8):
            flooded.comment("/status")
        said = flooded.says("That was a lot")
        assert "You have given 3 commands within an hour" in said
        assert "nor will others be until " in said
        other.ask("/status", "Nothing is linked", by="jonas")
        flooded.ask("/cancel", "nothing")
        assert sum("That was a lot" in one for one in flooded.said()) == 1
        assert len(flooded.said()) == 5  # three answers, one sentence, and the cancellation
        assert other.said()[0].endswith("*For `jonas`.*")
    finally:
        world.close()
