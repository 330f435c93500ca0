"""Lengths of time and windows as people write them: `30d`, `2011-04`, `2011-04-01..2011-05-01` (pure)."""

import re
from datetime import UTC, datetime, timedelta

from lifecycle.troubles import Trouble

SPAN = re.compile(r"^([1-9][0-9]{0,4})([hd])$")


def length_of(text: str) -> timedelta:
    """`24h` and `30d` as lengths of time. Raises ValueError."""
    match = SPAN.match(text)
    if match is None:
        raise ValueError(f"{text!r} is not a length of time; write 24h or 30d")
    return timedelta(hours=int(match[1])) if match[2] == "h" else timedelta(days=int(match[1]))


def read_window(text: str) -> tuple[datetime, datetime] | timedelta:
    """A month or two dates as a window in UTC, its end exclusive; a length as a length. Raises Trouble."""
    if SPAN.match(text):
        return length_of(text)
    try:
        if ".." in text:
            first, last = (datetime.fromisoformat(part).replace(tzinfo=UTC) for part in text.split("..", 1))
        else:
            first = datetime.strptime(text, "%Y-%m").replace(tzinfo=UTC)
            last = (first + timedelta(days=32)).replace(day=1)
    except (ValueError, OverflowError):
        raise Trouble(f"{text!r} is not a window; write 30d, 2011-04 or 2011-04-01..2011-05-01.") from None
    if first >= last:
        raise Trouble(f"The window {text} ends before it begins.")
    return first, last
