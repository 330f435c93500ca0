"""Help is made from the signatures of the commands."""

import pytest
from markdown_it import MarkdownIt

from bot.grammar import Unknown, help_text
from tests.bot.sample_commands import ALL


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
