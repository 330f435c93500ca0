"""A place that all machines reach, by a URL: a shared folder or an object store, through fsspec."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any


class OutOfReach(OSError):
    """The place did not do it, or cannot be had here; the message says what to do about it."""


class Artifacts:
    """Files below `url`, by names such as `logs/run-7/0`. Nothing of it is cached; writing twice is harmless."""

    def __init__(self, url: str) -> None:
        """Raises OutOfReach where the package for such a URL is missing."""
        self.url = url.rstrip("/")
        scheme = url.split("://", 1)[0]
        try:
            import fsspec  # type: ignore[import-untyped, import-not-found, unused-ignore]

            self._files, self._root = fsspec.core.url_to_fs(self.url)
        except (ImportError, ValueError) as problem:
            raise OutOfReach(
                f"artifacts: {scheme}:// needs another package ({problem}); install lifecycle-bot with one of its "
                "extras, `artifacts` for a folder, `s3`, `azure` or `gcs` for a store."
            ) from None

    def put(self, path: Path, name: str) -> None:
        """Copy a file there."""
        with self._told(f"write {name}"):
            self._make_room(name)
            self._files.put_file(str(path), self._at(name))

    def write(self, name: str, data: bytes) -> None:
        """Write a small file there."""
        with self._told(f"write {name}"):
            self._make_room(name)
            self._files.pipe_file(self._at(name), data)

    def get(self, name: str, path: Path) -> None:
        """Copy a file from there. Raises FileNotFoundError."""
        with self._told(f"read {name}"):
            self._files.get_file(self._at(name), str(path))

    def read(self, name: str, start: int = 0, end: int | None = None) -> bytes:
        """A file's bytes from `start` to before `end`. Raises FileNotFoundError."""
        with self._told(f"read {name}"):
            found: bytes = self._files.cat_file(self._at(name), start=start, end=end)
        return found

    def list(self, folder: str) -> Sequence[tuple[str, int]]:
        """The names in a folder, each with its size in bytes, a folder's is 0; empty where there is none."""
        with self._told(f"list {folder}"):
            self._files.invalidate_cache()
            try:
                found: list[dict[str, Any]] = self._files.ls(self._at(folder), detail=True)
            except FileNotFoundError:
                return []
        return sorted((str(one["name"]).rstrip("/").rsplit("/", 1)[-1], int(one["size"] or 0)) for one in found)

    def has(self, name: str) -> bool:
        """Whether there is such a file."""
        with self._told(f"look for {name}"):
            self._files.invalidate_cache()
            return bool(self._files.exists(self._at(name)))

    def delete(self, name: str) -> None:
        """Remove a file, if there is one."""
        with self._told(f"remove {name}"):
            try:
                self._files.rm_file(self._at(name))
            except FileNotFoundError:
                return

    def remove(self, folder: str) -> None:
        """Remove a folder with all that is in it, if there is one."""
        with self._told(f"remove {folder}"):
            try:
                self._files.rm(self._at(folder), recursive=True)
            except FileNotFoundError:
                return

    def _at(self, name: str) -> str:
        if not name or name.startswith("/") or ".." in name.split("/"):
            raise ValueError(f"{name!r} is not the name of an artifact")
        return f"{self._root.rstrip('/')}/{name}"

    def _make_room(self, name: str) -> None:
        self._files.makedirs(self._at(name).rsplit("/", 1)[0], exist_ok=True)

    @contextmanager
    def _told(self, what: str) -> Iterator[None]:
        """Whatever the library raises, as one kind; what is not there stays what it is."""
        try:
            yield
        except (FileNotFoundError, OutOfReach, ValueError):
            raise
        except Exception as problem:  # each of fsspec's implementations has its own kinds
            raise OutOfReach(f"could not {what} at the place for artifacts: {problem}") from problem
