"""YAML text as a checked tree that knows its lines, and as plain data; what no settings file needs is refused.

Words mean what YAML 1.2 says: `no`, `off`, `12:30`, `010` and dates are text, until a field asks for something else.
"""

import re
from collections.abc import Iterator, Sequence
from typing import Any, cast

import yaml

Step = str | int

LONGEST = 262_144  # characters
DEEPEST = 40
LARGEST = 50_000  # nodes, after aliases are followed: a few lines can otherwise mean billions


class Wrong(Exception):
    """The text is no YAML that we take; `problems` are lines and what is wrong there."""

    def __init__(self, *problems: tuple[int, str]) -> None:
        super().__init__()
        self.problems = problems


class _Loader(yaml.SafeLoader):
    """SafeLoader without the words that YAML 1.1 takes for something else."""

    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}  # noqa: RUF012


def _words() -> None:
    tag = "tag:yaml.org,2002:"
    for name, pattern, first in (
        ("bool", r"true|True|TRUE|false|False|FALSE", "tTfF"),
        ("int", r"[-+]?(0|[1-9][0-9]{0,17})", "-+0123456789"),
        ("float", r"[-+]?(\.[0-9]+|[0-9]+\.[0-9]*)([eE][-+]?[0-9]{1,2})?", "-+.0123456789"),
        ("float", r"[-+]?[0-9]{1,18}[eE][-+]?[0-9]{1,2}", "-+0123456789"),
        ("null", r"~|null|Null|NULL|", "~nN\0"),
        ("merge", r"<<", "<"),
    ):
        _Loader.add_implicit_resolver(
            tag + name, re.compile(f"^(?:{pattern})$"), ["" if c == "\0" else c for c in first]
        )
    _Loader.add_constructor(tag + "float", lambda _loader, node: float(node.value))


_words()


def compose(text: str) -> yaml.MappingNode:
    """The tree of a text that is one mapping. Raises Wrong."""
    if len(text) > LONGEST:
        raise Wrong((1, f"the file is longer than {LONGEST:,} characters"))
    try:
        _scan(text)
        tree = yaml.compose(text, Loader=_Loader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else 1
        raise Wrong((line, f"this is not YAML: {_plainly(error.problem or error.context or '')}")) from None
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise Wrong((line, "this is not YAML: it holds a character that text files do not have")) from None
    if tree is None:
        tree = yaml.MappingNode("tag:yaml.org,2002:map", [], yaml.Mark("", 0, 0, 0, None, 0))
    if not isinstance(tree, yaml.MappingNode):
        raise Wrong((_line(tree), "expected a mapping, `key: value` lines"))
    _measure(tree, {})
    if wrong := list(_bad_keys(tree, set())):
        raise Wrong(*wrong)
    return tree


def _plainly(problem: str) -> str:
    """A parser's complaint without the word that it quotes, which may be half a password."""
    if problem.startswith("found undefined alias"):
        return "found an alias that nothing defines; put quotes around text that begins with `*`"
    return problem


def _scan(text: str) -> None:
    """Look at the file before anything recursive does."""
    depth = documents = 0
    for event in yaml.parse(text, Loader=_Loader):
        line = _line(event)
        documents += isinstance(event, yaml.DocumentStartEvent)
        if documents > 1:
            raise Wrong((line, "expected one document; `---` starts another"))
        if isinstance(event, yaml.NodeEvent) and getattr(event, "tag", None) not in (None, "!"):
            raise Wrong((line, "tags such as `!name` mean nothing here; put quotes around text that begins with `!`"))
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > DEEPEST:
            raise Wrong((line, f"nested deeper than {DEEPEST} levels"))


def _measure(node: yaml.Node, sizes: dict[int, int]) -> int:
    """How many nodes this is once aliases are followed."""
    if sizes.get(id(node)) == 0:
        raise Wrong((_line(node), "this contains itself"))
    if id(node) not in sizes:
        sizes[id(node)] = 0
        sizes[id(node)] = 1 + sum(_measure(child, sizes) for child in _children(node))
    if sizes[id(node)] > LARGEST:
        raise Wrong((_line(node), f"this means more than {LARGEST:,} values"))
    return sizes[id(node)]


def _children(node: yaml.Node) -> Iterator[yaml.Node]:
    for child in () if isinstance(node, yaml.ScalarNode) else node.value:
        yield from child if isinstance(child, tuple) else [child]


def _bad_keys(node: yaml.Node, seen: set[int]) -> Iterator[tuple[int, str]]:
    if id(node) in seen:
        return
    seen.add(id(node))
    names: set[str] = set()
    for key, value in node.value if isinstance(node, yaml.MappingNode) else ():
        line = _line(key)
        if not isinstance(key, yaml.ScalarNode):
            yield line, "a key must be a word, not a list or mapping"
        elif key.value in names:
            yield line, f"the key {named(key.value)} stands twice"
        else:
            names.add(key.value)
        if key.value == "<<" and not _mergeable(value):
            yield line, "`<<` takes an alias of a mapping, as in `<<: *name`"
    for child in _children(node):
        yield from _bad_keys(child, seen)


def _mergeable(node: yaml.Node) -> bool:
    nodes = node.value if isinstance(node, yaml.SequenceNode) else [node]
    return all(isinstance(each, yaml.MappingNode) for each in nodes)


def plain(tree: yaml.Node) -> dict[str, Any]:
    """The tree as plain data."""
    return cast(dict[str, Any], _Loader("").construct_document(tree))


def find(node: yaml.Node, path: Sequence[Step]) -> tuple[int, list[Step]]:
    """The line of what `path` names and the path as far as the file has it."""
    line = _line(node)
    walked: list[Step] = []
    for step in path:
        if isinstance(node, yaml.MappingNode):
            pair = next(((k, v) for k, v in reversed(node.value) if k.value == str(step)), None)
            if pair is None:
                break
            line, node = _line(pair[0]), pair[1]
        elif isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
            node = node.value[step]
            line = _line(node)
        else:
            break
        walked.append(step)
    return line, walked


def _line(at: yaml.Node | yaml.Event) -> int:
    return at.start_mark.line + 1 if at.start_mark else 1


def named(key: Step) -> str:
    """A key for a message, cut where it is too long to be a name: it may be a secret in the wrong place."""
    text = str(key)
    text = text if len(text) <= 30 else text[:6] + "…"
    return text if text.isprintable() and text else repr(text)


def shown(value: object) -> str:
    """A value for a message, cut where it is long."""
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."
