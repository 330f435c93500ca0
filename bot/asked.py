"""Which commands a comment asks for: lines that begin with /word, where a reader would take them for one (pure)."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from html import unescape

from markdown_it import MarkdownIt
from markdown_it.rules_inline import StateInline, escape
from markdown_it.token import Token

LIMIT = 10
LONGEST = 131_072  # characters; twice what GitHub takes
COMMAND = re.compile(r"^ {0,3}/([a-z][a-z-]*)(?:[ \t]+(.*))?$")
ANY = re.compile(r"^ {0,3}/[a-z]", re.MULTILINE)
HIDING = frozenset({"details", "blockquote", "pre", "code", "samp", "script", "style", "textarea", "template", "del"})
HTML = re.compile(
    r"<!--.*?(?:-->|\Z)"  # comments, closed or not
    r"|<[?!].*?(?:>|\Z)"  # declarations
    r"|<(/?)([A-Za-z][A-Za-z0-9-]*)(?:[^<>\"']|\"[^\"]{0,500}\"|'[^']{0,500}'){0,200}+>",  # bounded: no quadratic time
    re.DOTALL,
)
BLOCKS = re.compile(r"div|p|br|hr|[uod]l|li|dt|dd|table|t[rdh]|h[1-6]|section|article|header|footer")
REMARK = re.compile(r"<!--.*?(?:-->|$)")


@dataclass(frozen=True, slots=True)
class Asked:
    """One command line: its word without the slash, what follows it, its line and its place among them, both from 1."""

    name: str
    rest: str
    line: int
    place: int


def find(body: str) -> tuple[Asked, ...]:
    """The command lines of a Markdown comment in order, at most LIMIT + 1 of them (so that `fit` can say so).

    Lines in fenced, indented and inline code, in quotes however they are continued, in HTML comments and in folded
    or quoting HTML do not count; neither do lines that begin with a list mark or a path such as /usr/bin.
    """
    text = re.sub(r"\r\n?", "\n", body[:LONGEST])
    if not ANY.search(text):
        return ()
    source = text.split("\n")
    found: list[Asked] = []
    for line in _spoken(_markdown().parse(text), source):
        if match := COMMAND.match(_bare(source[line])):
            found.append(Asked(match[1], (match[2] or "").strip(), line + 1, len(found) + 1))
            if len(found) > LIMIT:
                break
    return tuple(found)


def find_html(body: str) -> tuple[Asked, ...]:
    """The same for a comment that is HTML, as Azure Boards' editor writes them."""
    return find(plain(body))


def plain(body: str) -> str:
    """HTML as paragraphs of text; code, quotes and folded parts become an ellipsis, mentions their text."""
    body = body[: 4 * LONGEST]
    parts: list[str] = []
    hidden = at = 0
    for match in HTML.finditer(body):
        if not hidden:
            parts += [_collapsed(body[at : match.start()]), _edge(match)]
        at = match.end()
        hidden = max(0, hidden + _depth(match))
    if not hidden:
        parts.append(_collapsed(body[at:]))
    lines = (" ".join(line.split()) for line in "".join(parts).split("\n"))
    return "\n\n".join(line for line in lines if line)


def _collapsed(text: str) -> str:
    """HTML text as a browser shows it: line breaks of the source are spaces."""
    return unescape(re.sub(r"\s+", " ", text)).replace("\n", " ")


def _edge(match: re.Match[str]) -> str:
    """What a tag leaves in the text."""
    tag = (match[2] or "").lower()
    if tag in HIDING:
        return "…" if tag in ("code", "samp", "del") else "\n…\n"
    return "\n" if BLOCKS.fullmatch(tag) else ""


def _bare(line: str) -> str:
    """A line without HTML comments and without the backslash that Markdown takes for a line break."""
    line = REMARK.sub("", line).rstrip()
    slashes = len(line) - len(line.rstrip("\\"))
    return line[:-1] if slashes % 2 else line


def _markdown() -> MarkdownIt:
    """A parser of blocks, code spans and inline HTML only: what is left out decides nothing here and costs time.

    Set-out headings are left out on purpose: a command above a line of dashes is still a command.
    """
    parser = MarkdownIt("zero").enable(
        ["code", "fence", "blockquote", "hr", "list", "reference", "html_block", "heading"]
    )
    parser.enable(["newline", "escape", "backticks", "autolink", "html_inline"])
    parser.options["html"] = True
    parser.inline.ruler.at("newline", _newline)
    parser.inline.ruler.at("escape", _escape)
    return parser


def _newline(state: StateInline, silent: bool) -> bool:
    """Markdown's line break, with a note of where it stands."""
    if state.src[state.pos] != "\n":
        return False
    if not silent:
        state.push("softbreak", "br", 0).meta = {"at": state.pos}
    state.pos += 1
    return True


def _escape(state: StateInline, silent: bool) -> bool:
    """Markdown's backslash, but for the one before a line break, which is left to `_newline`."""
    return not state.src.startswith("\\\n", state.pos) and escape(state, silent)


def _spoken(tokens: list[Token], source: list[str]) -> Iterator[int]:
    """The numbers of the lines, from 0, that begin as plain speech."""
    quotes = hidden = 0
    for token in tokens:
        quotes += token.nesting if token.type.startswith("blockquote") else 0
        if token.map is None or token.type not in ("inline", "html_block"):
            continue
        starts, hidden = _starts(token, hidden)
        lines = token.content.split("\n")
        first = next((n for n in range(*token.map) if source[n].strip()), token.map[0])
        for number in () if quotes else starts:
            if first + number < len(source) and source[first + number].strip() == lines[number].strip():
                yield first + number


def _starts(token: Token, hidden: int) -> tuple[list[int], int]:
    """Which lines of a paragraph or HTML block begin outside code and hiding HTML, and how deep we are in it after."""
    if token.type == "html_block":
        return _html_starts(token.content, hidden)
    number, before = 0, 0
    starts = [] if hidden else [0]
    for child in token.children or ():
        if child.type == "html_inline":
            hidden = max(0, hidden + sum(_depth(match) for match in HTML.finditer(child.content)))
        elif child.type == "softbreak":
            number, before = number + token.content.count("\n", before, child.meta["at"] + 1), child.meta["at"] + 1
            if not hidden:
                starts.append(number)
    return starts, hidden


def _html_starts(content: str, hidden: int) -> tuple[list[int], int]:
    starts: list[int] = []
    number = at = 0
    for match in HTML.finditer(content):
        between = content.count("\n", at, match.start())
        if not hidden:
            starts += range(number + 1, number + between + 1)
        number += between + match[0].count("\n")
        at = match.end()
        hidden = max(0, hidden + _depth(match))
    if not hidden:
        starts += range(number + 1, number + content.count("\n", at) + 1)
    return starts, hidden


def _depth(match: re.Match[str]) -> int:
    """How an HTML tag changes the number of hiding elements that are open."""
    if match[2] is None or match[2].lower() not in HIDING:
        return 0
    return -1 if match[1] else 1
