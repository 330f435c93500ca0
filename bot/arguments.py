"""A command line's words, and how each is read as the type that a command's signature asks for (pure)."""

import re
import types
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from math import isfinite
from typing import Any, Literal, Union, get_args, get_origin

Value = str | int | float | bool

PIECE = re.compile(
    r"'(?P<single>[^']*)'|\"(?P<double>(?:[^\"\\]|\\.)*)\"|\\(?P<escaped>.)|(?P<bare>[^\s'\"\\]+)", re.DOTALL
)
NAME = re.compile(r"([A-Za-z_][A-Za-z0-9_.-]{0,63})=")
WHOLE = re.compile(r"[+-]?[0-9]{1,18}")
NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]{1,3})?")
YES = frozenset({"yes", "true", "on"})
NO = frozenset({"no", "false", "off"})
OURS = frozenset({"policy", "check", "report", "written"})  # options of runs; the commit of the rules is shown by name
BIDI = re.compile("[\u200e\u200f\u202a-\u202e\u2066-\u2069]")


class Rest(str):
    """A command's argument that is the rest of its line, just as it is written."""


class Misread(Exception):
    """A command that cannot be understood; the message is Markdown for the asker and says what to write instead."""


@dataclass(frozen=True, slots=True)
class Word:
    """One word after quotes are resolved; `name` when it was written name=…, `quoted` when its value had quotes."""

    name: str | None
    text: str
    quoted: bool


@dataclass(frozen=True, slots=True)
class Reader:
    """How a word becomes a value: `expects` completes "expects …"; `read` raises ValueError."""

    expects: str
    read: Callable[[Word], object]


def code_span(text: str, longest: int = 80) -> str:
    """Somebody else's text as Markdown code on one line: nothing in it links, mentions, ends the code or hides.

    Safe in table cells too. Backticks and bars become look-alikes, HTML comments lose their mark, so that no hidden
    marker of ours can be forged, and characters that reorder a line are dropped.
    """
    text = BIDI.sub("", text[: 4 * longest])
    text = "".join(" " if unicodedata.category(c) in ("Cc", "Cs", "Zl", "Zp") else c for c in text)
    text = " ".join(text.split())
    text = text.replace("`", "ˋ").replace("|", "ǀ").replace("<!--", "<!- -").replace("-->", "- ->")
    if len(text) > longest:
        text = text[: longest - 1] + "…"
    return f"`{text or ' '}`"


def words(text: str) -> list[Word]:
    """Split as a shell would ('…', "…", backslash), and set names apart from values. Raises Misread."""
    if '"' not in text:
        text = re.sub("[“”„]", '"', text)  # what phones make of a quotation mark
    return [_word(part) for part in _split(text)]


def _split(text: str) -> Iterator[list[re.Match[str]]]:
    pieces: list[re.Match[str]] = []
    at = 0
    while at < len(text):
        if text[at].isspace():
            if pieces:
                yield pieces
            pieces, at = [], at + 1
            continue
        match = PIECE.match(text, at)
        if match is None:
            raise Misread(_open(text[at:]))
        pieces.append(match)
        at = match.end()
    if pieces:
        yield pieces


def _open(rest: str) -> str:
    if rest == "\\":
        return "The line ends in a backslash that stands before nothing; leave it out, or write it twice."
    return (
        f"A quotation mark is opened and not closed: {code_span(rest)}. "
        "Close it, or write a backslash before it if it is meant as it stands."
    )


def _word(pieces: list[re.Match[str]]) -> Word:
    text = "".join(map(_meaning, pieces))
    bare = pieces[0]["bare"]
    name = NAME.match(bare) if bare is not None else None
    quoted = any(piece["bare"] is None for piece in pieces)
    return Word(name[1], text[name.end() :], quoted) if name else Word(None, text, quoted)


def _meaning(piece: re.Match[str]) -> str:
    if piece["double"] is not None:
        return re.sub(r'\\(["\\])', r"\1", piece["double"])
    return next(group for group in (piece["single"], piece["escaped"], piece["bare"]) if group is not None)


def guess(word: Word) -> Value:
    """A free argument, typed by how it looks: 6, 0.5, 1e-3, true; else, and whenever quoted, text."""
    if word.quoted:
        return word.text
    if WHOLE.fullmatch(word.text):
        return int(word.text)
    if NUMBER.fullmatch(word.text) and isfinite(float(word.text)):
        return float(word.text)
    return {"true": True, "false": False}.get(word.text.lower(), word.text)


def reader(annotation: Any) -> Reader:
    """How arguments of that type are read. Raises TypeError for a type that no comment can express."""
    if get_origin(annotation) in (Union, types.UnionType):
        inner = [part for part in get_args(annotation) if part is not type(None)]
        if set(inner) == {str, int, float, bool}:
            return Reader("a value", guess)
        if len(inner) == 1:
            return reader(inner[0])
    if get_origin(annotation) is Literal:
        return _choices({str(choice): choice for choice in get_args(annotation)})
    if annotation in SIMPLE:
        return SIMPLE[annotation]
    if isinstance(annotation, type) and callable(getattr(annotation, "parse", None)):
        return _parsed(annotation)
    if isinstance(annotation, type) and issubclass(annotation, Enum):
        return _choices({str(choice.value): choice for choice in annotation})
    raise TypeError(f"a command's argument cannot be {annotation!r}")


def _parsed(kind: Any) -> Reader:
    example = getattr(kind, "EXAMPLE", "")
    said = f"a {kind.__name__.lower()}" + (f" such as {example}" if example else "")
    return Reader(said, lambda word: kind.parse(word.text))


def _choices(known: dict[str, object]) -> Reader:
    by_fold = {name.casefold(): value for name, value in known.items()}

    def read(word: Word) -> object:
        if word.text.casefold() not in by_fold:
            raise ValueError(word.text)
        return by_fold[word.text.casefold()]

    return Reader("one of " + ", ".join(known), read)


def _text(word: Word) -> str:
    if not word.text.strip():
        raise ValueError("empty")
    return word.text


def _flag(word: Word) -> bool:
    if word.text.lower() not in YES | NO:
        raise ValueError(word.text)
    return word.text.lower() in YES


def _whole(word: Word) -> int:
    if not WHOLE.fullmatch(word.text):
        raise ValueError(word.text)
    return int(word.text)


def _number(word: Word) -> float:
    if not NUMBER.fullmatch(word.text) or not isfinite(float(word.text)):
        raise ValueError(word.text)
    return float(word.text)


SIMPLE: dict[object, Reader] = {
    str: Reader("a text that is not empty", _text),
    bool: Reader("yes or no", _flag),
    int: Reader("a whole number", _whole),
    float: Reader("a number", _number),
    Rest: Reader("the rest of the line", lambda word: Rest(word.text)),
}


def asked_for(options: Mapping[str, Value]) -> dict[str, Value]:
    """A run's options as people gave them, without those that only the bot itself sets."""
    return {name: value for name, value in options.items() if name not in OURS}
