"""Where the held-back rows of versions are kept, for the monitor to learn from."""

import os
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

from lifecycle.artifacts import Artifacts

KNOWN = "known"
UNUSED = timedelta(days=60)  # after which what a version that nobody watches any more was compared with goes


def known_file(root: Path, name: str, run: int) -> Path:
    """Where the held-back rows of the version that a run made are kept, apart from it: a version travels, rows do not.

    `name` is what the model is called at its endpoint.
    """
    return root / "endpoints" / "known" / name / f"run-{run}.parquet"


def shared_name(name: str, run: int) -> str:
    """What they are called in the place that all machines reach, where there is one."""
    return f"{KNOWN}/{name}/run-{run}.parquet"


def known_rows(root: Path, artifacts: Artifacts | None, name: str, run: int) -> Path:
    """The file of such rows, fetched if another machine made it; nothing is there where there are none."""
    path = known_file(root, name, run)
    if artifacts is None or path.is_file():
        return path
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f"{path.name}.{os.getpid()}")
    with suppress(FileNotFoundError):
        artifacts.get(shared_name(name, run), fresh)
        fresh.replace(path)
    return path
