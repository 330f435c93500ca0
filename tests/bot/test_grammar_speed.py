"""Long and spiteful comments cost no time."""

import time

import pytest

from bot.grammar import Misread, find, find_html, fit
from tests.bot.sample_commands import ALL


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
