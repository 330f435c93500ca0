"""A place that all machines reach, by a URL: a shared folder or an object store, through fsspec."""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from lifecycle.reaching import ask, first_line, is_store

PATIENCE = 10.0  # seconds for an answer about files, or a small one: a page waits for it
CARRYING = 3600.0  # seconds for a file as a whole
AGAIN = 5.0  # seconds after which a place that did not answer is asked again
WITHOUT_FOLDERS = {"s3", "s3a", "gs", "gcs", "az", "abfs", "abfss"}  # and s3fs would make a bucket instead


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

            self._files, self._root = fsspec.core.url_to_fs(self.url, use_listings_cache=False)
        except ValueError as problem:
            if "Protocol not known" not in str(problem):
                raise OutOfReach(f"artifacts: {scheme}:// cannot be used: {first_line(problem)}") from None
            raise OutOfReach(_missing(scheme, problem)) from None
        except ImportError as problem:
            raise OutOfReach(_missing(scheme, problem)) from None
        self._folders = scheme not in WITHOUT_FOLDERS
        self._silent = (0.0, "")  # until when it is not asked again, and why

    def put(self, path: Path, name: str) -> None:
        """Copy a file there."""
        with self._told(f"write {name}", writing=True):
            self._make_room(name)
            self._ask("put_file", str(path), self._at(name), patience=CARRYING)

    def write(self, name: str, data: bytes) -> None:
        """Write a small file there."""
        with self._told(f"write {name}", writing=True):
            self._make_room(name)
            self._ask("pipe_file", self._at(name), data, patience=PATIENCE + len(data) / 100_000)

    def get(self, name: str, path: Path) -> None:
        """Copy a file from there. Raises FileNotFoundError."""
        with self._told(f"read {name}"):
            self._ask("get_file", self._at(name), str(path), patience=CARRYING)

    def read(self, name: str, start: int = 0, end: int | None = None) -> bytes:
        """A file's bytes from `start` to before `end`. Raises FileNotFoundError."""
        with self._told(f"read {name}"):
            # of an empty file no store gives a range
            found: bytes = self._ask("cat_file", self._at(name), start=start or None, end=end)
        return found

    def list(self, folder: str) -> Sequence[tuple[str, int]]:
        """The names in a folder, each with its size in bytes, a folder's is 0; empty where there is none."""
        with self._told(f"list {folder}"):
            self._files.invalidate_cache()
            try:
                found: list[dict[str, Any]] = self._ask("ls", self._at(folder), detail=True)
            except FileNotFoundError:
                return []
        return sorted((str(one["name"]).rstrip("/").rsplit("/", 1)[-1], int(one["size"] or 0)) for one in found)

    def has(self, name: str) -> bool:
        """Whether there is such a file."""
        with self._told(f"look for {name}"):
            self._files.invalidate_cache()
            return bool(self._ask("exists", self._at(name)))

    def delete(self, name: str) -> None:
        """Remove a file, if there is one."""
        with self._told(f"remove {name}"):
            try:
                self._ask("rm_file", self._at(name))
            except FileNotFoundError:
                return

    def remove(self, folder: str) -> None:
        """Remove a folder with all that is in it, if there is one."""
        with self._told(f"remove {folder}"):
            self._files.invalidate_cache()
            try:
                self._ask("rm", self._at(folder), recursive=True, patience=CARRYING)
            except FileNotFoundError:
                return

    def _at(self, name: str) -> str:
        if not name or name.startswith("/") or ".." in name.split("/"):
            raise ValueError(f"{name!r} is not the name of an artifact")
        return f"{self._root.rstrip('/')}/{name}"

    def _make_room(self, name: str) -> None:
        if self._folders:
            self._files.makedirs(self._at(name).rsplit("/", 1)[0], exist_ok=True)

    def _ask(self, what: str, *given: Any, patience: float = PATIENCE, **more: Any) -> Any:
        return ask(self._files, what, *given, patience=patience, **more)

    @contextmanager
    def _told(self, what: str, writing: bool = False) -> Iterator[None]:
        """Whatever the library raises, as one kind; what is not there stays what it is."""
        until, why = self._silent
        if time.monotonic() < until:
            raise OutOfReach(f"could not {what} at the place for artifacts: {why}")
        try:
            yield
        except (OutOfReach, ValueError):
            raise
        except FileNotFoundError as problem:
            if not writing:
                raise
            raise self._trouble(what, f"there is no such place ({first_line(problem)})", problem) from problem
        except TimeoutError as problem:  # fsspec's too
            raise self._trouble(what, "it does not answer", problem) from problem
        except Exception as problem:  # each of fsspec's implementations has its own kinds
            raise self._trouble(what, first_line(problem), problem) from problem

    def _trouble(self, what: str, why: str, problem: Exception) -> OutOfReach:
        if not isinstance(problem, FileNotFoundError | PermissionError) and is_store(self._files):
            self._silent = (time.monotonic() + AGAIN, why)
        return OutOfReach(f"could not {what} at the place for artifacts: {why}")


def _missing(scheme: str, problem: Exception) -> str:
    return (
        f"artifacts: {scheme}:// needs another package ({problem}); install lifecycle-bot with one of its "
        "extras, `artifacts` for a folder, `s3`, `azure` or `gcs` for a store."
    )
