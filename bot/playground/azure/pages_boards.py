"""Boards as people see them: projects, cards in columns, a work item with its discussion and a comment box."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlsplit

from flask import Response

from . import work_items
from .comments import add_comment
from .items import WorkItem
from .markup import render
from .pages import Visit, page_at, show, to
from .patch import split_tags
from .people import Person
from .processes import Category, State
from .relations import target
from .state import Organisation, Project

_ORDER = list(Category)


@page_at("GET", "/")
def projects(visit: Visit) -> Response:
    rows = [
        (project, sum(item.project is project and not item.deleted for item in visit.org.items.values()))
        for project in visit.org.projects
    ]
    return show(visit.org, "azure_projects.html", title=visit.org.name, rows=rows)


@page_at("GET", "/(?P<project>[^/_][^/]*)(/_boards(/.*)?|/_workitems)?")
def board(visit: Visit) -> Response:
    project = visit.project
    items = [item for item in visit.org.items.values() if item.project is project and item.deleted is None]
    columns = [(state, [item for item in items if item.state.name == state.name]) for state in _columns(project, items)]
    return show(
        visit.org,
        "azure_board.html",
        title=f"{project.name} · Board",
        project=project,
        columns=columns,
        tags=lambda item: split_tags(item["System.Tags"] or ""),
        people=list(visit.org.people.values()),
    )


def _columns(project: Project, items: Sequence[WorkItem]) -> list[State]:
    """The states of the backlog's own type and of every type on the board, from proposed to completed."""
    kinds = [project.process.types[0]] + [item.type for item in items]
    used = {item.state.name for item in items}
    states: dict[str, State] = {}
    for kind in kinds:
        for state in kind.states:
            if state.category is not Category.REMOVED or state.name in used:
                states.setdefault(state.name, state)
    return sorted(states.values(), key=lambda state: _ORDER.index(state.category))


@page_at("POST", "/(?P<project>[^/_][^/]*)/_workitems/create")
def create(visit: Visit) -> Response:
    fields = {"System.Title": visit.form("title")}
    if visit.form("description"):
        fields["System.Description"] = render(visit.form("description"), "markdown")
    item = work_items.create_item(visit.org, visit.project, visit.form("type"), fields, visit.person)
    return _to(visit.org, item)


def _to(org: Organisation, item: WorkItem, anchor: str = "") -> Response:
    return to(f"/{org.name}/{quote(item.project.name)}/_workitems/edit/{item.id}{anchor}")


@page_at("GET", r"/(?P<project>[^/_][^/]*)/_workitems/edit/(?P<id>\d+)")
def work_item(visit: Visit) -> Response:
    item = visit.item
    return show(
        visit.org,
        "azure_work_item.html",
        title=f"{item.type.name} {item.id} · {item['System.Title']}",
        project=item.project,
        item=item,
        description=_described(item),
        facts=_facts(visit.org, item),
        links=_links(visit.org, item),
        comments=[(comment, render(comment.text, comment.format)) for comment in item.comments if not comment.deleted],
        history=_history(item),
        tags=split_tags(item["System.Tags"] or ""),
        people=list(visit.org.people.values()),
    )


def _described(item: WorkItem) -> str:
    for name in ("System.Description", "Microsoft.VSTS.TCM.ReproSteps"):
        if item[name]:
            return render(item[name], item.now.formats.get(name, "html"))
    return ""


_FACTS: tuple[str, ...] = ("System.AreaPath", "System.IterationPath", "System.Reason", "Microsoft.VSTS.Common.Priority")
_FACTS += ("Microsoft.VSTS.Common.Severity", "System.CreatedBy", "System.ChangedBy", "System.ChangedDate")


def _facts(org: Organisation, item: WorkItem) -> list[tuple[str, str]]:
    rows = []
    custom = [name for name in item.now.fields if name.startswith("Custom.")]
    for name in (*_FACTS, *custom):
        value = item[name]
        if value is not None:
            text = value.display_name if isinstance(value, Person) else value
            rows.append((org.field(name).name, f"{text:%d %B %Y, %H:%M} UTC" if hasattr(text, "year") else str(text)))
    return rows


@dataclass(frozen=True, slots=True)
class Link:
    """A relation to show: kind in words, href None where nothing can be opened."""

    kind: str
    text: str
    href: str | None
    comment: str


def _links(org: Organisation, item: WorkItem) -> list[Link]:
    return [
        _link(org, relation.rel, relation.url, dict(relation.attributes), target(relation))
        for relation in item.now.relations
    ]


def _link(org: Organisation, rel: str, url: str, attributes: dict[str, Any], number: int | None) -> Link:
    comment = str(attributes.get("comment") or "")
    if number is not None:
        other = org.items.get(number)
        text = f"{other.type.name} {number}: {other['System.Title']}" if other else f"Work item {number}"
        href = f"/{org.name}/{quote(other.project.name)}/_workitems/edit/{number}" if other else None
        return Link(str(attributes.get("name") or rel), text, href, comment)
    opens = urlsplit(url).scheme in ("http", "https")
    return Link(str(attributes.get("name") or rel), url, url if opens else None, comment)


def _history(item: WorkItem) -> list[tuple[Any, str, str]]:
    """(update, old state, new state) for every change of state, newest first."""
    rows = []
    for done in item.updates:
        if "System.State" in done.fields:
            old, new = done.fields["System.State"]
            rows.append((done, old or "", new))
    return rows[::-1]


@page_at("POST", r"/(?P<project>[^/_][^/]*)/_workitems/edit/(?P<id>\d+)/comment")
def comment(visit: Visit) -> Response:
    """Markdown as typed, or, as the older editor sends it, one <div> a line of HTML."""
    text, form = visit.form("text").replace("\r\n", "\n"), visit.form("format") or "markdown"
    if form == "html":
        lines = (line.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;") for line in text.split("\n"))
        text = "".join(f"<div>{line or '<br>'}</div>" for line in lines)
    said = add_comment(visit.org, visit.item, text, visit.person, form)
    return _to(visit.org, visit.item, f"#comment-{said.id}")


@page_at("POST", r"/(?P<project>[^/_][^/]*)/_workitems/edit/(?P<id>\d+)/state")
def state(visit: Visit) -> Response:
    work_items.change_item(visit.org, visit.item, {"System.State": visit.form("state")}, visit.person)
    return _to(visit.org, visit.item)
