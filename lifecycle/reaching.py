"""Asks stores through fsspec with a patience of our own, since their libraries would try again for many minutes."""

import re
from typing import Any

PATIENCE = 30.0  # seconds


def is_store(files: Any) -> bool:
    """Whether this is reached over a network; other file systems answer at once."""
    return bool(getattr(files, "async_impl", False))


def ask(files: Any, what: str, *given: Any, patience: float, **more: Any) -> Any:
    """Call the method `what`; of a store, no longer than `patience` seconds. Raises TimeoutError, and its own kinds."""
    if not is_store(files):
        return getattr(files, what)(*given, **more)
    from fsspec.asyn import sync  # type: ignore[import-untyped, import-not-found, unused-ignore]

    return sync(files.loop, getattr(files, f"_{what}"), *given, timeout=patience, **more)


def reach(files: Any, path: str) -> None:
    """Raises OSError if the store behind `files` does not answer at all; what else is wrong, reading will tell."""
    if not is_store(files):
        return
    try:
        ask(files, "exists", path.split("*", 1)[0], patience=PATIENCE)
    except TimeoutError:  # fsspec's too
        raise OSError(f"it has not answered for {PATIENCE:.0f} seconds") from None
    except Exception:  # each store's library has its own kinds
        return


def first_line(problem: BaseException) -> str:
    """What went wrong in one line, without what follows a question mark in an address: it may be a signature."""
    line = (str(problem).strip().splitlines() or [type(problem).__name__])[0]
    return re.sub(r"(://[^\s?'\"]*)\?[^\s'\"]*", r"\1", line)[:300]
