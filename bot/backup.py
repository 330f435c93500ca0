"""A backup of the embedded default in one file, made while the bot runs, checked before it counts.

The order is what makes it consistent. Events go from the inbox into the engine, and from there into the lifecycle; each
is noted as done only when it is where it belongs. So the inbox is copied first and the lifecycle last: what one copy
says is done, the next one holds. What a later copy holds already is done again after a restore, which is harmless.
Files come after the databases that point at them: versions are never changed or deleted.
"""

import hashlib
import io
import json
import os
import sqlite3
import tarfile
import tempfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from gzip import BadGzipFile
from pathlib import Path
from typing import IO, Any

from bot.storage import DATABASES

FORMAT = 1
HEAD, MANIFEST = "lifecycle-bot-backup.json", "manifest.json"
# Environments, mirrors, checkouts and split data are left out: they are made again when they are needed.
FOLDERS = ("versions", "endpoints", "runs", "jobs")
KEPT_OF_A_JOB = frozenset({"log", "exit.json", "pid.json", "spec.json"})  # of one whose run has ended
COMPRESSION = 3  # models hardly shrink; logs and databases do at any level


class BackupTrouble(Exception):
    """The backup cannot be made or restored; a sentence that says why and what to do."""


@dataclass(slots=True)
class Contents:
    """What a backup holds: sizes and sha256 of its members, and what a person wants to know of it."""

    files: dict[str, dict[str, Any]] = field(default_factory=dict)
    runs: int = 0
    open_runs: int = 0
    versions: int = 0
    lacking: list[str] = field(default_factory=list)  # versions without files

    @property
    def sentence(self) -> str:
        count = len(self.files)
        said = f"{self.runs} runs ({self.open_runs} open), {self.versions} versions, {count} files"
        if self.lacking:
            more = f" and {len(self.lacking) - 3} more" if len(self.lacking) > 3 else ""
            said += f"; without the files of {', '.join(self.lacking[:3])}{more}, which are not there"
        return said


def back_up(state: Path, file: Path, version: str, now: datetime) -> Contents:
    """Write the backup of a state folder, whole or not at all. Raises BackupTrouble."""
    if not (state / "lifecycle.db").is_file():
        raise BackupTrouble(f"There is nothing to back up: {state} has no database.")
    file.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=file.parent, prefix=f".{file.name}.") as name:
        folder = Path(name)
        contents = Contents()
        copies = {database: _copied(state / database, folder) for database in DATABASES if (state / database).is_file()}
        still_open = _look(folder / "lifecycle.db", state, contents)
        draft = folder / "draft"
        head = {"format": FORMAT, "version": version, "made": now.isoformat(), "state": str(state)}
        with draft.open("xb") as raw, tarfile.open(fileobj=raw, mode="w:gz", compresslevel=COMPRESSION) as archive:
            _add_text(archive, HEAD, head)
            for database, copy in copies.items():
                _add(archive, copy, database, contents)
            for path in _files(state, still_open):
                _add(archive, path, str(path.relative_to(state)), contents)
            _add_text(archive, MANIFEST, {**head, "sentence": contents.sentence, "files": contents.files})
        check(draft)
        _flush(draft)
        draft.chmod(0o600)
        draft.replace(file)
        _flush(file.parent)
    return contents


def check(file: Path) -> Mapping[str, Any]:
    """Read the whole backup and compare it with its own manifest, which is returned. Raises BackupTrouble."""
    seen: dict[str, dict[str, Any]] = {}
    manifest: Mapping[str, Any] | None = None
    with opened(file) as archive:
        for member, content in archive:
            if member.name == MANIFEST:
                manifest = json.loads(content.read())
            else:
                seen[member.name] = {"bytes": member.size, "sha256": _sha256(content)}
    if manifest is None:
        raise BackupTrouble(f"{file} is damaged: its end is missing. Take an older backup.")
    listed = manifest["files"]
    wrong = sorted(name for name in seen.keys() | listed if seen.get(name) != listed.get(name))
    if wrong:
        raise BackupTrouble(f"{file} is damaged: {wrong[0]} is not what was backed up. Take an older backup.")
    return manifest


@contextmanager
def opened(file: Path) -> Iterator[Iterator[tuple[tarfile.TarInfo, IO[bytes]]]]:
    """The files in a backup that this version can read, in order, each to be read at once. Raises BackupTrouble."""
    if not file.is_file():
        raise BackupTrouble(f"There is no file {file}.")
    try:
        with tarfile.open(file, "r|gz") as archive:
            yield _members(file, archive)
    except (tarfile.TarError, zlib.error, BadGzipFile, EOFError, ValueError) as error:
        raise BackupTrouble(f"{file} cannot be read: {error}. It is damaged, or not a backup.") from None


