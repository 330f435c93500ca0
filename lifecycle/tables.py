"""Reading tables as people have them: parquet, CSV and JSON lines, here or behind a URL, batch by batch."""

from __future__ import annotations

import codecs
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

import pyarrow as pa

from lifecycle.reaching import first_line, reach

BATCH = 65_536  # rows at a time, fewer of wide tables
BATCH_VALUES = 4_000_000
BLOCK = 16 << 20  # bytes of text at a time; also the longest line that can be read
WHOLE = 128 << 20  # text files up to here are read at once, which lets types be found from all rows

PARQUET, CSV, JSON_LINES = "parquet", "csv", "json lines"
_KINDS = {
    ".parquet": PARQUET,
    ".pq": PARQUET,
    ".csv": CSV,
    ".tsv": CSV,
    ".txt": CSV,
    ".jsonl": JSON_LINES,
    ".ndjson": JSON_LINES,
    ".json": JSON_LINES,
}
_PACKED = {".gz": "gzip", ".bz2": "bz2", ".zst": "zstd"}


class TableError(ValueError):
    """A table that cannot be read; the message is one sentence for people."""


@dataclass(frozen=True, slots=True)
class Source:
    """One table: a file, or a folder of parquet files. ``kind``: parquet, csv or json lines."""

    where: str
    kind: str
    filesystem: Any
    files: tuple[str, ...]

    def batches(self, columns: Sequence[str] | None = None, words: Sequence[str] = ()) -> Iterator[pa.RecordBatch]:
        """The rows, at most 65,536 at a time, in bounded memory; ``words`` are text even where a CSV file has numbers.
        Raises TableError, also in the middle."""
        from lifecycle import readers

        with _told(self.where):
            for name in self.files:
                yield from readers.batches(self.kind, self.filesystem, name, columns, words)

    def table(self, columns: Sequence[str] | None = None) -> pa.Table:
        """All rows at once. Raises TableError, also for a column that is not there."""
        found = list(self.batches(columns))
        if not found:
            raise TableError(f"{self.where} is empty.")
        with _told(self.where):
            return pa.Table.from_batches(found)

    def columns(self) -> list[str] | None:
        """The names, where they can be had without reading rows (parquet); else None."""
        from lifecycle import readers

        if self.kind != PARQUET:
            return None
        with _told(self.where):
            return readers.parquet_columns(self.filesystem, self.files)

    def sample(self, rows: int | None = None, columns: Sequence[str] | None = None) -> pa.Table | None:
        """Rows from all over the file, for deciding about cells; None where only the beginning is cheap to read."""
        from lifecycle import readers

        if self.kind != PARQUET:
            return None
        with _told(self.where):
            return readers.parquet_sample(self.filesystem, self.files, rows, columns)


