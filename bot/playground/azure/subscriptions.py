"""Service hooks: who subscribed to what, which event concerns whom, and what became of every notification."""

import base64
import json
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from bot.playground.courier import Attempt, Parcel

from .people import Person
from .state import Organisation, Project, is_transient

# The platform's pace for subscriptions on probation is not published; these two numbers are ours.
PROBATION_SECONDS = 60.0
PROBATION_RETRIES = 7

WORK_ITEM_FILTERS = frozenset({"projectId", "areaPath", "workItemType"})
PULL_FILTERS = frozenset({"projectId", "repository", "branch", "pullrequestCreatedBy", "pullrequestReviewersContains"})
EVENTS: Mapping[str, frozenset[str]] = {
    "workitem.created": WORK_ITEM_FILTERS,
    "workitem.updated": WORK_ITEM_FILTERS | {"changedFields"},
    "workitem.commented": WORK_ITEM_FILTERS | {"commentPattern"},
    "workitem.deleted": WORK_ITEM_FILTERS,
    "workitem.restored": WORK_ITEM_FILTERS,
    "git.push": frozenset({"projectId", "repository", "branch", "pushedBy"}),
    "git.pullrequest.created": PULL_FILTERS,
    "git.pullrequest.updated": PULL_FILTERS | {"notificationType"},
    "git.pullrequest.merged": PULL_FILTERS | {"mergeResult"},
    "ms.vss-code.git-pullrequest-comment-event": frozenset({"projectId", "repository", "branch"}),
}


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened. message and detail are {text, html, markdown}; facts are what filters look at.

    resource makes the payload for a resource version such as "1.0".
    """

    type: str
    project: Project
    message: Mapping[str, str]
    detail: Mapping[str, str]
    resource: Callable[[str], dict[str, Any]]
    facts: Mapping[str, str]
    at: datetime
    id: str = field(default_factory=lambda: str(uuid.uuid4()))


@dataclass(slots=True)
class Notification:
    """One delivery: status queued, processing, queuedForRetry, completed; result pending, succeeded, failed."""

    id: int
    event: Event
    envelope: Mapping[str, Any]
    parcel: Parcel
    created: datetime
    modified: datetime
    status: str = "queued"
    result: str = "pending"
    attempts: list[Attempt] = field(default_factory=list)


@dataclass(slots=True)
class Subscription:
    id: str
    event_type: str
    resource_version: str
    publisher_inputs: dict[str, str]
    consumer_inputs: dict[str, str]
    by: Person
    created: datetime
    modified: datetime
    status: str = "enabled"
    probation_retries: int = 0
    last_probation: datetime | None = None
    last_success: datetime | None = None
    notifications: list[Notification] = field(default_factory=list)

    def wants(self, event: Event) -> bool:
        if self.event_type != event.type:
            return False
        inputs = {name: value for name, value in self.publisher_inputs.items() if value}
        project = inputs.pop("projectId", event.project.id)
        return project.lower() == event.project.id and all(
            _matches(name, value, event.facts.get(name, "")) for name, value in inputs.items()
        )


def _matches(name: str, wanted: str, fact: str) -> bool:
    wanted, fact = wanted.lower(), fact.lower()
    match name:
        case "areaPath":
            return fact == wanted.strip("\\") or fact.startswith(wanted.strip("\\") + "\\")
        case "commentPattern":
            return wanted in fact
        case "changedFields":
            return bool({part.strip() for part in wanted.split(",")} & set(fact.split(",")))
        case "branch":
            return wanted.removeprefix("refs/heads/") == fact.removeprefix("refs/heads/")
        case _:
            return wanted == fact


def publish(org: Organisation, event: Event) -> None:
    """Hands the event to every subscription that wants it and is not suspended."""
    with org.lock:
        for subscription in org.subscriptions.values():
            if subscription.wants(event) and _open(org, subscription):
                _notify(org, subscription, event)


def _open(org: Organisation, subscription: Subscription) -> bool:
    """Whether events go out: always when enabled, now and then on probation, never when disabled."""
    if subscription.status == "enabled":
        return True
    if subscription.status != "onProbation" or subscription.last_probation is None:
        return False
    pause = timedelta(seconds=PROBATION_SECONDS * 2**subscription.probation_retries * org.retry_scale)
    return org.now() - subscription.last_probation >= pause


def _notify(org: Organisation, subscription: Subscription, event: Event) -> None:
    number = len(subscription.notifications) + 1
    content = envelope(org, subscription, event, number)
    parcel = _parcel(subscription, content, f"{event.type} {number}")
    notification = Notification(number, event, content, parcel, org.now(), org.now())
    subscription.notifications.append(notification)

    def listen(attempt: Attempt) -> None:
        with org.lock:
            _record(org, subscription, notification, attempt)

    org.courier.post(parcel, listen)


def envelope(org: Organisation, subscription: Subscription, event: Event, number: int) -> dict[str, Any]:
    """The body of a delivery, key for key in the order of a real one."""
    base, project = f"{org.base_url}/", event.project.id
    inputs = subscription.consumer_inputs
    body: dict[str, Any] = {
        "subscriptionId": subscription.id,
        "notificationId": number,
        "id": event.id,
        "eventType": event.type,
        "publisherId": "tfs",
        "message": _some(event.message, inputs.get("messagesToSend")),
        "detailedMessage": _some(event.detail, inputs.get("detailedMessagesToSend")),
        "resource": _details(event.resource(subscription.resource_version), inputs.get("resourceDetailsToSend")),
        "resourceVersion": subscription.resource_version,
        "resourceContainers": {
            "collection": {"id": org.id, "baseUrl": base},
            "account": {"id": org.account_id, "baseUrl": base},
            "project": {"id": project, "baseUrl": base},
        },
        "createdDate": event.at.strftime("%Y-%m-%dT%H:%M:%S.%f") + "0Z",
    }
    return {name: value for name, value in body.items() if value is not None}


def _some(texts: Mapping[str, str], wanted: str | None) -> dict[str, str] | None:
    match wanted or "all":
        case "all":
            return dict(texts)
        case "none":
            return None
        case one:
            return {one: texts[one]}


def _details(resource: dict[str, Any], wanted: str | None) -> dict[str, Any] | None:
    match wanted or "all":
        case "all":
            return resource
        case "none":
            return None
        case _:
            return {name: resource[name] for name in ("id", "workItemId", "pullRequestId", "url") if name in resource}


def _parcel(subscription: Subscription, content: Mapping[str, Any], label: str) -> Parcel:
    inputs = subscription.consumer_inputs
    headers = {
        "Content-Type": "application/json; charset=utf-8",
        "User-Agent": "VSServices/19.0 (ServiceHooks; playground)",
        "Request-Id": str(uuid.uuid4()),
    }
    for line in inputs.get("httpHeaders", "").splitlines():
        name, _, value = line.partition(":")
        headers[name.strip()] = value.strip()
    user, password = inputs.get("basicAuthUsername", ""), inputs.get("basicAuthPassword", "")
    if user or password:
        headers["Authorization"] = "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()
    return Parcel(subscription.id, inputs["url"], headers, json.dumps(content).encode(), label)


def _record(org: Organisation, subscription: Subscription, notification: Notification, attempt: Attempt) -> None:
    """Success heals a subscription; 410 ends it; a failure that is not transient puts it on probation."""
    notification.attempts.append(attempt)
    notification.modified = org.now()
    if not attempt.final:
        notification.status = "queuedForRetry"
        return
    notification.status = "completed"
    notification.result = "succeeded" if attempt.delivered else "failed"
    if attempt.delivered:
        subscription.last_success = notification.modified
        if subscription.status == "onProbation":
            subscription.status, subscription.probation_retries = "enabled", 0
    elif attempt.status == 410:
        subscription.status = "disabledBySystem"
    elif not is_transient(attempt.status):
        _probation(subscription, notification.modified)


def _probation(subscription: Subscription, at: datetime) -> None:
    if subscription.status == "onProbation":
        subscription.probation_retries += 1
    if subscription.probation_retries >= PROBATION_RETRIES:
        subscription.status = "disabledBySystem"
    elif subscription.status == "enabled":
        subscription.status = "onProbation"
    subscription.last_probation = at
