"""What a project's process offers, over HTTP: types of work items, their states, fields, categories, relation types."""

from typing import Any
from urllib.parse import quote

from .errors import Refusal, type_missing
from .fields import Field, Kind
from .processes import ItemType
from .relations import TYPES, describe
from .state import Organisation, Project
from .wire import Answer, Call, Routes, collection

routes = Routes()
_REQUIRED = ("System.Title", "System.State", "System.AreaPath", "System.IterationPath")
_ALLOWED = {
    "Microsoft.VSTS.Common.Priority": ["1", "2", "3", "4"],
    "Microsoft.VSTS.Common.Severity": ["1 - Critical", "2 - High", "3 - Medium", "4 - Low"],
}


def _type(call: Call) -> ItemType:
    kind = call.project.process.type(call.parts["type"])
    if kind is None:
        raise type_missing(call.parts["type"], call.project.name)
    return kind


def states(kind: ItemType) -> list[dict[str, str]]:
    return [{"name": state.name, "color": state.color, "category": state.category.value} for state in kind.states]


def _described(org: Organisation, project: Project, kind: ItemType) -> dict[str, Any]:
    url = f"{org.base_url}/{project.id}/_apis/wit/workItemTypes/{quote(kind.name)}"
    names = [state.name for state in kind.states]
    transitions: dict[str, Any] = {"": [{"to": names[0], "actions": None}]}
    for name in names:
        transitions[name] = [{"to": other, "actions": None} for other in names]
    fields = _fields(org, kind)
    return {
        "name": kind.name,
        "referenceName": kind.reference,
        "description": kind.description,
        "color": kind.color,
        "icon": {"id": "icon_clipboard", "url": f"{org.base_url}/_apis/wit/workItemIcons/icon_clipboard"},
        "isDisabled": False,
        "fields": [_instance(org, field, kind) for field in fields],
        "fieldInstances": [_instance(org, field, kind) for field in fields],
        "transitions": transitions,
        "states": states(kind),
        "_links": {"self": {"href": url}},
        "url": url,
    }


def _fields(org: Organisation, kind: ItemType) -> list[Field]:
    """Those of the type: only bugs are severe."""
    hidden = set() if kind.backlog == "Microsoft.BugCategory" else {"Microsoft.VSTS.Common.Severity"}
    return [field for field in org.fields.values() if field.shown and field.reference not in hidden]


def _instance(org: Organisation, field: Field, kind: ItemType) -> dict[str, Any]:
    return {
        "alwaysRequired": field.reference
        in ("System.Title", "System.State", "System.AreaPath", "System.IterationPath"),
        "defaultValue": kind.states[0].name if field.reference == "System.State" else None,
        "referenceName": field.reference,
        "name": field.name,
        "url": f"{org.base_url}/_apis/wit/fields/{field.reference}",
    }


@routes("GET", "{project}/_apis/wit/workitemtypes")
def types(call: Call) -> Answer:
    return collection([_described(call.org, call.project, kind) for kind in call.project.process.types])


@routes("GET", "{project}/_apis/wit/workitemtypes/{type}")
def one_type(call: Call) -> Answer:
    return Answer(_described(call.org, call.project, _type(call)))


@routes("GET", "{project}/_apis/wit/workitemtypes/{type}/states")
def type_states(call: Call) -> Answer:
    return collection(list(states(_type(call))))


@routes("GET", "{project}/_apis/wit/workitemtypes/{type}/fields")
def type_fields(call: Call) -> Answer:
    kind = _type(call)
    found = [_instance(call.org, field, kind) for field in _fields(call.org, kind)]
    if call.query.get("$expand", "").lower() in ("allowedvalues", "all"):
        found = [{**one, "allowedValues": _ALLOWED.get(one["referenceName"], [])} for one in found]
    return collection(found)


@routes("GET", "{project}/_apis/wit/workitemtypecategories")
def categories(call: Call) -> Answer:
    names = dict.fromkeys(kind.backlog for kind in call.project.process.types)
    return collection([_category(call.org, call.project, name) for name in names])


@routes("GET", "{project}/_apis/wit/workitemtypecategories/{category}")
def one_category(call: Call) -> Answer:
    for kind in call.project.process.types:
        if call.parts["category"].lower() == kind.backlog.lower():
            return Answer(_category(call.org, call.project, kind.backlog))
    raise type_missing(call.parts["category"], call.project.name)


def _category(org: Organisation, project: Project, name: str) -> dict[str, Any]:
    base = f"{org.base_url}/{project.id}/_apis/wit"
    kinds = [kind for kind in project.process.types if kind.backlog == name]
    named = [{"name": kind.name, "url": f"{base}/workItemTypes/{quote(kind.name)}"} for kind in kinds]
    return {
        "name": name.removeprefix("Microsoft.").removesuffix("Category") + " Category",
        "referenceName": name,
        "defaultWorkItemType": named[0],
        "workItemTypes": named,
        "url": f"{base}/workItemTypeCategories/{name}",
    }


def described_field(org: Organisation, field: Field) -> dict[str, Any]:
    """WorkItemField of the REST API."""
    return {
        "name": field.name,
        "referenceName": field.reference,
        "description": None,
        "type": field.wire_type,
        "usage": "workItem",
        "readOnly": field.read_only,
        "canSortBy": field.kind not in (Kind.HTML, Kind.HISTORY),
        "isQueryable": True,
        "isIdentity": field.kind is Kind.PERSON,
        "isPicklist": False,
        "isPicklistSuggested": False,
        "url": f"{org.base_url}/_apis/wit/fields/{field.reference}",
    }


@routes("GET", "{project?}/_apis/wit/fields")
def fields(call: Call) -> Answer:
    return collection([described_field(call.org, field) for field in call.org.fields.values()])


@routes("GET", "{project?}/_apis/wit/fields/{field}")
def one_field(call: Call) -> Answer:
    try:
        return Answer(described_field(call.org, call.org.field(call.parts["field"])))
    except Refusal as refusal:
        refusal.status = 404  # here, and only here, the same words come with 404
        raise


@routes("GET", "_apis/wit/workitemrelationtypes")
def relation_types(call: Call) -> Answer:
    return collection([describe(kind, call.org.base_url) for kind in TYPES])
