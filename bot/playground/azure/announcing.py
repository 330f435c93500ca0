"""Turns what happened to a work item into the events of service hooks, in the words the platform uses."""

from collections.abc import Callable
from html import escape
from typing import Any

from . import shapes
from .items import Update, WorkItem
from .people import Person
from .state import Organisation
from .subscriptions import Event, publish


def announce_created(org: Organisation, item: WorkItem) -> None:
    """workitem.created, and workitem.commented when the first save came with a comment."""
    by = item.updates[-1].by
    rows = [("Area", item["System.AreaPath"]), ("Iteration", item["System.IterationPath"])]
    rows += [("State", item["System.State"]), ("Assigned to", _text(item["System.AssignedTo"]))]
    _publish(org, item, "workitem.created", f"created by {by.display_name}.", rows, lambda _: snapshot(org, item))
    _announce_comment(org, item)


def announce_change(org: Organisation, item: WorkItem) -> None:
    """workitem.updated for the last save, and workitem.commented when it said something."""
    done = item.updates[-1]
    resource = shapes.update(org, item, done, names=True)
    resource["_links"] = _update_links(org, item, resource["url"])
    resource["revision"] = _revision(org, item)
    rows = [(f"New {org.field(name).name}", _text(new)) for name, (_, new) in done.fields.items() if _told(org, name)]
    _publish(org, item, "workitem.updated", _verb(done), rows, lambda _: resource)
    _announce_comment(org, item)


def _announce_comment(org: Organisation, item: WorkItem) -> None:
    done = item.updates[-1]
    if "System.History" not in done.fields:
        return
    _, said = done.fields["System.History"]
    resource = snapshot(org, item)
    resource["fields"]["System.History"] = said
    words = f"commented on by {done.by.display_name}."
    _publish(org, item, "workitem.commented", words, [], lambda _: resource, said=said)


def announce_gone(org: Organisation, item: WorkItem, by: Person, what: str) -> None:
    """workitem.deleted or workitem.restored; what is the last word of the event's name."""
    rows = [("Area", item["System.AreaPath"]), ("Iteration", item["System.IterationPath"])]
    rows += [("State", item["System.State"])]
    resource = snapshot(org, item)
    _publish(org, item, f"workitem.{what}", f"{what} by {by.display_name}.", rows, lambda _: resource)


def snapshot(org: Organisation, item: WorkItem) -> dict[str, Any]:
    """The item as hooks carry it: resource.id is its number, people are strings."""
    body: dict[str, Any] = {"id": item.id, "rev": item.rev, "fields": shapes.fields(org, item.now, names=True)}
    if item.now.relations:
        body["relations"] = [shapes.relation(org, link) for link in item.now.relations]
    url = shapes.item_url(org, item)
    if item.deleted is not None:
        url = f"{org.base_url}/{item.project.id}/_apis/wit/recyclebin/{item.id}"
    return body | {"_links": shapes.links(org, item), "url": url}


def _revision(org: Organisation, item: WorkItem) -> dict[str, Any]:
    body = snapshot(org, item)
    own = shapes.item_url(org, item)
    url = f"{own}/revisions/{item.rev}"
    hrefs = {"self": url, "workItemRevisions": f"{own}/revisions", "parent": own}
    return body | {"_links": {name: {"href": href} for name, href in hrefs.items()}, "url": url}


def _update_links(org: Organisation, item: WorkItem, url: str) -> dict[str, Any]:
    own = shapes.item_url(org, item)
    hrefs = {"self": url, "workItemUpdates": f"{own}/updates", "parent": own, "html": shapes.page_url(org, item)}
    return {name: {"href": href} for name, href in hrefs.items()}


def _verb(done: Update) -> str:
    _, assigned = done.fields.get("System.AssignedTo", (None, None))
    _, state = done.fields.get("System.State", (None, None))
    if isinstance(assigned, Person):
        return f"assigned to {assigned.display_name} by {done.by.display_name}"
    if state is not None:
        return f"transitioned to {state} by {done.by.display_name}"
    return f"updated by {done.by.display_name}"


def _told(org: Organisation, name: str) -> bool:
    """Fields that people write; the service's own book-keeping is left out of the message."""
    field = org.field(name)
    return not field.read_only and field.reference != "System.Reason"


def _text(value: Any) -> str:
    return value.signature() if isinstance(value, Person) else "" if value is None else str(value)


def _publish(
    org: Organisation,
    item: WorkItem,
    event: str,
    words: str,
    rows: list[tuple[str, str]],
    resource: Callable[[str], dict[str, Any]],
    said: str = "",
) -> None:
    head = _heading(org, item, words)
    detail = {
        "text": head["text"] + "\r\n" + _listed("-", rows) + said + "\r\n",
        "html": head["html"] + (f"<br/>{said}" if said else ""),
        "markdown": head["markdown"]
        + "\r\n"
        + "".join(f"\r\n* {name}: {value}" for name, value in rows)
        + said
        + "\r\n",
    }
    if rows:
        listed = "\r\n".join(f"<li>{escape(name)}: {escape(value)}</li>" for name, value in rows)
        detail["html"] += f"<ul>\r\n{listed}</ul>"
    facts = {
        "areaPath": item["System.AreaPath"],
        "workItemType": item.type.name,
        "commentPattern": said,
        "changedFields": ",".join(item.updates[-1].fields).lower(),
    }
    publish(org, Event(event, item.project, head, detail, resource, facts, org.now()))


def _listed(bullet: str, rows: list[tuple[str, str]]) -> str:
    return "".join(f"\r\n{bullet} {name}: {value}" for name, value in rows)


def _heading(org: Organisation, item: WorkItem, words: str) -> dict[str, str]:
    name, title, url = f"{item.type.name} #{item.id}", item["System.Title"], shapes.page_url(org, item)
    if item.deleted is not None:
        return {
            "text": f"{name} ({title}) {words}",
            "html": f"{name} ({escape(title)}) {words}",
            "markdown": f"[{name}] ({title}) {words}",
        }
    return {
        "text": f"{name} ({title}) {words}\r\n({url})",
        "html": f'<a href="{escape(url)}">{name}</a> ({escape(title)}) {words}',
        "markdown": f"[{name}]({url}) ({title}) {words}",
    }
