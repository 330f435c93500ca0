"""What a model is asked moves away from what it learnt, and a retraining brings it back."""

import pytest

from tests.stories.repository import as_csv, rows
from tests.stories.world import Thread, World

pytestmark = pytest.mark.xdist_group("stories-2")


def test_drift_opens_one_item_on_each_side_and_a_promoted_retraining_closes_both(world: World) -> None:
    issue = world.issue("drifts")
    issue.ask("/train", "is good enough")
    issue.ask("/promote", "v1 serves", by="jonas")
    assert "drifts" not in _month(world, issue, 2, moved=0.0).splitlines()[0]
    assert _items(world) == []
    for month in (3, 4):
        assert "drifts" in _month(world, issue, month, moved=3.0)
    (number,) = world.eventually(lambda: _items(world))
    (opened,) = world.eventually(lambda: _issues(world, "open"))
    item = world.item(number)
    version = f"{world.url}/models/octo/drifts/line/versions/1"
    world.eventually(lambda: {opened["html_url"], version} <= item.urls(), "the item is linked")
    assert f"_workitems/edit/{number}" in _issues(world, "open")[0]["body"]

    newer = {"data/2011-01.csv": None, "data/2011-03.csv": as_csv(rows(month=3, moved=3.0))}
    world.stage.github.world.push("mira", "octo/drifts", "main", newer, "Add March")
    item.comment("/retrain")
    item.says("is good enough")
    item.comment("/promote", "Jonas Berg", "jonas@example.com")
    item.says("v2 serves")
    assert len(_items(world)) == 1
    assert "drifts" not in _month(world, issue, 5, moved=3.0).splitlines()[0]
    world.eventually(lambda: item.state() == "Closed", "the item closes itself")
    world.eventually(lambda: _issues(world, "closed"), "so does the issue")
    assert len(_issues(world, "all")) == 1


def _items(world: World) -> list[int]:
    return world.items("retrain")


def _issues(world: World, state: str) -> list[dict[str, str]]:
    found: list[dict[str, str]] = world.github(f"repos/octo/drifts/issues?state={state}&labels=retrain")
    return found


def _month(world: World, issue: Thread, month: int, moved: float) -> str:
    """Ask the endpoint as in a month, let the bot look at it, and hear what it says."""
    assert world.score("drifts", rows(120, month=month, moved=moved, seed=month)).status_code == 200
    before = len(issue.said())
    issue.comment(f"/monitor window=2011-{month:02d}")

    def look() -> str | None:
        said = issue.said()[before:]
        return said[0] if said and not any(mark in said[0] for mark in ("⏳", "🕐")) else None

    return world.eventually(look, f"what was seen in month {month}")
