"""Work items as the REST API and service hooks write them: fields, relations, updates, links to themselves."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from .errors import Refusal, invalid
from .fields import NEVER, Field, write_time
from .items import Relation, Revision, Update, WorkItem
from .people import Person, identity_ref, revised_by
from .state import Organisation

_EXPANSIONS = ("none", "relations", "fields", "links", "all")


def wire(org: Organisation, value: Any, *, names: bool = False) -> Any:
    """A field's value in JSON; with names, people are "Name <sign-in>" as hooks and reporting have them."""
    match value:
        case Person():
            return value.signature() if names else identity_ref(value, org.base_url)
        case datetime():
            return "9999-01-01T00:00:00Z" if value == NEVER else write_time(value)
        case _:
            return value


def item_url(org: Organisation, item: WorkItem) -> str:
    return f"{org.base_url}/{item.project.id}/_apis/wit/workItems/{item.id}"


def page_url(org: Organisation, item: WorkItem) -> str:
    """Where people look at the item."""
    return f"{org.base_url}/{item.project.id}/_workitems/edit/{item.id}"


def links(org: Organisation, item: WorkItem) -> dict[str, Any]:
    own, project = item_url(org, item), f"{org.base_url}/{item.project.id}/_apis/wit"
    if item.deleted is not None:
        own = f"{project}/recyclebin/{item.id}"
    hrefs = {
        "self": own,
        "workItemUpdates": f"{own}/updates",
        "workItemRevisions": f"{own}/revisions",
        "workItemComments": f"{own}/comments",
        "html": page_url(org, item),
        "workItemType": f"{project}/workItemTypes/{item.type.name.replace(' ', '%20')}",
        "fields": f"{project}/fields",
    }
    return {name: {"href": href} for name, href in hrefs.items()}


def relation(org: Organisation, link: Relation) -> dict[str, Any]:
    return {
        "rel": link.rel,
        "url": link.url,
        "attributes": {name: wire(org, value) for name, value in link.attributes.items()},
    }


def fields(
    org: Organisation,
    revision: Revision,
    wanted: Iterable[Field] | None = None,
    *,
    hidden: bool = False,
    names: bool = False,
) -> dict[str, Any]:
    """The fields of a revision: the wanted ones, or those that are shown, and the hidden ones too if asked for."""
    held = revision.fields
    if wanted is None:
        wanted = [field for name in held if (field := org.field(name)).shown or hidden]
    return {
        field.reference: wire(org, held[field.reference], names=names) for field in wanted if field.reference in held
    }


def expansion(words: str) -> str:
    """$expand as one of none, relations, fields, links, all."""
    if words.lower() not in _EXPANSIONS:
        raise invalid(f"VS402337: $expand must be one of {', '.join(_EXPANSIONS)}, not {words}.")
    return words.lower()


def wanted_fields(org: Organisation, words: str | None, expand: str) -> list[Field] | None:
    """The fields of a comma-separated list; refuses it together with $expand, as the service does."""
    if not words:
        return None
    if expand not in ("none", "links"):
        text = "The expand parameter can not be used with the fields parameter."
        raise Refusal(400, text, "ConflictingParametersException")
    return [org.field(name.strip()) for name in words.split(",") if name.strip()]


def work_item(
    org: Organisation,
    item: WorkItem,
    *,
    revision: Revision | None = None,
    expand: str = "none",
    wanted: list[Field] | None = None,
    with_links: bool = True,
) -> dict[str, Any]:
    """WorkItem of the REST API. Relations come with $expand only; with_links is off in lists."""
    now = revision or item.now
    body: dict[str, Any] = {
        "id": item.id,
        "rev": now.rev,
        "fields": fields(org, now, wanted, hidden=expand in ("all", "fields")),
    }
    if now.formats:
        body["multilineFieldsFormat"] = dict(now.formats)
    if expand in ("all", "relations") and now.relations:
        body["relations"] = [relation(org, link) for link in now.relations]
    if item.comments and wanted is None and revision is None:
        last = item.comments[-1]
        url = f"{item_url(org, item)}/comments/{last.id}/versions/{last.version}"
        body["commentVersionRef"] = {"commentId": last.id, "version": last.version, "url": url}
    if (with_links and wanted is None) or expand in ("all", "links"):
        body["_links"] = links(org, item)
    body["url"] = item_url(org, item) if revision is None else f"{item_url(org, item)}/revisions/{now.rev}"
    return body


def update(org: Organisation, item: WorkItem, done: Update, *, names: bool = False) -> dict[str, Any]:
    """WorkItemUpdate of the REST API, and the resource of a workitem.updated hook."""
    changed = {}
    for name, (old, new) in done.fields.items():
        pair = {"oldValue": wire(org, old, names=names), "newValue": wire(org, new, names=names)}
        changed[name] = {side: value for side, value in pair.items() if value is not None}
    last = done.rev == item.rev
    url = f"{item_url(org, item)}/updates/{done.id}"
    body: dict[str, Any] = {
        "id": done.id,
        "workItemId": item.id,
        "rev": done.rev,
        "revisedBy": revised_by(done.by, org.base_url),
        "revisedDate": "9999-01-01T00:00:00Z" if last else write_time(_revised(item, done)),
    }
    if changed:
        body["fields"] = changed
    linked = {"added": done.added, "removed": done.removed}
    if any(linked.values()):
        body["relations"] = {way: [relation(org, link) for link in some] for way, some in linked.items() if some}
    body["url"] = url
    return body


def _revised(item: WorkItem, done: Update) -> datetime:
    when: datetime = item.revisions[done.rev - 1].fields["System.RevisedDate"]
    return when


def reference(org: Organisation, item: WorkItem) -> dict[str, Any]:
    return {"id": item.id, "url": item_url(org, item)}
