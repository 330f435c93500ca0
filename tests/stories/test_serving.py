"""A version goes into production and back, and who may say so."""

from collections import Counter

import pytest

from tests.stories.repository import LINE, rows
from tests.stories.world import World, version_in

pytestmark = pytest.mark.xdist_group("stories-1")


def answering(world: World, times: int = 1) -> Counter[str]:
    """Which versions answer that many requests."""
    seen: Counter[str] = Counter()
    for seed in range(times):
        answer = world.score("serves", rows(1, seed=seed))
        assert answer.status_code == 200, answer.text
        seen[answer.headers["X-Lifecycle-Version"].rpartition(".")[2]] += 1
    return seen


def test_promotion_shared_traffic_and_the_way_back(world: World) -> None:
    issue = world.issue("serves")
    assert world.score("serves", rows(1)).status_code == 404
    issue.ask("/train beside=0.3", "`line` v1 is good enough")
    assert "Promotion needs two people" in issue.ask("/promote", "was not carried out")
    issue.ask("/promote v1", "v1 serves", by="jonas")
    answer = world.score("serves", rows(3))
    assert answer.status_code == 200
    assert len(answer.json()["predictions"]) == 3
    assert world.score("serves", [{"at": "2011-01-01T00:00:00", "y": 1}]).status_code == 400

    issue.ask("/train", "`line` v2 is good enough")
    issue.ask("/promote v2 share=20", "v2 serves 20 % of the traffic", by="jonas")
    shared = answering(world, 100)
    assert sum(shared.values()) == 100
    assert set(shared) == {"v1", "v2"}
    assert 1 <= shared["v2"] <= 50
    issue.ask("/promote v2", "v2 serves", "asked for by `jonas`", by="jonas")
    assert set(answering(world, 10)) == {"v2"}
    issue.ask("/rollback", "v1 serves again")
    assert set(answering(world, 10)) == {"v1"}


def test_a_version_that_failed_is_not_promoted(world: World) -> None:
    issue = world.issue("serves")
    worse = version_in(issue.ask("/train beside=5", "is worse"))
    assert "failed its validation" in issue.ask(f"/promote v{worse}", "was not carried out", by="jonas")


def test_what_was_trained_before_the_merge_is_not_promoted(world: World) -> None:
    world.push("serves", "unmerged", line=LINE + "\n# not merged\n")
    pull = world.pull("serves", "unmerged")
    version = version_in(pull.ask("/train", "/promote v"))
    refusal = pull.ask(f"/promote v{version}", "was not carried out", by="jonas")
    assert "not on main" in refusal
    assert "Merge the pull request first" in refusal
