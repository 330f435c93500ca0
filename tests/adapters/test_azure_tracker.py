"""Work items of ours on Azure Boards, in all four processes: one for each marker, people's text and tags untouched."""

from pathlib import Path

import pytest

from bot.adapters.azure_boards import Board
from bot.adapters.azure_text import tag_of, tags
from bot.playground.faults import Kind
from bot.ports import Category, Denied, Draft, Unavailable
from bot.refs import Ref
from tests.adapters.azure_world import PLACE, World, served

DRAFT = Draft("Retrain bike-demand", "Drift in **temp**.\n\n| a | b |\n|---|---|\n| 1 | 2 |", ("drift",), "problem", 2)
PROCESSES = {
    "Agile": ("User Story", "Bug", "New", "Active", "Resolved", "Closed"),
    "Scrum": ("Product Backlog Item", "Bug", "New", "Committed", "Committed", "Done"),
    "Basic": ("Issue", "Issue", "To Do", "Doing", "Doing", "Done"),
    "CMMI": ("Requirement", "Bug", "Proposed", "Active", "Active", "Closed"),
}


@pytest.mark.parametrize("process", PROCESSES)
def test_an_item_lives_through_every_category_in_every_process(azure_cache: Path, process: str) -> None:
    task, problem, *states = PROCESSES[process]
    with served(azure_cache, process) as world:
        boards = world.boards
        ref = boards.open(PLACE, "retrain:bikes", Draft("Retrain", "text"))
        bug = boards.open(PLACE, "alarm:bikes", DRAFT)
        assert (world.at(ref).type.name, world.at(bug).type.name) == (task, problem)
        walk = (Category.PROPOSED, Category.IN_PROGRESS, Category.RESOLVED, Category.COMPLETED)
        for category, state in zip(walk, states, strict=True):
            boards.move(ref, category)
            assert world.at(ref)["System.State"] == state
            assert boards.thing(ref).open is (category is not Category.COMPLETED)
        revision = world.at(ref).rev
        boards.move(ref, Category.COMPLETED)
        assert world.at(ref).rev == revision
        assert boards.category(ref) is Category.COMPLETED
        boards.move(ref, Category.REMOVED)
        assert boards.category(ref) in (Category.REMOVED, Category.COMPLETED)
        boards.move(ref, Category.IN_PROGRESS)
        assert boards.category(ref) is Category.IN_PROGRESS


def test_an_item_is_made_once_as_the_settings_say(azure_cache: Path) -> None:
    board = Board("Bikes", area="Bikes\\Models", iteration="Bikes", types={"task": "Task"})
    with served(azure_cache, board=board) as world:
        ref = world.boards.open(PLACE, "retrain:bikes", Draft("Retrain " + "x" * 300, "text"))
        assert world.boards.open(PLACE, "retrain:bikes", DRAFT) == ref == world.boards.find(PLACE, "retrain:bikes")
        item = world.at(ref)
        assert (item.type.name, item["System.AreaPath"], len(str(item["System.Title"]))) == (
            "Task",
            "Bikes\\Models",
            255,
        )
        assert tags(str(item["System.Tags"])) == ["lifecycle-bot", tag_of("retrain:bikes")]
        assert ref == Ref("boards", "Fabrikam", item.id)


def test_an_item_is_found_after_people_renamed_closed_and_rewrote_it(fabrikam: World) -> None:
    ref = fabrikam.boards.open(PLACE, "retrain:bikes", DRAFT)
    new = {"System.Title": "?", "System.Description": "gone", "System.State": "Closed"}
    fabrikam.org.change_item(fabrikam.at(ref), fabrikam.mira, **new)
    assert fabrikam.boards.find(PLACE, "retrain:bikes") == ref
    assert fabrikam.boards.find(PLACE, "retrain:other") is None


def test_markdown_becomes_html_and_severity_becomes_priority(fabrikam: World) -> None:
    item = fabrikam.at(fabrikam.boards.open(PLACE, "alarm:bikes", DRAFT))
    text = str(item["Microsoft.VSTS.TCM.ReproSteps"])
    assert "<strong>temp</strong>" in text
    assert "<table>" in text
    assert item["Microsoft.VSTS.Common.Priority"] == 2


def test_html_in_the_text_is_shown_not_obeyed(fabrikam: World) -> None:
    item = fabrikam.at(fabrikam.boards.open(PLACE, "m", Draft("t", "<script>alert(1)</script> ▲ lifecycle-bot ▲")))
    assert "<script>" not in str(item["System.Description"])
    assert str(item["System.Description"]).count("▲ lifecycle-bot ▲") == 1


def test_revising_leaves_people_their_words_and_tags(fabrikam: World) -> None:
    ref = fabrikam.boards.open(PLACE, "retrain:bikes", Draft("Retrain", "first"))
    text = f"<div>Mira: see also #9</div>{fabrikam.at(ref)['System.Description']}<div>my notes</div>"
    fabrikam.org.change_item(fabrikam.at(ref), fabrikam.mira, **{"System.Description": text, "System.Tags": "urgent"})
    fabrikam.boards.revise(ref, Draft("Retrain", "second", ("drift",)))
    item = fabrikam.at(ref)
    assert item["System.Description"] == text.replace("first", "second")
    assert {"urgent", "lifecycle-bot", "drift"} <= set(tags(str(item["System.Tags"])))
    revision = item.rev
    fabrikam.boards.revise(ref, Draft("Retrain", "second", ("Drift",)))
    assert fabrikam.at(ref).rev == revision


