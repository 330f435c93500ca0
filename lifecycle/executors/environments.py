"""A job's environment: the packages of a requirements file, installed once per content, Python and platform.

Imported by the executor for names and checks; run by the keeper, as a program of its own, to build. Building runs no
code of the model: wheels only, nothing is built from source. Standard library only, for it runs under `-I -S`.
"""

import fcntl
import hashlib
import os
import platform
import re
import shutil
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

READY = "lifecycle-ready.txt"  # written last; holds the exact versions that were installed
PLAIN = re.compile(r"^[A-Za-z0-9][A-Za-z0-9._-]*\s*(\[[\w\s,.-]*\])?\s*(\(?\s*[<>=!~][^;@/:]*)?(;.*)?$")
ARCHIVE = re.compile(r"\.(whl|zip|tar|tgz|gz|bz2|xz)$", re.IGNORECASE)
HASHES = re.compile(r"\s--hash[= ]\S+")
HARMLESS = ("--require-hashes", "--prefer-binary", "--only-binary", "--pre")
OTHER_FILES = ("-r", "-c", "--requirement", "--constraint")
LINKS = str.maketrans(dict.fromkeys("×╰─▶│├"))  # the drawing around the sentences of older uv


class Unsuitable(Exception):
    """Requirements that we do not install; one sentence."""


def lines_of(requirements: str) -> list[str]:
    """The requirements without comments, blank lines and continuations."""
    joined = re.sub(r"\\\r?\n", " ", requirements)
    lines = (re.sub(r"(^|\s)#.*$", "", line).strip() for line in joined.splitlines())
    return [re.sub(r"\s+", " ", line) for line in lines if line]


def check(requirements: str, trusted: bool) -> None:
    """Raises Unsuitable for what cannot be installed from this text alone, or must not be from a stranger's."""
    for line in lines_of(requirements):
        option = re.split(r"[ =]", line, maxsplit=1)[0] if line.startswith("-") else ""
        if option in OTHER_FILES:
            raise Unsuitable(f"requirements may not refer to another file ({_shown(line)}): name the packages there")
        if trusted or option in HARMLESS:
            continue
        if option:
            raise Unsuitable(f"requirements of an untrusted commit may not set {option}: plain packages only")
        plain = HASHES.sub("", f" {line}").strip()
        if " --" in plain or ARCHIVE.search(plain) or not PLAIN.match(plain):
            raise Unsuitable(
                f"requirements of an untrusted commit may only name packages and versions, not {_shown(line)}"
            )


def _shown(line: str) -> str:
    return repr(line if len(line) <= 80 else line[:79] + "…")


def digest(requirements: str, python: str) -> str:
    """The name of the environment: what is asked for, for which Python, on which platform."""
    parts = [*sorted(lines_of(requirements)), python, platform.python_version(), sys.platform, platform.machine()]
    return hashlib.sha256("\n".join([*parts, *platform.libc_ver()]).encode()).hexdigest()


def is_ready(folder: Path) -> bool:
    return (folder / READY).exists()


def find_uv() -> str:
    """Path of the uv that came with us or lies on PATH; empty when there is none."""
    beside = Path(sys.executable).with_name("uv")
    return str(beside) if beside.exists() else shutil.which("uv") or ""


def build(folder: Path, requirements: str, python: str, uv: str) -> None:
    """Make the environment unless it is there; jobs that want the same one wait for the first. Raises Unsuitable."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with open(folder.with_suffix(".lock"), "w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("waiting for another job that installs the same packages")
            fcntl.flock(lock, fcntl.LOCK_EX)
        if is_ready(folder):
            say("ready (cached)")
            return
        shutil.rmtree(folder, ignore_errors=True)  # half of one, left by a job that was cancelled
        _install(folder, requirements, python, uv)
        say("ready")


def clear(root: Path) -> None:
    """Remove what is left of environments that were never finished and that nobody makes now."""
    for folder in root.glob("*/"):
        if is_ready(folder):
            continue
        with open(folder.with_suffix(".lock"), "w") as lock, suppress(BlockingIOError):
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if not is_ready(folder):
                shutil.rmtree(folder, ignore_errors=True)


def _install(folder: Path, requirements: str, python: str, uv: str) -> None:
    lines = lines_of(requirements)
    wanted = folder.with_suffix(".txt")
    wanted.write_text("\n".join(lines) + "\n", encoding="utf-8")
    inside = str(folder / "bin" / "python")
    packages = [line for line in lines if not line.startswith("-")]
    say(f"installing {len(packages)} package{'' if len(packages) == 1 else 's'}")
    if uv:
        run([uv, "venv", "--quiet", "--no-project", "--python", python, str(folder)])
        pip = [uv, "pip", "install", "--quiet", "--python", inside, "--only-binary", ":all:"]
        freeze = [uv, "pip", "freeze", "--quiet", "--python", inside]
    else:
        run([python, "-I", "-m", "venv", "--without-pip", str(folder)])
        pip = [python, "-I", "-m", "pip", "--python", inside, "install", "--quiet", "--only-binary", ":all:"]
        freeze = [python, "-I", "-m", "pip", "--python", inside, "freeze"]
    if packages:
        run([*pip, "-r", str(wanted)])
        say("compiling")  # once here, or seconds at every start: jobs see the environment read-only
        run([inside, "-I", "-m", "compileall", "-q", "-j", "0", "-x", r"[/\\]tests?[/\\]", *site(folder)], check=False)
    versions = run(freeze)
    (folder / f"{READY}.new").write_text(versions, encoding="utf-8")
    os.replace(folder / f"{READY}.new", folder / READY)


def site(folder: Path) -> list[str]:
    return [str(path) for path in folder.glob("lib/python*/site-packages")]


def run(command: list[str], check: bool = True) -> str:
    """What the program printed. Raises Unsuitable with its complaint as one sentence."""
    done = subprocess.run(command, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
    if check and done.returncode:
        raise Unsuitable(complaint(done.stderr or done.stdout, done.returncode))
    return done.stdout


def complaint(text: str, code: int) -> str:
    """The installer's complaint in one line, without paths of this machine's temporary files."""
    words = re.split(r"\n\s*hint:", text.translate(LINKS))[0]
    words = re.sub(r"\s*\n\s*(cause|Caused by):\s*", ": ", words.strip())
    words = re.sub(r"\s+", " ", words)
    words = re.sub(r"(?i)^error:\s*|No solution found when resolving dependencies: (Because )?", "", words)
    words = re.sub(r"`?(/[^\s`:/]+)+/([^\s`/:]+)`?", r"\2", words)
    words = re.sub(r"\b[0-9a-f]{64}\.txt\b", "requirements", words)
    return f"the environment could not be made: {words[:500] or f'the installer ended with exit code {code}'}"


def say(words: str) -> None:
    sys.stdout.write(f"environment: {words}\n")
    sys.stdout.flush()


def main(folder: str, requirements: str, python: str, uv: str) -> int:
    try:
        build(Path(folder), requirements, python, uv)
    except (Unsuitable, OSError) as trouble:
        sys.stdout.write(f"{trouble}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
