"""Reads a JSON Patch on a work item into a draft: atomic, with the `test /rev` of careful writers."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from .errors import bad_patch, invalid, not_in_list, rule, test_failed, tree_missing, unknown_person
from .fields import BYPASSABLE, Field, Kind, read_value
from .items import Draft, Relation
from .people import Person
from .relations import check_new, read_relation
from .state import Organisation

_OPERATIONS = {"add", "replace", "remove", "test"}
MARKDOWN_SINCE = (7, 2)  # the first API version with /multilineFieldsFormat


class Patch:
    """One request's operations, applied to a draft in their order; nothing is saved here."""

    def __init__(self, org: Organisation, draft: Draft, *, bypass: bool, version: tuple[int, int]) -> None:
        self._org = org
        self._draft = draft
        self._bypass = bypass
        self._version = version

    def apply(self, document: Any) -> Draft:
        """The draft after all operations and checks; raises the service's refusal at the first that fails."""
        if not isinstance(document, list) or not document:
            raise invalid("You must pass a valid patch document in the body of the request.")
        for operation in document:
            self._apply(operation)
        self._check()
        return self._draft

    def _apply(self, operation: Any) -> None:
        if not isinstance(operation, dict) or str(operation.get("op", "")).lower() not in _OPERATIONS:
            raise invalid("You must pass a valid patch document in the body of the request.")
        op, path, value = str(operation["op"]).lower(), str(operation.get("path", "")), operation.get("value")
        if op == "remove" and value is not None:
            raise bad_patch("Remove requires Value to be null.")
        match path.strip("/").split("/"):
            case ["rev"] if op == "test":
                self._test(path, self._draft.item.rev if self._draft.item else 0, value)
            case ["id"]:
                return  # clients send -1 with a new item
            case ["fields", name]:
                self._field(op, path, self._org.field(name), value)
            case ["relations", *where]:
                self._relation(op, where, path, value)
            case ["multilineFieldsFormat", name] if self._version >= MARKDOWN_SINCE:
                self._format(self._org.field(name), value)
            case _:
                raise bad_patch(f"VS403352: The patch operation {op} cannot be applied to the path {path}.")

    def _test(self, path: str, actual: Any, expected: Any) -> None:
        if str(actual) != str(expected):
            raise test_failed(path, actual, expected)

    def _field(self, op: str, path: str, field: Field, value: Any) -> None:
        draft = self._draft
        if op == "test":
            held = draft.fields.get(field.reference)
            self._test(path, held.signature() if isinstance(held, Person) else held, value)
        elif field.read_only and not (self._bypass and field.reference in BYPASSABLE):
            raise rule(field.reference, field.name, "ReadOnly")
        elif field.kind is Kind.HISTORY:
            draft.said = _said(value)
        elif field.reference == "System.Tags":
            # On this one field "add" adds to what is there; only "replace" and "remove" take tags away.
            kept = draft.fields.get(field.reference) or ""
            draft.fields[field.reference] = join_tags(f"{kept}; {value or ''}" if op == "add" else str(value or ""))
        else:
            draft.fields[field.reference] = self._value(field, None if op == "remove" else value)

    def _value(self, field: Field, value: Any) -> Any:
        stored = read_value(field, value)
        if field.kind is Kind.PERSON and stored is not None:
            return self._person(field, stored)
        if field.reference == "System.WorkItemType" and stored != self._draft.type.name:
            raise bad_patch("The playground does not change the type of a work item.")
        return stored

    def _person(self, field: Field, value: Any) -> Person:
        names = value.values() if isinstance(value, Mapping) else [value]
        for name in names:
            if isinstance(name, str) and (found := self._org.find_person(name)) is not None:
                return found
        raise unknown_person(field.reference, field.name, value)

    def _format(self, field: Field, value: Any) -> None:
        if field.kind is not Kind.HTML or str(value).lower() not in ("markdown", "html"):
            raise bad_patch(f"VS403352: {field.reference} cannot have the format {value}.")
        if str(value).lower() == "html" and self._draft.formats.get(field.reference) == "markdown":
            raise bad_patch(f"VS403352: {field.reference} is in Markdown, which cannot be undone.")
        self._draft.formats[field.reference] = str(value).lower()

    def _relation(self, op: str, where: list[str], path: str, value: Any) -> None:
        links = self._draft.relations
        match where:
            case ["-"] if op == "add":
                links.append(check_new(self._org, self._draft, read_relation(value)))
            case [number] if op == "remove" and number.isdigit() and int(number) < len(links):
                del links[int(number)]
            case [number, "attributes", name] if op != "remove" and number.isdigit() and int(number) < len(links):
                old = links[int(number)]
                links[int(number)] = Relation(old.rel, old.url, {**old.attributes, name: value})
            case _:
                raise bad_patch(f"VS403352: The patch operation {op} cannot be applied to the path {path}.")

    def _check(self) -> None:
        draft, fields = self._draft, self._draft.fields
        if not fields.get("System.Title"):
            raise rule("System.Title", "Title", "Required, InvalidEmpty")
        state = draft.type.state(str(fields.get("System.State") or ""))
        if state is None or (draft.item is None and state != draft.type.states[0] and not self._bypass):
            raise not_in_list("System.State", "State", fields.get("System.State"))
        fields["System.State"] = state.name
        number = draft.item.id if draft.item else -1
        for name, root in (
            ("System.AreaPath", draft.project.areas),
            ("System.IterationPath", draft.project.iterations),
        ):
            node = root.find(str(fields.get(name) or ""))
            if node is None:
                raise tree_missing(number, name)
            fields[name] = node.path
        self._parent()

    def _parent(self) -> None:
        parents = [link for link in self._draft.relations if link.rel == "System.LinkTypes.Hierarchy-Reverse"]
        self._draft.fields["System.Parent"] = int(parents[0].url.rsplit("/", 1)[1]) if parents else None


def _said(value: Any) -> tuple[str, str] | None:
    """A comment given as System.History: a text, or {"format": "Markdown", "text": …}."""
    if isinstance(value, Mapping):
        text, form = str(value.get("text") or ""), str(value.get("format") or "html").lower()
        if form not in ("html", "markdown"):
            raise invalid(f"VS403352: System.History cannot have the format {form}.")
    else:
        text, form = str(value or ""), "html"
    return (text, form) if text else None


def split_tags(text: str) -> list[str]:
    """The tags of "a; b", without repetitions in any case, in their order."""
    tags: dict[str, str] = {}
    for tag in text.replace(",", ";").split(";"):
        if tag.strip():
            tags.setdefault(tag.strip().lower(), tag.strip())
    return list(tags.values())


def join_tags(text: str) -> str | None:
    """Tags as the service stores them, "a; b"; None when there are none."""
    return "; ".join(split_tags(text)) or None


def with_revision(draft: Draft, **fields: Any) -> Draft:
    """A copy of the draft with other fields, for changes that no patch asked for."""
    return replace(draft, fields={**draft.fields, **fields})
