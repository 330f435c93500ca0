"""The life of a retrain item: one at a time, quiet when asked, remembered, opened and closed by whoever wants to."""

import pytest

from bot.playground.faults import Fault, Kind
from tests.stories.drifting import Drifting, spread_csv, spread_rows
from tests.stories.world import World

pytestmark = pytest.mark.xdist_group("stories-3")


def test_what_people_do_not_want_mended_is_remembered_and_their_hands_are_respected(world: World) -> None:
    it = Drifting(world, "lives")
    it.serve()
    assert "drifts" in it.month(3, moved=2.0)
    item = world.item(world.eventually(it.items)[0])
    issue = it.the_issue("open")
    assert "answers differently than it ever did in training" in issue["body"]
    assert "| 2011-03-01 – 2011-04-01 |" in issue["body"]

    it.on_issue(issue["number"]).ask("/snooze 48h", "Nothing more is said about this until")
    world.eventually(lambda: "Snoozed until" in it.the_issue("open")["body"], "the item tells of the snooze")
    assert "drifts" in it.month(4, moved=2.0)
    assert "2011-04-01 – 2011-05-01" not in it.the_issue("open")["body"]
    it.on_issue(issue["number"]).ask("/snooze off", "kept up to date again")
    world.eventually(lambda: "2011-04-01 – 2011-05-01" in it.the_issue("open")["body"], "it is kept up to date again")

    it.on_issue(issue["number"]).ask("/wontfix the spring is always like this", "Closed, and remembered")
    assert "the spring is always like this" in item.says("Not to be mended")
    world.eventually(lambda: item.state() == "Closed", "the other side closes, too")
    said = it.month(5, moved=2.0)
    assert "drifts" in said
    assert "No item was opened" in said
    assert "no worse than it was then" in said
    assert it.issues("open") == []

    assert "drifts" in it.month(6, moved=9.0)
    world.eventually(lambda: item.state() != "Closed", "what is clearly worse opens the same item again")
    assert "It is back" in item.says("It is back")
    assert it.the_issue("open")["number"] == issue["number"]
    assert len(it.items()) == 1


def test_items_closed_and_opened_by_hand(world: World) -> None:
    it = Drifting(world, "hands")
    it.serve()
    assert "drifts" in it.month(3, moved=2.0)
    item = world.item(world.eventually(it.items)[0])
    number = it.the_issue("open")["number"]
    item.move("Closed")
    world.eventually(lambda: it.issues("closed"), "the issue follows the work item")
    assert "Closed by hand" in it.on_issue(number).says("Closed by hand")
    assert "drifts" in it.month(4, moved=2.0)
    assert it.issues("open") == [], "nobody is asked again what they have answered"

    slow = Fault(Kind.SLOW, method="GET", path=f"/api/v3/repos/octo/hands/issues/{number}", seconds=1.0, times=None)
    world.stage.github.faults.add(slow)
    it.set_state(number, "open")
    world.eventually(lambda: item.state() != "Closed", "the work item follows the issue")
    it.set_state(number, "closed", "not_planned")  # at once, while we are still following the opening
    assert "Open again" in item.says("Open again")
    world.eventually(lambda: item.state() == "Closed", "closed from this side")
    assert it.the_issue("closed")["state_reason"] == "not_planned"
    assert len(it.items()) == 1


def test_columns_alone_are_a_remark_until_they_stay_away(world: World) -> None:
    it = Drifting(world, "remarks")
    it.serve()
    assert "No item was opened" in it.month(3, spread=4.0)
    assert it.issues("all") == []
    newer = {"data/2011-01.csv": None, "data/2011-03.csv": spread_csv(month=3, spread=4.0)}
    world.stage.github.world.push("mira", "octo/remarks", "main", newer, "Add March")
    assert "drifts" in it.month(4, spread=4.0)
    number = world.eventually(lambda: it.issues("open"))[0]["number"]
    assert "no longer looks like what it learnt from" in it.the_issue("open")["body"]
    it.on_issue(number).ask("/autoclose off", "stays open until somebody closes it")
    it.on_issue(number).says("is good enough", "asked for by `policy ˋretrain: autoˋ`")
    it.on_issue(number).ask("/promote", "v2 serves", by="jonas")
    assert "drifts" not in it.month(5, spread=4.0)
    world.eventually(lambda: "Clean windows in a row: 1" in it.the_issue("open")["body"], "it is counted")
    assert "It stays open until somebody closes it" in it.the_issue("open")["body"]


def test_the_clock_says_where_a_version_was_promoted_what_moved(world: World) -> None:
    it = Drifting(world, "clocks")
    it.serve()
    world.score("clocks", spread_rows(120, month=2, spread=4.0))
    said = it.issue.says("have moved", patience=100)
    assert "No item was opened" in said
    assert "`w`: " in said
