"""Work items with their whole history: every change is a revision and an update, made in one place, `commit`."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from .fields import NEVER
from .people import Person
from .processes import Category, ItemType, State, reason
from .state import Organisation, Project

Fields = Mapping[str, Any]  # reference name -> str, int, float, bool, datetime or Person


@dataclass(frozen=True, slots=True)
class Relation:
    """A link of an item: rel is a relation type or Hyperlink, ArtifactLink; url where it leads."""

    rel: str
    url: str
    attributes: Mapping[str, Any] = field(default_factory=dict)

    def same_target(self, other: "Relation") -> bool:
        """Azure writes %2F in artifact links in both cases; everything else it compares as it is, but for case."""
        return self.rel == other.rel and self.url.lower() == other.url.lower()


@dataclass(frozen=True, slots=True)
class Revision:
    rev: int
    fields: Fields
    relations: tuple[Relation, ...]
    formats: Mapping[str, str]  # multiline field -> "markdown"


@dataclass(frozen=True, slots=True)
class Update:
    """What one save changed: fields as (old, new), where None stands for "not there"."""

    id: int
    rev: int
    by: Person
    at: datetime
    fields: Mapping[str, tuple[Any, Any]]
    added: tuple[Relation, ...] = ()
    removed: tuple[Relation, ...] = ()


@dataclass(slots=True)
class Comment:
    id: int
    text: str
    format: str  # "html" or "markdown"
    by: Person
    created: datetime
    modified: datetime
    modified_by: Person
    version: int = 1
    deleted: bool = False
    history: list[tuple[int, str, Person, datetime]] = field(default_factory=list)


@dataclass(slots=True)
class WorkItem:
    id: int
    project: Project
    type: ItemType
    revisions: list[Revision] = field(default_factory=list)
    updates: list[Update] = field(default_factory=list)
    comments: list[Comment] = field(default_factory=list)
    deleted: tuple[Person, datetime] | None = None

    @property
    def now(self) -> Revision:
        return self.revisions[-1]

    @property
    def rev(self) -> int:
        return self.now.rev

    @property
    def state(self) -> State:
        found = self.type.state(self.now.fields["System.State"])
        if found is None:  # a type's states never change while the playground runs
            raise LookupError(self.now.fields["System.State"])
        return found

    def __getitem__(self, reference: str) -> Any:
        """The field's present value, None when it has none."""
        return self.now.fields.get(reference)


@dataclass(slots=True)
class Draft:
    """An item as a patch would leave it; nothing of it is seen before `commit`."""

    project: Project
    type: ItemType
    item: WorkItem | None
    fields: dict[str, Any] = field(default_factory=dict)
    relations: list[Relation] = field(default_factory=list)
    formats: dict[str, str] = field(default_factory=dict)
    said: tuple[str, str] | None = None  # text and format for System.History

    @classmethod
    def of(cls, item: WorkItem) -> "Draft":
        now = item.now
        return cls(item.project, item.type, item, dict(now.fields), list(now.relations), dict(now.formats))

    @classmethod
    def new(cls, project: Project, kind: ItemType) -> "Draft":
        fields = {
            "System.AreaPath": project.areas.path,
            "System.TeamProject": project.name,
            "System.IterationPath": project.iterations.path,
            "System.WorkItemType": kind.name,
            "System.State": kind.states[0].name,
            "Microsoft.VSTS.Common.Priority": 2,
        }
        if kind.backlog == "Microsoft.BugCategory":
            fields["Microsoft.VSTS.Common.Severity"] = "3 - Medium"
        return cls(project, kind, None, fields)

    @property
    def before(self) -> Fields:
        return self.item.now.fields if self.item else {}

    @property
    def linked(self) -> tuple[Relation, ...]:
        return self.item.now.relations if self.item else ()


def commit(org: Organisation, draft: Draft, by: Person) -> WorkItem:
    """Saves a checked draft as the item's next revision, with the fields that the service keeps itself."""
    with org.lock:
        at = org.now()
        item = draft.item or WorkItem(org.next("item"), draft.project, draft.type)
        if draft.said is not None:
            text, form = draft.said
            item.comments.append(Comment(org.next("comment"), text, form, by, at, at, by))
        fields = _kept(org, draft, item, by, at)
        _save(item, fields, draft, by, at)
        org.items[item.id] = item
        return item


