"""Work items over HTTP: create, read, change, delete and restore them, one by one and in batches."""

from typing import Any, TypeVar

from . import shapes
from .announcing import announce_change, announce_created
from .errors import Refusal, invalid, item_missing, revision_missing, type_missing
from .fields import read_time
from .items import Draft, Revision, WorkItem, commit, preview
from .patch import Patch
from .people import Person
from .processes import ItemType
from .relations import mirror
from .state import Organisation, Project
from .wire import Answer, Call, Routes, collection

routes = Routes()
_BATCH = 200
_PATCH_TYPE = "application/json-patch+json"
Row = TypeVar("Row")


def item_type(project: Project, name: str) -> ItemType:
    if (kind := project.process.type(name)) is None:
        raise type_missing(name, project.name)
    return kind


def save(org: Organisation, draft: Draft, by: Person, *, quiet: bool = False) -> WorkItem:
    """Commits a checked draft, keeps the other ends of its links in step and tells the service hooks, unless quiet."""
    with org.lock:
        fresh = draft.item is None
        item = commit(org, draft, by)
        mirror(org, item, by)
        if not quiet:
            (announce_created if fresh else announce_change)(org, item)
        return item


def create_item(org: Organisation, project: Project, kind: str, fields: dict[str, Any], by: Person) -> WorkItem:
    """For pages and stories: a new item with these fields, under the rules of its process."""
    with org.lock:
        draft = Draft.new(project, item_type(project, kind))
        document = [{"op": "add", "path": f"/fields/{name}", "value": value} for name, value in fields.items()]
        return save(org, Patch(org, draft, bypass=False, version=(7, 1)).apply(document), by)


def change_item(org: Organisation, item: WorkItem, fields: dict[str, Any], by: Person) -> WorkItem:
    """For pages and stories: these fields replaced."""
    with org.lock:
        document = [{"op": "replace", "path": f"/fields/{name}", "value": value} for name, value in fields.items()]
        return save(org, Patch(org, Draft.of(item), bypass=False, version=(7, 1)).apply(document), by)


def _write(call: Call, draft: Draft) -> Answer:
    if call.content_type != _PATCH_TYPE:
        text = (
            f'The request indicated a Content-Type of "{call.content_type}" for method type "{call.method}" which is '
            f"not supported. Valid content types for this method are: {_PATCH_TYPE}."
        )
        raise Refusal(415, text, "VssRequestContentTypeNotSupportedException")
    expand = shapes.expansion(call.query.get("$expand", "relations"))
    Patch(call.org, draft, bypass=call.flag("bypassRules"), version=call.version).apply(call.json)
    if call.flag("validateOnly"):
        return Answer(shapes.work_item(call.org, preview(call.org, draft, call.person), expand=expand))
    item = save(call.org, draft, call.person, quiet=call.flag("suppressNotifications"))
    return Answer(shapes.work_item(call.org, item, expand=expand))


@routes("POST", "{project}/_apis/wit/workitems/${type}")
def create(call: Call) -> Answer:
    return _write(call, Draft.new(call.project, item_type(call.project, call.parts["type"])))


@routes("PATCH", "{project?}/_apis/wit/workitems/{id:int}")
def change(call: Call) -> Answer:
    return _write(call, Draft.of(_found(call)))


def _found(call: Call, name: str = "id") -> WorkItem:
    """The item of the path, unless the path names another project."""
    item = call.org.item(call.number(name))
    if call.scope not in (None, item.project):
        raise item_missing(item.id)
    return item


@routes("GET", "{project?}/_apis/wit/workitems/{id:int}")
def read(call: Call) -> Answer:
    expand = shapes.expansion(call.query.get("$expand", "none"))
    wanted = shapes.wanted_fields(call.org, call.query.get("fields"), expand)
    item = _found(call)
    revision = _as_of(item, call.query["asof"]) if "asof" in call.query else None
    return Answer(shapes.work_item(call.org, item, revision=revision, expand=expand, wanted=wanted))


def _as_of(item: WorkItem, text: str) -> Revision:
    try:
        when = read_time(text)
    except ValueError:
        raise invalid(f"VS402337: asOf is not a date: {text}.") from None
    past = [revision for revision in item.revisions if revision.fields["System.ChangedDate"] <= when]
    if not past:
        raise revision_missing(item.id, 0)
    return past[-1]


@routes("GET", "{project?}/_apis/wit/workitems")
def read_some(call: Call) -> Answer:
    ids = [int(part) for part in call.query.get("ids", "").split(",") if part.strip().isdigit()]
    return _several(call, ids, call.query.get("fields"), call.query.get("$expand"), call.query.get("errorpolicy"))


@routes("POST", "{project?}/_apis/wit/workitemsbatch")
def read_batch(call: Call) -> Answer:
    body = call.object
    words = ",".join(body.texts("fields"))
    return _several(call, body.numbers("ids"), words, body.text("$expand"), body.text("errorPolicy"))


def _several(call: Call, ids: list[int], words: str | None, expand: str | None, policy: str | None) -> Answer:
    if not ids:
        raise invalid("VS403474: You must provide at least one work item ID.")
    if len(ids) > _BATCH:
        raise invalid(f"VS402337: Work item batch requests cannot exceed {_BATCH} items.")
    grown = shapes.expansion(expand or "none")
    wanted = shapes.wanted_fields(call.org, words, grown)
    values: list[Any] = []
    for number in ids:
        try:
            item = call.org.item(number)
        except Refusal:
            if str(policy).lower() != "omit":
                raise
            values.append(None)
        else:
            values.append(shapes.work_item(call.org, item, expand=grown, wanted=wanted, with_links=False))
    return collection(values)


@routes("GET", "{project?}/_apis/wit/workitems/{id:int}/updates")
def updates(call: Call) -> Answer:
    item = _found(call)
    return collection([shapes.update(call.org, item, done) for done in _page(call, item.updates)])


@routes("GET", "{project?}/_apis/wit/workitems/{id:int}/updates/{number:int}")
def one_update(call: Call) -> Answer:
    item, number = _found(call), call.number("number")
    if not 1 <= number <= len(item.updates):
        raise revision_missing(item.id, number)
    return Answer(shapes.update(call.org, item, item.updates[number - 1]))


@routes("GET", "{project?}/_apis/wit/workitems/{id:int}/revisions")
def revisions(call: Call) -> Answer:
    item, expand = _found(call), shapes.expansion(call.query.get("$expand", "none"))
    some = _page(call, item.revisions)
    return collection([shapes.work_item(call.org, item, revision=r, expand=expand, with_links=False) for r in some])


@routes("GET", "{project?}/_apis/wit/workitems/{id:int}/revisions/{number:int}")
def one_revision(call: Call) -> Answer:
    item, number = _found(call), call.number("number")
    if not 1 <= number <= item.rev:
        raise revision_missing(item.id, number)
    expand = shapes.expansion(call.query.get("$expand", "none"))
    return Answer(shapes.work_item(call.org, item, revision=item.revisions[number - 1], expand=expand))


def _page(call: Call, rows: list[Row]) -> list[Row]:
    skip = call.count("$skip", 0, 1_000_000)
    return rows[skip : skip + call.count("$top", _BATCH, _BATCH)]