def batch_rows(columns: int) -> int:
    """Rows at a time, so that a batch takes some 30 MB whatever its width."""
    return max(1024, min(BATCH, BATCH_VALUES // max(columns, 1)))


def source(where: str | os.PathLike[str]) -> Source:
    """A path or a URL (s3://, abfs://, https:// and others where fsspec is installed). Raises TableError."""
    text = os.fspath(where)
    if not text:
        raise TableError("A table has no name; give a file, a folder or a URL.")
    with _told(text):
        filesystem, path = _filesystem(text)
        files = _files(filesystem, path, text)
        kind = _kind(files[0])
        if kind is None:
            raise TableError(f"{text} is of no kind that can be read; give parquet, CSV or JSON lines.")
        if kind != PARQUET:
            for name in files:
                _check_text(filesystem, name, text)
    return Source(text, kind, filesystem, tuple(files))


def read(where: str | os.PathLike[str], columns: Sequence[str] | None = None) -> pa.Table:
    """The whole table. Raises TableError with one sentence for people."""
    return source(where).table(columns)


def content(where: str | os.PathLike[str], most: int = 256 << 20) -> bytes:
    """A small file's bytes, from a path or URL. Raises TableError, also for more than ``most`` bytes."""
    text = os.fspath(where)
    with _told(text):
        filesystem, path = _filesystem(text)
        with filesystem.open_input_stream(path, compression=None) as stream:
            found: bytes = stream.read(most + 1)
    if len(found) > most:
        raise TableError(f"{text} is larger than {most >> 20} MB.")
    return found


def _filesystem(text: str) -> tuple[Any, str]:
    from pyarrow import fs

    if "://" not in text:
        return fs.LocalFileSystem(), os.path.abspath(text)
    if text.startswith("file://"):
        return fs.FileSystem.from_uri(text)  # type: ignore[no-any-return]
    try:
        import fsspec  # type: ignore[import-not-found, import-untyped, unused-ignore]
    except ImportError:
        try:
            return fs.FileSystem.from_uri(text)  # type: ignore[no-any-return]
        except (pa.ArrowInvalid, OSError):
            scheme = text.split("://", 1)[0]
            raise TableError(f"Reading {scheme}:// needs the package fsspec, with its support for {scheme}.") from None
    try:
        found, path = fsspec.core.url_to_fs(text, use_listings_cache=False)
    except (ImportError, ValueError) as problem:
        raise TableError(f"{text} cannot be read: {problem}.") from None
    reach(found, path)
    return fs.PyFileSystem(fs.FSSpecHandler(found)), path


def _files(filesystem: Any, path: str, text: str) -> list[str]:
    from pyarrow import fs

    info = filesystem.get_file_info(path)
    if info.type == fs.FileType.NotFound:
        raise TableError(f"There is no file {text}.")
    if info.type == fs.FileType.Directory:
        inside = filesystem.get_file_info(fs.FileSelector(path, recursive=True))
        names = sorted(one.path for one in inside if one.type == fs.FileType.File and _kind(one.path) == PARQUET)
        if not names:
            raise TableError(f"There is no parquet file in the folder {text}.")
        return names
    if info.size == 0:
        raise TableError(f"{text} is empty.")
    return [path]


def _kind(path: str) -> str | None:
    name = PurePosixPath(path)
    if name.suffix.lower() in _PACKED:
        name = name.with_suffix("")
    return _KINDS.get(name.suffix.lower())


def packing(path: str) -> str | None:
    """gzip, bz2, zstd or None, by the name."""
    return _PACKED.get(PurePosixPath(path).suffix.lower())


def _check_text(filesystem: Any, path: str, text: str) -> None:
    """Says what is wrong with the first bytes of a text file before a parser says something nobody understands."""
    with filesystem.open_input_stream(path, compression=packing(path)) as stream:
        start = stream.read(64 << 10)
    if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise TableError(f"{text} is written in UTF-16; save it as UTF-8.")
    if b"\x00" in start:
        raise TableError(f"{text} is not a text file.")
    if not start.strip():
        raise TableError(f"{text} is empty.")
    try:
        codecs.getincrementaldecoder("utf-8")().decode(start)
    except UnicodeDecodeError as problem:
        raise TableError(f"{text} is not UTF-8 (byte {problem.start:,}); save it as UTF-8.") from None


def chosen(columns: Sequence[str] | None, names: Sequence[str], where: str) -> list[str] | None:
    """The columns as asked for, all of which must be there; None for all. Raises TableError."""
    for name in columns or ():
        if name not in names:
            known = ", ".join(names[:12]) + (", …" if len(names) > 12 else "")
            raise TableError(f'{where} has no column "{name}"; it has {known or "none"}.')
    return None if columns is None else list(columns)


@contextmanager
def _told(where: str) -> Iterator[None]:
    """Whatever goes wrong while reading, as one sentence that names the file."""
    try:
        yield
    except TableError:
        raise
    except FileNotFoundError:
        raise TableError(f"There is no file {where}.") from None
    except PermissionError:
        raise TableError(f"{where} may not be read by this user.") from None
    except Exception as problem:
        known = isinstance(problem, pa.ArrowException | OSError | EOFError | UnicodeError)
        if not known and "://" not in where:
            raise  # a mistake of ours; but each store's library has its own kinds
        raise TableError(f"{where} cannot be read: {first_line(problem).rstrip('.')}.") from None
