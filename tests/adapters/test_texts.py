"""Markers and texts: nothing quoted passes for ours, nothing is longer than it may be, HTML is read as it was meant."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from bot.adapters import azure_text, github_text

ODD = st.text(st.sampled_from("ab ü漢\n`~<>-!#[]()▼▲;%/"), max_size=60)


@given(ODD, ODD, ODD)
def test_a_comments_marker_is_its_own_and_hidden(marker: str, other: str, text: str) -> None:
    marker, other = marker.replace("\n", ""), other.replace("\n", "")
    on_github, on_azure = github_text.comment(marker, text), azure_text.comment(marker, text)
    assert github_text.carries(on_github, marker)
    assert azure_text.carries(on_azure, marker)
    if marker != other:
        assert not github_text.carries(on_github, other)
        assert not azure_text.carries(on_azure, other)
    first = on_github.split("\n", 1)[0]
    assert first.index("-->") == len(first) - 3
    rendered = MarkdownIt("commonmark").render
    assert rendered(on_azure) == rendered(azure_text.disarm(text))


@given(st.lists(st.sampled_from(["```", "````text", "~~~", "<details>", "</details>", "ü" * 50, "", "x" * 300])))
def test_a_cut_text_fits_and_closes_what_it_opened(lines: list[str]) -> None:
    text = "\n".join(lines)
    cut = github_text.fit(text, 2_000)
    assert len(cut.encode()) <= 2_000
    if len(text.encode()) <= 2_000:
        assert cut == text
    else:
        assert "<em>The rest is left out" in MarkdownIt("commonmark").render(cut)


def test_a_cut_text_without_lines_is_cut_all_the_same() -> None:
    assert len(github_text.fit("漢" * 70_000, github_text.LIMIT).encode()) <= github_text.LIMIT


@given(ODD, ODD, ODD)
def test_our_part_of_an_issue_is_replaced_whatever_it_says(first: str, second: str, people: str) -> None:
    body = f"{people}\n{github_text.block('m', first)}\n{people}"
    again = github_text.with_block(body, second)
    assert again == f"{people}\n{github_text.block('m', second)}\n{people}"
    assert github_text.holds(again, "m")


@given(ODD, ODD, ODD)
def test_our_part_of_a_description_is_replaced_whatever_it_says(first: str, second: str, people: str) -> None:
    around = azure_text.html(azure_text.disarm(people))
    again = azure_text.with_block(f"{around}{azure_text.block(first)}{around}", second)
    assert again == f"{around}{azure_text.block(second)}{around}"


def test_our_part_is_found_after_the_editor_rewrote_its_tags() -> None:
    begin, end = f"<div><span>{azure_text.BEGIN}</span><br></div>", f"<div><em>{azure_text.END}"
    edited = f"{begin}<ul><li>old</li></ul><div> <b>x</b></div>{end}"
    again = azure_text.with_block(edited, "new")
    assert "<p>new</p>" in again
    assert "old" not in again


@pytest.mark.parametrize(
    ("stored", "wanted", "expected"),
    [
        (None, ["a"], "a"),
        ("Urgent; drift", ["Drift", "new"], "Urgent; drift; new"),
        ("a;b ; ", [], "a; b"),
        ("", ["x;y", "z,w", "", "x y"], "x y; z w"),
    ],
)
def test_tags_are_added_and_never_taken(stored: str | None, wanted: list[str], expected: str) -> None:
    assert azure_text.with_tags(stored, wanted) == expected


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("<div>/train</div><div><br></div><div>thanks</div>", "/train\n\nthanks"),
        ("one<br>two&nbsp;three &lt;b&gt;", "one\ntwo three <b>"),
        ("<p>use <code>/train x</code></p>", "use `/train x`"),
        ("<pre><code>/train\n  x\n</code></pre>after", "```\n/train\n  x\n```\nafter"),
        ("<blockquote><div>/train a</div><div>/train b</div></blockquote>", "> /train a\n> /train b"),
        ("<ul><li>/train</li></ul>", "- /train"),
        ("<style>/train</style><script>/train</script>x", "x"),
        ('<a href="#" data-vss-mention="version:2.0,1">@Mira</a> /train', "@Mira /train"),
        ("/train    a\n b", "/train a b"),
        ("</pre></blockquote><pre>never closed", "```\nnever closed"),
    ],
)
def test_rich_text_is_read_as_it_was_meant(html: str, text: str) -> None:
    assert azure_text.plain(html) == text


def test_the_same_words_in_other_tags_are_the_same_and_another_link_is_not() -> None:
    assert azure_text.same("<p>see <b>this</b></p>\n", "<div>see&#32;this</div>")
    assert not azure_text.same('<a href="https://a.example">x</a>', '<a href="https://b.example">x</a>')
