"""Deleted work items: into the recycle bin, back out of it, or gone for good."""

from typing import Any

from .announcing import announce_gone
from .errors import item_missing
from .fields import write_time
from .items import Update, WorkItem
from .people import identity_ref
from .shapes import work_item
from .wire import Answer, Call, Routes, collection

routes = Routes()


@routes("DELETE", "{project?}/_apis/wit/workitems/{id:int}")
def delete(call: Call) -> Answer:
    item = call.org.item(call.number("id"))
    item.deleted = (call.person, call.org.now())
    if call.flag("destroy"):
        del call.org.items[item.id]
        return Answer(None)
    announce_gone(call.org, item, call.person, "deleted")
    return Answer(_described(call, item))


@routes("GET", "{project?}/_apis/wit/recyclebin")
def binned(call: Call) -> Answer:
    gone = [item for item in call.org.items.values() if item.deleted and call.scope in (None, item.project)]
    return collection([_described(call, item) for item in gone])


@routes("GET", "{project?}/_apis/wit/recyclebin/{id:int}")
def binned_one(call: Call) -> Answer:
    return Answer(_described(call, _in_bin(call)))


@routes("PATCH", "{project?}/_apis/wit/recyclebin/{id:int}")
def restore(call: Call) -> Answer:
    item = _in_bin(call)
    item.deleted = None
    item.updates.append(Update(len(item.updates) + 1, item.rev, call.person, call.org.now(), {}))
    announce_gone(call.org, item, call.person, "restored")
    return Answer(_described(call, item))


@routes("DELETE", "{project?}/_apis/wit/recyclebin/{id:int}")
def destroy(call: Call) -> Answer:
    del call.org.items[_in_bin(call).id]
    return Answer(None)


def _in_bin(call: Call) -> WorkItem:
    item = call.org.items.get(call.number("id"))
    if item is None or item.deleted is None:
        raise item_missing(call.number("id"))
    return item


def _described(call: Call, item: WorkItem) -> dict[str, Any]:
    """WorkItemDelete of the REST API."""
    body: dict[str, Any] = {
        "id": item.id,
        "type": item.type.name,
        "name": item["System.Title"],
        "project": item.project.name,
        "code": 200,
        "url": f"{call.org.base_url}/{item.project.id}/_apis/wit/recyclebin/{item.id}",
        "resource": work_item(call.org, item),
    }
    if item.deleted is not None:
        by, at = item.deleted
        body |= {"deletedBy": identity_ref(by, call.org.base_url)["displayName"], "deletedDate": write_time(at)}
    return body
