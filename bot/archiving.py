"""`lifecycle-bot backup` and `restore`, as a person sees them."""

from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from bot.app import now, settings_of
from bot.backup import BackupTrouble, back_up
from bot.restoring import restore as put_back
from bot.settings import Settings
from bot.storage import open_storage
from lifecycle import LocalExecutor, skip_numbers

ELSEWHERE = """\
The database is PostgreSQL, which makes its own backups; nothing was written. Back up, in this order:
  1. the database:  pg_dump --format=custom --file=lifecycle-bot.dump DATABASE_URL
  2. the folders {folders} below {state}
To restore, stop every replica, pg_restore into an empty database, put the folders back, run `lifecycle-bot renumber`
(so that no number of a run is given out again that people have seen), and start again."""

NEXT = "Start the bot now: it goes on with what was open, and its first sweep looks for what it has missed since."


def backup(settings: Path, file: Path) -> str:
    """Write a backup while the bot runs; what is in it. Raises BackupTrouble."""
    read = settings_of(settings)
    _embedded(read)
    contents = back_up(read.state, file, version("lifecycle-bot"), now())
    return f"{file}: {contents.sentence}; {file.stat().st_size / 1e6:,.1f} MB, checked."


def renumber(settings: Path) -> str:
    """Leave out the numbers that runs and items may have had since the backup that was restored; what comes next."""
    storage = open_storage(settings_of(settings))
    return f"The next run, and the next item of drift, has number {skip_numbers(storage.main)}."


def restore(settings: Path, file: Path, force: bool) -> str:
    """Put a backup into the settings' state folder; what was restored and what comes next. Raises BackupTrouble."""
    read = settings_of(settings)
    _embedded(read)
    executor = LocalExecutor(read.state, read.sandbox)
    running = sorted(executor.running())
    done = put_back(file, read.state, force=force, now=now(), running=running, end=executor.cancel)
    made = datetime.fromisoformat(done.made).astimezone(UTC)
    said = [f"Restored what lifecycle-bot {done.version} backed up on {made:%Y-%m-%d at %H:%M} UTC: {done.sentence}."]
    if done.aside is not None:
        said.append(f"What was there is in {done.aside}; delete it when you no longer want it.")
    return "\n".join([*said, NEXT])


def _embedded(settings: Settings) -> None:
    if settings.database is not None:
        raise BackupTrouble(ELSEWHERE.format(folders="versions, endpoints and jobs", state=settings.state))
