"""True answers that arrive later: sent to the bot by request, or lying in files by a key; looked up by text.

`root/labels/<model>/<UTC day>.jsonl` holds what was sent, {"at", "key", "label"} a line; for a key the newest counts.
Where machines share a place, each ships its own files there, and reads those of the others too.
A key is `REQUEST/ROW` as scoring told it, or a value of the key column; moments are keys as UTC.
"""

import heapq
import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import msgspec

from lifecycle.artifacts import Artifacts
from lifecycle.shipping import Copies, Shipping, more_of

PLACE, BEFORE = "labels", "before"

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


class LabelLog:
    """What was sent, below `root`. Any number of processes may append and read.

    With `artifacts` also what was sent to other machines than `me`, as far as it was shipped; copies are kept.
    """

    def __init__(self, root: Path, artifacts: Artifacts | None = None, copies: Path = Path(), me: str = "") -> None:
        self.root, self.artifacts, self.me = root, artifacts, me
        self._shipping = Shipping(artifacts) if artifacts else None
        self._copied = Copies(artifacts, copies, PLACE, me) if artifacts else None

    def append(self, model: str, at: datetime, body: bytes) -> int:
        """Keep the labels of a request's body; how many. Raises NoLabels, OSError."""
        lines = [msgspec.json.encode(_Line(at.isoformat(), key_of(one), one.label)) for one in labels_in(body)]
        path = self._folder(model) / f"{at.astimezone(UTC):%Y-%m-%d}.jsonl"
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
        for line in heapq.merge(*map(_lines, self._files(model)), key=lambda line: line.at):
            found.pop(line.key, None)
            found[line.key] = line.label
            if len(found) > MOST:
                del found[next(iter(found))]
        return found

    def ship(self, now: datetime) -> None:
        """Ship what was sent to this machine; the files of days that are over as a whole."""
        if self._shipping is None or self.artifacts is None:
            return
        today = f"{now.astimezone(UTC):%Y-%m-%d}"
        for path in sorted((self.root / PLACE).rglob("*.jsonl")):
            place = f"{PLACE}/{self.me}/{path.relative_to(self.root / PLACE).with_suffix('').as_posix()}"
            if path.parent.name == PLACE:  # one of an older bot's, whose name is the model's
                self._shipping.ship(f"{place}/{BEFORE}", partial(more_of, path))
            elif path.stem == today:
                self._shipping.ship(place, partial(more_of, path))
            else:
                self._shipping.finish(place, partial(self.artifacts.put, path))

    def _folder(self, model: str) -> Path:
        if not model or "/" in model or model.startswith("."):
            raise ValueError(f"{model!r} is not the name of a model")
        return self.root / PLACE / model

    def _files(self, model: str) -> list[Path]:
        """This machine's files, an older bot's among them, and copies of those of others, brought up to date."""
        own = [self._folder(model).with_name(f"{model}.jsonl"), *sorted(self._folder(model).glob("*.jsonl"))]
        others = self._copied.of(model).values() if self._copied else ()
        return own + [path for paths in others for path in paths]


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
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat()


def in_table(keys: Iterable[Any], labels: Iterable[Any]) -> dict[str, Label]:
    """The labels of a file: its key column and its label column, without gaps."""
    return {
        plain_key(key): label for key, label in zip(keys, labels, strict=True) if key is not None and label is not None
    }


def _lines(path: Path) -> Iterator[_Line]:
    """A file's lines but for those that were torn by a full disk."""
    decoder = msgspec.json.Decoder(_Line)
    try:
        with path.open("rb") as file:
            for text in file:
                with suppress(msgspec.DecodeError, UnicodeDecodeError):
                    yield decoder.decode(text)
    except FileNotFoundError:
        return
