"""Turns a job into what its keeper is to do: programs, variables, walls, limits, as plain data."""

import os
import re
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from lifecycle.executors import Job, Refusal, environments, sandbox

PROGRAMS = "/usr/local/bin:/usr/bin:/bin"
VARIABLE = re.compile(r"^[A-Za-z_][A-Za-z0-9_]*$")
MOST_THREADS = 8
PRIVATE = ("work", "tmp", "home")  # what does not outlive the job
HERE = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Place:
    """Where a job is to run: its folder, the one that does not outlive it, its environment, Python, the wall if any."""

    folder: Path
    private: Path
    home: Path
    python: str
    wall: sandbox.Sandbox | None


def spec(job: Job, place: Place, installer: Mapping[str, str]) -> dict[str, Any]:
    """The keeper's orders. `installer` holds the variables that the installer of packages may see. Raises Refusal."""
    ready = environments.is_ready(place.home)
    return {
        "note": "environment: ready (cached)" if ready else "",
        "prepare": None if ready else _prepare(place, job.requirements, installer),
        "copy": [str(job.tree.absolute()), str(place.private / "work")],
        "run": {
            "argv": _command(job, place),
            "env": variables(job, place),
            "cwd": "/" if place.wall else str(place.private / "work"),
        },
        "limits": asdict(job.limits),
        "remove": [str(place.private)],
    }


def _prepare(place: Place, requirements: str, installer: Mapping[str, str]) -> dict[str, Any]:
    wanted = [str(place.home), requirements, place.python, environments.find_uv()]
    argv = [sys.executable, "-I", "-S", str(HERE / "environments.py"), *wanted]
    return {"argv": argv, "env": dict(installer), "cwd": str(place.folder)}


def _command(job: Job, place: Place) -> list[str]:
    command = list(job.command)
    if command[0] == "python":
        command[0] = str(place.home / "bin" / "python")
    if place.wall is None:
        return command
    inputs = {_inside(name, path): path.absolute() for name, path in job.inputs.items()}
    read_only = (place.home, *sandbox.interpreter_roots(Path(place.python)))
    names = sandbox.write_names(place.folder.parent.parent / "etc")
    view = sandbox.View(place.private / "work", place.folder / "output", read_only, inputs, names)
    return sandbox.argv(place.wall, view, command)


def _inside(name: str, path: Path) -> str:
    return f"{sandbox.INPUTS}/{name}/{path.name}"  # the file keeps its name: readers go by its ending


def variables(job: Job, place: Place) -> dict[str, str]:
    """All that the job finds in its environment; nothing of ours is in it. Raises Refusal for an impossible name."""
    for name in (*job.values, *job.inputs):
        if not VARIABLE.match(name):
            raise Refusal(f"{name!r} is no name for an environment variable")
    home, scratch, output = str(place.private / "home"), str(place.private / "tmp"), str(place.folder / "output")
    if place.wall:
        home, scratch, output = sandbox.HOME, sandbox.SCRATCH, sandbox.OUTPUT
    threads = str(min(os.cpu_count() or 1, MOST_THREADS))
    fixed = {
        "PATH": f"{place.home / 'bin'}:{PROGRAMS}",
        "HOME": home,
        "TMPDIR": scratch,
        "LIFECYCLE_OUTPUT": output,
        "USER": "job",
        "LOGNAME": "job",
        "LANG": "C.UTF-8",
        "LC_ALL": "C.UTF-8",
        "PYTHONUNBUFFERED": "1",
        "PYTHONDONTWRITEBYTECODE": "1",
        "OMP_NUM_THREADS": threads,
        "OPENBLAS_NUM_THREADS": threads,
        "MKL_NUM_THREADS": threads,
        "OMP_WAIT_POLICY": "PASSIVE",  # threads that spin while they wait cost a busy machine three times the work
        "MALLOC_ARENA_MAX": "2",  # or threads alone use up a limit on address space
    }
    given = {name: _inside(name, path) if place.wall else str(path.absolute()) for name, path in job.inputs.items()}
    return fixed | dict(job.values) | given
