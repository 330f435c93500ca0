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


def test_a_pull_requests_page_lets_people_talk_and_complete(world: World, receiver: Receiver) -> None:
    org = world.org
    repo = org.create_repository(world.project, "bikes")
    org.push(repo, "main", {"a": b"1"}, "Start", world.ada)
    org.push(repo, "better", {"a": b"2"}, "Improve", world.mira)
    pull = org.open_pull_request(repo, "better", "main", "Improve <it>", world.mira, "why *now*")
    org.subscribe("ms.vss-code.git-pullrequest-comment-event", receiver.url, world.ada, resource_version="2.0")
    url = f"{world.url}/Bikes/_git/bikes/pullrequest/{pull.id}"
    page = requests.get(url, timeout=5).text
    assert "Improve &lt;it&gt;" in page
    assert "<em>now</em>" in page
    said = requests.post(f"{url}/comment", data={"text": "/train", "person": "ada@example.com"}, timeout=5)
    assert "<p>/train</p>" in said.text
    reply = {"text": "done", "person": "mira@example.com", "thread": str(pull.threads[0].id)}
    requests.post(f"{url}/comment", data=reply, timeout=5)
    assert [[comment.text for comment in thread.comments] for thread in pull.threads] == [["/train", "done"]]
    form = {"how": "complete", "seen": pull.source_commit, "person": "ada@example.com"}
    assert requests.post(f"{url}/close", data=form, timeout=5).status_code == 200
    assert repo.git.blob(repo.git.refs()["refs/heads/main"], "a") == b"2"
    assert "Improve" in get(world, "/Bikes/_git/bikes").text
    assert "bikes" in get(world, "/Bikes/_git").text
    assert org.drain()
    assert json.loads(receiver.got[0].body)["resource"]["comment"]["content"] == "/train"


def test_the_history_of_hooks_is_shown_without_its_secrets(world: World, receiver: Receiver) -> None:
    receiver.answers = [503]
    hook = world.org.subscribe("workitem.created", receiver.url, world.ada, project=world.project, password="s3cret")
    world.org.create_item(world.project, "Task", world.mira, **{"System.Title": "Told <twice>"})
    assert world.org.drain()
    page = get(world, "/Bikes/_settings/serviceHooks").text
    assert "Told &lt;twice&gt;" in page
    assert "200, 2 tries" in page
    one = get(world, f"/_settings/serviceHooks/{hook.id}/1").text
    assert "&#34;notificationId&#34;: 1" in one
    assert "s3cret" not in page + one
    assert get(world, f"/_settings/serviceHooks/{hook.id}/2").status_code == 404


def test_the_root_leads_to_the_organisation(world: World) -> None:
    answer = requests.get(world.url.removesuffix("/Fabrikam"), timeout=5)
    assert answer.url == world.url
    assert requests.get(world.url.replace("Fabrikam", "Contoso"), timeout=5).status_code == 404
