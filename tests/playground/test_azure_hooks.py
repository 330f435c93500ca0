"""Service hooks as the platform sends them: envelope, basic auth, filters, retries, probation, history."""

import json
import time
from collections.abc import Callable
from typing import Any

import pytest
from azure.devops.exceptions import AzureDevOpsServiceError
from azure.devops.v7_1.service_hooks.models import NotificationsQuery
from azure.devops.v7_1.service_hooks.models import Subscription as Wish
from azure.devops.v7_1.work_item_tracking.models import CommentCreate

from tests.playground.azure_fixtures import (
    Receiver,
    World,
    agile_world,  # noqa: F401 (a fixture)
    hook_receiver,  # noqa: F401 (a fixture)
    op,
    served,
)


def hooks(world: World) -> Any:
    return world.client("service_hooks")


def wish(world: World, receiver: Receiver, event: str = "workitem.commented", **filters: str) -> Wish:
    return Wish(
        publisher_id="tfs",
        event_type=event,
        resource_version="1.0",
        consumer_id="webHooks",
        consumer_action_id="httpRequest",
        publisher_inputs={"projectId": world.project.id, **filters},
        consumer_inputs={
            "url": receiver.url,
            "basicAuthUsername": "hook",
            "basicAuthPassword": "s:cret",
            "httpHeaders": "X-Secret:abc\nX-Other: two",
        },
    )


def bodies(receiver: Receiver, event: str | None = None) -> list[dict[str, Any]]:
    every = [json.loads(delivery.body) for delivery in receiver.got]
    return [body for body in every if event in (None, body["eventType"])]


def until(condition: Callable[[], object], seconds: float = 5.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.01)


def test_a_comment_fires_both_updated_and_commented(world: World, receiver: Receiver) -> None:
    for event in ("workitem.updated", "workitem.commented"):
        hooks(world).create_subscription(wish(world, receiver, event))
    item = world.wit().create_work_item([op("/fields/System.Title", "Talk")], "Bikes", "Task")
    world.wit(world.org.personal_token(world.mira)).add_comment(CommentCreate(text="/status"), "Bikes", item.id)
    assert world.org.drain()
    (updated,), (commented,) = bodies(receiver, "workitem.updated"), bodies(receiver, "workitem.commented")
    assert updated["resource"]["workItemId"] == item.id
    assert updated["resource"]["id"] == updated["resource"]["rev"] == 2
    assert updated["resource"]["fields"]["System.History"] == {"newValue": "/status"}
    assert updated["resource"]["revisedBy"]["uniqueName"] == "mira@example.com"
    assert commented["resource"]["id"] == item.id
    assert commented["resource"]["fields"]["System.History"] == "/status"
    assert commented["resource"]["fields"]["System.ChangedBy"] == "Mira Holm <mira@example.com>"
    assert "comment" not in commented["resource"]


def test_the_envelope_has_the_keys_of_a_captured_one(world: World, receiver: Receiver) -> None:
    made = hooks(world).create_subscription(wish(world, receiver, "workitem.updated"))
    item = world.wit().create_work_item([op("/fields/System.Title", "Keys")], "Bikes", "Task")
    world.wit().update_work_item([op("/fields/System.AssignedTo", "ada@example.com")], item.id)
    assert world.org.drain()
    (body,) = bodies(receiver)
    assert list(body) == [
        *("subscriptionId", "notificationId", "id", "eventType", "publisherId", "message", "detailedMessage"),
        *("resource", "resourceVersion", "resourceContainers", "createdDate"),
    ]
    assert (body["subscriptionId"], body["notificationId"]) == (made.id, 1)
    resource = body["resource"]
    assert set(resource) == {
        *("id", "workItemId", "rev", "revisedBy", "revisedDate", "fields", "_links", "url", "revision")
    }
    assert set(resource["revisedBy"]) == {
        *("id", "name", "displayName", "url", "_links", "uniqueName", "imageUrl", "descriptor")
    }
    assert resource["fields"]["System.AssignedTo"] == {"newValue": "Ada Berg <ada@example.com>"}
    assert resource["fields"]["System.Rev"] == {"oldValue": 1, "newValue": 2}
    assert resource["revision"]["fields"]["System.AssignedTo"] == "Ada Berg <ada@example.com>"
    assert set(body["resourceContainers"]) == {"collection", "account", "project"}
    assert body["resourceContainers"]["project"]["id"] == world.project.id
    assert "assigned to Ada Berg by Lifecycle Bot" in body["message"]["text"]
    assert "- New Assigned To: Ada Berg" in body["detailedMessage"]["text"]


