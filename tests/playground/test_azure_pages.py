"""The pages that people look at: the board, a work item, and the forms on them, which really do things."""

import json

import pytest
import requests

from tests.playground.azure_fixtures import Receiver, World, agile_world, hook_receiver  # noqa: F401 (fixtures)


def get(world: World, path: str) -> requests.Response:
    return requests.get(f"{world.url}{path}", timeout=5)


def test_the_board_shows_cards_in_the_columns_of_their_states(world: World) -> None:
    org = world.org
    org.create_item(
        world.project, "User Story", world.mira, **{"System.Title": "Predict <demand>", "System.Tags": "ml"}
    )
    bug = org.create_item(world.project, "Bug", world.mira, **{"System.Title": "Drift"})
    org.change_item(bug, world.mira, **{"System.State": "Active", "System.AssignedTo": "ada@example.com"})
    page = get(world, "/Bikes/_boards/board").text
    assert "Predict &lt;demand&gt;" in page
    columns = page.split('<section class="column"')[1:]
    assert [column.split('"')[1] for column in columns] == ["New", "Active", "Resolved", "Closed"]
    assert "Predict" in columns[0]
    assert "Drift" in columns[1]
    assert "Ada Berg" in columns[1]


@pytest.mark.parametrize(
    "path", ["", "/", "/Bikes", "/bikes/_workitems", "/Bikes/_boards/board/t/Bikes%20Team/Stories"]
)
def test_doors_to_the_board(world: World, path: str) -> None:
    assert get(world, path).status_code == 200


def test_pages_that_are_not_there(world: World) -> None:
    assert get(world, "/Nowhere").status_code == 404
    assert get(world, "/Bikes/_workitems/edit/9").status_code == 404
    assert "no page" in get(world, "/Bikes/_dashboards").text


def test_a_comment_typed_on_the_page_reaches_the_hook(world: World, receiver: Receiver) -> None:
    item = world.org.create_item(world.project, "Task", world.mira, **{"System.Title": "Talk"})
    world.org.subscribe("workitem.commented", receiver.url, world.ada, project=world.project, password="x")
    form = {"text": "/train bike-demand\nplease & thanks", "person": "ada@example.com", "format": "html"}
    answer = requests.post(f"{world.url}/Bikes/_workitems/edit/{item.id}/comment", data=form, timeout=5)
    assert answer.status_code == 200
    assert "#comment-" in answer.url
    assert world.org.drain()
    (delivery,) = receiver.got
    fields = json.loads(delivery.body)["resource"]["fields"]
    assert fields["System.History"] == "<div>/train bike-demand</div><div>please &amp; thanks</div>"
    assert fields["System.ChangedBy"] == "Ada Berg <ada@example.com>"


def test_a_work_item_shows_everything_about_it(world: World) -> None:
    org = world.org
    parent = org.create_item(world.project, "Feature", world.mira, **{"System.Title": "Parent"})
    item = org.create_item(
        world.project,
        "Bug",
        world.mira,
        **{"System.Title": "Child", "System.Description": "<p>Seen <script>x</script></p>"},
    )
    wit = world.wit()
    relations = [
        {"rel": "Hyperlink", "url": "https://example.com/run/1", "attributes": {"comment": "Run 1"}},
        {"rel": "Hyperlink", "url": "javascript:alert(1)", "attributes": {}},
        {"rel": "System.LinkTypes.Hierarchy-Reverse", "url": f"{world.url}/_apis/wit/workItems/{parent.id}"},
    ]
    wit.update_work_item([{"op": "add", "path": "/relations/-", "value": value} for value in relations], item.id)
    org.comment(item, "| a | b |\n|---|---|\n| 1 | 2 |", world.mira)
    org.change_item(item, world.ada, **{"System.State": "Active"})
    page = get(world, f"/Bikes/_workitems/edit/{item.id}").text
    assert '<a href="https://example.com/run/1" rel="noopener noreferrer">Run 1</a>' in page
    assert 'href="javascript' not in page
    assert "Feature 1: Parent" in page
    assert "<td>1</td>" in page
    assert "New → <strong>Active</strong>" in page
    assert "<script>x" not in page


def test_moving_and_creating_with_forms(world: World) -> None:
    form = {"title": "From the page", "type": "Task", "person": "mira@example.com", "description": "*why*"}
    made = requests.post(f"{world.url}/Bikes/_workitems/create", data=form, timeout=5)
    assert made.url.endswith("/Bikes/_workitems/edit/1")
    assert "<em>why</em>" in made.text
    move = {"state": "Closed", "person": "ada@example.com"}
    assert requests.post(f"{made.url}/state", data=move, timeout=5).status_code == 200
    assert world.org.item(1)["System.ClosedBy"] is None
    assert world.org.item(1)["Microsoft.VSTS.Common.ClosedBy"] == world.ada
    bad = requests.post(f"{made.url}/state", data={"state": "Gone", "person": "ada@example.com"}, timeout=5)
    assert bad.status_code == 400
    assert requests.post(f"{made.url}/comment", data={"text": "x", "person": "nobody"}, timeout=5).status_code == 400


def test_forms_of_other_sites_are_refused(world: World) -> None:
    world.org.create_item(world.project, "Task", world.mira, **{"System.Title": "Talk"})
    url, form = f"{world.url}/Bikes/_workitems/edit/1/comment", {"text": "x", "person": "mira@example.com"}
    for headers in ({"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}):
        assert requests.post(url, data=form, headers=headers, timeout=5).status_code == 403
    assert world.org.item(1).comments == []


def test_pages_run_no_script_but_their_own(world: World) -> None:
    answer = get(world, "/Bikes")
    policy = answer.headers["Content-Security-Policy"]
    nonce = policy.split("'nonce-")[1].split("'")[0]
    assert answer.text.count("<script") == answer.text.count(f'<script nonce="{nonce}"') == 1
