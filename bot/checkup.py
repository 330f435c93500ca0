"""What `lifecycle-bot doctor` looks at on this machine: secrets, folders, database, programs, addresses, the clock."""

import errno
import os
import re
import shutil
import sqlite3
import subprocess
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from ipaddress import ip_address
from pathlib import Path
from tempfile import TemporaryFile
from urllib.error import HTTPError, URLError
from urllib.parse import quote, urlsplit
from urllib.request import Request, urlopen

from bot.doctor import Finding, Probe, fail, ok, warn
from bot.secrets import Secret
from bot.settings import Settings

SHORT = 16  # characters of a webhook secret that are too few: what is shorter can be guessed by trying
ROOM_MB = 2048  # free space under which a few runs may fill the disk
OLDEST_GIT = (2, 31)  # the first that takes settings from the environment, as we give them
SKEW = timedelta(seconds=60)  # a GitHub App's token is refused when the clock is further off
VERSION = re.compile(r"(\d+)\.(\d+)(?:\.\d+)?")


def probes(
    settings: Settings,
    *,
    now: Callable[[], datetime],
    no_sandbox: Callable[[], str | None],
    uv_program: str,
    listen: Callable[[], None],
) -> list[tuple[str, Probe]]:
    """Everything on this machine.

    `no_sandbox` answers None where bubblewrap works, else says why not; `uv_program` is where uv came with us, if it
    did; `listen` listens at settings.listen for a moment, or raises OSError.
    """
    found: list[tuple[str, Probe]] = [
        ("app.yaml", lambda: [ok("app.yaml", f"{_count(len(settings.projects), 'repository', 'repositories')}")]),
        ("secrets", lambda: secrets(_shown_by_hooks(settings))),
        ("state folder", lambda: folder(settings.state)),
        ("database", lambda: database(settings)),
        ("sandbox", lambda: sandbox(settings.sandbox, no_sandbox())),
        ("git", git),
        ("uv", lambda: uv(uv_program if Path(uv_program).exists() else shutil.which("uv") or "")),
        ("listen", lambda: listening(settings.listen, listen)),
        ("public_url", lambda: public(settings.public_url)),
    ]
    if settings.github is not None:
        url = settings.github.url
        found.append(("GitHub", lambda: clock("GitHub", url, now)))
    if settings.azure_devops is not None:
        organisation = settings.azure_devops.url
        found.append(("Azure DevOps", lambda: clock("Azure DevOps", organisation, now)))
    return found


def _count(number: int, one: str, many: str) -> str:
    return f"{number} {one if number == 1 else many}"


def _shown_by_hooks(settings: Settings) -> Iterator[tuple[str, Secret]]:
    if settings.github is not None:
        yield from (("github webhook secret", secret) for secret in settings.github.webhook_secret)
    if settings.azure_devops is not None:
        hook = settings.azure_devops.webhook
        yield from (("azure webhook password", secret) for secret in hook.password or ())
        yield from (("azure webhook header", secret) for secret in hook.secret or ())


def secrets(named: Iterable[tuple[str, Secret]]) -> Iterator[Finding]:
    """Whether secrets that webhooks show are long enough; `named` are their keys in app.yaml."""
    for name, secret in named:
        length = len(secret.reveal())
        if length < SHORT:
            todo = "Make another with `openssl rand -hex 32`, and enter it here and at the webhook."
            yield fail(name, f"{length} characters; whoever guesses it can give commands", todo)
        else:
            yield ok(name, f"{length} characters")


def folder(state: Path) -> Iterator[Finding]:
    """Whether the state folder can be written, survives, is ours alone and has room."""
    name = "state folder"
    nearest = next(place for place in (state, *state.parents) if place.exists())
    try:
        with TemporaryFile(dir=nearest) as file:
            file.write(b"x")
            os.fsync(file.fileno())
    except OSError as error:
        yield fail(name, f"{nearest} cannot be written: {error.strerror}", "Let the bot's user write there.")
        return
    if state.exists() and state.stat().st_mode & 0o002:
        yield warn(name, f"{state} can be written by everybody here", f"chmod o-w {state}")
    free = shutil.disk_usage(nearest).free >> 20
    if free < ROOM_MB:
        yield warn(name, f"{free:,} MB are free at {nearest}", f"Make room; runs and environments want {ROOM_MB:,} MB.")
    else:
        said = f"{state} can be written" if state.exists() else f"{state} will be made"
        yield ok(name, f"{said}; {free:,} MB are free")


