"""Asks a store for a sign of life before much is asked of it: its library would try for many minutes."""

from typing import Any

PATIENCE = 30.0  # seconds


def reach(files: Any, path: str) -> None:
    """Raises OSError if the store behind `files` does not answer at all; what else is wrong, reading will tell."""
    if not getattr(files, "async_impl", False):
        return
    from fsspec.asyn import sync  # type: ignore[import-untyped, import-not-found, unused-ignore]

    try:
        sync(files.loop, files._exists, path.split("*", 1)[0], timeout=PATIENCE)
    except TimeoutError:  # fsspec's too
        raise OSError(f"it has not answered for {PATIENCE:.0f} seconds") from None
    except Exception:  # each store's library has its own kinds
        return