def test_our_part_comes_back_where_people_took_it_away(fabrikam: World) -> None:
    ref = fabrikam.boards.open(PLACE, "retrain:bikes", Draft("Retrain", "first"))
    fabrikam.org.change_item(fabrikam.at(ref), fabrikam.mira, **{"System.Description": "<p>all mine</p>"})
    fabrikam.boards.revise(ref, Draft("Retrain", "second"))
    text = str(fabrikam.at(ref)["System.Description"])
    assert text.startswith("<p>all mine</p>")
    assert "second" in text


def test_a_link_is_made_once(fabrikam: World) -> None:
    item = fabrikam.item()
    for _ in range(2):
        fabrikam.boards.relate(fabrikam.ref(item), "https://bot.example/runs/7", "run 7")
    (link,) = item.now.relations
    assert (link.rel, link.url, link.attributes["comment"]) == ("Hyperlink", "https://bot.example/runs/7", "run 7")


@pytest.mark.parametrize("kind", [Kind.AFTER, Kind.HANGUP_AFTER])
def test_what_was_done_but_not_answered_is_not_done_twice(fabrikam: World, kind: Kind) -> None:
    fabrikam.fail(kind, r"workitems/\$", "POST", 502)
    ref = fabrikam.boards.open(PLACE, "retrain:bikes", DRAFT)
    fabrikam.fail(kind, f"workitems/{ref.number}", "PATCH", 503)
    fabrikam.boards.move(ref, Category.IN_PROGRESS)
    fabrikam.fail(kind, f"workitems/{ref.number}", "PATCH", 503)
    fabrikam.boards.relate(ref, "https://bot.example/runs/7", "run 7")
    assert len(fabrikam.org.items) == 1
    assert fabrikam.at(ref).rev == 3
    assert fabrikam.writes() == 3


def test_what_was_not_done_is_told_after_one_attempt(fabrikam: World) -> None:
    fabrikam.fail(Kind.STATUS, r"workitems/\$", "POST", 503)
    with pytest.raises(Unavailable, match="problem of its own"):
        fabrikam.boards.open(PLACE, "retrain:bikes", DRAFT)
    assert fabrikam.writes() == 1
    assert fabrikam.boards.find(PLACE, "retrain:bikes") is None


@pytest.mark.parametrize("status", [409, 412])
def test_when_somebody_was_faster_we_look_again(fabrikam: World, status: int) -> None:
    item = fabrikam.item()
    fabrikam.fail(Kind.STATUS, f"workitems/{item.id}", "PATCH", status, times=2)
    fabrikam.boards.move(fabrikam.ref(item), Category.IN_PROGRESS)
    assert item["System.State"] == "Active"
    fabrikam.fail(Kind.STATUS, f"workitems/{item.id}", "PATCH", status, times=None)
    with pytest.raises(Unavailable, match="at the same moment"):
        fabrikam.boards.move(fabrikam.ref(item), Category.COMPLETED)


def test_a_bad_area_path_is_denied_in_the_services_words(azure_cache: Path) -> None:
    with (
        served(azure_cache, board=Board("Bikes", area="Bikes\\Nowhere")) as world,
        pytest.raises(Denied, match="TF401347"),
    ):
        world.boards.open(PLACE, "retrain:bikes", DRAFT)


def test_an_item_of_another_organisation_is_not_touched(fabrikam: World) -> None:
    with pytest.raises(Denied, match="not a work item of Fabrikam"):
        fabrikam.boards.move(Ref("boards", "Contoso", 1), Category.COMPLETED)
    with pytest.raises(Denied, match="TF401232"):
        fabrikam.boards.category(Ref("boards", "Fabrikam", 404))


def test_severity_chooses_the_area_and_people_s_urgency_stays_where_nothing_is_said(azure_cache: Path) -> None:
    board = Board("Bikes", areas={1: "Bikes\\Models"})
    with served(azure_cache, board=board) as world:
        ref = world.boards.open(PLACE, "retrain:bikes", Draft("Retrain", "text", kind="problem", severity=3))
        assert world.at(ref)["System.AreaPath"] == "Bikes"
        world.boards.revise(ref, Draft("Retrain", "worse", kind="problem", severity=1))
        item = world.at(ref)
        assert (item["System.AreaPath"], item["Microsoft.VSTS.Common.Priority"]) == ("Bikes\\Models", 1)
        world.org.change_item(item, world.mira, **{"Microsoft.VSTS.Common.Priority": 4})
        world.boards.revise(ref, Draft("Retrain", "newer text", kind="problem", severity=None))
        assert world.at(ref)["Microsoft.VSTS.Common.Priority"] == 4


@pytest.mark.parametrize(("process", "now"), [("Agile", "1 - Critical"), ("Scrum", "1 - Critical"), ("Basic", None)])
def test_severity_is_told_where_the_type_has_that_field(azure_cache: Path, process: str, now: str | None) -> None:
    with served(azure_cache, process) as world:
        ref = world.boards.open(PLACE, "retrain:bikes", DRAFT)
        name = "Microsoft.VSTS.Common.Severity"
        assert world.at(ref)[name] == (now and "2 - High")
        world.boards.revise(ref, Draft("Retrain", "worse", kind="problem", severity=1))
        assert (world.at(ref)[name], world.at(ref)["Microsoft.VSTS.Common.Priority"]) == (now, 1)
        world.boards.revise(ref, Draft("Retrain", "newer text", kind="problem", severity=None))
        assert world.at(ref)[name] == now
