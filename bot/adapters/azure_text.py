"""Text on its way to and from Azure Boards: markers, tags, our part of a description, HTML to what was meant (pure)."""

import hashlib
import re
from collections.abc import Iterable
from html.parser import HTMLParser
from urllib.parse import quote

from markdown_it import MarkdownIt

TAG = "lifecycle-bot"
# Visible on purpose: the service cleans HTML and people edit it in a rich editor, where nothing hidden survives.
BEGIN = "▼ lifecycle-bot keeps this part up to date; write above or below it ▼"
END = "▲ lifecycle-bot ▲"
OURS = re.compile(
    rf"({re.escape(BEGIN)}(?:\s*</\w+>)*)(.*?)((?:<(?:p|div|i|em|span)\b[^>]*>\s*)*{re.escape(END)})", re.DOTALL
)
HEADINGS = {f"h{level}" for level in range(1, 7)}
BLOCKS = HEADINGS | {"blockquote", "dd", "div", "dt", "hr", "li", "ol", "p", "pre", "table", "tr", "ul"}
SILENT = frozenset({"script", "style", "template", "title"})
MARKDOWN = MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"])


def comment(marker: str, text: str) -> str:
    """A comment's Markdown. The marker is a link definition, which renders as nothing and is kept as it is written;
    an HTML comment would have to get past the service's HTML cleaner."""
    return f"{_definition(marker)}\n\n{disarm(text)}"


def carries(text: str | None, marker: str) -> bool:
    """Whether a comment of ours carries `marker`, on its first line, where no quoted text can be."""
    return (text or "").lstrip().startswith(_definition(marker))


def is_ours(text: str | None) -> bool:
    """Whether a comment begins as ours do; who wrote it must be asked besides."""
    return (text or "").lstrip().startswith(f"[{TAG}]: # (")


def tag_of(marker: str) -> str:
    """The tag by which an item of ours is found: tags are searchable, exact, and survive every edit of the text."""
    return "lb-" + hashlib.sha256(marker.encode()).hexdigest()[:10]


def tags(stored: str | None) -> list[str]:
    """The tags in "a; b"."""
    return [tag.strip() for tag in (stored or "").split(";") if tag.strip()]


def with_tags(stored: str | None, wanted: Iterable[str]) -> str:
    """The stored tags with ours added where they are missing, in any case; people's stay, in their order."""
    now = tags(stored)
    known = {tag.lower() for tag in now}
    new = [" ".join(tag.replace(";", " ").replace(",", " ").split()) for tag in wanted]
    return "; ".join([*now, *(tag for tag in dict.fromkeys(new) if tag and tag.lower() not in known)])


def html(markdown: str) -> str:
    """Markdown as the HTML that description fields hold; HTML within it is shown, not obeyed."""
    return str(MARKDOWN.render(markdown)).strip()


def block(markdown: str) -> str:
    """Our part of a description."""
    return f"<p><i>{BEGIN}</i></p>{html(disarm(markdown))}<p><i>{END}</i></p>"


def with_block(stored: str | None, markdown: str) -> str:
    """The description with our part as it should be; appended where people took it away."""
    body = html(disarm(markdown))
    if OURS.search(stored or ""):
        return OURS.sub(lambda match: f"{match[1]}{body}{match[3]}", stored or "", count=1)
    return f"{stored or ''}{block(markdown)}"


def same(one: str | None, other: str | None) -> bool:
    """Whether two pieces of HTML say the same: their words and links, since the service may write tags its own way."""
    return _essence(one) == _essence(other)


def disarm(text: str) -> str:
    """Text from elsewhere cannot pass for the edges of our part, or for a marker."""
    return text.replace("▼", "▽").replace("▲", "△").replace("[lifecycle-bot]: #", "\\[lifecycle-bot]: #")


def plain(text: str | None) -> str:
    """HTML as its author meant it, as Markdown of sorts: lines as lines, code and quotes marked as such."""
    reader = _Reader()
    reader.feed(text or "")
    reader.close()
    return reader.result()


def _definition(marker: str) -> str:
    return f"[{TAG}]: # ({quote(marker, safe=':/#@ ')})"


def _essence(text: str | None) -> tuple[str, tuple[str, ...]]:
    reader = _Reader()
    reader.feed(text or "")
    reader.close()
    return " ".join(reader.result().split()), tuple(reader.links)


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.links: list[str] = []
        self._lines: list[str] = []
        self._line = ""
        self._quotes = self._pre = self._silent = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.links += [value for name, value in attrs if name == "href" and value]
        self._silent += tag in SILENT
        if tag in BLOCKS or tag == "br":
            self._break(always=tag == "br")
        if tag == "pre":
            self._fence(+1)
        elif tag == "blockquote":
            self._quotes += 1
        elif tag == "li":
            self._line = "- "
        elif tag == "code" and not self._pre:
            self._line += "`"

    def handle_endtag(self, tag: str) -> None:
        self._silent -= tag in SILENT and self._silent > 0
        if tag in BLOCKS:
            self._break()
        if tag == "pre" and self._pre:
            self._fence(-1)
        elif tag == "blockquote" and self._quotes:
            self._quotes -= 1
        elif tag == "code" and not self._pre:
            self._line += "`"

    def handle_data(self, data: str) -> None:
        if self._silent:
            return
        if self._pre:
            first, *rest = data.split("\n")
            self._line += first
            for line in rest:
                self._break(always=True)
                self._line = line
        else:
            self._line += re.sub(r"\s+", " ", data if self._line else data.lstrip())

    def result(self) -> str:
        self._break()
        return "\n".join(self._lines).strip("\n")

    def _fence(self, step: int) -> None:
        self._lines.append("> " * self._quotes + "```")
        self._pre += step

    def _break(self, always: bool = False) -> None:
        if self._line.strip() or always:
            self._lines.append("> " * self._quotes + (self._line if self._pre else self._line.strip()))
        self._line = ""
