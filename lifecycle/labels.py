"""True answers that arrive later: sent to the bot by request, or lying in files by a key; looked up by text.

`root/labels/<model>.jsonl` holds what was sent, {"at", "key", "label"} a line; a later line for a key counts.
A key is `REQUEST/ROW` as scoring told it, or a value of the key column; moments are keys as UTC.
"""

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec

MOST = 5_000_000  # labels held in memory at a time; of more the newest count
MOST_AT_ONCE = 10_000
Label = str | float | int | bool


class NoLabels(ValueError):
    """The body of a request is not what was asked for; one sentence for whoever sent it."""


class Sent(msgspec.Struct, forbid_unknown_fields=True):
    """One label: of a request's row, or of a value of the model's key column."""

    label: Label
    request: str = ""
    row: int = 0
    key: str = ""


class _Body(msgspec.Struct):
    labels: list[Sent]


class _Line(msgspec.Struct):
    at: str
    key: str
    label: Label


@dataclass(frozen=True, slots=True)
class LabelLog:
    """What was sent, below `root`. Any number of processes may append and read."""

    root: Path

    def append(self, model: str, at: datetime, body: bytes) -> int:
        """Keep the labels of a request's body; how many. Raises NoLabels, OSError."""
        lines = [msgspec.json.encode(_Line(at.isoformat(), key_of(one), one.label)) for one in labels_in(body)]
        path = self._path(model)
        path.parent.mkdir(parents=True, exist_ok=True)
        file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            os.write(file, b"\n".join([*lines, b""]))  # in one write, so that others' lines are not torn
        finally:
            os.close(file)
        return len(lines)

    def read(self, model: str) -> dict[str, Label]:
        """The label of each key."""
        found: dict[str, Label] = {}
        decoder = msgspec.json.Decoder(_Line)
        for text in _lines(self._path(model)):
            try:
                line = decoder.decode(text)
            except (msgspec.DecodeError, UnicodeDecodeError):
                continue  # torn by a full disk
            found.pop(line.key, None)
            found[line.key] = line.label
            if len(found) > MOST:
                del found[next(iter(found))]
        return found

    def _path(self, model: str) -> Path:
        if not model or "/" in model or model.startswith("."):
            raise ValueError(f"{model!r} is not the name of a model")
        return self.root / "labels" / f"{model}.jsonl"


def labels_in(body: bytes) -> Sequence[Sent]:
    """The labels of a request. Raises NoLabels."""
    try:
        found = msgspec.json.decode(body, type=_Body).labels
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as trouble:
        raise NoLabels(f'expected {{"labels": [{{"request": …, "label": …}}, …]}}: {trouble}') from None
    for one in found:
        if bool(one.request) == bool(one.key) or one.row < 0:
            raise NoLabels("each label needs either request (and row, from 0) or key")
    if not 1 <= len(found) <= MOST_AT_ONCE:
        raise NoLabels(f"expected 1 to {MOST_AT_ONCE:,} labels, not {len(found):,}")
    return found


def key_of(one: Sent) -> str:
    """Under which text it is looked up."""
    return f"{one.request}/{one.row}" if one.request else plain_key(one.key)


def plain_key(value: Any) -> str:
    """A key as text: moments in UTC to the microsecond, whole numbers without a point, the rest as it is."""
    from lifecycle.endpoints.predictions import moment_of

    moment = value if isinstance(value, datetime) else moment_of(value)
    if moment is not None:
        return moment.replace(tzinfo=None).isoformat() if moment.tzinfo is None else _utc(moment)
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


def _utc(moment: datetime) -> str:
    from datetime import UTC

    return moment.astimezone(UTC).replace(tzinfo=None).isoformat()


def in_table(keys: Iterable[Any], labels: Iterable[Any]) -> dict[str, Label]:
    """The labels of a file: its key column and its label column, without gaps."""
    return {
        plain_key(key): label for key, label in zip(keys, labels, strict=True) if key is not None and label is not None
    }


def _lines(path: Path) -> Iterator[bytes]:
    try:
        with path.open("rb") as file:
            yield from (line.rstrip(b"\n") for line in file)
    except FileNotFoundError:
        return
