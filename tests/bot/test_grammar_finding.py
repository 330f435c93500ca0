"""Comments as people, phones and mischief-makers write them, and which commands we find in them."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from bot.grammar import Asked, find, find_html, plain


def names(body: str) -> list[str]:
    return [asked.name for asked in find(body)]


@pytest.mark.parametrize(
    "body",
    [
        "/train",
        "   /train",
        "Let us try.\n/train\nThanks!",
        "Let us try.\r\n/train\r\n",
        "first\\\n/train",
        "- one\n- two\n/train",
        "1. one\n\n   /train",
        "/train\n---\nmore",
        "/train <!-- why -->",
        "/train \\",
        "text ` with one backtick\n/train",
        "```\ncode\n```\n/train",
        "~~~\n```\n~~~\n/train\n",
        "> quoted\n\n/train",
        "<!-- note -->\n/train",
        "<details>\n\n/promote\n\n</details>\n\n/train",
        '<img alt="plot" src="https://x/y.png">\n/train',
        "text <!-- a\n/promote\n--> b\n/train",
        "| a |\n| - |\n/train",
        "\u00a0\n/train",
        "a \\`\n/train\n\\`",
        "> quoted\n> - list\n\ntext\n/train",
    ],
)
def test_a_line_of_its_own_is_a_command(body: str) -> None:
    assert names(body) == ["train"]


@pytest.mark.parametrize(
    "body",
    [
        "please /train",
        "/usr/bin/train",
        "/ 2",
        "/Train",
        "/train, please",
        "/2",
        "//train",
        "    /train",
        "text\n\n    /train",
        "\t/train",
        "- /train",
        "# /train",
        "`/train`",
        "a `code\n/train\nspan` b",
        "a ``code ` \n/train\nspan`` b",
        "```\n/train\n```",
        "```\n/train",
        "~~~~\n```\n~~~\n/train\n~~~~",
        "- list\n  ```\n  /train\n  ```",
        "````\n```\n/train\n```\n````",
        "> /train",
        "> quoted\n/train",
        "> - quoted\n/train",
        "- > quoted\n/train",
        "<!-- \n/train\n-->",
        "text <!--\n/train\n-->",
        "<!--\n/train",
        '<b title="\n/train\n">x</b>',
        "<details>\n/train\n</details>",
        "<details><summary>s</summary>\n\n/train\n\n</details>",
        "<DETAILS open>\n\n/train\n\n</DETAILS>",
        "<details>\n\n<details>\n</details>\n\n/train\n\n</details>",
        "<details>\n\n/train",
        "<blockquote>\n\n/train\n\n</blockquote>",
        "<pre>\n\n/train\n</pre>",
        "a <code>\n/train\n</code>",
        "<script>\n/train\n</script>",
        "[ref]: /url '\n/train\n'",
    ],
)
def test_code_quotes_and_hidden_text_are_not_commands(body: str) -> None:
    assert names(body) == []


def test_several_commands_keep_their_order_place_and_line() -> None:
    found = find('Hello\n/train a  b="c d" \n\ntext\n/link AB#12\n')
    assert found == (Asked("train", 'a  b="c d"', 2, 1), Asked("link", "AB#12", 5, 2))


@settings(deadline=None)
@given(st.text(alphabet="`~>/ab\n <!-->&'\"\\*-#\t|details/=…“\r\u2028", max_size=80))
def test_what_is_found_stands_so_in_the_comment(body: str) -> None:
    lines = re.sub("\r\n?", "\n", body).split("\n")
    for asked in find(body):
        assert re.match(rf" {{0,3}}/{asked.name}(\s|$|<!--|\\)", lines[asked.line - 1])


@settings(deadline=None)
@given(
    st.lists(st.sampled_from(["/go", "> x", "```", "~~~", "    y", "<!--", "-->", "- z", "", "`", "text"]), max_size=9)
)
def test_nothing_is_found_that_markdown_shows_as_code_or_quote(parts: list[str]) -> None:
    body = "\n".join(parts)
    shown, depth = "", 0
    for token in MarkdownIt("commonmark").parse(body):
        depth += token.nesting if token.type.startswith("blockquote") else 0
        if token.type == "inline" and not depth:
            shown += "".join(
                "\n" if "break" in c.type else c.content for c in token.children or () if c.type != "code_inline"
            )
            shown += "\n"
    assert len(find(body)) <= shown.count("/go")


@pytest.mark.parametrize(
    ("html", "expected"),
    [
        ("<div>Hello</div><div>/train bike&nbsp;max_depth=6</div>", [("train", "bike max_depth=6")]),
        ("Hello<br>/train a<br/>/link b", [("train", "a"), ("link", "b")]),
        ("<p>/train &quot;a b&quot;</p>", [("train", '"a b"')]),
        ('<div>/link <a href="https://x/y">https://x/y</a></div>', [("link", "https://x/y")]),
        ('<div><a href="#" data-vss-mention="version:2.0,abc">@Ada</a> look</div><div>/train</div>', [("train", "")]),
        ("<div>first\n/train</div>", []),
        ("<div>please /train</div>", []),
        ("<pre><code>/train</code></pre>", []),
        ("<div><code>x</code> /train</div>", []),
        ("<code>a<br>/train</code>", []),
        ("<blockquote><div>/train</div></blockquote>", []),
        ("<!-- <div>/train</div> -->", []),
        ("<div>&lt;!--</div><div>/train</div><div>--&gt;</div>", []),
        ("<details><summary>x</summary><div>/train</div></details>", []),
        ("<div>&gt; note</div><div>/train</div>", [("train", "")]),
        ("<blockquote>open", []),
        ("</blockquote><div>/train</div>", [("train", "")]),
    ],
)
def test_html_comments_of_azure_boards(html: str, expected: list[tuple[str, str]]) -> None:
    assert [(asked.name, asked.rest) for asked in find_html(html)] == expected


def test_plain_keeps_paragraphs_apart() -> None:
    assert plain("<div>a  b</div><div>c &amp; d</div><pre>x</pre>") == "a b\n\nc & d\n\n…"
