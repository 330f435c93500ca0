"""The prediction log: one line of JSON per scored row, written by many, read back as Arrow batches.

Files are `root/<model>/<UTC day>.jsonl`. A line is {"at", "request", "version", "row", "prediction"}; each request's
lines are appended in one write, so that threads and processes do not tear each other's; a line torn by a full disk or
a power cut is skipped and counted.
"""

import os
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

BATCH = 10_000
BLOCK, LOT = 1 << 20, 8 << 20
if TYPE_CHECKING:
    import pyarrow as pa

Row = dict[str, Any]


class Line(msgspec.Struct, omit_defaults=True):
    """One scored row as it lies in the log."""

    at: str
    request: str
    version: str
    row: Row
    prediction: Any
    probabilities: dict[str, float] | None = None


@dataclass(slots=True)
class Reading:
    """What came of reading: lines that were no lines, rows without a readable time, where the last whole line ended."""

    torn: int = 0
    timeless: int = 0
    end: int = 0


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of a file up to a place: the first and last time in it, empty if there is none."""

    end: int = 0
    first: str = ""
    last: str = ""

    def wider(self, when: str) -> "Known":
        return Known(self.end, min(self.first or when, when), max(self.last, when))


@dataclass(slots=True)
class PredictionLog:
    """The log below `root`; fulfils `endpoints.RequestLog`. Any number of processes may append and read."""

    root: Path
    _files: dict[str, tuple[str, int]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _known: dict[tuple[Path, str], Known] = field(default_factory=dict)

    def append(
        self,
        model: str,
        at: datetime,
        request: str,
        version: str,
        rows: Sequence[Row],
        predictions: Sequence[Any],
        chances: Sequence[dict[str, float] | None] | None = None,
    ) -> None:
        """Add one request's rows. Raises OSError, or ValueError if rows and predictions are not as many."""
        moment, encode = _key(at), msgspec.json.encode
        every = zip(rows, predictions, chances or [None] * len(rows), strict=True)
        lines = [encode(Line(moment, request, version, *one)) for one in every]
        data = b"\n".join([*lines, b""])
        with self._lock:
            written = os.write(self._file(model, moment[:10]), data)
            if written != len(data):
                os.close(self._files.pop(model)[1])  # opening it again sees to the torn line
                raise OSError(f"only {written} of {len(data)} bytes of the prediction log could be written")

    def _file(self, model: str, day: str) -> int:
        """The open file of the model's day; the one of the day before is closed."""
        known = self._files.pop(model, None)
        if known is not None and known[0] != day:
            os.close(known[1])
            known = None
        if known is None:
            known = (day, _opened(self._folder(model) / f"{day}.jsonl"))
        self._files[model] = known
        return known[1]

    def _folder(self, model: str) -> Path:
        if not model or "/" in model or model.startswith("."):
            raise ValueError(f"{model!r} is not the name of a model")
        return self.root / "predictions" / model

    def days(self, model: str) -> list[Path]:
        """The model's files, oldest first."""
        return sorted(self._folder(model).glob("????-??-??.jsonl"))

    def pieces(self, model: str) -> dict[str, int]:
        """The model's files, oldest first, and how long each is now."""
        return {path.name: path.stat().st_size for path in self.days(model)}

    def lines(self, model: str, piece: str, start: int) -> Iterator[tuple[list[Line], int]]:
        """A file's whole lines from a byte on, some 8 MB at a time, and the byte after each lot."""
        reading = Reading()
        for lot in lots_of(self._folder(model) / piece, reading, start, LOT):
            if lot:
                yield lot, reading.end

    def read(
        self,
        model: str,
        since: datetime,
        until: datetime,
        time_column: str | None = None,
        reading: Reading | None = None,
    ) -> "Iterator[pa.RecordBatch]":
        """Rows from `since` (inclusive) to `until` (exclusive) as batches of their columns and `prediction`.

        The time is the row's own `time_column` (ISO text, UTC if it names no zone) or, without one, of arrival.
        Streams in constant memory. Columns of a batch have the types of its values; mixed ones become texts.
        """
        from lifecycle.endpoints.batches import batch_of

        reading = reading if reading is not None else Reading()
        start, stop = _key(since), _key(until)
        rows: list[Row] = []
        for path in self.days(model):
            if self._is_outside(path, time_column, start, stop):
                continue
            for when, line in self._lines(path, time_column, Known(), reading):
                if start <= when < stop:
                    rows.append({**line.row, "prediction": line.prediction})
                    if len(rows) == BATCH:
                        yield batch_of(rows)
                        rows = []
        if rows:
            yield batch_of(rows)

    def latest(self, model: str, time_column: str | None = None) -> datetime | None:
        """When the last row happened; None if there is none. Reads only what was added since it was last asked."""
        last = ""
        for path in reversed(self.days(model)):
            known = self._known.get((path, time_column or ""), Known())
            for _ in self._lines(path, time_column, known, Reading()):
                pass
            last = max(last, self._known[path, time_column or ""].last)
            if last and time_column is None:
                break
        return datetime.fromisoformat(last) if last else None

    def ship(self, now: datetime) -> None:
        """Nobody else sees this log."""

    def _is_outside(self, path: Path, time_column: str | None, start: str, stop: str) -> bool:
        """Whether nothing in the file can lie in the window."""
        if time_column is None:
            return not start[:10] <= path.stem <= stop[:10]
        known = self._known.get((path, time_column))
        whole = known is not None and known.end == path.stat().st_size
        return known is not None and whole and not (known.first < stop and known.last >= start)

    def _lines(self, path: Path, time_column: str | None, known: Known, reading: Reading) -> Iterator[tuple[str, Line]]:
        """The file's lines after what is known of it, each with its time; at the end more is known."""
        for line in lines_of(path, reading, known.end):
            when = _when(line, time_column)
            if when is None:
                reading.timeless += 1
                continue
            known = known.wider(when)
            yield when, line
        self._known[path, time_column or ""] = Known(reading.end, known.first, known.last)