def test_secrets_are_sent_but_never_shown(world: World, receiver: Receiver) -> None:
    made = hooks(world).create_subscription(wish(world, receiver, "workitem.created"))
    assert made.consumer_inputs["basicAuthPassword"] == "********"
    world.wit().create_work_item([op("/fields/System.Title", "Secret")], "Bikes", "Task")
    assert world.org.drain()
    (delivery,) = receiver.got
    assert delivery.basic == "hook:s:cret"
    assert (delivery.headers["X-Secret"], delivery.headers["X-Other"]) == ("abc", "two")
    assert delivery.headers["Request-Id"]
    assert delivery.headers["Content-Type"] == "application/json; charset=utf-8"
    made.consumer_inputs["url"] = receiver.url + "/2"
    hooks(world).replace_subscription(made, made.id)
    world.wit().create_work_item([op("/fields/System.Title", "Still")], "Bikes", "Task")
    assert world.org.drain()
    assert receiver.got[1].basic == "hook:s:cret"


def test_every_life_event(world: World, receiver: Receiver) -> None:
    names = ["created", "updated", "commented", "deleted", "restored"]
    for name in names:
        world.org.subscribe(f"workitem.{name}", receiver.url, world.ada, project=world.project)
    item = world.org.create_item(world.project, "Bug", world.mira, **{"System.Title": "Life"})
    world.org.change_item(item, world.mira, **{"System.State": "Active"})
    world.org.comment(item, "hello", world.mira)
    from azure.devops.v7_1.work_item_tracking.models import WorkItemDeleteUpdate

    world.wit().delete_work_item(item.id)
    world.wit().restore_work_item(WorkItemDeleteUpdate(is_deleted=False), item.id)
    assert world.org.drain()
    counted = {name: len(bodies(receiver, f"workitem.{name}")) for name in names}
    assert counted == {"created": 1, "updated": 2, "commented": 1, "deleted": 1, "restored": 1}
    (deleted,) = bodies(receiver, "workitem.deleted")
    assert "/recyclebin/" in deleted["resource"]["url"]


@pytest.mark.parametrize(
    ("filters", "fires"),
    [
        ({}, True),
        ({"workItemType": "bug"}, True),
        ({"workItemType": "Task"}, False),
        ({"areaPath": "Bikes"}, True),
        ({"areaPath": "Bikes\\Models"}, True),
        ({"areaPath": "Bikes\\Mod"}, False),
        ({"commentPattern": "/TRAIN"}, True),
        ({"commentPattern": "/promote"}, False),
    ],
)
def test_filters(world: World, receiver: Receiver, filters: dict[str, str], fires: bool) -> None:
    world.project.add_area("Models")
    hooks(world).create_subscription(wish(world, receiver, **filters))
    title = {"System.Title": "Filter", "System.AreaPath": "Bikes\\Models"}
    item = world.org.create_item(world.project, "Bug", world.mira, **title)
    world.org.comment(item, "/train now", world.mira)
    assert world.org.drain()
    assert bool(receiver.got) is fires


def test_events_of_other_projects_stay_away(world: World, receiver: Receiver) -> None:
    world.org.subscribe("workitem.created", receiver.url, world.ada, project=world.project)
    everywhere = world.org.subscribe("workitem.created", receiver.url, world.ada)
    world.org.create_item(world.org.create_project("Cars"), "Task", world.mira, **{"System.Title": "Wheel"})
    assert world.org.drain()
    assert [body["subscriptionId"] for body in bodies(receiver)] == [everywhere.id]


def test_a_503_is_tried_again_until_it_succeeds(world: World, receiver: Receiver) -> None:
    receiver.answers = [503, 502, 504, 408]
    made = hooks(world).create_subscription(wish(world, receiver, "workitem.created"))
    world.wit().create_work_item([op("/fields/System.Title", "Try")], "Bikes", "Task")
    assert world.org.drain()
    assert len(receiver.got) == 5
    assert len({delivery.body for delivery in receiver.got}) == 1
    waits = [(b.at - a.at).total_seconds() for a, b in zip(receiver.got, receiver.got[1:], strict=False)]
    assert all(wait >= planned for wait, planned in zip(waits, (0.01, 0.02, 0.04, 0.08), strict=True))
    (entry,) = hooks(world).get_notifications(made.id)
    assert (entry.status, entry.result) == ("completed", "succeeded")
    assert hooks(world).get_subscription(made.id).status == "enabled"