def _members(file: Path, archive: tarfile.TarFile) -> Iterator[tuple[tarfile.TarInfo, IO[bytes]]]:
    for place, member in enumerate(archive):
        content = archive.extractfile(member) if member.isreg() else None
        if content is None or (place == 0 and member.name != HEAD):
            raise BackupTrouble(f"{file} is not a backup of lifecycle-bot.")
        if place == 0:
            _readable(file, json.loads(content.read()))
        else:
            yield member, content


def _sha256(content: IO[bytes]) -> str:
    digest = hashlib.sha256()
    while data := content.read(1 << 20):
        digest.update(data)
    return digest.hexdigest()


def _readable(file: Path, head: Mapping[str, Any]) -> None:
    if head.get("format") != FORMAT:
        raise BackupTrouble(
            f"{file} is in format {head.get('format')}, written by lifecycle-bot {head.get('version')}; "
            f"this one reads format {FORMAT}. Install that version."
        )


def whole(database: Path) -> None:
    """Check a database that nobody uses. Raises BackupTrouble."""
    try:
        with closing(sqlite3.connect(database)) as connection:
            found = connection.execute("PRAGMA integrity_check(1)").fetchone()[0]
    except sqlite3.Error as error:
        found = str(error)
    if found != "ok":
        raise BackupTrouble(f"The database {database.name} is damaged: {found}. Restore an older backup.")


def _copied(database: Path, folder: Path) -> Path:
    """A consistent copy by SQLite's own means: one snapshot, while others write."""
    copy = folder / database.name
    try:
        with closing(sqlite3.connect(database, timeout=30)) as source, closing(sqlite3.connect(copy)) as target:
            source.backup(target)
    except sqlite3.Error as error:
        raise BackupTrouble(f"{database} cannot be copied: {error}.") from None
    whole(copy)
    return copy


def _look(database: Path, state: Path, contents: Contents) -> frozenset[str]:
    """Count what there is to tell of; the numbers of the runs that are open."""
    with closing(sqlite3.connect(database)) as connection:
        contents.runs = connection.execute("SELECT count(*) FROM runs").fetchone()[0]
        still_open = frozenset(str(row[0]) for row in connection.execute("SELECT id FROM runs WHERE ended_yet = 0"))
        for project, model, number, digest in connection.execute("SELECT project, model, number, digest FROM versions"):
            contents.versions += 1
            if not (state / "versions" / project.replace("/", "__") / model / digest / "manifest.json").is_file():
                contents.lacking.append(f"{model} v{number}")
    contents.open_runs = len(still_open)
    return still_open


def _files(state: Path, still_open: frozenset[str]) -> Iterator[Path]:
    """What the databases point at: of open runs everything, of ended ones what their pages show."""
    for folder in FOLDERS:
        for path in sorted((state / folder).rglob("*")):
            parts = path.relative_to(state).parts
            if path.is_file() and not path.is_symlink() and _wanted(parts, still_open):
                yield path


def _wanted(parts: tuple[str, ...], still_open: frozenset[str]) -> bool:
    if parts[0] == "runs":
        return parts[1] in still_open
    if parts[0] == "jobs" and len(parts) > 2:
        run = parts[1].split("-")[1] if parts[1].startswith("run-") else ""
        return parts[2] in KEPT_OF_A_JOB or (run in still_open and parts[2] == "output")
    return not any(part.startswith(".") for part in parts)


def _add(archive: tarfile.TarFile, path: Path, name: str, contents: Contents) -> None:
    """Add a file as long as it is now; one that has gone meanwhile was not wanted any longer."""
    try:
        source = path.open("rb")
    except FileNotFoundError:
        return
    with source:
        info = archive.gettarinfo(arcname=name, fileobj=source)
        info.uid = info.gid = 0
        info.uname = info.gname = ""
        hashing = _Hashing(source)
        archive.addfile(info, hashing)
    contents.files[name] = {"bytes": info.size, "sha256": hashing.digest.hexdigest()}


def _add_text(archive: tarfile.TarFile, name: str, content: Mapping[str, Any]) -> None:
    data = (json.dumps(content, indent=1) + "\n").encode()
    info = tarfile.TarInfo(name)
    info.size = len(data)
    archive.addfile(info, io.BytesIO(data))


class _Hashing(io.RawIOBase):
    """A file that is hashed while it is read."""

    def __init__(self, source: IO[bytes]) -> None:
        self.source = source
        self.digest = hashlib.sha256()

    def read(self, size: int = -1) -> bytes:
        data = self.source.read(size)
        self.digest.update(data)
        return data


def _flush(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
