"""Work items: read once, changed by JSON Patch under a `/rev` test, made once for each marker."""

import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from bot.adapters import azure_text as text_of
from bot.adapters.azure_errors import Changed, Rejected, Uncertain
from bot.adapters.azure_process import Board, Process
from bot.adapters.azure_session import Session
from bot.doubts import Doubts
from bot.ports import Denied, Draft

TITLE = 255
ATTEMPTS = 4
DESCRIPTION = "System.Description"
STEPS = "Microsoft.VSTS.TCM.ReproSteps"  # what the form of a bug shows in place of a description
PRIORITY = "Microsoft.VSTS.Common.Priority"
SEVERITY = "Microsoft.VSTS.Common.Severity"
FIND = """SELECT [System.Id] FROM WorkItems WHERE [System.TeamProject] = '{}'
AND [System.Tags] CONTAINS '{}' AND [System.Tags] CONTAINS '{}' ORDER BY [System.Id]"""
Fields = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Item:
    """A work item as it is at revision `rev`."""

    id: int
    rev: int
    fields: Fields
    links: frozenset[str]

    def text(self, name: str) -> str:
        return str(self.fields.get(name) or "")

    @property
    def project(self) -> str:
        return self.text("System.TeamProject")

    @property
    def type(self) -> str:
        return self.text("System.WorkItemType")

    @property
    def state(self) -> str:
        return self.text("System.State")


@dataclass(frozen=True, slots=True)
class Change:
    """One operation of a patch: `path` such as /fields/System.Title."""

    path: str
    value: Any


Plan = Callable[[Item], list[Change]]


