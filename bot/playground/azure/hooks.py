"""Service hooks over HTTP: subscriptions are made, read, changed and deleted, and their history is read."""

import re
import uuid
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from .errors import hook_input, hook_missing
from .fields import read_time, write_time
from .people import Person, identity_ref
from .state import Organisation
from .subscriptions import EVENTS, Notification, Subscription
from .wire import Answer, Call, Routes, collection

routes = Routes()
MASK = "********"
_SECRETS = {"basicAuthPassword", "httpHeaders"}
_CONSUMER_INPUTS = {
    "url",
    "httpHeaders",
    "basicAuthUsername",
    "basicAuthPassword",
    "acceptUntrustedCerts",
    "resourceDetailsToSend",
    "messagesToSend",
    "detailedMessagesToSend",
}
_CHOICES = {
    "resourceDetailsToSend": ("all", "minimal", "none", ""),
    "messagesToSend": ("all", "text", "html", "markdown", "none", ""),
    "detailedMessagesToSend": ("all", "text", "html", "markdown", "none", ""),
}
_STATES = ("enabled", "onProbation", "disabledByUser", "disabledBySystem", "disabledByInactiveIdentity")


def subscribe(
    org: Organisation,
    event_type: str,
    url: str,
    by: Person,
    *,
    publisher_inputs: Mapping[str, str] | None = None,
    consumer_inputs: Mapping[str, str] | None = None,
    resource_version: str = "1.0",
) -> Subscription:
    """A subscription of webHooks/httpRequest to url; refuses events, filters and inputs that it does not know."""
    with org.lock:
        inputs = _publisher_inputs(org, event_type, publisher_inputs or {})
        wanted = _consumer_inputs({**(consumer_inputs or {}), "url": url})
        now = org.now()
        subscription = Subscription(
            str(uuid.uuid4()), event_type, resource_version, inputs, wanted, by, created=now, modified=now
        )
        org.subscriptions[subscription.id] = subscription
        return subscription


def _publisher_inputs(org: Organisation, event_type: str, given: Mapping[str, Any]) -> dict[str, str]:
    if event_type not in EVENTS:
        raise hook_missing("event type", event_type)
    inputs = {name: str(value) for name, value in given.items() if value is not None and name != "tfsSubscriptionId"}
    unknown = inputs.keys() - EVENTS[event_type]
    if unknown:
        raise hook_input(f"{event_type} has no publisher input {', '.join(sorted(unknown))} in the playground.")
    if inputs.get("projectId"):
        inputs["projectId"] = org.project(inputs["projectId"]).id
    return inputs


