"""How a CSV file is laid out: what parts its cells, how it writes fractions; told from its first lines."""

from __future__ import annotations

import re
from dataclasses import dataclass

PARTING = (",", ";", "\t", "|")
QUOTED = re.compile(r'"[^"]*"')
COMMA, POINT = re.compile(r"[+-]?\d+,\d+"), re.compile(r"[+-]?\d*\.\d+")


@dataclass(frozen=True, slots=True)
class Layout:
    """alone: there is but one column, so that an empty line is a row without a value."""

    delimiter: str
    decimal: str
    alone: bool


def layout(start: bytes, tabs: bool) -> Layout:
    """From the file's first bytes. tabs: its name says that tabs part its cells.

    A header without commas is parted by what parts the next line into as many cells; commas are fractions' where
    semicolons part and no number has a point.
    """
    lines = QUOTED.sub("", start.decode("utf-8-sig", "replace")).lstrip().splitlines()
    head, following = (lines[0] if lines else ""), [line for line in lines[1:-1] or lines[1:] if line]
    delimiter = "\t" if tabs else _delimiter(head, following[0] if following else head)
    decimal = "."
    if delimiter == ";":
        cells = [cell.strip() for line in following for cell in line.split(";")]
        if any(COMMA.fullmatch(cell) for cell in cells) and not any(POINT.fullmatch(cell) for cell in cells):
            decimal = ","
    return Layout(delimiter, decimal, delimiter not in head)


def _delimiter(head: str, following: str) -> str:
    if "," in head:
        return ","
    return next((one for one in PARTING if one in head and head.count(one) == following.count(one)), ",")
