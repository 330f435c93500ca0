"""Puts a backup into a state folder: everything is checked before anything is moved, and nothing is thrown away."""

import json
import shutil
import tempfile
from collections.abc import Callable, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path, PurePosixPath
from sqlite3 import Error, connect

from bot.backup import FOLDERS, MANIFEST, BackupTrouble, check, opened, whole
from bot.occupancy import alone
from bot.storage import DATABASES, TABLES, newest
from lifecycle import connect as open_database
from lifecycle import skip_numbers

LEFTOVERS = ("-wal", "-shm")  # beside a database: what belongs to the old one must not meet the new one


@dataclass(frozen=True, slots=True)
class Restored:
    """What was restored; `aside` is where the old content went, None if there was none."""

    made: str
    version: str
    sentence: str
    aside: Path | None


def restore(
    file: Path, state: Path, *, force: bool, now: datetime, running: Sequence[str], end: Callable[[str], None]
) -> Restored:
    """Restore a backup. Raises BackupTrouble, or Occupied where the bot is running.

    `running` are jobs of the folder that live still, `end` ends one: they outlive the bot, and would go on in the dark.
    """
    manifest = check(file)
    with alone(state):
        there = _there(state)
        if (there or running) and not force:
            raise BackupTrouble(_not_empty(state, there, running))
        with tempfile.TemporaryDirectory(dir=state, prefix=".restoring-") as name:
            fresh = Path(name)
            _extract(file, fresh)
            _fit(fresh, str(manifest["state"]), state)
            renumber(fresh, state)
            for job in running:
                end(job)
            aside = _move_aside(state, there, now) if there else None
            for entry in sorted(fresh.iterdir(), key=lambda one: one.name == "lifecycle.db"):
                shutil.move(entry, state / entry.name)
    return Restored(manifest["made"], manifest["version"], manifest["sentence"], aside)


def renumber(fresh: Path, old: Path) -> None:
    """See that no number is given out again that somebody may have seen, of runs that the backup does not know."""
    seen = 0
    with suppress(Error), closing(connect(f"file:{old / 'lifecycle.db'}?mode=ro", uri=True)) as lost:
        for table in ("runs", "episodes"):
            seen = max(seen, lost.execute(f"SELECT coalesce(max(id), 0) FROM {table}").fetchone()[0])  # noqa: S608
    engine = open_database(f"sqlite:///{fresh / 'lifecycle.db'}")
    skip_numbers(engine, seen)
    engine.dispose()


def _there(state: Path) -> list[Path]:
    """What a restore would have to write over."""
    names = [*DATABASES, *(f"{name}{end}" for name in DATABASES for end in LEFTOVERS)]
    files = [state / name for name in names if (state / name).exists()]
    return [*files, *(state / name for name in FOLDERS if (state / name).is_dir() and any((state / name).iterdir()))]


def _not_empty(state: Path, there: Sequence[Path], running: Sequence[str]) -> str:
    held = f" ({', '.join(path.name for path in there[:3])}, …)" if there else ""
    jobs = f" {len(running)} jobs and servers of it still run." if running else ""
    return (
        f"{state} is not empty{held}.{jobs} Name another state folder in app.yaml, or restore with --force: "
        "then what is there is moved aside and kept."
    )


def _extract(file: Path, fresh: Path) -> None:
    with opened(file) as archive:
        for member, content in archive:
            path = PurePosixPath(member.name)
            if member.name == MANIFEST:
                continue
            if path.is_absolute() or ".." in path.parts or path.parts[0] not in (*DATABASES, *FOLDERS):
                raise BackupTrouble(f"{file} names a place that is none of ours: {member.name[:80]!r}.")
            target = fresh / path
            target.parent.mkdir(parents=True, exist_ok=True)
            with target.open("xb") as out:
                shutil.copyfileobj(content, out, 1 << 20)
            target.chmod(member.mode & 0o755 | 0o600)


def _fit(fresh: Path, old: str, state: Path) -> None:
    """See that the databases are whole and none too new, and that deployments find their versions here."""
    for name in DATABASES:
        if (fresh / name).is_file():
            whole(fresh / name)
            _known(fresh / name)
    for record in (fresh / "endpoints" / "deployments").glob("*.json"):
        content = json.loads(record.read_text("utf-8"))
        folder = Path(content["folder"])
        if folder.is_relative_to(old):
            content["folder"] = str(state / folder.relative_to(old))
            record.write_text(json.dumps(content, indent=1), encoding="utf-8")


def _known(database: Path) -> None:
    with closing(connect(database)) as connection:
        there = {row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        for name, table in TABLES.items():
            if table not in there:
                continue
            found = connection.execute(f"SELECT version_num FROM {table}").fetchone()[0]  # noqa: S608
            if found > newest(name):
                raise BackupTrouble(
                    f"The backup was made by a newer lifecycle-bot: its {name} tables are at version {found}, "
                    f"this one knows {newest(name)}. Install that version, and restore again."
                )


def _move_aside(state: Path, there: Sequence[Path], now: datetime) -> Path:
    aside = state / f"before-restore-{now:%Y%m%d-%H%M%S}"
    aside.mkdir()
    for path in there:
        path.rename(aside / path.name)
    return aside