def test_after_nine_503_the_platform_gives_up_and_history_has_the_event(receiver: Receiver) -> None:
    with served(retry_scale=0.001) as world:
        receiver.answers = [503] * 9
        made = hooks(world).create_subscription(wish(world, receiver, "workitem.created"))
        item = world.wit().create_work_item([op("/fields/System.Title", "Lost")], "Bikes", "Task")
        assert world.org.drain()
        assert len(receiver.got) == 9
        query = NotificationsQuery(subscription_ids=[made.id], result_type="failed", include_details=True)
        (entry,) = hooks(world).query_notifications(query).results
        assert (entry.result, entry.details.request_attempts) == ("failed", 9)
        assert entry.details.event.resource["id"] == item.id
        assert entry.details.event.additional_properties["notificationId"] == 1
        assert hooks(world).get_subscription(made.id).status == "enabled"


def test_410_ends_a_subscription_at_once(world: World, receiver: Receiver) -> None:
    receiver.answers = [410]
    made = hooks(world).create_subscription(wish(world, receiver, "workitem.created"))
    for title in ("One", "Two"):
        world.wit().create_work_item([op("/fields/System.Title", title)], "Bikes", "Task")
        assert world.org.drain()
    assert len(receiver.got) == 1
    assert hooks(world).get_subscription(made.id).status == "disabledBySystem"


@pytest.mark.parametrize("status", [401, 500])
def test_other_failures_are_not_retried_and_lead_to_probation(receiver: Receiver, status: int) -> None:
    with served(retry_scale=0.002) as world:
        receiver.answers = [status]
        made = hooks(world).create_subscription(wish(world, receiver, "workitem.created"))
        world.org.create_item(world.project, "Task", world.mira, **{"System.Title": "Refused"})
        assert world.org.drain()
        assert hooks(world).get_subscription(made.id).status == "onProbation"
        world.org.create_item(world.project, "Task", world.mira, **{"System.Title": "Held back"})
        assert world.org.drain()
        assert len(receiver.got) == 1
        time.sleep(0.13)  # probation lets one through after 60 s, here 0.12 s
        world.org.create_item(world.project, "Task", world.mira, **{"System.Title": "Healed"})
        assert world.org.drain()
        assert [body["resource"]["fields"]["System.Title"] for body in bodies(receiver)] == ["Refused", "Healed"]
        assert hooks(world).get_subscription(made.id).status == "enabled"


def test_suppressed_and_disabled(world: World, receiver: Receiver) -> None:
    made = hooks(world).create_subscription(wish(world, receiver, "workitem.created"))
    world.wit().create_work_item([op("/fields/System.Title", "x")], "Bikes", "Task", suppress_notifications=True)
    made.status = "disabledByUser"
    hooks(world).replace_subscription(made, made.id)
    world.wit().create_work_item([op("/fields/System.Title", "y")], "Bikes", "Task")
    assert world.org.drain()
    assert receiver.got == []
    hooks(world).delete_subscription(made.id)
    assert hooks(world).list_subscriptions() == []


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"event_type": "workitem.dreamt"}, "event type"),
        ({"publisher_id": "rm"}, "publisher"),
        ({"consumer_id": "slack"}, "consumer"),
        ({"publisher_inputs": {"mood": "good"}}, "no publisher input mood"),
        ({"publisher_inputs": {"projectId": "Nowhere"}}, "TF200016"),
        ({"consumer_inputs": {"url": "ftp://x"}}, "absolute http"),
        ({"consumer_inputs": {"url": "https://x", "colour": "red"}}, "no input colour"),
    ],
)
def test_bad_subscriptions_are_refused(world: World, receiver: Receiver, change: dict[str, Any], words: str) -> None:
    bad = wish(world, receiver)
    for name, value in change.items():
        setattr(bad, name, value)
    with pytest.raises(AzureDevOpsServiceError, match=words):
        hooks(world).create_subscription(bad)
    assert hooks(world).list_subscriptions(event_type="workitem.commented") == []


def test_minimal_payloads(world: World, receiver: Receiver) -> None:
    small = wish(world, receiver, "workitem.created")
    small.consumer_inputs |= {"resourceDetailsToSend": "minimal", "messagesToSend": "none"}
    hooks(world).create_subscription(small)
    item = world.org.create_item(world.project, "Task", world.mira, **{"System.Title": "Small"})
    until(lambda: receiver.got)
    (body,) = bodies(receiver)
    assert (set(body["resource"]), body["resource"]["id"]) == ({"id", "url"}, item.id)
    assert "message" not in body
