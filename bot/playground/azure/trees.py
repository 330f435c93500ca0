"""Area and iteration trees, and a team's iterations, over HTTP."""

from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote

from .errors import Refusal, invalid, node_missing
from .fields import read_time, write_time
from .state import Node, Organisation, Project
from .wire import Answer, Call, Routes, collection

routes = Routes()
_PATH = "{project}/_apis/wit/classificationnodes"
_DEEPEST = 20


def _root(project: Project, group: str) -> Node:
    match group.lower():
        case "areas":
            return project.areas
        case "iterations":
            return project.iterations
        case _:
            raise invalid(f"VS402337: The structure group is areas or iterations, not {group}.")


def _described(org: Organisation, project: Project, node: Node, group: str, depth: int) -> dict[str, Any]:
    """WorkItemClassificationNode of the REST API; its path has the group in second place, unlike System.AreaPath."""
    kind = group.lower().removesuffix("s")
    first, _, rest = node.path.partition("\\")
    tail = "/".join(quote(part) for part in rest.split("\\")) if rest else ""
    url = f"{org.base_url}/{project.id}/_apis/wit/classificationNodes/{kind.title()}s"
    body: dict[str, Any] = {
        "id": node.id,
        "identifier": node.identifier,
        "name": node.name,
        "structureType": kind,
        "hasChildren": bool(node.children),
    }
    if depth > 0 and node.children:
        body["children"] = [_described(org, project, child, group, depth - 1) for child in node.children]
    if node.start is not None and node.finish is not None:
        body["attributes"] = {"startDate": write_time(node.start), "finishDate": write_time(node.finish)}
    body["path"] = f"\\{first}\\{kind.title()}" + (f"\\{rest}" if rest else "")
    body["url"] = f"{url}/{tail}" if tail else url
    return body


@routes("GET", _PATH)
def roots(call: Call) -> Answer:
    depth = call.count("$depth", 0, _DEEPEST)
    project = call.project
    return collection([_described(call.org, project, _root(project, g), g, depth) for g in ("areas", "iterations")])


@routes("GET", _PATH + "/{group}")
@routes("GET", _PATH + "/{group}/{*path}")
def one(call: Call) -> Answer:
    project, group = call.project, call.parts["group"]
    node = _node(call)
    return Answer(_described(call.org, project, node, group, call.count("$depth", 0, _DEEPEST)))


def _node(call: Call) -> Node:
    root, below = _root(call.project, call.parts["group"]), call.parts.get("path", "")
    path = "\\".join([root.name, *filter(None, below.replace("\\", "/").split("/"))])
    if (node := root.find(path)) is None:
        raise node_missing(path)
    return node


@routes("POST", _PATH + "/{group}")
@routes("POST", _PATH + "/{group}/{*path}")
def create(call: Call) -> Answer:
    parent, body, group = _node(call), call.object, call.parts["group"]
    name = body.text("name").strip()
    if not name or any(sign in name for sign in '\\/$?*:"&<>#%|+'):
        raise invalid(f"VS402337: {name!r} is not a name for a node.")
    if any(child.name.lower() == name.lower() for child in parent.children):
        text = f"VS402371: Classification node name {name} is already in use by a different child of parent."
        raise Refusal(409, text, "ClassificationNodeDuplicateNameException")
    node = call.org.new_node(name, parent)
    dates = body.object("attributes")
    node.start, node.finish = _day(dates.get("startDate")), _day(dates.get("finishDate"))
    parent.children.append(node)
    return Answer(_described(call.org, call.project, node, group, 0), 201)


def _day(text: Any) -> datetime | None:
    try:
        return read_time(str(text)) if text else None
    except ValueError:
        raise invalid(f"VS402337: Not a date: {text}.") from None


def _frame(node: Node, now: datetime) -> str:
    if node.start is None or node.finish is None:
        return "future"
    if now < node.start:
        return "future"
    return "current" if now < node.finish + timedelta(days=1) else "past"


def _iteration(call: Call, node: Node) -> dict[str, Any]:
    """TeamSettingsIteration of the REST API."""
    url = f"{call.org.base_url}/{call.project.id}/{call.team.id}/_apis/work/teamsettings/iterations/{node.identifier}"
    return {
        "id": node.identifier,
        "name": node.name,
        "path": node.path,
        "attributes": {
            "startDate": write_time(node.start) if node.start else None,
            "finishDate": write_time(node.finish) if node.finish else None,
            "timeFrame": _frame(node, call.org.now()),
        },
        "url": url,
    }


def _below(node: Node) -> list[Node]:
    return [deeper for child in node.children for deeper in (child, *_below(child))]


@routes("GET", "{project}/{team?}/_apis/work/teamsettings/iterations")
def iterations(call: Call) -> Answer:
    """Every iteration of the project counts as chosen by every team."""
    rows = [_iteration(call, node) for node in _below(call.project.iterations)]
    frame = call.query.get("$timeframe")
    if frame not in (None, "current"):
        raise invalid(f"VS402337: The service knows the time frame current only, not {frame}.")
    return collection([row for row in rows if frame is None or row["attributes"]["timeFrame"] == frame])


@routes("GET", "{project}/{team?}/_apis/work/teamsettings/iterations/{id}")
def one_iteration(call: Call) -> Answer:
    for node in _below(call.project.iterations):
        if node.identifier == call.parts["id"].lower():
            return Answer(_iteration(call, node))
    raise node_missing(call.parts["id"])


@routes("GET", "{project}/{team?}/_apis/work/teamsettings/teamfieldvalues")
def team_areas(call: Call) -> Answer:
    path = call.project.areas.path
    field = {"referenceName": "System.AreaPath", "url": f"{call.org.base_url}/_apis/wit/fields/System.AreaPath"}
    return Answer({"field": field, "defaultValue": path, "values": [{"value": path, "includeChildren": True}]})
