"""Comments as people, phones and mischief-makers write them, and what we take from them."""

import enum
import re
import shlex
import time
from typing import Any, Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from bot.arguments import Value, words
from bot.grammar import (
    EVERYWHERE,
    Asked,
    Command,
    Misread,
    Unknown,
    Where,
    code_span,
    command,
    find,
    find_html,
    fit,
    help_text,
    plain,
    usage,
)
from bot.ports import Permission


class Pace(enum.StrEnum):
    SLOW = "slow"
    FAST = "fast"


class Percent:
    EXAMPLE = "2%"

    def __init__(self, share: float) -> None:
        self.share = share

    @classmethod
    def parse(cls, text: str) -> "Percent":
        if not text.endswith("%"):
            raise ValueError(text)
        return cls(float(text[:-1]) / 100)


@command(needs=Permission.WRITE)
def train(ask: str, model: str = "", **params: Value) -> tuple[str, str, dict[str, Value]]:
    """Train a model.

    Example: `/train bike-demand max_depth=6`
    """
    return ask, model, params


@command(needs=Permission.READ)
def link(ask: object, target: str) -> str:
    """Link this to something | else."""
    return target


@command(needs=Permission.WRITE, where={Where.PULL})
def ok_to_run(
    ask: object,
    depth: int,
    rate: float = 0.5,
    *,
    really: bool = False,
    how: Literal["all", "some"] = "all",
    pace: Pace = Pace.SLOW,
    margin: Percent | None = None,
) -> dict[str, object]:
    """Everything that a signature can say."""
    return {"depth": depth, "rate": rate, "really": really, "how": how, "pace": pace, "margin": margin}


@command(needs=Permission.NONE, name="help")
def helping(ask: object, /, command: str | None = None) -> str | None:
    """Tell what there is."""
    return command


ALL = (train, link, ok_to_run, helping)


def names(body: str) -> list[str]:
    return [asked.name for asked in find(body)]


def call(line: str, where: Where | None = None) -> Any:
    (asked,) = find(line)
    return fit(asked, ALL, where).run("asker")


def misread(line: str) -> str:
    with pytest.raises(Misread) as caught:
        call(line)
    return str(caught.value)


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


def test_words_and_names_fill_the_signature() -> None:
    assert call("/train") == ("asker", "", {})
    assert call("/train bike-demand max_depth=6 rate=1e-3 fast=true note='a b' tag=\"6\"") == (
        "asker",
        "bike-demand",
        {"max_depth": 6, "rate": 0.001, "fast": True, "note": "a b", "tag": "6"},
    )
    assert call("/train a=5 model=bike") == ("asker", "bike", {"a": 5})
    assert call("/train “two words”")[1] == "two words"
    assert call("/help") is None
    assert call("/help train") == "train"


def test_every_type_is_read_as_its_signature_says() -> None:
    assert call("/ok-to-run 3")["depth"] == 3
    got = call("/ok-to-run 3 .25 really=Yes how=SOME pace=fast margin=5%")
    assert (got["rate"], got["really"], got["how"], got["pace"]) == (0.25, True, "some", Pace.FAST)
    assert got["margin"].share == 0.05
    assert call("/ok-to-run rate=-1 depth=-4")["depth"] == -4


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("/trian", "There is no command `/trian`. Did you mean `/train`? `/help` lists what there is."),
        ("/deploy-it-all", "There is no command `/deploy-it-all`. `/help` lists what there is."),
        ("/link", "`/link` needs `target`. Usage: `/link <target>`"),
        ("/link a b", "`b` is one word too many for `/link`. Usage: `/link <target>`"),
        ("/link tarqet=a", "`/link` has no argument `tarqet`. Did you mean `target`? Usage: `/link <target>`"),
        ("/link a target=b", "`target` is given twice."),
        ("/link target=", "`target` expects a text that is not empty, not nothing."),
        ("/train x=1 x=2", "`x` is given twice."),
        ("/train ask=1", "`/train` has no argument `ask`."),
        ("/train 'bike", "A quotation mark is opened and not closed: `'bike`."),
        ("/train --fast", "Arguments are written `name=value`, without dashes; what is `--fast`?"),
        ("/train —fast", "Arguments are written `name=value`"),
        ("/ok-to-run deep", "`depth` expects a whole number, not `deep`. Usage: `/ok-to-run <depth> [rate] [really=…]"),
        ("/ok-to-run 1.5", "`depth` expects a whole number, not `1.5`."),
        ("/ok-to-run 1 nan", "`rate` expects a number, not `nan`."),
        ("/ok-to-run 1 1e999", "`rate` expects a number, not `1e999`."),
        ("/ok-to-run ١", "`depth` expects a whole number"),
        ("/ok-to-run 1 really=maybe", "`really` expects yes or no, not `maybe`."),
        ("/ok-to-run 1 how=none", "`how` expects one of all, some, not `none`."),
        ("/ok-to-run 1 pace=x", "`pace` expects one of slow, fast, not `x`."),
        ("/ok-to-run 1 margin=x", "`margin` expects a percent such as 2%, not `x`."),
        ("/ok-to-run 1 margin='@octo `x`'", "`margin` expects a percent such as 2%, not `@octo ˋxˋ`."),
    ],
)
def test_what_cannot_be_understood_is_explained(line: str, said: str) -> None:
    assert misread(line).startswith(said)