def _consumer_inputs(given: Mapping[str, Any]) -> dict[str, str]:
    inputs = {name: str(value) for name, value in given.items() if value is not None}
    if unknown := inputs.keys() - _CONSUMER_INPUTS:
        raise hook_input(f"webHooks/httpRequest has no input {', '.join(sorted(unknown))}.")
    try:
        address = urlsplit(inputs.get("url", ""))
    except ValueError:
        raise hook_input("The input url is not a URL.") from None
    if address.scheme not in ("http", "https") or not address.netloc:
        raise hook_input("The input url must be an absolute http or https URL.")
    for line in inputs.get("httpHeaders", "").splitlines():
        if not re.fullmatch(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+:[ -~]*", line):
            raise hook_input(f"The input httpHeaders must have one 'name:value' a line, not {line!r}.")
    for name, allowed in _CHOICES.items():
        if inputs.get(name, allowed[0]) not in allowed:
            raise hook_input(f"The input {name} is one of {', '.join(allowed)}.")
    return inputs


@routes("POST", "_apis/hooks/subscriptions")
def create(call: Call) -> Answer:
    body = call.object
    _check_ends(body)
    made = subscribe(
        call.org,
        body.text("eventType"),
        body.object("consumerInputs").text("url"),
        call.person,
        publisher_inputs=body.object("publisherInputs"),
        consumer_inputs=body.object("consumerInputs"),
        resource_version=body.text("resourceVersion", "1.0"),
    )
    return Answer(describe(call.org, made))


def _check_ends(body: Mapping[str, Any]) -> None:
    for key, only in (("publisherId", "tfs"), ("consumerId", "webHooks"), ("consumerActionId", "httpRequest")):
        if body.get(key) != only:
            raise hook_missing(key.removesuffix("Id"), str(body.get(key)))


@routes("GET", "_apis/hooks/subscriptions")
def listed(call: Call) -> Answer:
    bodies = [describe(call.org, some) for some in call.org.subscriptions.values()]
    for name in ("publisherId", "eventType", "consumerId", "consumerActionId"):
        if (wanted := call.query.get(name.lower())) is not None:
            bodies = [body for body in bodies if body[name].lower() == wanted.lower()]
    return collection(bodies)


@routes("GET", "_apis/hooks/subscriptions/{subscription}")
def one(call: Call) -> Answer:
    return Answer(describe(call.org, _subscription(call)))


@routes("PUT", "_apis/hooks/subscriptions/{subscription}")
def change(call: Call) -> Answer:
    """Replaces inputs and status; a secret sent back masked stays what it was."""
    found, body = _subscription(call), call.object
    _check_ends(body)
    given = body.object("consumerInputs")
    for name in _SECRETS & given.keys():
        if MASK in str(given[name]):
            given[name] = found.consumer_inputs.get(name)
    status = body.text("status", found.status)
    if status not in _STATES:
        raise hook_input(f"A subscription's status is one of {', '.join(_STATES)}, not {status}.")
    event_type = body.text("eventType")
    found.publisher_inputs = _publisher_inputs(call.org, event_type, body.object("publisherInputs"))
    found.consumer_inputs, found.event_type = _consumer_inputs(given), event_type
    found.resource_version = body.text("resourceVersion", found.resource_version)
    found.status, found.modified = status, call.org.now()
    if status == "enabled":
        found.probation_retries = 0
    return Answer(describe(call.org, found))


@routes("DELETE", "_apis/hooks/subscriptions/{subscription}")
def delete(call: Call) -> Answer:
    del call.org.subscriptions[_subscription(call).id]
    return Answer(None)


@routes("GET", "_apis/hooks/subscriptions/{subscription}/notifications")
def history(call: Call) -> Answer:
    found = _subscription(call)
    some = _filtered(found.notifications, call.query.get("status"), call.query.get("result"))
    most = call.count("maxResults", 100, 1000)
    return collection([describe_notification(call.org, found, entry) for entry in some[:most]])


@routes("GET", "_apis/hooks/subscriptions/{subscription}/notifications/{number:int}")
def one_notification(call: Call) -> Answer:
    found, number = _subscription(call), call.number("number")
    if not 1 <= number <= len(found.notifications):
        raise hook_missing("notification", str(number))
    return Answer(describe_notification(call.org, found, found.notifications[number - 1], details=True))


@routes("POST", "_apis/hooks/notificationsquery")
def query(call: Call) -> Answer:
    """NotificationsQuery: by subscription, time, status and result; details hold the whole event."""
    body = call.object
    ids = body.texts("subscriptionIds") or list(call.org.subscriptions)
    least, most = _when(body.get("minCreatedDate")), _when(body.get("maxCreatedDate"))
    results, summary = [], []
    for found in (call.org.subscriptions[some] for some in ids if some in call.org.subscriptions):
        entries = _filtered(found.notifications, body.get("status"), body.get("resultType"))
        entries = [e for e in entries if (not least or e.created >= least) and (not most or e.created <= most)]
        for entry in entries[: body.number("maxResultsPerSubscription", 100)]:
            details = bool(body.get("includeDetails"))
            results.append(describe_notification(call.org, found, entry, details=details))
        summary.append({"subscriptionId": found.id, "results": _tally(entries)})
    return Answer({**body, "results": results[: body.number("maxResults", 1000)], "summary": summary})


def _tally(entries: Iterable[Notification]) -> list[dict[str, Any]]:
    names = [entry.result for entry in entries]
    return [{"result": name, "notificationCount": names.count(name)} for name in sorted(set(names))]


def _when(text: Any) -> datetime | None:
    try:
        return read_time(str(text)) if text else None
    except ValueError:
        raise hook_input(f"Not a date: {text}.") from None


def _filtered(entries: list[Notification], status: Any, result: Any) -> list[Notification]:
    """Newest first."""
    kept = [entry for entry in entries if status in (None, entry.status) and result in (None, entry.result)]
    return kept[::-1]


def _subscription(call: Call) -> Subscription:
    found = call.org.subscriptions.get(call.parts["subscription"].lower())
    if found is None:
        raise hook_missing("subscription", call.parts["subscription"])
    return found


@routes("GET", "_apis/hooks/publishers/{publisher}/eventtypes")
def event_types(call: Call) -> Answer:
    if call.parts["publisher"].lower() != "tfs":
        raise hook_missing("publisher", call.parts["publisher"])
    url = f"{call.org.base_url}/_apis/hooks/publishers/tfs/eventTypes"
    return collection([{"id": name, "publisherId": "tfs", "name": name, "url": f"{url}/{name}"} for name in EVENTS])


def describe(org: Organisation, found: Subscription) -> dict[str, Any]:
    """Subscription of the REST API; secrets come back masked."""
    inputs = {name: MASK if name in _SECRETS and value else value for name, value in found.consumer_inputs.items()}
    url = f"{org.base_url}/_apis/hooks/subscriptions/{found.id}"
    body: dict[str, Any] = {
        "id": found.id,
        "url": url,
        "status": found.status,
        "publisherId": "tfs",
        "eventType": found.event_type,
        "subscriber": None,
        "resourceVersion": found.resource_version,
        "eventDescription": found.event_type,
        "consumerId": "webHooks",
        "consumerActionId": "httpRequest",
        "actionDescription": f"To host {urlsplit(inputs['url']).hostname}",
        "probationRetries": found.probation_retries,
        "createdBy": identity_ref(found.by, org.base_url),
        "createdDate": write_time(found.created),
        "modifiedBy": identity_ref(found.by, org.base_url),
        "modifiedDate": write_time(found.modified),
        "publisherInputs": dict(found.publisher_inputs),
        "consumerInputs": inputs,
        "_links": {"self": {"href": url}, "notifications": {"href": f"{url}/notifications"}},
    }
    for name, when in (
        ("lastProbationRetryDate", found.last_probation),
        ("lastSuccessfulAttemptDate", found.last_success),
    ):
        if when is not None:
            body[name] = write_time(when)
    return body


def describe_notification(
    org: Organisation, found: Subscription, entry: Notification, *, details: bool = False
) -> dict[str, Any]:
    """Notification of the REST API."""
    body: dict[str, Any] = {
        "id": entry.id,
        "subscriptionId": found.id,
        "subscriberId": "00000000-0000-0000-0000-000000000000",
        "eventId": entry.event.id,
        "status": entry.status,
        "result": entry.result,
        "createdDate": write_time(entry.created),
        "modifiedDate": write_time(entry.modified),
    }
    if details:
        body["details"] = _details(org, found, entry)
    return body


def _details(org: Organisation, found: Subscription, entry: Notification) -> dict[str, Any]:
    described = describe(org, found)
    last = entry.attempts[-1] if entry.attempts else None
    body = {name: described[name] for name in ("publisherId", "eventType", "publisherInputs", "consumerId")}
    body |= {name: described[name] for name in ("consumerActionId", "consumerInputs")}
    body |= {"event": dict(entry.envelope), "requestAttempts": len(entry.attempts)}
    body["queuedDate"] = write_time(entry.created)
    if last is not None:
        body["request"] = f"POST {found.consumer_inputs['url']}"
        body["response"] = f"{last.status or last.error}\n{last.answer.decode(errors='replace')[:2000]}"
        body["requestDuration"] = round(last.seconds, 3)
        body["processedDate"] = write_time(last.at)
        if not last.delivered:
            body["errorMessage"] = last.error or f"The remote server answered {last.status}."
    if entry.status == "completed":
        body["completedDate"] = write_time(entry.modified)
    return body
