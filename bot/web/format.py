"""How values read on a page: times, lengths of time, numbers, digests, and the pill that each word wears. Pure."""

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

MINUTE, HOUR, DAY = 60, 3600, 86400
# Characters that nobody sees and that make text read in another order than it is written.
TURNING = re.compile("[\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]")
WEEKS_AS_DAYS = 14  # older than that, a date says more than a count of days


@dataclass(frozen=True, slots=True)
class Pill:
    """A word with its icon and tone, so that no meaning hangs on colour alone."""

    icon: str
    tone: str
    word: str


PILLS: Mapping[str, Pill] = {
    "waiting": Pill("clock", "calm", "Waiting"),
    "running": Pill("turning", "busy", "Running"),
    "succeeded": Pill("check", "good", "Succeeded"),
    "failed": Pill("cross", "bad", "Failed"),
    "cancelled": Pill("stop", "calm", "Cancelled"),
    "planned": Pill("ring", "calm", "Planned"),
    "done": Pill("check", "good", "Done"),
    "PASS": Pill("check", "good", "Pass"),
    "FAIL": Pill("cross", "bad", "Fail"),
    "INCONCLUSIVE": Pill("unsure", "warn", "Inconclusive"),
    "OK": Pill("check", "good", "OK"),
    "WARN": Pill("warning", "warn", "Warning"),
    "CLEAN": Pill("check", "good", "Clean"),
    "ALARM": Pill("bell", "bad", "Alarm"),
}


def pill(word: str) -> Pill:
    """The pill for a state, verdict or outcome; a word nobody foresaw is shown as it is."""
    return PILLS.get(str(word)) or Pill("ring", "calm", str(word).capitalize())


def ago(then: datetime, now: datetime) -> str:
    """`5 min ago`, `in 2 h`, or the date when that says more."""
    seconds = (now - then).total_seconds()
    size = abs(seconds)
    if size < 10:
        return "just now"
    if size >= WEEKS_AS_DAYS * DAY:
        return then.strftime("%Y-%m-%d")
    for unit, name in ((DAY, "d"), (HOUR, "h"), (MINUTE, "min")):
        if size >= unit:
            return _directed(f"{int(size // unit)} {name}", seconds)
    return _directed(f"{int(size)} s", seconds)


def _directed(length: str, seconds: float) -> str:
    return f"{length} ago" if seconds > 0 else f"in {length}"


def exact(then: datetime) -> str:
    """`2024-03-05 14:02:09 UTC`."""
    return then.strftime("%Y-%m-%d %H:%M:%S UTC")


def duration(seconds: float) -> str:
    """`0.4 s`, `12 s`, `3 min 20 s`, `2 h 5 min`, `3 d 4 h`."""
    seconds = max(0.0, seconds)
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    for unit, name, lesser, lesser_name in ((DAY, "d", HOUR, "h"), (HOUR, "h", MINUTE, "min"), (MINUTE, "min", 1, "s")):
        if whole >= unit:
            rest = whole % unit // lesser
            return f"{whole // unit} {name} {rest} {lesser_name}" if rest else f"{whole // unit} {name}"
    return f"{whole} s"


def between(start: datetime | None, end: datetime | None, now: datetime) -> str:
    """How long it took, or has taken so far; empty before the start."""
    return duration(((end or now) - start).total_seconds()) if start else ""


def number(value: float | None) -> str:
    """Three digits that matter: 0.00421, 45.1, 12,345; a real minus sign."""
    if value is None:
        return "–"
    if not math.isfinite(value):
        return str(value)
    return _digits(value).replace("-", "−")


def _digits(value: float) -> str:
    size = abs(value)
    if size == 0:
        return "0"
    if size >= 1000:
        return f"{value:,.0f}" if size < 1e9 else f"{value:.3g}"
    if size < 1e-5:
        return f"{value:.2e}"
    return f"{value:.{max(0, 2 - math.floor(math.log10(size)))}f}"


def aligned(*values: float) -> tuple[str, ...]:
    """Signed numbers with as many decimals as the largest of them deserves: +10.5, +8.4, +12.6."""
    largest = max((abs(value) for value in values if math.isfinite(value)), default=0.0)
    if largest >= 1000 or 0 < largest < 1e-5:
        return tuple(signed(value) for value in values)
    decimals = max(0, 2 - math.floor(math.log10(largest))) if largest else 0
    return tuple(f"{value:+.{decimals}f}".replace("-", "−") for value in values)


def signed(value: float | None) -> str:
    """A difference, its sign always said."""
    return f"+{number(value)}" if value is not None and value > 0 else number(value)


def fixed(value: float | None) -> str:
    """Three decimals, for columns of numbers that people compare by eye."""
    return "–" if value is None else f"{value:,.3f}".replace("-", "−")


def percent(share: float) -> str:
    """A signed share as per cent with two digits that matter."""
    value = share * 100
    text = f"{value:+.0f}" if abs(value) >= 9.95 or value == 0 else f"{value:+.1f}"
    return f"{text.replace('-', '−').replace('+0', '0') if value == 0 else text.replace('-', '−')} %"


def share(part: float) -> str:
    """A share as per cent: `0 %`, `0.2 %`, `12 %`."""
    value = part * 100
    return f"{value:.0f} %" if value == 0 or value >= 9.95 else f"{value:.1f} %"


def size(count: float) -> str:
    """`532 B`, `14.2 kB`, `3.1 MB`."""
    for unit in ("B", "kB", "MB"):
        if count < 1000:
            return f"{count:.0f} {unit}" if unit == "B" else f"{count:.1f} {unit}"
        count /= 1000
    return f"{count:,.1f} GB"


def straight(value: object) -> object:
    """What is about to be written, without characters that would turn what follows around."""
    return TURNING.sub("", value) if type(value) is str else value


def short(digest: str) -> str:
    """The first eight characters of a commit or sha256."""
    return digest[:8]


def plain(value: object) -> str:
    """A value from JSON as people read it: text as it is, the rest as compact JSON."""
    if isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False, default=str)


def sentence(text: str) -> str:
    """The text with a capital to begin with, the rest as it is."""
    return text[:1].upper() + text[1:]


def pretty(value: object) -> str:
    """Any JSON value, indented."""
    return json.dumps(value, ensure_ascii=False, indent=2, default=str)
