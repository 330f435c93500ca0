"""Where requests and answers come from: the endpoint's own log, or files that some other server writes."""

import importlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlsplit

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from lifecycle import tables
from lifecycle.datafiles import REMOTE, in_tree, sha256_of, without_secrets
from lifecycle.endpoints import RequestLog
from lifecycle.endpoints.batches import batch_of
from lifecycle.reaching import first_line, reach
from lifecycle.troubles import BadData, NoSuchData

Times = npt.NDArray[np.datetime64]
DATED = re.compile(r"(\d{4})-?(\d{2})-?(\d{2})")
KINDS = (".parquet", ".pq", ".csv", ".tsv", ".jsonl", ".ndjson", ".json")


@dataclass(frozen=True, slots=True)
class Arrival:
    """n rows with when each happened (UTC, NaT where that cannot be read), and `mark`: how far they are in their piece.

    `own`: which of the rows the watched version answered; None for all. `keys`: request and place in it, where known.
    """

    rows: pa.RecordBatch
    times: Times
    mark: str
    own: npt.NDArray[np.bool_] | None = None
    keys: list[str] | None = None


class Arrivals(Protocol):
    """Requests in pieces. A piece that `grows` is read on from its mark; another whose mark changed is read anew."""

    @property
    def grows(self) -> bool:
        """Whether pieces are read on."""

    def pieces(self) -> Mapping[str, str]:
        """Names of pieces and their marks as they are now, oldest first."""

    def read(self, piece: str, mark: str) -> Iterator[Arrival]:
        """What the piece holds after `mark`, or all of it for an empty one. Raises BadData."""


@dataclass(frozen=True, slots=True)
class LogArrivals:
    """The endpoint's own log of a model; `deployment` is the server whose answers are the watched version's."""

    log: RequestLog
    model: str
    time: str | None
    deployment: str
    grows: bool = True

    def pieces(self) -> Mapping[str, str]:
        return {name: str(size) for name, size in self.log.pieces(self.model).items()}

    def read(self, piece: str, mark: str) -> Iterator[Arrival]:
        request, place = "", 0
        for lines, end in self.log.lines(self.model, piece, int(mark or 0)):
            keys = []
            for line in lines:
                request, place = line.request, place + 1 if line.request == request else 0
                keys.append(f"{request}/{place}")
            rows = batch_of([{**line.row, "prediction": line.prediction, **_chances(line)} for line in lines])
            times = pa.array([line.row.get(self.time) if self.time else line.at for line in lines], from_pandas=True)
            own = np.array([line.version == self.deployment for line in lines])
            yield Arrival(rows, _read_times(times), str(end), own, keys)


def _chances(line: Any) -> dict[str, float]:
    return {f"probability_{name}": chance for name, chance in (line.probabilities or {}).items()}


@dataclass(frozen=True, slots=True)
class FileArrivals:
    """Parquet, CSV or JSON lines: a path or pattern in the checkout `tree`, or what a URI names.

    Rows happened when their column `time` says; without one, on the day that is in the file's name. Columns `words` are
    text, though in a CSV file they may look like numbers.
    """

    where: str
    tree: Path
    time: str | None
    grows: bool = False
    words: tuple[str, ...] = ()

    def pieces(self) -> Mapping[str, str]:
        if "://" not in self.where:
            files = in_tree(self.tree, self.where)
            return {str(path.relative_to(self.tree)): sha256_of(path) for path in files}
        return _remote(self.where)

    def read(self, piece: str, mark: str) -> Iterator[Arrival]:
        place = piece if "://" in piece else str(self.tree / piece)
        try:
            for rows in tables.source(place).batches(words=self.words):
                yield Arrival(rows, self._times(rows, piece), mark)
        except tables.TableError as trouble:
            raise BadData(without_secrets(str(trouble)).replace(str(self.tree), "").lstrip("/")) from None

    def _times(self, rows: pa.RecordBatch, piece: str) -> Times:
        if self.time is not None:
            if self.time not in rows.schema.names:
                raise BadData(f"{piece} has no column {self.time!r}, which says when each request was made")
            return _read_times(rows.column(self.time))
        found = DATED.search(piece.rsplit("/", 1)[-1])
        if found is None:
            raise BadData(f"nothing says when the requests in {piece} were made: no `time` column, no day in its name")
        return np.full(len(rows), np.datetime64("-".join(found.groups()), "us"))


def _remote(where: str) -> dict[str, str]:
    """The files that a URI names (a file, a folder, a pattern), and what tells whether they changed. Raises BadData."""
    scheme = urlsplit(where).scheme
    if scheme not in REMOTE:
        raise BadData(f"requests cannot be read from {scheme}://; known are {', '.join(REMOTE)}")
    try:
        core: Any = importlib.import_module("fsspec.core")
        there, path = core.url_to_fs(where, use_listings_cache=False)
        reach(there, path)
        there.invalidate_cache()
        names = sorted(there.glob(path)) if core.has_magic(path) else [path] if there.isfile(path) else there.find(path)
        about = {there.unstrip_protocol(name): there.info(name) for name in names if _is_table(name)}
    except ImportError:
        raise BadData(f"{scheme}:// needs the package fsspec, with support for {scheme}, where the bot is") from None
    except FileNotFoundError:
        about = {}
    except Exception as trouble:  # each store's library has its own kinds
        raise BadData(f"{without_secrets(where)} cannot be read: {first_line(trouble)}") from None
    if not about:
        raise NoSuchData(f"there is no parquet, CSV or JSON lines file at {without_secrets(where)}")
    return {name: _stamp(one) for name, one in about.items()}


def _is_table(name: str) -> bool:
    return name.lower().removesuffix(".gz").removesuffix(".zst").removesuffix(".bz2").endswith(KINDS)


def _stamp(about: Mapping[str, Any]) -> str:
    changed = next(
        (about[key] for key in ("ETag", "etag", "mtime", "LastModified", "last_modified") if key in about), ""
    )
    return f"{about.get('size')}/{changed}"


def _read_times(column: pa.Array) -> Times:
    """Moments in UTC, to the microsecond; NaT for what is none."""
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
        column = _parsed(column)
    if pa.types.is_timestamp(column.type):
        if column.type.tz is not None:
            column = column.cast(pa.timestamp("us", tz="UTC"))
        column = column.cast(pa.timestamp("us"), safe=False)
    elif pa.types.is_date(column.type):
        column = column.cast(pa.timestamp("us"))
    else:
        return np.full(len(column), np.datetime64("NaT"), "datetime64[us]")
    moments: Times = column.to_numpy(zero_copy_only=False).astype("datetime64[us]")
    return moments


def _parsed(texts: pa.Array) -> pa.Array:
    """ISO texts as moments, all at once where all are alike, else one by one."""
    from lifecycle.endpoints.predictions import moment_of

    for kind in (pa.timestamp("us"), pa.timestamp("us", tz="UTC")):
        try:
            return pc.cast(texts, kind)
        except pa.ArrowInvalid:
            continue
    return pa.array([moment_of(text) for text in texts.to_pylist()], pa.timestamp("us", tz="UTC"))
