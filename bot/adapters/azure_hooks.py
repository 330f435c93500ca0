"""Decodes Azure DevOps' service hook deliveries into events (pure, and light: the web process runs it)."""

from collections.abc import Mapping
from datetime import datetime

import msgspec

from bot.adapters import azure_pull_hooks as pulls
from bot.events import Event, WorkItemTouched
from bot.refs import Ref

TEST_BUTTON = "00000000-0000-0000-0000-000000000000"  # the subscription of what "Test" in the portal sends
KINDS = frozenset({"workitem.created", "workitem.updated", "workitem.commented"})


class BadDelivery(ValueError):
    """A delivery of a kind that we handle, without the fields that it must have."""


class _Fields(msgspec.Struct, frozen=True):
    changed: object = msgspec.field(default=None, name="System.ChangedDate")


class _Revision(msgspec.Struct, frozen=True):
    rev: int


class _Resource(msgspec.Struct, frozen=True, rename="camel"):
    """`id` is the item's number, except in an update, where it counts updates and `workItemId` is the number."""

    id: int
    rev: int
    fields: _Fields = _Fields()
    work_item_id: int | None = None
    revision: _Revision | None = None


class _Envelope(msgspec.Struct, frozen=True, rename="camel"):
    event_type: str
    subscription_id: str = ""


class _Delivery(_Envelope, frozen=True, rename="camel", kw_only=True):
    resource: _Resource
    created_date: datetime


def decode(body: bytes, organisation: str, repositories: Mapping[str, str] = {}) -> tuple[Event, ...]:
    """The events in a delivery; none where it is nothing to us. `organisation` is the name in our refs.

    `repositories` leads from `project/repository` in lower case, names or ids, to what a place is called in our refs.

    Raises BadDelivery, with a sentence, where the body is not JSON or lacks a field that we read.
    """
    try:
        envelope = msgspec.json.decode(body, type=_Envelope)
        if envelope.subscription_id == TEST_BUTTON:
            return ()
        if envelope.event_type in pulls.KINDS:
            return pulls.decode(envelope.event_type, body, repositories)
        if envelope.event_type not in KINDS:
            return ()
        delivery = msgspec.json.decode(body, type=_Delivery)
    except (msgspec.DecodeError, UnicodeDecodeError) as problem:
        raise BadDelivery(f"This is not a service hook delivery of Azure DevOps: {problem}.") from None
    resource = delivery.resource
    number = resource.work_item_id if envelope.event_type == "workitem.updated" else resource.id
    if not number or number < 0:
        return ()  # the samples in Microsoft's documentation are about work item 0
    revision = resource.revision.rev if resource.revision else resource.rev
    ref = str(Ref("boards", organisation, number))
    return (WorkItemTouched(ref=ref, revision=revision, at=_changed(resource) or delivery.created_date),)


def _changed(resource: _Resource) -> datetime | None:
    """When the item was changed, which is when a comment was made; the delivery's own date is seconds later."""
    value = resource.fields.changed
    if isinstance(value, dict):  # an update tells old and new
        value = value.get("newValue")
    try:
        found = msgspec.convert(value, datetime, strict=False)
    except msgspec.ValidationError:
        return None
    return found if found.tzinfo else None
