"""What changed between two commits, file by file, as GitHub lists it."""

import re
from collections.abc import Sequence

from bot.playground.github.bare import Bare, Change

STATUS = {"A": "added", "D": "removed", "M": "modified", "R": "renamed", "C": "copied", "T": "changed"}
EMPTY_TREE = "4b825dc642cb6eb9a060e54bf8d69288fbee4904"
LONGEST_PATCH = 400_000  # characters; GitHub leaves the patch of huge files out as well


def changes(git: Bare, base: str | None, head: str) -> list[Change]:
    """Every file that differs from `base` (None: from nothing) to `head`, by path, with its hunks. Full shas."""
    if (known := git.diffs.get((base, head))) is None:
        known = git.diffs[base, head] = _changes(git, base, head)
    return known


def touched(git: Bare, shas: Sequence[str]) -> dict[str, dict[str, list[str]]]:
    """The paths that each commit added, removed and modified against its first parent, without renames."""
    names = {"A": "added", "D": "removed"}
    found: dict[str, dict[str, list[str]]] = {sha: {"added": [], "removed": [], "modified": []} for sha in shas}
    options = ("--stdin", "-r", "--root", "--name-status", "-z", "--no-renames")
    asked = "".join(f"{sha}\n" for sha in shas).encode()  # git passes over a last line without its end
    words = iter(git.run("diff-tree", *options, data=asked).decode("utf-8", "replace").split("\0"))
    sha = ""
    for word in words:
        if word in found:
            sha = word
        elif word:
            found[sha][names.get(word, "modified")].append(next(words))
    return found


def _changes(git: Bare, base: str | None, head: str) -> list[Change]:
    ends = (base or EMPTY_TREE, head)
    options = ("-M", "-r", "--no-color", "--no-ext-diff", "--no-textconv", "--full-index")
    raw = git.run("diff-tree", *options, "--raw", "-z", *ends).decode("utf-8", "replace")
    entries = _entries(raw)
    if not entries:
        return []
    patches = _patches(git.run("diff-tree", *options, "-p", *ends).decode("utf-8", "replace"))
    found = []
    for (status, old, sha, previous, path), patch in zip(entries, patches, strict=True):
        plus, minus = _counts(patch)
        shown = patch if patch and len(patch) <= LONGEST_PATCH else None
        found.append(Change(STATUS[status], path, previous, old if status == "D" else sha, plus, minus, shown))
    return sorted(found, key=lambda change: change.path)


def _entries(raw: str) -> list[tuple[str, str, str, str | None, str]]:
    """(status letter, old blob, new blob, previous path, path) of `diff-tree --raw -z`."""
    words = iter(raw.split("\0"))
    found = []
    for facts in words:
        if not facts.startswith(":"):
            continue
        _, _, old, new, status = facts.split()
        first = next(words)
        moved = status[0] in "RC"
        found.append((status[0], old, new, first if moved else None, next(words) if moved else first))
    return found


def _patches(text: str) -> list[str | None]:
    """Each file's hunks, in order; None where git shows none (binary files, pure renames)."""
    found = []
    for part in re.split(r"^diff --git .*\n", text, flags=re.MULTILINE)[1:]:
        start = re.search(r"^@@ ", part, flags=re.MULTILINE)
        found.append(part[start.start() :].rstrip("\n") if start else None)
    return found


def _counts(patch: str | None) -> tuple[int, int]:
    lines = (patch or "").split("\n")
    return sum(line.startswith("+") for line in lines), sum(line.startswith("-") for line in lines)
