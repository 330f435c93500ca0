"""Links between work items and to the world: which types there are, what may be linked, and the way back."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .errors import Refusal, bad_patch, extra_parent, invalid, item_missing, link_exists
from .items import Draft, Relation, Revision, Update, WorkItem
from .people import Person
from .state import Organisation


@dataclass(frozen=True, slots=True)
class RelationType:
    reference: str
    name: str
    reverse: str  # the type of the link back; "" for links that lead out of the organisation's items
    topology: str


TYPES = (
    RelationType("System.LinkTypes.Related", "Related", "System.LinkTypes.Related", "network"),
    RelationType("System.LinkTypes.Hierarchy-Forward", "Child", "System.LinkTypes.Hierarchy-Reverse", "tree"),
    RelationType("System.LinkTypes.Hierarchy-Reverse", "Parent", "System.LinkTypes.Hierarchy-Forward", "tree"),
    RelationType(
        "System.LinkTypes.Dependency-Forward", "Successor", "System.LinkTypes.Dependency-Reverse", "dependency"
    ),
    RelationType(
        "System.LinkTypes.Dependency-Reverse", "Predecessor", "System.LinkTypes.Dependency-Forward", "dependency"
    ),
    RelationType("System.LinkTypes.Duplicate-Forward", "Duplicate", "System.LinkTypes.Duplicate-Reverse", "dependency"),
    RelationType(
        "System.LinkTypes.Duplicate-Reverse", "Duplicate Of", "System.LinkTypes.Duplicate-Forward", "dependency"
    ),
    RelationType("Hyperlink", "Hyperlink", "", "resource"),
    RelationType("ArtifactLink", "Artifact Link", "", "resource"),
    RelationType("AttachedFile", "Attached File", "", "resource"),
)
_BY_REFERENCE = {kind.reference: kind for kind in TYPES}
_PARENT = "System.LinkTypes.Hierarchy-Reverse"
_CHILD = "System.LinkTypes.Hierarchy-Forward"
_ITEM_URL = re.compile(r"/_apis/wit/workitems/(\d+)$", re.IGNORECASE)
_LIMIT = 1000


def read_relation(value: Any) -> Relation:
    """A relation out of a patch's value {rel, url, attributes?}."""
    if not isinstance(value, dict) or not isinstance(value.get("attributes", {}), dict | None):
        raise invalid(
            f"Value {value} does not match the expected type "
            "Microsoft.TeamFoundation.WorkItemTracking.WebApi.Models.WorkItemRelation."
        )
    rel, url = value.get("rel"), value.get("url")
    if not isinstance(rel, str) or rel not in _BY_REFERENCE:
        raise invalid(f"VS402637: Unrecognized relation type {rel}.")
    if not isinstance(url, str) or not url:
        raise bad_patch("VS403602: A relation needs a url.")
    if rel == "Hyperlink" and not re.match(r"[a-z][a-z0-9+.-]*:", url, re.IGNORECASE):
        raise bad_patch(f"VS402363: The hyperlink {url} is not a valid absolute URL.")
    return Relation(rel, url, value.get("attributes") or {})


def target(relation: Relation) -> int | None:
    """The number of the work item that a link leads to; None for hyperlinks and artifacts."""
    kind = _BY_REFERENCE[relation.rel]
    found = _ITEM_URL.search(relation.url)
    return int(found[1]) if kind.reverse and found else None


def check_new(org: Organisation, draft: Draft, relation: Relation) -> Relation:
    """The relation as it will be stored, with the attributes that the service adds."""
    if len(draft.relations) >= _LIMIT:
        raise Refusal(400, f"VS403283: A work item cannot have more than {_LIMIT} links.", "WorkItemLinkLimitException")
    if any(other.same_target(relation) for other in draft.relations):
        raise link_exists()
    kind = _BY_REFERENCE[relation.rel]
    if not kind.reverse:
        when = org.now()
        attributes = {"authorizedDate": when, "id": org.next("node"), "resourceCreatedDate": when}
        return Relation(relation.rel, relation.url, {**attributes, "resourceModifiedDate": when, **relation.attributes})
    _check_item(org, draft, relation)
    url = f"{org.base_url}/_apis/wit/workItems/{target(relation)}"
    stored = Relation(relation.rel, url, {"isLocked": False, "name": kind.name, **relation.attributes})
    if any(other.same_target(stored) for other in draft.relations):
        raise link_exists()
    return stored


def _check_item(org: Organisation, draft: Draft, relation: Relation) -> None:
    number = target(relation)
    if number is None:
        raise bad_patch(f"VS402363: The url {relation.url} does not lead to a work item.")
    if draft.item is not None and number == draft.item.id:
        raise bad_patch(f"TF201035: You cannot link work item {number} to itself.")
    other = org.items.get(number)
    if other is None or other.deleted is not None:
        raise item_missing(number)
    mine = next((link for link in draft.relations if link.rel == _PARENT), None)
    theirs = next((link for link in other.now.relations if link.rel == _PARENT), None)
    if relation.rel == _PARENT and mine is not None:
        raise extra_parent(number, draft.item.id if draft.item else -1)
    if relation.rel == _CHILD and theirs is not None:
        raise extra_parent(draft.item.id if draft.item else -1, number)


def mirror(org: Organisation, source: WorkItem, by: Person) -> list[WorkItem]:
    """Makes or removes the way back for what the last update of source linked; the items that it touched.

    The other end gets an update, but no revision of its own: its rev stays, as on the service.
    """
    update = source.updates[-1]
    touched = []
    for relation, present in [(link, True) for link in update.added] + [(link, False) for link in update.removed]:
        number = target(relation)
        other = org.items.get(number) if number is not None else None
        if other is not None:
            _reflect(org, other, _way_back(org, source, relation), by, present=present)
            touched.append(other)
    return touched


def _way_back(org: Organisation, source: WorkItem, relation: Relation) -> Relation:
    reverse = _BY_REFERENCE[_BY_REFERENCE[relation.rel].reverse]
    attributes: Mapping[str, Any] = {**relation.attributes, "name": reverse.name}
    return Relation(reverse.reference, f"{org.base_url}/_apis/wit/workItems/{source.id}", attributes)


def _reflect(org: Organisation, item: WorkItem, link: Relation, by: Person, *, present: bool) -> None:
    now = item.now
    rest = tuple(other for other in now.relations if not other.same_target(link))
    item.revisions[-1] = Revision(now.rev, now.fields, (*rest, link) if present else rest, now.formats)
    added, removed = ((link,), ()) if present else ((), (link,))
    item.updates.append(Update(len(item.updates) + 1, now.rev, by, org.now(), {}, added, removed))


def describe(kind: RelationType, base_url: str) -> dict[str, Any]:
    """WorkItemRelationType of the REST API."""
    usage = "workItemLink" if kind.reverse else "resourceLink"
    attributes: dict[str, Any] = {"usage": usage, "editable": True, "enabled": True, "acyclic": kind.topology == "tree"}
    if kind.reverse:
        attributes |= {"topology": kind.topology, "oppositeEndReferenceName": kind.reverse}
    url = f"{base_url}/_apis/wit/workItemRelationTypes/{kind.reference}"
    return {"attributes": attributes, "referenceName": kind.reference, "name": kind.name, "url": url}