def database(settings: Settings) -> Iterator[Finding]:
    """Whether the database opens, and which versions its tables have; nothing is made or changed."""
    from bot.storage import TABLES, newest

    try:
        kind, found = _postgresql(settings.database) if settings.database else _sqlite(settings.state)
    except (sqlite3.Error, OSError) as error:
        yield fail("database", f"it does not open: {error}", "Restore it from a backup, or look at its permissions.")
        return
    newer = sorted(found[table] for name, table in TABLES.items() if found.get(table, "") > newest(name))
    if newer:
        yield fail("database", f"{kind}; a newer lifecycle-bot has written it ({newer[-1]})", "Install that one again.")
    elif not found:
        yield ok("database", f"{kind}; the tables are made at the first start")
    else:
        yield ok("database", f"{kind}; version {min(found.values())}")


def _sqlite(state: Path) -> tuple[str, dict[str, str]]:
    found: dict[str, str] = {}
    for name in ("lifecycle.db", "inbox.db"):
        if (state / name).exists():
            found |= _versions(f"file:{quote(str(state / name))}?mode=ro")
    return f"SQLite {sqlite3.sqlite_version} in {state}", found


def _versions(uri: str) -> dict[str, str]:
    from bot.storage import TABLES

    with closing(sqlite3.connect(uri, uri=True, timeout=5)) as connection:
        there = {row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        ask = {table: f"SELECT version_num FROM {table}" for table in there.intersection(TABLES.values())}  # noqa: S608
        rows = {table: connection.execute(question).fetchone() for table, question in ask.items()}
    return {table: str(row[0]) for table, row in rows.items() if row}


def _postgresql(url: Secret) -> tuple[str, dict[str, str]]:
    from sqlalchemy import create_engine, inspect, text
    from sqlalchemy.exc import OperationalError
    from sqlalchemy.pool import NullPool

    from bot.storage import TABLES

    engine = create_engine(url.reveal(), poolclass=NullPool, connect_args={"connect_timeout": 10})
    try:
        with engine.connect() as connection:
            there = set(inspect(connection).get_table_names())
            ask = [text(f"SELECT version_num FROM {table}") for table in there.intersection(TABLES.values())]  # noqa: S608
            versions = [str(connection.execute(one).scalar()) for one in ask]
            found = dict(zip(there.intersection(TABLES.values()), versions, strict=True))
            return f"PostgreSQL {connection.execute(text('SHOW server_version')).scalar()}", found
    except OperationalError as error:
        raise OSError(str(error.orig).strip().splitlines()[0]) from None


def sandbox(policy: str, why_not: str | None) -> Iterator[Finding]:
    """What the policy in app.yaml means here; `why_not` is None where the sandbox works."""
    name = "sandbox"
    if policy == "off":
        yield warn(name, "off: model code can read this machine's files and use its network", "Set `sandbox: auto`.")
    elif why_not is None:
        yield ok(name, f"bubblewrap works; sandbox: {policy}")
    elif policy == "require":
        yield fail(name, f"nothing can run: {why_not}")
    else:
        yield warn(name, f"only code of people with write permission runs: {why_not}", "Or set `sandbox: off`.")


def git(program: str = "git") -> Iterator[Finding]:
    """Whether git is there and new enough."""
    said = _version_of(program)
    match = VERSION.search(said or "")
    wanted = ".".join(map(str, OLDEST_GIT))
    if match is None:
        yield fail("git", "git is not installed", f"Install git {wanted} or newer: apt install git, dnf install git.")
    elif (int(match[1]), int(match[2])) < OLDEST_GIT:
        yield fail("git", f"{said} is too old", f"Install git {wanted} or newer.")
    else:
        yield ok("git", said or "")


def uv(program: str) -> Iterator[Finding]:
    """Whether uv, which makes models' environments, is there; `program` is its path, empty if there is none."""
    said = _version_of(program) if program else None
    if said is None:
        yield fail("uv", "uv is not installed: no model's environment can be made", "Run: pip install uv")
    else:
        yield ok("uv", said)


def _version_of(program: str) -> str | None:
    try:
        done = subprocess.run([program, "--version"], capture_output=True, text=True, timeout=20, check=True)
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip()


def listening(address: str, listen: Callable[[], None]) -> Iterator[Finding]:
    """Whether `listen` of app.yaml can be listened at, or is by this bot already."""
    name = "listen"
    if address.startswith("unix:"):
        folder = Path(address.removeprefix("unix:")).absolute().parent
        if os.access(folder, os.W_OK):
            yield ok(name, f"{address}: its folder can be written")
        else:
            yield fail(name, f"{folder} cannot be written", "Let the bot's user write there, or name another place.")
        return
    try:
        listen()
    except OSError as error:
        yield _not_listening(name, address, error)
    else:
        yield ok(name, f"{address} is free")


def _not_listening(name: str, address: str, error: OSError) -> Finding:
    match error.errno:
        case errno.EADDRINUSE if _is_us(f"http://{_reachable(address)}"):
            return ok(name, f"a lifecycle-bot answers at {address}")
        case errno.EADDRINUSE:
            return fail(name, f"{address} is taken by another program", "Stop it, or name another port in app.yaml.")
        case errno.EACCES:
            return fail(
                name, f"{address} is not for us", "Ports below 1024 need rights: use one above, behind a proxy."
            )
    return fail(name, str(error.strerror or error), "Name an address of this machine in app.yaml.")


def _reachable(address: str) -> str:
    host, _, port = address.rpartition(":")
    return f"{'127.0.0.1' if host in ('', '0.0.0.0') else '[::1]' if host == '[::]' else host}:{port}"  # noqa: S104


def public(url: str) -> Iterator[Finding]:
    """Whether the platforms can reach `public_url`, as far as one can tell from here."""
    name, parts = "public_url", urlsplit(url)
    host = parts.hostname or ""
    if _is_private(host):
        found = f"{url} is an address of this machine or its network; github.com and dev.azure.com cannot reach it"
        yield warn(name, found, "Put a proxy with a public name before the bot.")
    elif parts.scheme == "http":
        yield warn(name, f"{url} is not encrypted: secrets of Azure DevOps' hooks travel in clear", "Use https://.")
    elif _is_us(url):
        yield ok(name, f"{url} answers, and is a lifecycle-bot")
    else:
        yield warn(name, f"{url} does not answer as a lifecycle-bot from here",
                   "Right if the bot is not running, or if this machine cannot see itself from outside.")  # fmt: skip


def _is_private(host: str) -> bool:
    try:
        return not ip_address(host).is_global
    except ValueError:
        return host == "localhost" or host.endswith((".localhost", ".local", ".internal")) or "." not in host


def _is_us(url: str) -> bool:
    try:
        with urlopen(Request(f"{url}/healthz"), timeout=5) as answer:  # noqa: S310 - settings take http(s) alone
            return b'"parts"' in answer.read(4096)
    except HTTPError as error:
        return error.code == 503 and b'"parts"' in error.read(4096)
    except (URLError, OSError, ValueError):
        return False


def clock(platform: str, url: str, now: Callable[[], datetime]) -> Iterator[Finding]:
    """How far our clock is from the platform's; every answer carries its time, also a refusal."""
    name = f"clock, by {platform}"
    try:
        with urlopen(Request(url, method="HEAD"), timeout=10) as answer:  # noqa: S310 - settings take http(s) alone
            date = answer.headers.get("Date")
    except HTTPError as error:
        date = error.headers.get("Date")
    except (URLError, OSError, ValueError) as error:
        reason = getattr(error, "reason", None) or error
        yield fail(name, f"{url} does not answer: {reason}", "Look at the address, the network and the proxy.")
        return
    try:
        off = now() - parsedate_to_datetime(date or "")
    except (TypeError, ValueError):
        yield warn(name, f"{url} does not tell the time", "Look whether it is the right address.")
        return
    seconds = round(off.total_seconds())
    if abs(off) > SKEW:
        yield fail(name, f"{abs(seconds)} s {'fast' if seconds > 0 else 'slow'}: tokens and times will be refused",
                   "Let the machine keep time: timedatectl set-ntp true")  # fmt: skip
    else:
        yield ok(name, f"right within {max(1, abs(seconds))} s")
