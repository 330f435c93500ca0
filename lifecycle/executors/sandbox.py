"""The wall around a job: bubblewrap's arguments, whether it works on this machine, what may be taken from an output."""

import functools
import os
import shutil
import stat
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

# Below a name that no machine has at its root: what is bound there would hide a state folder of the same name.
WORK, OUTPUT, INPUTS = "/lifecycle-job/work", "/lifecycle-job/output", "/lifecycle-job/inputs"
SCRATCH, HOME = "/tmp", "/tmp/home"  # noqa: S108
SYSTEM = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32")
SETTINGS = ("/etc/ld.so.cache", "/etc/ld.so.conf", "/etc/ld.so.conf.d", "/etc/localtime", "/etc/alternatives")
NAMES = {
    "passwd": "job:x:1000:1000::/tmp/home:/bin/sh\n",
    "group": "job:x:1000:\n",
    "hosts": "127.0.0.1 localhost job\n::1 localhost\n",
    "nsswitch.conf": "passwd: files\ngroup: files\nhosts: files\n",
}
DEEPEST = 32  # folders in folders of an output; all that read it later may then do so without care
INSTALL = "install bubblewrap (apt install bubblewrap, dnf install bubblewrap) and allow user namespaces"


class BadOutput(Exception):
    """What a job left in its output folder cannot be used; one sentence."""


@dataclass(frozen=True, slots=True)
class Sandbox:
    """A bubblewrap that works here, and which of its newer options it knows."""

    program: str
    options: frozenset[str]


@dataclass(frozen=True, slots=True)
class View:
    """What a job sees of the machine besides system libraries: read-only paths, its inputs, two folders to write."""

    work: Path
    output: Path
    read_only: tuple[Path, ...] = ()
    inputs: Mapping[str, Path] = field(default_factory=dict)  # path inside -> path outside
    names: Path | None = None  # a folder that `write_names` has filled
    scratch_mb: int = 1024


def interpreter_roots(python: Path) -> tuple[Path, ...]:
    """The folders that an interpreter needs, behind every link on the way to it, unless the system's are enough."""
    library = f"lib/python{sys.version_info.major}.{sys.version_info.minor}"
    roots = {Path(sys.base_prefix), Path(sys.base_exec_prefix)}
    step = python
    while step.is_symlink():
        step = step.parent / os.readlink(step)
        roots |= {step.parent.parent} if (step.parent.parent / library).is_dir() else set()
    roots |= {root.resolve() for root in roots}
    return tuple(sorted(root for root in roots if not root.is_relative_to("/usr") and len(root.parts) > 1))


def argv(sandbox: Sandbox, view: View, command: Sequence[str]) -> list[str]:
    """The command line that runs `command` behind the wall: no network, no processes or files but its own."""
    words = [sandbox.program, "--unshare-all", "--unshare-user", "--die-with-parent", "--new-session"]
    words += ["--cap-drop", "ALL", "--uid", "1000", "--gid", "1000", "--hostname", "job"]
    if "--disable-userns" in sandbox.options:
        words.append("--disable-userns")
    words += _system()
    words += ["--proc", "/proc", "--dev", "/dev"]
    if "--size" in sandbox.options:
        words += ["--size", str(view.scratch_mb << 20)]
    words += ["--tmpfs", SCRATCH, "--dir", HOME]
    for name in NAMES if view.names else ():
        words += ["--ro-bind", f"{view.names}/{name}", f"/etc/{name}"]
    for path in view.read_only:
        words += ["--ro-bind", str(path), str(path)]
    for inside, outside in view.inputs.items():
        words += ["--ro-bind", str(outside), inside]
    words += ["--bind", str(view.work), WORK, "--bind", str(view.output), OUTPUT, "--chdir", WORK]
    return [*words, "--", *command]


def _system() -> list[str]:
    words: list[str] = []
    for path in SYSTEM:
        if os.path.islink(path):
            words += ["--symlink", os.readlink(path), path]
        elif os.path.isdir(path):
            words += ["--ro-bind", path, path]
    for path in SETTINGS:
        words += ["--ro-bind-try", path, path]
    return words


def write_names(folder: Path) -> Path:
    """Make the files that give the job a user and this machine no name but localhost; nothing of ours is in them."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in NAMES.items():
        if not (folder / name).is_file():
            whole = folder / f".{name}.{os.urandom(8).hex()}"
            whole.write_text(text, encoding="ascii")
            whole.rename(folder / name)
    return folder


@functools.cache
def probe() -> Sandbox | str:
    """The sandbox of this machine, tried once, or a sentence saying why there is none and what to do."""
    program = shutil.which("bwrap")
    if sys.platform != "linux":
        return "there is no sandbox on this system: untrusted code runs on Linux only"
    if program is None:
        return f"bubblewrap is not installed: {INSTALL}"
    known = subprocess.run([program, "--help"], capture_output=True, text=True, check=False)
    options = frozenset(word for word in ("--size", "--disable-userns") if word in known.stdout + known.stderr)
    words = ""
    for attempt in (options, options - {"--disable-userns"}):
        sandbox = Sandbox(program, attempt)
        words = _trial(sandbox)
        if not words:
            return sandbox
    return f"bubblewrap does not work here ({words}): {INSTALL}"


def _trial(sandbox: Sandbox) -> str:
    """Run a shell behind the wall; what went wrong, empty if nothing."""
    empty = Path("/usr")
    command = argv(sandbox, View(empty, empty), ["/bin/sh", "-c", "exit 0"])
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=20, env={})
    except (OSError, subprocess.TimeoutExpired) as trouble:
        return str(trouble)[:200]
    return "" if done.returncode == 0 else (done.stderr.strip().splitlines() or ["no reason given"])[-1][:200]


def collect(output: Path, most_files: int = 10_000, most_mb: int = 4096) -> list[Path]:
    """Every file below `output`, relative to it and sorted, for readers outside the wall.

    Raises BadOutput on anything that could lead a reader elsewhere or hang it (symbolic and hard links, pipes,
    sockets, devices) and on too much of it. Call it once the job has ended: nothing may change any more.
    """
    found: list[Path] = []
    folders, count, size = [output], 0, 0
    while folders:
        for path, about in _entries(folders.pop()):
            inside, count = path.relative_to(output), count + 1
            if stat.S_ISDIR(about.st_mode):
                folders.append(path)
                if len(inside.parts) > DEEPEST:
                    raise BadOutput(f"the output has folders in folders, more than {DEEPEST} deep")
            else:
                _refuse_odd(inside, about)
                found.append(inside)
                size += about.st_size
            if count > most_files or size > most_mb << 20:
                raise BadOutput(f"the output has more than {most_files} files or {most_mb} MB")
    return sorted(found)


def _entries(folder: Path) -> Iterator[tuple[Path, os.stat_result]]:
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                yield Path(entry.path), entry.stat(follow_symlinks=False)
    except OSError as trouble:
        raise BadOutput(f"the output cannot be read: {trouble.strerror}") from None


def _refuse_odd(path: Path, about: os.stat_result) -> None:
    if not stat.S_ISREG(about.st_mode):
        raise BadOutput(f"the output holds {str(path)!r}, which is not a plain file")
    if about.st_nlink != 1:
        raise BadOutput(f"the output holds {str(path)!r}, which is a hard link")
