"""A YAML file checked against a pydantic model: every mistake at once, each with its line and what was expected."""

import difflib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails
from yaml import Node

from lifecycle.yamltree import Step, Wrong, compose, find, named, plain, shown

Parsed = TypeVar("Parsed", bound=BaseModel)
Problem = tuple[Sequence[Step], str]


@dataclass(frozen=True, slots=True)
class Mistake:
    """One thing wrong in a file; `line` counts from 1."""

    file: str
    line: int
    what: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.what}"


class Mistakes(ValueError):
    """Everything that is wrong in a file."""

    def __init__(self, mistakes: Sequence[Mistake]) -> None:
        self.mistakes = tuple(mistakes)
        super().__init__("\n".join(str(m) for m in mistakes))


def parse(
    text: str,
    into: type[Parsed],
    where: str,
    *,
    context: Mapping[str, Any] | None = None,
    check: Callable[[Mapping[str, Any]], Iterable[Problem]] | None = None,
    echo: bool = True,
) -> Parsed:
    """Read `text` as YAML into the model. Raises Mistakes.

    `context` reaches the model's validators; `check` looks at the plain data for what concerns several keys and
    yields (path, what is wrong), also when single values are wrong; without `echo` no mistake shows a value.
    """
    try:
        tree = compose(text)
        data = plain(tree)
    except Wrong as wrong:
        raise Mistakes([Mistake(where, *problem) for problem in wrong.problems]) from None
    found = [(find(tree, path)[0], what) for path, what in (check(data) if check else ())]
    try:
        result = into.model_validate(data, context=dict(context or {}))
    except ValidationError as error:
        found += _problems(tree, into, error.errors(include_url=False), echo)
        result = None
    if result is None or found:
        raise Mistakes([Mistake(where, *problem) for problem in sorted(found, key=lambda problem: problem[0])])
    return result


def line_of(text: str, path: Sequence[Step]) -> int:
    """The line, counted from 1, of the key or item that `path` leads to, or of the nearest one above it."""
    try:
        return find(compose(text), path)[0]
    except Wrong:
        return 1


def _problems(tree: Node, into: type[BaseModel], details: Iterable[ErrorDetails], echo: bool) -> list[tuple[int, str]]:
    """What pydantic found, one problem a place: the members of a union complain one by one."""
    found: dict[tuple[int, str], list[str]] = {}
    given: dict[tuple[int, str], str] = {}
    for detail in filter(_counts, details):
        path = [step for step in detail["loc"] if step != "[key]"]
        line, walked = find(tree, path)
        place = line, ".".join(map(named, path if detail["type"] == "missing" else walked)) or "the file"
        what = _wish(detail, _neighbours(into, path))
        found[place] = list(dict.fromkeys([*found.get(place, []), what]))
        given[place] = f" (found {shown(detail['input'])})" if echo and _is_value(detail) else ""
    return [(line, _told(name, whats) + given[line, name]) for (line, name), whats in found.items()]


def _told(name: str, whats: Sequence[str]) -> str:
    what = " or ".join([whats[0], *(more.removeprefix("expected ") for more in whats[1:])])
    return f"{name}{what}" if what.startswith(" ") else f"{name}: {what}"


def _counts(detail: ErrorDetails) -> bool:
    """Whether this is news: what has too few entries only because some of them are wrong is not."""
    return detail["type"] != "too_short" or len(detail["input"]) < detail.get("ctx", {})["min_length"]


def _is_value(detail: ErrorDetails) -> bool:
    """Whether the mistake is about a single value that can be shown."""
    return detail["type"] not in ("missing", "extra_forbidden") and not isinstance(detail["input"], dict | list | None)


WISHES = {
    "int_type": "expected a whole number",
    "int_parsing": "expected a whole number",
    "int_parsing_size": "expected a smaller whole number",
    "int_from_float": "expected a whole number",
    "float_type": "expected a number",
    "float_parsing": "expected a number",
    "finite_number": "expected a number",
    "bool_type": "expected yes or no",
    "bool_parsing": "expected yes or no",
    "string_type": "expected text",
    "dict_type": "expected a mapping, `key: value` lines",
    "model_type": "expected a mapping, `key: value` lines",
    "tuple_type": "expected a list",
    "list_type": "expected a list",
    "literal_error": "expected {expected}",
    "greater_than": "expected more than {gt}",
    "greater_than_equal": "expected at least {ge}",
    "less_than": "expected less than {lt}",
    "less_than_equal": "expected at most {le}",
    "too_short": "expected {min_length} or more entries",
    "too_long": "expected {max_length} entries at most",
    "string_pattern_mismatch": "expected text of the form {pattern}",
    "missing": " is missing",
}


def _wish(detail: ErrorDetails, neighbours: Iterable[str]) -> str:
    if detail["type"] == "extra_forbidden":
        near = difflib.get_close_matches(str(detail["loc"][-1]), list(neighbours), n=1)
        return " is not a key that belongs here" + (f"; did you mean `{near[0]}`?" if near else "")
    if detail["type"] == "string_type" and isinstance(detail["input"], int | float):
        return "expected text; put quotes around it"
    if detail["type"] in WISHES:
        return WISHES[detail["type"]].format_map(detail.get("ctx", {}))
    return detail["msg"].removeprefix("Value error, ")


def _neighbours(into: Any, path: Sequence[Step]) -> Iterator[str]:
    """The keys that a model knows where `path` ends."""
    if isinstance(into, type) and issubclass(into, BaseModel):
        named = {field.alias or name: field.annotation for name, field in into.model_fields.items()}
        if len(path) <= 1:
            yield from named
        else:
            yield from _neighbours(named.get(str(path[0])), path[1:])
        return
    rest = path[1:] if into is not None and getattr(into, "__origin__", None) in (dict, tuple, list) else path
    for part in get_args(into):
        yield from _neighbours(part, rest)
