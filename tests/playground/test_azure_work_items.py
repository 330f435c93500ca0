"""Work items through the real client: atomic patches, revisions, links, tags, deletion, and every refusal."""

from typing import Any

import pytest
import requests
from azure.devops.exceptions import AzureDevOpsServiceError

from tests.playground.azure_fixtures import World, agile_world, auth, op  # noqa: F401 (a fixture)


def make(world: World, title: str = "Predict demand", kind: str = "User Story", *more: Any) -> Any:
    return world.wit().create_work_item([op("/fields/System.Title", title), *more], "Bikes", kind)


def refused(call: Any, *args: Any, **kwargs: Any) -> AzureDevOpsServiceError:
    with pytest.raises(AzureDevOpsServiceError) as caught:
        call(*args, **kwargs)
    error: AzureDevOpsServiceError = caught.value
    return error


def patch_raw(world: World, number: int, document: Any, **params: str) -> requests.Response:
    headers = auth(world.token) | {"Content-Type": "application/json-patch+json"}
    url = f"{world.url}/_apis/wit/workitems/{number}"
    return requests.patch(url, json=document, headers=headers, params=params, timeout=5)


def test_create_and_read_back(world: World) -> None:
    item = make(world, "Predict demand", "Bug", op("/fields/System.Tags", "ml; bikes"))
    read = world.wit().get_work_item(item.id, expand="All")
    assert read.rev == 1
    assert read.fields["System.Title"] == "Predict demand"
    assert read.fields["System.CreatedBy"]["uniqueName"] == "bot@example.com"
    assert read.fields["System.AreaPath"] == read.fields["System.IterationPath"] == "Bikes"
    assert read.fields["System.Tags"] == "ml; bikes"
    assert read.fields["System.Id"] == item.id
    assert "System.Rev" not in world.wit().get_work_item(item.id).fields
    some = world.wit().get_work_item(item.id, fields=["System.Id", "System.State"])
    assert some.fields == {"System.Id": item.id, "System.State": "New"}


def test_a_stale_revision_is_412_and_changes_nothing(world: World) -> None:
    item = make(world)
    world.wit().update_work_item([op("/fields/System.Title", "Newer")], item.id)
    stale = [{"op": "test", "path": "/rev", "value": 1}, {"op": "add", "path": "/fields/System.Title", "value": "Old"}]
    answer = patch_raw(world, item.id, stale)
    assert answer.status_code == 412
    assert set(answer.json()) == {"$id", "innerException", "message", "typeName", "typeKey", "errorCode", "eventId"}
    assert answer.json()["typeKey"] == "TestPatchOperationFailedException"
    assert "value 2 was not equal to test value 1" in answer.json()["message"]
    assert world.wit().get_work_item(item.id).fields["System.Title"] == "Newer"
    error = refused(world.wit().update_work_item, [op("/rev", 1, "test"), op("/fields/System.Title", "x")], item.id)
    assert error.type_key == "TestPatchOperationFailedException"


def test_a_patch_is_atomic(world: World) -> None:
    item = make(world)
    document = [op("/fields/System.Title", "Half"), op("/fields/System.State", "Nowhere")]
    error = refused(world.wit().update_work_item, document, item.id)
    assert "not in the list of supported values" in error.message
    now = world.wit().get_work_item(item.id)
    assert (now.rev, now.fields["System.Title"]) == (1, "Predict demand")


@pytest.mark.parametrize(
    ("path", "value", "words"),
    [
        ("/fields/Custom.Nothing", "x", "TF51535: Cannot find field Custom.Nothing."),
        ("/fields/System.Title", "", "TF401320: Rule Error for field Title. Error code: Required, InvalidEmpty."),
        ("/fields/System.Title", "x" * 256, "InvalidTooLong"),
        ("/fields/System.AreaPath", "Bikes\\Nowhere", "TF401347: Invalid tree name given for work item 1"),
        ("/fields/System.AssignedTo", "nobody@example.com", "unknown identity"),
        ("/fields/System.CreatedBy", "mira@example.com", "ReadOnly"),
        ("/fields/Microsoft.VSTS.Common.Priority", "high", "InvalidType"),
        ("/relations/7", None, "VS403352"),
        ("/nonsense", "x", "VS403352"),
        ("/multilineFieldsFormat/System.Description", "Markdown", "VS403352"),
    ],
)
def test_what_the_service_refuses_with_400(world: World, path: str, value: Any, words: str) -> None:
    item = make(world)
    answer = patch_raw(world, item.id, [{"op": "add", "path": path, "value": value}])
    assert answer.status_code == 400
    assert words in answer.json()["message"]