def test_unknown_commands_tell_whether_they_may_be_meant_for_us() -> None:
    with pytest.raises(Unknown) as slip:
        call("/trian")
    assert slip.value.near == ("train",)
    with pytest.raises(Unknown) as others:
        call("/assign")
    assert others.value.near == ()


def test_a_command_knows_where_it_works() -> None:
    assert call("/ok-to-run 1", Where.PULL)["depth"] == 1
    with pytest.raises(Misread, match="works on a pull request, not on a work item"):
        call("/ok-to-run 1", Where.ITEM)


def test_the_eleventh_command_gets_a_sentence() -> None:
    found = find("/train\n" * 30)
    assert len(found) == 11
    assert fit(found[9], ALL).command is train
    with pytest.raises(Misread, match="A comment can hold 10 commands"):
        fit(found[10], ALL)


def test_help_is_made_from_the_signatures() -> None:
    text = help_text(ALL)
    assert "| `/train [model] [name=value …]` | Train a model. | write permission |" in text
    assert "| `/link <target>` | Link this to something \\| else. | read permission |" in text
    assert "| anybody |" in text
    assert text.index("/help [command]") < text.index("/link") < text.index("/train")
    about = help_text(ALL, "/ok-to-run")
    assert "Where: on a pull request." in about
    assert "| `depth` | a whole number | needed |" in about
    assert "| `really` | yes or no | no |" in about
    assert "| `pace` | one of slow, fast | `slow` |" in about
    assert "Example: `/train bike-demand max_depth=6`" in help_text(ALL, "train")
    with pytest.raises(Unknown, match=r"Did you mean `/train`"):
        help_text(ALL, "tran")


def test_help_of_every_command_is_one_table_that_markdown_understands() -> None:
    tokens = MarkdownIt("commonmark").enable("table").parse(help_text(ALL))
    assert sum(token.type == "tr_open" for token in tokens) == 1 + len(ALL)
    assert sum(token.type in ("td_open", "th_open") for token in tokens) == 3 * (1 + len(ALL))


def test_commands_are_checked_where_they_are_made() -> None:
    def odd(ask: object, when: bytes) -> None: ...
    def bare(ask, when): ...  # type: ignore[no-untyped-def]
    def many(ask: object, *refs: str) -> None: ...

    for function in (odd, bare, many):
        with pytest.raises(TypeError):
            command(needs=Permission.READ)(function)
    assert isinstance(train, Command)
    assert train.where == EVERYWHERE
    assert usage(train) == "/train [model] [name=value …]"


@settings(deadline=None)
@given(st.text(alphabet="ab ='\"\\1-", max_size=20))
def test_words_are_split_as_a_shell_splits_them(text: str) -> None:
    try:
        expected = shlex.split(text)
    except ValueError:
        with pytest.raises(Misread):
            words(text)
        return
    assert [(f"{word.name}=" if word.name else "") + word.text for word in words(text)] == expected


@settings(deadline=None)
@given(st.text(max_size=60))
def test_any_line_is_a_call_or_a_sentence(rest: str) -> None:
    for known in ALL:
        try:
            fit(Asked(known.name, rest, 1, 1), ALL).run("asker")
        except Misread as error:
            said = str(error)
            assert said.endswith((".", "`", "?")), said
            assert "\n" not in said


@settings(deadline=None)
@given(st.text(max_size=200) | st.text(alphabet="`@<>!-[]()#|*_\\\n~ https:", max_size=40))
def test_quoted_text_stays_in_its_code(text: str) -> None:
    quoted = code_span(text)
    assert len(quoted) <= 82
    tokens = MarkdownIt("commonmark").enable("table").parse(f"Said {quoted} so.")
    assert [token.type for token in tokens] == ["paragraph_open", "inline", "paragraph_close"]
    assert [child.type for child in tokens[1].children or ()] == ["text", "code_inline", "text"]
    assert MarkdownIt("commonmark").parse(quoted)[0].type == "paragraph_open"
    row = MarkdownIt("commonmark").enable("table").parse(f"| a |\n| - |\n| {quoted} |\n")
    assert sum(token.type == "td_open" for token in row) == 1
    assert "<!--" not in quoted


@pytest.mark.parametrize(
    "body",
    [
        "/x a=1\n" * 5000,
        "/x\n" + "[" * 65_000,
        "/x " + "'a'" * 20_000,
        "/x\n<div>\n" + "<a " * 20_000,
        "/x\n<div>\n" + '<a "' * 16_000,
        "/x\n" + "<!-- " * 13_000,
        "/x\n" + "a\n" * 30_000,
        "/x\n" + "`a" * 32_000,
        "\n".join("`" * n for n in range(1, 360)) + "\n/x",
        "/x\n" + "> " * 30_000,
        "<details>\n\n" * 5000 + "/x",
        "/x\n" + "[a]: <b> '\n" * 6000,
        "/x\n" + "- a\n" * 16_000,
        "/x\n" + "  " * 200 + ("- " * 15 + "a\n") * 2000,
        "/x " + "a=1 " * 16_000,
        "/x " + "=" * 65_000,
    ],
)
def test_long_and_spiteful_comments_are_quick(body: str) -> None:
    started = time.process_time()
    for asked in find(body[:65_536]):
        with pytest.raises(Misread):
            fit(asked, ALL)
    assert time.process_time() - started < 2


def test_long_html_is_quick() -> None:
    for html in ("<div>" * 100_000, "<a " * 100_000, "&lt;" * 100_000, "<div>/train</div>" * 20_000, "<!--" * 100_000):
        started = time.process_time()
        find_html(html)
        assert time.process_time() - started < 3