class Items:
    """The work items of an organisation."""

    def __init__(self, session: Session, process: Process, lag: float) -> None:
        self._session, self._process = session, process
        self._doubts = Doubts(lag)
        self._lock = threading.Lock()
        self._projects: dict[int, str] = {}

    def read(self, number: int) -> Item:
        """The item with its fields and links."""
        what = f"read work item {number}"
        found = self._session.ask(what, lambda clients: clients.wit.get_work_item(number, expand="Relations"))
        links = frozenset(link.url for link in found.relations or [] if link.rel == "Hyperlink")
        item = Item(found.id, found.rev, found.fields or {}, links)
        with self._lock:
            self._projects[number] = item.project
        return item

    def project_of(self, number: int) -> str:
        """The project of an item, which comments are addressed through."""
        with self._lock:
            known = self._projects.get(number)
        return known or self.read(number).project

    def forget(self, number: int) -> None:
        """The item may have been moved to another project."""
        with self._lock:
            self._projects.pop(number, None)

    def find(self, project: str, marker: str) -> int | None:
        """The oldest item with our tag and the marker's; a copy that somebody made has the same tags and is younger."""
        words = (project.replace("'", "''"), text_of.TAG, text_of.tag_of(marker))
        models, query = self._session.models, FIND.format(*words)
        found = self._session.ask(
            f"search work items in {project}",
            lambda clients: clients.wit.query_by_wiql(
                models.Wiql(query=query), models.TeamContext(project=project), top=1
            ),
        )
        return next((int(row.id) for row in found.work_items or []), None)

    def open(self, board: Board, marker: str, draft: Draft) -> int:
        """The item with the marker, created where there is none; ours goes if another machine's was there first."""
        look = self._doubts.now()
        found = self.find(board.project, marker)
        if found is not None:
            return found
        made = self.create(board, marker, draft)
        first = self.find(board.project, marker) if self._doubts.stalled(look) else None
        if first is None or first == made:
            return made
        with suppress(Denied):  # who may not delete leaves a second one, which nobody looks at again
            self._session.write(
                f"delete a second work item of ours in {board.project}",
                lambda clients: clients.wit.delete_work_item(made, project=board.project),
            )
        return first

    def create(self, board: Board, marker: str, draft: Draft) -> int:
        """A new item as the draft says. Where the answer was lost, the item is searched before anything is repeated."""
        key = (board.project, marker)
        self._doubts.hold(key)
        kind = self._process.type_for(board, draft.kind)
        known = self._process.fields(board.project, kind)
        fields: dict[str, Any] = {
            "System.Title": draft.title[:TITLE],
            _text_field(draft.kind, known): text_of.block(draft.text),
            "System.Tags": text_of.with_tags(None, (text_of.TAG, text_of.tag_of(marker), *draft.tags)),
            "System.AreaPath": board.areas.get(draft.severity or 0, board.area),
            "System.IterationPath": board.iteration,
            **_urgency(draft, known),
        }
        patch = self._patch([Change(f"/fields/{name}", value) for name, value in fields.items() if value is not None])
        try:
            made = self._session.write(
                f"create a {kind} in {board.project}",
                lambda clients: clients.wit.create_work_item(patch, board.project, kind),
            )
        except Uncertain:
            self._doubts.note(key)
            found = self.find(board.project, marker)
            if found is None:
                raise
            return found
        return int(made.id)

    def change(self, number: int, plan: Plan) -> None:
        """Do what `plan` finds missing, at the revision that it looked at; look again when somebody was faster."""
        for attempt in range(ATTEMPTS):
            item = self.read(number)
            changes = plan(item)
            if not changes:
                return
            try:
                self._update(item, changes)
            except Changed:
                if attempt == ATTEMPTS - 1:
                    raise
            except Uncertain:
                if plan(self.read(number)):
                    raise
                return
            else:
                return

    def revise(self, number: int, draft: Draft, areas: Mapping[int, str]) -> None:
        """Title, our part of the text, our tags and the urgency as the draft says; what is people's stays."""

        def plan(item: Item) -> list[Change]:
            known = self._process.fields(item.project, item.type)
            name = _holding(item, draft.kind, known)
            wanted = text_of.with_block(item.text(name), draft.text)
            fields: dict[str, Any] = {"System.Title": draft.title[:TITLE], **_urgency(draft, known)}
            if not text_of.same(item.text(name), wanted):
                fields[name] = wanted
            fields["System.Tags"] = text_of.with_tags(item.text("System.Tags"), (text_of.TAG, *draft.tags))
            if draft.severity is not None and draft.severity in areas:
                fields["System.AreaPath"] = areas[draft.severity]
            return [Change(f"/fields/{one}", value) for one, value in fields.items() if item.text(one) != str(value)]

        self.change(number, plan)

    def relate(self, number: int, url: str, title: str) -> None:
        """A hyperlink, once."""
        link = {"rel": "Hyperlink", "url": url, "attributes": {"comment": " ".join(title.split())[:255]}}

        def plan(item: Item) -> list[Change]:
            return [] if url in item.links else [Change("/relations/-", link)]

        try:
            self.change(number, plan)
        except Rejected as problem:
            if "already exists" not in str(problem):
                raise

    def _update(self, item: Item, changes: list[Change]) -> None:
        patch = self._patch(changes, item.rev)
        self._session.write(f"change work item {item.id}", lambda clients: clients.wit.update_work_item(patch, item.id))

    def _patch(self, changes: list[Change], rev: int | None = None) -> list[Any]:
        operation = self._session.models.JsonPatchOperation
        test = [operation(op="test", path="/rev", value=rev)] if rev is not None else []
        return test + [operation(op="add", path=change.path, value=change.value) for change in changes]


def _text_field(kind: str, known: Mapping[str, tuple[str, ...]]) -> str:
    return STEPS if kind == "problem" and STEPS in known else DESCRIPTION


def _holding(item: Item, kind: str, known: Mapping[str, tuple[str, ...]]) -> str:
    """The field that our part is in already, else the one that it belongs in."""
    ours = [name for name in (DESCRIPTION, STEPS) if text_of.OURS.search(item.text(name))]
    return ours[0] if ours else _text_field(kind, known)


def _urgency(draft: Draft, known: Mapping[str, tuple[str, ...]]) -> dict[str, Any]:
    """Priority and severity in the type's own values ("2 - High"), where it has them."""
    found: dict[str, Any] = {}
    if draft.severity is None:
        return found
    for name in (PRIORITY, SEVERITY):
        value = next((value for value in known.get(name, ()) if value.startswith(str(draft.severity))), None)
        if value is not None:
            found[name] = int(value) if value.isdigit() else value
        elif name == PRIORITY and PRIORITY in known:
            found[name] = draft.severity
    return found