def test_wrong_content_type_unknown_type_and_unknown_item(world: World) -> None:
    url = f"{world.url}/Bikes/_apis/wit/workitems/$Task"
    assert requests.post(url, json=[], headers=auth(world.token), timeout=5).status_code == 415
    assert (
        "VS402323" in refused(world.wit().create_work_item, [op("/fields/System.Title", "x")], "Bikes", "Wish").message
    )
    assert "TF401232" in refused(world.wit().get_work_item, 99).message
    gone = requests.get(f"{world.url}/_apis/wit/workitems/99", headers=auth(world.token), timeout=5)
    assert gone.status_code == 404


def test_adding_tags_adds_and_replacing_replaces(world: World) -> None:
    item = make(world, "Tags", "Task", op("/fields/System.Tags", "one"))
    wit = world.wit()
    assert wit.update_work_item([op("/fields/System.Tags", "two; One")], item.id).fields["System.Tags"] == "one; two"
    assert wit.update_work_item([op("/fields/System.Tags", "two", "replace")], item.id).fields["System.Tags"] == "two"
    assert "System.Tags" not in wit.update_work_item([op("/fields/System.Tags", None, "remove")], item.id).fields


def test_hyperlinks_and_their_duplicates(world: World) -> None:
    item = make(world)
    link = {"rel": "Hyperlink", "url": "https://example.com/1", "attributes": {"comment": "the issue"}}
    now = world.wit().update_work_item([op("/relations/-", link)], item.id)
    assert [(rel.rel, rel.url, rel.attributes["comment"]) for rel in now.relations] == [
        ("Hyperlink", "https://example.com/1", "the issue")
    ]
    error = refused(world.wit().update_work_item, [op("/relations/-", link)], item.id)
    assert "already exists" in error.message
    assert world.wit().get_work_item(item.id).relations is None  # only with $expand
    gone = world.wit().update_work_item([op("/relations/0", None, "remove")], item.id)
    assert (gone.rev, gone.relations) == (3, None)


def test_links_between_items_show_on_both_ends(world: World) -> None:
    parent, child = make(world, "Parent", "Feature"), make(world, "Child")
    link = {"rel": "System.LinkTypes.Hierarchy-Reverse", "url": parent.url}
    world.wit().update_work_item([op("/relations/-", link)], child.id)
    other = world.wit().get_work_item(parent.id, expand="Relations")
    assert (other.rev, other.relations[0].rel) == (1, "System.LinkTypes.Hierarchy-Forward")
    assert other.relations[0].url.endswith(f"/workItems/{child.id}")
    assert world.wit().get_work_item(child.id).fields["System.Parent"] == parent.id
    second = make(world, "Second parent", "Feature")
    more = {"rel": "System.LinkTypes.Hierarchy-Reverse", "url": second.url}
    assert "TF201036" in refused(world.wit().update_work_item, [op("/relations/-", more)], child.id).message
    added = world.wit().get_updates(parent.id)[-1].relations.added
    assert added[0].rel == "System.LinkTypes.Hierarchy-Forward"
    world.wit().update_work_item([op("/relations/0", None, "remove")], child.id)
    assert world.wit().get_work_item(parent.id, expand="Relations").relations is None


def test_updates_and_revisions_tell_the_history(world: World) -> None:
    item = make(world)
    wit = world.wit()
    wit.update_work_item([op("/fields/System.State", "Active")], item.id)
    wit.update_work_item([op("/fields/System.AssignedTo", "mira@example.com")], item.id)
    updates = wit.get_updates(item.id)
    assert [update.rev for update in updates] == [1, 2, 3]
    change = updates[1].fields["System.State"]
    assert (change.old_value, change.new_value) == ("New", "Active")
    assert updates[2].fields["System.AssignedTo"].new_value["displayName"] == "Mira Holm"
    assert [revision.fields["System.State"] for revision in wit.get_revisions(item.id)] == ["New", "Active", "Active"]
    assert wit.get_revision(item.id, 1).fields["System.State"] == "New"
    first = wit.get_work_item(item.id, as_of=updates[0].fields["System.ChangedDate"].new_value)
    assert first.rev == 1


