"""Finds and reads a model's data: files of its own commit, or a URI, as one Arrow table."""

import hashlib
import importlib
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.json as pa_json
import pyarrow.parquet as pq

from lifecycle.reaching import first_line, reach
from lifecycle.troubles import BadData, NoSuchData

CSV, PARQUET, JSON_LINES = (".csv", ".tsv"), (".parquet", ".pq"), (".jsonl", ".ndjson", ".json")
REMOTE = ("http", "https", "s3", "gs", "gcs", "abfs", "abfss", "az", "adl", "memory")
MOST_BYTES = 8 << 30  # of a file as read, and of a parquet file's content when unpacked
WHOLE_FILE = 1 << 30
POINTER = b"version https://git-lfs"


@contextmanager
def data_files(tree: Path, where: str) -> Iterator[list[Path]]:
    """The files that `where` names, in the order of their names: a path or pattern in the tree, or a URI.

    Raises BadData. What is fetched from a URI is gone afterwards.
    """
    if "://" not in where:
        yield in_tree(tree, where)
        return
    with tempfile.TemporaryDirectory() as folder:
        yield _fetched(where, Path(folder))


def in_tree(tree: Path, pattern: str) -> list[Path]:
    """The files that a path or pattern names in a checkout, none of them outside. Raises BadData."""
    if not pattern or Path(pattern).is_absolute() or ".." in Path(pattern).parts:
        raise BadData(f"data {pattern!r} must be a path inside the repository")
    top = tree.resolve()
    found = sorted(tree.glob(pattern), key=lambda path: path.relative_to(tree).as_posix())
    files = [path for path in found if path.is_file()]
    if not files:
        raise NoSuchData(f"there is no file {pattern} in the repository")
    for path in files:
        if not path.resolve().is_relative_to(top):
            raise BadData(f"{path.relative_to(tree)} is a link to somewhere outside the repository")
    return files


def _fetched(uri: str, folder: Path) -> list[Path]:
    """Copies of what the URI names. Credentials are those that the bot's machine has for it."""
    scheme = urlsplit(uri).scheme
    if scheme not in REMOTE:
        raise BadData(f"data cannot be read from {scheme}://; known are {', '.join(REMOTE)}")
    try:
        fsspec: Any = importlib.import_module("fsspec")
    except ImportError:
        raise BadData(f"data at {scheme}:// needs the package fsspec on the bot's machine") from None
    files = []
    try:
        for number, remote in enumerate(sorted(_open_files(fsspec, uri), key=lambda file: str(file.path))):
            path = folder / f"{number:06}-{Path(remote.path).name}"
            with remote as reading, path.open("wb") as writing:
                while block := reading.read(1 << 20):
                    writing.write(block)
            files.append(path)
    except Exception as trouble:  # each store's library has its own kinds
        raise BadData(f"data at {without_secrets(uri)} cannot be read: {first_line(trouble)}") from None
    if not files:
        raise BadData(f"there is nothing at {without_secrets(uri)}")
    return files


def _open_files(fsspec: Any, uri: str) -> Any:
    there, path = fsspec.core.url_to_fs(uri, use_listings_cache=False)  # what came since the last run counts too
    reach(there, path)
    return fsspec.open_files(uri, "rb", use_listings_cache=False)


def without_secrets(uri: str) -> str:
    """A URI without what may be secret in it."""
    return re.sub(r"//[^/@]+@", "//", uri.split("?", 1)[0])


def sha256_of(path: Path) -> str:
    """The file's sha256, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def digest(files: list[Path]) -> str:
    """What the data is called: the sha256 of its one file, or of the sha256s of its files; names do not matter."""
    sums = [sha256_of(path) for path in files]
    return sums[0] if len(sums) == 1 else hashlib.sha256("\n".join(sums).encode()).hexdigest()


def read(files: list[Path]) -> pa.Table:
    """All rows of all files. Columns that only some files have are empty in the others. Raises BadData."""
    tables = []
    for path in files:
        try:
            table = _read(path)
        except (pa.ArrowException, OSError, UnicodeDecodeError) as trouble:
            raise BadData(f"{path.name} cannot be read: {first_line(trouble)}") from None
        twice = sorted({name for name in table.column_names if table.column_names.count(name) > 1})
        if twice:
            raise BadData(f"{path.name} has more than one column {twice[0]!r}")
        tables.append(table)
    try:
        return pa.concat_tables(tables, promote_options="permissive").unify_dictionaries()
    except (pa.ArrowException, TypeError) as trouble:
        raise BadData(f"the files do not fit together: {first_line(trouble)}") from None


def _read(path: Path) -> pa.Table:
    kind = next((end for end in path.suffixes[::-1] if end != ".gz"), "").lower()
    with path.open("rb") as file:
        if file.read(len(POINTER)) == POINTER:
            raise BadData(f"{path.name} is only a Git LFS pointer, not the data")
    if path.stat().st_size > MOST_BYTES:
        raise BadData(f"{path.name} is larger than {MOST_BYTES >> 30} GB")
    if kind in PARQUET:
        return _read_parquet(path)
    if kind in CSV:
        return _read_csv(path, "\t" if kind == ".tsv" else ",")
    if kind in JSON_LINES:
        with pa.input_stream(str(path), compression="detect") as stream:
            return pa_json.read_json(stream, pa_json.ReadOptions(block_size=WHOLE_FILE))
    known = ", ".join((*CSV, *PARQUET, *JSON_LINES))
    raise BadData(f"{path.name} is of a kind that is not known; known are {known}")


def _read_parquet(path: Path) -> pa.Table:
    with pq.ParquetFile(path) as file:
        unpacked = sum(file.metadata.row_group(n).total_byte_size for n in range(file.metadata.num_row_groups))
        if unpacked > MOST_BYTES:
            raise BadData(f"{path.name} holds more than {MOST_BYTES >> 30} GB")
        return file.read().replace_schema_metadata()


def _read_csv(path: Path, separator: str) -> pa.Table:
    """Types are guessed from the whole file where memory allows it, not from its first megabyte."""
    size = max(1 << 20, min(path.stat().st_size, WHOLE_FILE)) if path.suffix != ".gz" else WHOLE_FILE
    with pa.input_stream(str(path), compression="detect") as stream:
        return pa_csv.read_csv(
            stream,
            pa_csv.ReadOptions(block_size=size),
            pa_csv.ParseOptions(delimiter=separator, newlines_in_values=True),
            pa_csv.ConvertOptions(strings_can_be_null=True),
        )
