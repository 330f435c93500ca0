"""What people wrote, quoted where we write, stays a quotation."""

from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from bot.grammar import code_span


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
