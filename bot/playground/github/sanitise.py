"""Makes HTML from strangers harmless: a short list of tags and attributes, all else dropped or shown as text."""

import re
from html import escape
from html.parser import HTMLParser

VOID = {"br", "hr", "img", "input", "source", "wbr"}
WORDS = (
    "h1 h2 h3 h4 h5 h6 b i strong em a pre code tt div ins del sup sub p ol ul li table thead tbody tfoot tr td th "
    "caption blockquote dl dt dd kbd q samp var s strike summary details figure figcaption abbr cite dfn mark small "
    "span time picture"
)
TAGS = VOID.union(WORDS.split())
# What is inside these is no text for people.
SILENT = {"script", "style", "iframe", "object", "embed", "noscript", "template", "svg", "math", "textarea", "title"}
ANYWHERE = {"align", "title", "dir", "lang"}
ATTRIBUTES = {
    "a": {"href"},
    "img": {"src", "alt", "width", "height"},
    "details": {"open"},
    "ol": {"start"},
    "td": {"colspan", "rowspan"},
    "th": {"colspan", "rowspan"},
    "input": {"checked"},
    "time": {"datetime"},
    "source": {"media", "srcset"},
}
# The only classes there are: those that the renderer gives. They mean nothing harmful when a stranger writes them.
CLASS = re.compile(r"language-[\w+-]+|mention|task|alert( alert-(note|tip|important|warning|caution))?|mermaid")
ADDRESS = re.compile(r"(https?:|mailto:|[/#?.]|[\w-]+(?![\w.+-]*:))", re.IGNORECASE)
ALIGNED = re.compile(r"text-align:(left|right|center)")
DEEPEST = 100  # open tags; beyond that new ones are dropped, as browsers slow down


def sanitise(html: str) -> str:
    """The same HTML with only what is allowed, every tag closed. Comments vanish; scripts vanish with their text."""
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
        if tag in SILENT:
            self._silent.append(tag)
            return
        if self._silent or tag not in TAGS or len(self._open) >= DEEPEST:
            return
        if tag == "input" and dict(attrs).get("type") != "checkbox":
            return
        self._out.append(f"<{tag}{_attributes(tag, attrs)}>")
        if tag not in VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        # HTML knows no self-closing script: what follows one would be silent in a browser too, but not for readers.
        if tag not in SILENT:
            self.handle_starttag(tag, attrs)

    def handle_endtag(self, tag: str) -> None:
        if self._silent:
            if tag in self._silent:
                del self._silent[self._silent.index(tag) :]
            return
        if tag in self._open:
            while (last := self._open.pop()) != tag:
                self._out.append(f"</{last}>")
            self._out.append(f"</{tag}>")

    def handle_data(self, data: str) -> None:
        if not self._silent:
            self._out.append(escape(data, quote=False))

    def result(self) -> str:
        return "".join(self._out) + "".join(f"</{tag}>" for tag in reversed(self._open))


def _attributes(tag: str, attrs: list[tuple[str, str | None]]) -> str:
    kept = {}
    for name, value in attrs:
        text = value or ""
        if name in ("href", "src", "srcset"):
            allowed = name in ATTRIBUTES.get(tag, ()) and _harmless(text)
        elif name == "style" and tag in ("td", "th"):
            if found := ALIGNED.fullmatch(text):  # how the renderer says a table's column is aligned
                kept["align"] = found[1]
            continue
        elif name == "class":
            allowed = CLASS.fullmatch(text) is not None
        else:
            allowed = name in ANYWHERE or name in ATTRIBUTES.get(tag, ())
        if allowed:
            kept[name] = text
    if tag == "a":
        kept["rel"] = "nofollow noopener noreferrer"
    if tag == "input":
        kept |= {"type": "checkbox", "disabled": ""}
    return "".join(f' {name}="{escape(value)}"' for name, value in kept.items())


def _harmless(address: str) -> bool:
    # Browsers ignore control characters and blanks inside a scheme, so they are taken out before looking.
    return ADDRESS.match(re.sub(r"[\x00-\x20\x7f-\xa0\u200b-\u200f\u2028\u2029\ufeff]", "", address)) is not None