def _opened(path: Path) -> int:
    """The file for appending; a torn last line is ended, so that it spoils no other."""
    path.parent.mkdir(parents=True, exist_ok=True)
    opened = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o600)
    size = os.fstat(opened).st_size
    if size and os.pread(opened, 1, size - 1) != b"\n":
        os.write(opened, b"\n")
    return opened


def lines_of(path: Path, reading: Reading, start: int = 0) -> Iterator[Line]:
    """Every whole line of the file as it is now, from `start`; a last line without its end is still being written."""
    for lot in lots_of(path, reading, start, BLOCK):
        yield from lot


def lots_of(path: Path, reading: Reading, start: int, size: int) -> Iterator[list[Line]]:
    """The same, so many bytes of lines at a time; `reading` ends where the lot does."""
    decoder = msgspec.json.Decoder(Line)
    with path.open("rb") as file:
        file.seek(start)
        reading.end, left = start, b""
        while block := file.read(size):
            *whole, left = (left + block).split(b"\n")
            reading.end = file.tell() - len(left)
            lot: list[Line] = []
            for text in whole:
                try:
                    lot.append(decoder.decode(text))
                except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
                    reading.torn += bool(text)
            yield lot


def _key(moment: datetime) -> str:
    """A moment as text that sorts as moments do."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds")


def _when(line: Line, time_column: str | None) -> str | None:
    if time_column is None:
        return line.at
    moment = moment_of(line.row.get(time_column))
    return None if moment is None else _key(moment)


def moment_of(given: object) -> datetime | None:
    """ISO text as a moment, in UTC if it names no zone; None for what is none."""
    try:
        moment = datetime.fromisoformat(given) if isinstance(given, str) else None
    except ValueError:
        return None
    return moment if moment is None or moment.tzinfo else moment.replace(tzinfo=UTC)
