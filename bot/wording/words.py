"""Small pieces that sentences are made of: counts, lengths of time, names and numbers, safe to put into Markdown."""

import re
from datetime import datetime, timedelta

from bot.arguments import code_span

SPECIAL = re.compile(r"([\\`*_{}\[\]<>()#+!|~$&-])")
MENTION = re.compile(r"@(?=\w)")
ORDINALS = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth")


def plain(text: str, most: int = 300) -> str:
    """Text from outside as text: no Markdown, no HTML, no mention comes out of it."""
    short = " ".join(text.split())
    short = short if len(short) <= most else short[: most - 1] + "…"
    return MENTION.sub("@\u200b", SPECIAL.sub(r"\\\1", short))


def cell(text: str, most: int = 300) -> str:
    """Our own Markdown inside a table's cell."""
    return " ".join(text[:most].split()).replace("|", "\\|")


def sha(commit: str) -> str:
    """A commit as people read it."""
    return f"`{commit[:8]}`"


def name(text: str) -> str:
    """A name from outside, as code."""
    return code_span(text)


def lasted(start: datetime | None, end: datetime | None) -> str:
    """A length of time, `42 s` or `1 h 3 min`; empty when it is not known."""
    if start is None or end is None:
        return ""
    seconds = (end - start) / timedelta(seconds=1)
    if seconds < 60:
        return f"{seconds:.1f} s" if seconds < 10 else f"{seconds:.0f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s" if rest else f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if minutes else f"{hours} h"


def moment(at: datetime) -> str:
    """A moment in UTC, to the minute."""
    return f"{at:%Y-%m-%d %H:%M} UTC"


def day(at: datetime) -> str:
    """A day as people say it."""
    return f"{at.day} {at:%B %Y}"


def ordinal(number: int) -> str:
    """`first`, `second`, … `11th`."""
    return ORDINALS[number - 1] if 1 <= number <= len(ORDINALS) else f"{number}th"


def number(value: float | None) -> str:
    """A metric's value with as many digits as people read."""
    if value is None:
        return "–"
    size = abs(value)
    if size >= 1000:
        return f"{value:,.0f}"
    if size >= 100:
        return f"{value:.1f}"
    return f"{value:.2f}" if size >= 10 else f"{value:.3g}" if size >= 0.001 or size == 0 else f"{value:.1e}"


def signed(value: float) -> str:
    """The same with its sign."""
    return f"{'+' if value > 0 else '−' if value < 0 else '±'}{number(abs(value))}"
