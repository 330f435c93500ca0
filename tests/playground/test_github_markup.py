"""Comments are hostile: what strangers write becomes HTML that can do nothing."""

import re
from html.parser import HTMLParser

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.playground.github.markup import markdown
from bot.playground.github.sanitise import sanitise

HOME = "http://127.0.0.1:1/octo/bikes"


class Danger(HTMLParser):
    """Finds what could run, load from a strange scheme, or leave the comment's own box."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in {"script", "style", "iframe", "object", "embed", "form", "button", "svg", "base", "meta", "link"}:
            self.found.append(tag)
        for name, value in attrs:
            if name.startswith("on") or name in {"style", "id", "name", "srcdoc", "formaction"}:
                self.found.append(name)
            plain = re.sub(r"[\x00-\x20]", "", value or "").lower()
            if name in {"href", "src"} and re.match(r"(javascript|data|vbscript|file):", plain):
                self.found.append(plain)
        if tag not in {"br", "hr", "img", "input", "wbr"}:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            self.found.append(f"/{tag}")


def dangers(html: str) -> list[str]:
    finder = Danger()
    finder.feed(html)
    finder.close()
    return finder.found + finder.open


ATTACKS = [
    "<script>alert(1)</script>",
    "<SCRIPT SRC=//evil></SCRIPT>x",
    "<img src=x onerror=alert(1)>",
    "<img src=x onerror=alert(1)//",
    '<a href="javascript:alert(1)">x</a>',
    '<a href="java\tscript:alert(1)">x</a>',
    '<a href="&#106;avascript:alert(1)">x</a>',
    '<a href=" \x01javascript:alert(1)">x</a>',
    "[x](javascript:alert(1))",
    "[x](<java\nscript:alert(1)>)",
    "![x](data:image/svg+xml;base64,PHN2Zy8+)",
    "<svg><script>alert(1)</script></svg>",
    "<math><mtext><table><mglyph><style><img src=x onerror=alert(1)>",
    "<style>body{display:none}</style>",
    '<div style="position:fixed;inset:0">x</div>',
    '<form action="/octo/bikes/issues/1/merge" method=post><button>x</button></form>',
    "<input type=checkbox formaction=x onclick=alert(1)><input name=as value=ada>",
    "</div></article></main><h1>Not the page",
    "<details><summary>never closed",
    "<textarea><b>swallow",
    "<!--><img src=x onerror=alert(1)>-->",
    "<noscript><p title='</noscript><img src=x onerror=alert(1)>'>",
    '<b id="write" name="x">clobber</b>',
    "| a |\n|---|\n| <img src=x onerror=alert(1)> |",
    "`<script>` and ```\n<script>alert(1)</script>\n```",
    '@mira"><script>alert(1)</script>',
    '#1"><script>alert(1)</script> http://x/"onmouseover=alert(1)',
    "```mermaid\n</code><script>alert(1)</script>\n```",
    '<a href="https://ok" target=_top onfocus=alert(1) autofocus>x</a>',
]


@pytest.mark.parametrize("text", ATTACKS)
def test_attacks_come_to_nothing(text: str) -> None:
    assert dangers(markdown(text, HOME)) == []


TRICKS = st.sampled_from(
    ["<", ">", '"', "'", "=", "/", "script", "img", "src", "onerror", "javascript:", "a", "href", "details", "svg",
     "style", "<!--", "-->", "`", "```", "[", "](", ")", "|", "\n", " ", "&#58;", "\x00", "\u2028", "#1", "@mira", "<b",
     "<table>", "<td>", "</p>", "https://x", ":tada:", "x"]
)  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(st.lists(TRICKS | st.text(max_size=4), max_size=40).map("".join))
def test_nothing_dangerous_whatever_is_written(text: str) -> None:
    assert dangers(markdown(text, HOME)) == []
    assert dangers(sanitise(text)) == []


def test_what_reports_are_made_of() -> None:
    html = markdown(
        "<!-- lifecycle-bot: run 7 -->\n## Better\n\n| metric | change |\n|---|--:|\n| mae | **−8 %** |\n\n"
        "<details><summary>Slices</summary>\n\n- [x] rain\n- [ ] snow\n\n</details>\n\n> [!WARNING]\n> few rows\n\n"
        "```mermaid\ngraph TD; A-->B\n```\n~~old~~ H<sub>2</sub>O",
        HOME,
    )
    assert "lifecycle-bot" not in html  # hidden comments stay hidden
    for part in (
        "<h2>Better</h2>",
        '<td align="right"><strong>−8 %</strong></td>',
        "<details><summary>Slices</summary>",
        '<li class="task"><input checked="" type="checkbox" disabled=""> rain</li>',
        '<blockquote class="alert alert-warning">',
        '<figure class="mermaid">',
        "A--&gt;B",
        "<s>old</s> H<sub>2</sub>O",
    ):
        assert part in html


def test_links_that_github_makes_of_plain_text() -> None:
    sha = "0123456789abcdef0123456789abcdef01234567"
    html = markdown(f"#12 octo/else#3 @mira {sha} http://127.0.0.1:8000/runs/1. :rocket: `#12 @mira` a@b.c", HOME)
    for part in (
        f'<a href="{HOME}/issues/12"',
        '<a href="http://127.0.0.1:1/octo/else/issues/3"',
        '<a class="mention" href="http://127.0.0.1:1/mira"',
        f'<a href="{HOME}/commit/{sha}"',
        '<a href="http://127.0.0.1:8000/runs/1"',
        "🚀",
        "<code>#12 @mira</code> a@b.c",
    ):
        assert part in html
    assert markdown("a\nb") == "<p>a<br>\nb</p>\n"
    assert markdown("a\nb", breaks=False) == "<p>a\nb</p>\n"
