"""What a command leaves behind: a file that is whole or not there, a text on standard output; its input is safe."""

from __future__ import annotations

import contextlib
import io
import json
import os
import sys
from collections.abc import Iterable
from pathlib import Path


def check_out(out: str, inputs: Iterable[str]) -> None:
    """Raises ValueError if the output has no name, or is one of the files that are read."""
    if not out:
        raise ValueError("--out needs the name of a file.")
    for one in inputs:
        if os.path.exists(one) and os.path.exists(out) and os.path.samefile(one, out):
            raise ValueError(f"{out} is what is read; give another name for the profile.")


def write(out: str, what: bytes) -> None:
    """Whole or not at all: a reader never sees half of it. Links are followed; devices and pipes are written into."""
    part: Path | None = None
    try:
        if os.path.exists(out) and not os.path.isfile(out):
            Path(out).write_bytes(what)
            return
        path = Path(os.path.realpath(out))
        part = path.with_name(f".lifecycle.{os.getpid()}")
        part.write_bytes(what)
        part.replace(path)
    except (OSError, ValueError) as problem:
        why = problem.strerror if isinstance(problem, OSError) else "that is no name for a file"
        raise ValueError(f"{out} cannot be written: {why}.") from None
    finally:
        if part is not None:
            _forget(part)


def _forget(part: Path) -> None:
    with contextlib.suppress(OSError):
        part.unlink(missing_ok=True)


def say(text: str) -> None:
    """Print it, whatever the terminal can show. Who reads no further changes nothing. Raises ValueError."""
    if sys.stdout is None:  # closed by who started us
        return
    try:
        sys.stdout.write(_shown(text, sys.stdout.encoding) + "\n")
        sys.stdout.flush()
    except BrokenPipeError:
        _close()
    except OSError as problem:
        _close()
        raise ValueError(f"the result cannot be written: {problem.strerror}.") from None


def _shown(text: str, encoding: str | None) -> str:
    """With what the encoding lacks written as JSON does (\\u2192), so that JSON stays JSON."""
    try:
        text.encode(encoding or "utf-8")
    except UnicodeError:
        return "".join(one if one.isascii() else json.dumps(one)[1:-1] for one in text)
    return text


def _close() -> None:
    """Nothing more is written, not even by the interpreter's end."""
    with contextlib.suppress(OSError, io.UnsupportedOperation):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