def test_batches(world: World) -> None:
    from azure.devops.v7_1.work_item_tracking.models import WorkItemBatchGetRequest

    one, two = make(world, "One"), make(world, "Two")
    wit = world.wit()
    assert [item.fields["System.Title"] for item in wit.get_work_items([two.id, one.id])] == ["Two", "One"]
    asked = WorkItemBatchGetRequest(ids=[one.id, 99], fields=["System.Title"], error_policy="omit")
    assert [item and item.fields for item in wit.get_work_items_batch(asked)] == [{"System.Title": "One"}, None]
    assert "TF401232" in refused(wit.get_work_items, [one.id, 99]).message


def test_delete_and_restore(world: World) -> None:
    item, wit = make(world), world.wit()
    deleted = wit.delete_work_item(item.id)
    assert (deleted.id, deleted.name) == (item.id, "Predict demand")
    assert "TF401232" in refused(wit.get_work_item, item.id).message
    assert [gone.id for gone in wit.get_deleted_work_items(ids=[item.id])] == [item.id]
    from azure.devops.v7_1.work_item_tracking.models import WorkItemDeleteUpdate

    wit.restore_work_item(WorkItemDeleteUpdate(is_deleted=False), item.id)
    assert wit.get_work_item(item.id).rev == 1


def test_validate_only_saves_nothing(world: World) -> None:
    document = [op("/fields/System.Title", "Only a thought")]
    thought = world.wit().create_work_item(document, "Bikes", "Task", validate_only=True)
    assert thought.fields["System.Title"] == "Only a thought"
    assert world.org.items == {}


def test_markdown_descriptions_since_7_2(world: World) -> None:
    wit = world.wit()
    wit.config.additional_headers = {"Accept": "application/json;api-version=7.2-preview.3"}
    form = op("/multilineFieldsFormat/System.Description", "Markdown")
    text = op("/fields/System.Description", "# Plan\n\n| a | b |\n|---|---|\n| 1 | 2 |")
    item = wit.create_work_item([op("/fields/System.Title", "Plan"), text, form], "Bikes", "Task")
    assert item.additional_properties["multilineFieldsFormat"] == {"System.Description": "markdown"}


def test_fields_areas_and_iterations(world: World) -> None:
    from datetime import UTC, datetime, timedelta

    world.org.add_field("Custom.ModelVersion", "Model version")
    world.project.add_area("Models\\Demand")
    today = datetime.now(UTC)
    world.project.add_iteration("Sprint 1", today - timedelta(days=30), today - timedelta(days=17))
    world.project.add_iteration("Sprint 2", today - timedelta(days=3), today + timedelta(days=10))
    item = make(
        world,
        "Placed",
        "Task",
        op("/fields/System.AreaPath", "bikes\\models\\demand"),
        op("/fields/System.IterationPath", "Bikes\\Sprint 2"),
        op("/fields/Custom.ModelVersion", "v7"),
    )
    assert item.fields["System.AreaPath"] == "Bikes\\Models\\Demand"
    assert item.fields["Custom.ModelVersion"] == "v7"
    tree = world.wit().get_classification_node("Bikes", "areas", depth=5)
    assert tree.children[0].path == "\\Bikes\\Area\\Models"
    assert world.wit().get_classification_node("Bikes", "areas", "Models/Demand").name == "Demand"
    from azure.devops.v7_1.work.models import TeamContext

    work = world.client("work")
    current = work.get_team_iterations(TeamContext(project="Bikes", team="Bikes Team"), timeframe="current")
    assert [iteration.path for iteration in current] == ["Bikes\\Sprint 2"]


def test_reporting_revisions_catch_up_from_a_token(world: World) -> None:
    one, wit = make(world, "One"), world.wit()
    # The client's own model of this answer is empty: what came is among the additional properties.
    batch = wit.read_reporting_revisions_get("Bikes", fields=["System.Title", "System.ChangedBy"]).additional_properties
    assert [(row["id"], row["rev"]) for row in batch["values"]] == [(one.id, 1)]
    assert batch["values"][0]["fields"]["System.ChangedBy"] == "Lifecycle Bot <bot@example.com>"
    assert batch["isLastBatch"]
    two = make(world, "Two")
    wit.update_work_item([op("/fields/System.Title", "One again")], one.id)
    url = f"{world.url}/Bikes/_apis/wit/reporting/workitemrevisions"
    seen, token, last = [], batch["continuationToken"], False
    while not last:
        params = {"continuationToken": token, "$maxPageSize": "1"}
        page = requests.get(url, params=params, headers=auth(world.token), timeout=5).json()
        seen += [(row["id"], row["rev"]) for row in page["values"]]
        token, last = page["continuationToken"], page["isLastBatch"]
    assert seen == [(two.id, 1), (one.id, 2)]
