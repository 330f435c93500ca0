"""A YAML file checked against a pydantic model: every mistake at once, each with its line and what was expected."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

import yaml
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

Parsed = TypeVar("Parsed", bound=BaseModel)
Step = str | int


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


def parse(text: str, into: type[Parsed], where: str) -> Parsed:
    """Read `text` as YAML into the model. Raises Mistakes."""
    tree = _compose(text, where)
    try:
        return into.model_validate(yaml.safe_load(text) or {})
    except ValidationError as error:
        found = [_mistake(where, tree, detail) for detail in error.errors(include_url=False)]
        raise Mistakes(sorted(found, key=lambda m: m.line)) from None


def line_of(text: str, path: Sequence[Step]) -> int:
    """The line, counted from 1, of the key or item that `path` leads to, or of the nearest one above it."""
    try:
        return _find(yaml.compose(text, Loader=yaml.SafeLoader), path)[0]
    except yaml.YAMLError:
        return 1


def _compose(text: str, where: str) -> yaml.Node | None:
    try:
        tree = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else 1
        raise Mistakes([Mistake(where, line, f"this is not YAML: {error.problem or error.context}")]) from None
    except yaml.YAMLError as error:
        raise Mistakes([Mistake(where, 1, f"this is not YAML: {error}")]) from None
    if not isinstance(tree, yaml.MappingNode):
        raise Mistakes([Mistake(where, 1, "expected a mapping, `key: value` lines")])
    double = [Mistake(where, line, f"the key {key!r} stands twice") for key, line in _doubles(tree)]
    if double:
        raise Mistakes(double)
    return tree


def _doubles(node: yaml.Node) -> list[tuple[str, int]]:
    found: list[tuple[str, int]] = []
    if isinstance(node, yaml.MappingNode):
        seen: set[str] = set()
        for key, value in node.value:
            if key.value in seen:
                found.append((key.value, key.start_mark.line + 1))
            seen.add(key.value)
            found += _doubles(value)
    elif isinstance(node, yaml.SequenceNode):
        for item in node.value:
            found += _doubles(item)
    return found


def _find(node: yaml.Node | None, path: Sequence[Step]) -> tuple[int, str]:
    """The line of what `path` names and the dotted path as far as the file has it."""
    line, walked = (node.start_mark.line + 1 if node else 1), []
    for step in path:
        if isinstance(node, yaml.MappingNode):
            pair = next(((k, v) for k, v in node.value if k.value == str(step)), None)
            if pair is None:
                break
            line, node = pair[0].start_mark.line + 1, pair[1]
        elif isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
            node = node.value[step]
            line = node.start_mark.line + 1
        else:
            break
        walked.append(str(step))
    return line, ".".join(walked)


def _mistake(where: str, tree: yaml.Node | None, detail: ErrorDetails) -> Mistake:
    path = [step for step in detail["loc"] if step != "[key]"]
    line, _ = _find(tree, path)
    name = ".".join(str(step) for step in path) or "the file"
    match detail["type"]:
        case "missing":
            what = f"{name} is missing"
        case "extra_forbidden":
            what = f"{name} is not a key that belongs here"
        case _:
            given = "" if isinstance(detail["input"], dict | list) else f" (found {_shown(detail['input'])})"
            what = f"{name}: {detail['msg'].removeprefix('Value error, ')}{given}"
    return Mistake(where, line, what)


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."
