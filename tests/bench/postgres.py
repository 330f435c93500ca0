"""A PostgreSQL of our own in a temporary folder, for tests and measurements; gone afterwards."""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

UNPRIVILEGED = "nobody"  # PostgreSQL refuses to run as root


def programs() -> Path | None:
    """The folder of PostgreSQL's server programs, the newest there is; None where there are none."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    path = found[-1] if found else shutil.which("initdb")
    return Path(path).resolve().parent if path else None


@contextlib.contextmanager
def postgres() -> Iterator[str]:
    """The URL of an empty database on a fresh server with its default settings, so fsync on; stopped at the end."""
    bin_ = programs()
    assert bin_ is not None, "PostgreSQL's programs are not installed"
    owner = UNPRIVILEGED if os.geteuid() == 0 else None
    with tempfile.TemporaryDirectory(prefix="postgres-") as folder:
        if owner:
            shutil.chown(folder, owner)
        data, port = Path(folder, "data"), _free_port()
        quiet: dict[str, Any] = {
            "user": owner,
            "cwd": folder,
            "stdout": subprocess.DEVNULL,
            "stderr": subprocess.DEVNULL,
        }
        initdb: list[str | Path] = [bin_ / "initdb", "-D", data, "-U", "bot", "-A", "trust", "-E", "UTF8"]
        subprocess.run(initdb, check=True, **quiet)
        argv: list[str | Path] = [bin_ / "postgres", "-D", data, "-p", str(port), "-h", "127.0.0.1", "-k", ""]
        server = subprocess.Popen(argv, **quiet)
        try:
            _wait(bin_, port)
            yield f"postgresql+psycopg://bot@127.0.0.1:{port}/postgres"
        finally:
            server.send_signal(signal.SIGINT)  # "fast": it hangs up on whoever is still connected
            server.wait(30)


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
        return port


def _wait(bin_: Path, port: int) -> None:
    end = time.monotonic() + 30
    while subprocess.run([bin_ / "pg_isready", "-q", "-h", "127.0.0.1", "-p", str(port)]).returncode:
        assert time.monotonic() < end, "PostgreSQL does not start"
        time.sleep(0.1)
