"""Model repositories with mistakes: what is wrong is said where it was asked, and where to look."""

import re

import pytest

from tests.stories.repository import RULES, requirements
from tests.stories.world import World

pytestmark = pytest.mark.xdist_group("stories-2")


def test_every_mistake_in_lifecycle_yaml_is_told_with_its_line(world: World) -> None:
    rules = RULES.replace("regression", "regresion").replace("    target: y\n", "    target: y\n    colour: red\n")
    world.push("broken", "main", rules=rules)
    said = world.issue("broken").ask("/train", "was not carried out")
    assert "lifecycle.yaml has mistakes" in said
    assert "lifecycle.yaml:3" in said
    assert "lifecycle.yaml:5" in said


def test_a_repository_without_lifecycle_yaml_is_told_so(world: World) -> None:
    world.push("broken", "main", rules=None)
    assert "lifecycle.yaml" in world.issue("broken").ask("/train", "was not carried out")


@pytest.mark.parametrize(
    ("command", "words"),
    [("/train fail=yes", ("did not succeed", "1")), ("/train nothing=yes", ("did not succeed", "wrote no model"))],
)
def test_a_training_that_fails_says_why_and_where_its_log_is(
    world: World, command: str, words: tuple[str, ...]
) -> None:
    world.push("broken", "main", readme=command)
    said = world.issue("broken").ask(command, *words)
    page = re.search(r"\[Run \d+\]\(([^)]+)\)", said)
    assert page, said
    shown = world.page(page[1])
    assert shown.status_code == 200
    assert "reading the data" in shown.text
    if "fail" in command:
        assert "the rows do not suit me" in shown.text


def test_a_missing_target_is_named(world: World) -> None:
    world.push("broken", "main", data="at,x,z\n2011-01-01T00:00:00,1,2\n2011-01-01T01:00:00,2,3\n")
    assert "no column 'y'" in world.issue("broken").ask("/train", "did not succeed")


def test_a_requirement_that_cannot_be_had_is_told(world: World) -> None:
    wanted = re.sub("joblib==.*", "joblib==0.0.0.1", requirements())
    world.push("broken", "main", requirements=wanted)
    assert "joblib" in world.issue("broken").ask("/train", "did not succeed")
