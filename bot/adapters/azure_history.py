"""What Azure DevOps remembers: revisions of work items, and the notifications of service hooks that never arrived."""

import logging
import time
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec

from bot.adapters.azure_hooks import BadDelivery, decode
from bot.adapters.azure_session import Session
from bot.events import Happened, MonitorDue, RetentionDue, SweepDue, WorkItemTouched
from bot.ports import Denied, Missed, Unavailable
from bot.refs import Ref

log = logging.getLogger(__name__)
CHANGED = "System.ChangedDate"
MOST = 50  # pages of revisions in one go; one has up to a thousand
AGAIN = 3600.0  # seconds until service hooks that we may not read are tried again
ENABLED = "enabled"


class _Row(msgspec.Struct, frozen=True):
    id: int
    rev: int
    fields: dict[str, Any] = {}


class _Page(msgspec.Struct, frozen=True, rename="camel"):
    """azure-devops' own model of it has forgotten the names of these, so it hands them on as they came."""

    values: list[_Row] = []
    is_last_batch: bool = True
    continuation_token: str | None = None


class History:
    """`hook` is where our service hooks post to; those of others are nothing to us. `repositories` as for `decode`."""

    def __init__(self, session: Session, hook: str, repositories: Mapping[str, str]) -> None:
        self._session, self._hook, self._repositories = session, hook.rstrip("/"), repositories
        self._closed_until = 0.0
        self._states: dict[str, str] = {}

    def since(self, project: str, since: datetime) -> Missed:
        """Each revision as a service hook would have told it; each that it did tell is the same event again."""
        found: list[Happened] = []
        for row in self._revisions(project, since):
            at = _moment(row.fields.get(CHANGED))
            if at is not None and at >= since:  # the service has been seen to begin earlier than it was asked to
                found.append(WorkItemTouched(str(Ref("boards", self._session.organisation, row.id)), row.rev, at))
        found.sort(key=lambda event: event.at)
        return Missed(tuple(found), found[-1].at if found else None)

    def undelivered(self, since: datetime) -> Missed:
        """What our service hooks were told and could not deliver; nothing where our token may not read them."""
        if time.monotonic() < self._closed_until:
            return Missed(())
        try:
            return self._failed(since)
        except Denied as denied:
            log.info("service hooks are not looked at, revisions of work items are: %s", denied)
            self._closed_until = time.monotonic() + AGAIN
            return Missed(())

    def _revisions(self, project: str, since: datetime) -> Iterator[_Row]:
        token: str | None = None
        for _ in range(MOST):
            page = self._page(project, {"continuation_token": token} if token else {"start_date_time": since})
            yield from page.values
            if page.is_last_batch or not page.values or page.continuation_token in (None, token):
                return
            token = page.continuation_token

    def _page(self, project: str, start: dict[str, Any]) -> _Page:
        what = f"read the revisions of work items in {project}"
        answer = self._session.ask(
            what,
            lambda clients: clients.wit.read_reporting_revisions_get(project=project, fields=[CHANGED], **start),
        )
        try:
            return msgspec.convert(answer.additional_properties, _Page)
        except msgspec.ValidationError as problem:
            raise Unavailable(f"Azure DevOps' answer makes no sense, when we wanted to {what}: {problem}") from None

    def _failed(self, since: datetime) -> Missed:
        ours = [one for one in self._subscriptions() if (one.consumer_inputs or {}).get("url", "") == self._hook]
        for one in ours:
            self._tell_state(one)
        if not ours:
            return Missed(())
        query = self._session.notifications_query(
            subscription_ids=[one.id for one in ours],
            min_created_date=since,
            result_type="failed",
            include_details=True,
        )
        answer = self._session.ask(
            "read the notifications of our service hooks", lambda clients: clients.hooks.query_notifications(query)
        )
        rows = answer.results or []
        events = [event for row in rows for event in self._told(row)]
        moments = [moment for row in rows if (moment := _moment(row.created_date)) is not None]
        return Missed(tuple(sorted(events, key=lambda event: event.at)), max(moments, default=None))

    def _subscriptions(self) -> list[Any]:
        return list(
            self._session.ask(
                "read our service hooks", lambda clients: clients.hooks.list_subscriptions(consumer_id="webHooks")
            )
            or []
        )

    def _tell_state(self, subscription: Any) -> None:
        """Once for each change: only a person can switch a service hook on again."""
        state = str(subscription.status or ENABLED)
        if state != self._states.get(subscription.id, ENABLED):
            log.warning("the service hook for %s is %s: see Project settings", subscription.event_type, state)
        self._states[subscription.id] = state

    def _told(self, row: Any) -> tuple[Happened, ...]:
        """The event of a notification, read as its delivery would have been."""
        event = row.details.event if row.details else None
        if event is None:
            return ()
        delivery = {
            "eventType": event.event_type,
            "subscriptionId": row.subscription_id,
            "resource": event.resource,
            "resourceVersion": event.resource_version,
            "createdDate": event.created_date,
        }
        try:
            found = decode(msgspec.json.encode(delivery), self._session.organisation, self._repositories)
        except (BadDelivery, TypeError) as problem:
            log.warning("a notification cannot be read: %s", problem)
            return ()
        return tuple(one for one in found if not isinstance(one, MonitorDue | SweepDue | RetentionDue))


def _moment(value: object) -> datetime | None:
    """A time as the service or its library writes it, aware and in UTC; None for what is none."""
    try:
        found = msgspec.convert(value, datetime, strict=False)
    except msgspec.ValidationError:
        return None
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
