"""Text of strangers as HTML that is safe to show: Markdown with tables, and an allow-list for HTML."""

from html import escape
from html.parser import HTMLParser
from urllib.parse import urlsplit

from markdown_it import MarkdownIt

_PLAIN = (
    "p div span br hr b i u s em strong del ins sub sup code pre kbd blockquote ul ol li h1 h2 h3 h4 h5 h6 table "
    "thead tbody tr details summary"
)
_ALLOWED: dict[str, frozenset[str]] = {tag: frozenset() for tag in _PLAIN.split(" ")} | {
    "a": frozenset({"href", "title"}),
    "img": frozenset({"src", "alt", "title"}),
    "td": frozenset({"colspan", "rowspan", "style"}),
    "th": frozenset({"colspan", "rowspan", "style"}),
}
_EMPTY = {"br", "hr", "img"}
_SILENCED = {"script", "style", "template", "noscript", "iframe", "object", "svg", "math", "textarea", "title"}
_SCHEMES = {"http", "https", "mailto", ""}

# Raw HTML in Markdown goes through the allow-list like any other.
_markdown = MarkdownIt("commonmark", {"html": True, "linkify": False, "breaks": True}).enable(
    ["table", "strikethrough"]
)


def render(text: str, form: str) -> str:
    """HTML to show for a comment or description in "markdown" or "html"."""
    return clean(_markdown.render(text) if form == "markdown" else text)


def clean(html: str) -> str:
    """The same HTML with nothing in it but allowed elements and attributes, well nested."""
    cleaner = _Cleaner()
    cleaner.feed(html)
    cleaner.close()
    return cleaner.result()


class _Cleaner(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self._out: list[str] = []
        self._open: list[str] = []
        self._silent: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _SILENCED:
            self._silent.append(tag)
        elif tag in _ALLOWED and not self._silent:
            self._out.append(f"<{tag}{self._attributes(tag, attrs)}>")
            if tag not in _EMPTY:
                self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if self._silent:
            if tag == self._silent[-1]:
                self._silent.pop()
        elif tag in self._open:
            while (last := self._open.pop()) != tag:
                self._out.append(f"</{last}>")
            self._out.append(f"</{tag}>")

    def handle_data(self, data: str) -> None:
        if not self._silent:
            self._out.append(escape(data, quote=False))

    def result(self) -> str:
        return "".join(self._out) + "".join(f"</{tag}>" for tag in reversed(self._open))

    @staticmethod
    def _attributes(tag: str, attrs: list[tuple[str, str | None]]) -> str:
        kept = ""
        for name, value in attrs:
            text = value or ""
            if name in _ALLOWED[tag] and _harmless(name, text):
                kept += f' {name}="{escape(text)}"'
        return kept + (' rel="nofollow noopener noreferrer"' if tag == "a" else "")


def _harmless(name: str, text: str) -> bool:
    match name:
        case "href" | "src":
            return _leads_out(text)
        case "style":  # how Markdown aligns the columns of a table
            return text in ("text-align:left", "text-align:center", "text-align:right")
        case _:
            return True


def _leads_out(url: str) -> bool:
    # Browsers drop control characters and blanks before they look at the scheme; so do we.
    bare = "".join(letter for letter in url if letter > " ")
    try:
        return urlsplit(bare).scheme.lower() in _SCHEMES
    except ValueError:
        return False
