"""Versions in the place that all machines reach: published before they are registered, fetched when one is needed."""

import hashlib
import json
import os
from pathlib import Path

from lifecycle.artifacts import Artifacts
from lifecycle.making import making

MANIFEST = "manifest.json"


def publish(artifacts: Artifacts, place: str, folder: Path) -> None:
    """Copy a sealed folder there; what it is named after is what it holds, so nobody can write something else there."""
    if artifacts.has(f"{place}/{MANIFEST}"):
        return
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.is_file() and name != MANIFEST:
            artifacts.put(path, f"{place}/{name}")
    artifacts.put(folder / MANIFEST, f"{place}/{MANIFEST}")  # last: by it others know that the rest is there


def fetch(artifacts: Artifacts, place: str, digest: str, folder: Path) -> bool:
    """Copy a published folder from there; false where it is not, or its manifest is not the one that was sealed."""
    try:
        manifest = artifacts.read(f"{place}/{MANIFEST}")
    except FileNotFoundError:
        return False
    if hashlib.sha256(manifest).hexdigest() != digest:
        return False
    with making(folder.parent) as fresh:
        target = fresh / "it"
        for name in json.loads(manifest)["files"]:
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            artifacts.get(f"{place}/{name}", target / name)
        (target / MANIFEST).write_bytes(manifest)
        try:
            os.rename(target, folder)
        except OSError:
            if not folder.exists():
                raise
    return True