def preview(org: Organisation, draft: Draft, by: Person) -> WorkItem:
    """What `commit` would make of it, for validateOnly; a new item has the number -1."""
    copy = WorkItem(draft.item.id if draft.item else -1, draft.project, draft.type)
    if draft.item:
        copy.revisions = list(draft.item.revisions)
        copy.comments = list(draft.item.comments)
    at = org.now()
    _save(copy, _kept(org, draft, copy, by, at), draft, by, at)
    return copy


def _kept(org: Organisation, draft: Draft, item: WorkItem, by: Person, at: datetime) -> dict[str, Any]:
    fields = {name: value for name, value in draft.fields.items() if value is not None}
    fresh = not item.revisions
    created: dict[str, Any] = {"System.CreatedDate": at, "System.CreatedBy": by} if fresh else {}
    always: dict[str, Any] = {
        "System.Id": item.id,
        "System.Rev": len(item.revisions) + 1,
        "System.ChangedDate": at,
        "System.ChangedBy": by,
        "System.AuthorizedDate": at,
        "System.AuthorizedAs": by,
        "System.RevisedDate": NEVER,
        "System.Watermark": org.next("watermark"),
        "System.CommentCount": sum(not comment.deleted for comment in item.comments),
        "System.NodeName": str(fields["System.AreaPath"]).rsplit("\\", 1)[-1],
    }
    kept = {**created, **fields, **always, **_workflow(draft, fields, by, at), **_trees(draft, fields)}
    return {name: value for name, value in kept.items() if value is not None}


def _trees(draft: Draft, fields: Fields) -> dict[str, Any]:
    area = draft.project.areas.find(fields["System.AreaPath"])
    iteration = draft.project.iterations.find(fields["System.IterationPath"])
    found = {"System.AreaId": area, "System.IterationId": iteration}
    return {name: node.id for name, node in found.items() if node is not None}


_ENTERED = {Category.IN_PROGRESS: "Activated", Category.RESOLVED: "Resolved", Category.COMPLETED: "Closed"}


def _workflow(draft: Draft, fields: Fields, by: Person, at: datetime) -> dict[str, Any]:
    """What entering a state brings with it: date, reason, the board's column, who activated, resolved or closed it."""
    old, new = draft.before.get("System.State"), fields["System.State"]
    if old == new:
        return {}
    state = draft.type.state(new)
    if state is None:  # refused before it comes here
        raise LookupError(new)
    brought: dict[str, Any] = {
        "Microsoft.VSTS.Common.StateChangeDate": at,
        "System.BoardColumn": state.name,
        "System.BoardColumnDone": False,
    }
    if draft.fields.get("System.Reason") == draft.before.get("System.Reason"):
        brought["System.Reason"] = reason(draft.project.process, state, first=old is None)
    if state.category is not Category.COMPLETED:
        brought |= {"Microsoft.VSTS.Common.ClosedDate": None, "Microsoft.VSTS.Common.ClosedBy": None}
    if (word := _ENTERED.get(state.category)) is not None:
        brought |= {f"Microsoft.VSTS.Common.{word}Date": at, f"Microsoft.VSTS.Common.{word}By": by}
    return brought


def _save(item: WorkItem, fields: dict[str, Any], draft: Draft, by: Person, at: datetime) -> None:
    before = dict(item.now.fields) if item.revisions else {}
    if item.revisions:
        before["System.RevisedDate"] = at
        last = item.revisions[-1]
        item.revisions[-1] = Revision(last.rev, before, last.relations, last.formats)
    changed = {
        name: (before.get(name), fields.get(name))
        for name in sorted(before.keys() | fields.keys())
        if before.get(name) != fields.get(name)
    }
    if draft.said is not None:
        changed["System.History"] = (None, draft.said[0])
    added = tuple(link for link in draft.relations if link not in draft.linked)
    removed = tuple(link for link in draft.linked if link not in draft.relations)
    item.revisions.append(Revision(len(item.revisions) + 1, fields, tuple(draft.relations), dict(draft.formats)))
    item.updates.append(Update(len(item.updates) + 1, item.rev, by, at, changed, added, removed))
