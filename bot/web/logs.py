"""A job's output as a page may show it: whole lines, no terminal codes, only the end of what is huge."""

import codecs
import re
from collections.abc import Callable
from dataclasses import dataclass

from bot.web.format import TURNING

TAIL = 64 * 1024  # what a page shows of a log when it opens
READS = 4  # how much more one answer carries when much was written since the last
Read = Callable[[int], tuple[bytes, int]]  # bytes from an offset on, and the offset to ask for next

TERMINAL = re.compile(
    r"\x1b\[[0-?]*[ -/]*[@-~]"  # colours and cursor moves
    r"|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)"  # titles and hyperlinks
    r"|\x1b[PX^_][^\x1b]*\x1b\\"  # other strings meant for a terminal
    r"|\x1b[ -/]*[0-~]?"  # everything else that an escape begins
)
CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f]")


@dataclass(frozen=True, slots=True)
class Piece:
    """Clean text of a log from byte `start` up to byte `offset`, where the next piece begins."""

    text: str
    start: int
    offset: int


def clean(text: str) -> str:
    """The text without terminal codes; of what a progress bar wrote over itself, only the last."""
    text = TERMINAL.sub("", text).replace("\r\n", "\n")
    lines = (line.rstrip("\r").rsplit("\r", 1)[-1] for line in text.split("\n"))
    return TURNING.sub("", CONTROLS.sub("", "\n".join(lines)))


def piece(read: Read, offset: int, ended: bool) -> Piece:
    """What was written from `offset` on; while the job runs, up to the last whole line."""
    data = _more(read, offset)
    whole = data if ended else _whole(data)
    text = whole.decode("utf-8", "replace")
    return Piece(clean(f"{text}\n" if text.endswith("\r") else text), offset, offset + len(whole))


def tail(read: Read, ended: bool, keep: int = TAIL) -> Piece:
    """The last `keep` bytes or fewer, beginning with a whole line."""
    start = max(0, length(read) - keep)
    found = piece(read, start, ended)
    if start == 0:
        return found
    _, cut, rest = found.text.partition("\n")
    return Piece(rest if cut else found.text, start, found.offset)


def length(read: Read, step: int = TAIL) -> int:
    """How many bytes there are: executors do not say, so look ever further, then in between."""
    low, high = 0, step
    while read(high)[0]:
        low, high = high, high * 2
    while high - low > step:
        middle = (low + high) // 2
        low, high = (middle, high) if read(middle)[0] else (low, middle)
    return low + len(_more(read, low))


def _more(read: Read, offset: int) -> bytes:
    parts = []
    for _ in range(READS):
        data, offset = read(offset)
        if not data:
            break
        parts.append(data)
    return b"".join(parts)


def _whole(data: bytes) -> bytes:
    """Up to the end of the last line; of one endless line, up to the last whole character."""
    # A carriage return at the very end may be half of a line's end, so it waits for what comes next.
    end = max(data.rfind(b"\n"), data.rfind(b"\r", 0, max(0, len(data) - 1))) + 1
    if end or len(data) < TAIL:
        return data[:end]
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    decoder.decode(data)
    return data[: len(data) - len(decoder.getstate()[0])]
