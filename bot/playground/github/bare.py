"""A bare git repository on disk: what GitHub asks of git, in plumbing commands and plain records."""

import os
import re
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

SHA = re.compile(r"[0-9a-f]{40}")
# What a person has set up for their own git must not change how this world behaves.
ENVIRONMENT = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")} | {
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_TERMINAL_PROMPT": "0",
    "LC_ALL": "C",
}


class GitRefused(Exception):
    """git ended with another code than 0; the text is its standard error."""


@dataclass(frozen=True, slots=True)
class Signature:
    name: str
    email: str
    at: datetime

    def __str__(self) -> str:
        return f"{_clean(self.name)} <{_clean(self.email)}> {int(self.at.timestamp())} +0000"


@dataclass(frozen=True, slots=True)
class Commit:
    sha: str
    tree: str
    parents: tuple[str, ...]
    author: Signature
    committer: Signature
    message: str


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of a tree: kind is "blob", "tree" or "commit"; size in bytes, 0 for what is no blob."""

    mode: str
    kind: str
    sha: str
    size: int
    name: str


@dataclass(frozen=True, slots=True)
class Change:
    """One file's difference; `patch` is its hunks without a header, None for binary files."""

    status: str  # added, removed, modified, renamed, copied
    path: str
    previous: str | None
    sha: str
    additions: int
    deletions: int
    patch: str | None


class Bare:
    """One bare repository at `path`. Every ref name and path from outside goes in as data, never as an option."""

    def __init__(self, path: Path) -> None:
        self.path = path
        # Commits never change, so what was once worked out of them holds.
        self._commits: dict[str, Commit] = {}
        self.diffs: dict[tuple[str | None, str], list[Change]] = {}
        self._counts: dict[tuple[str, str], int] = {}
        self._bases: dict[tuple[str, str], str | None] = {}

    def run(self, *words: str, data: bytes | None = None, accept: Sequence[int] = (0,)) -> bytes:
        """Run git here and return its standard output. Raises GitRefused."""
        if any("\0" in word for word in words):
            raise GitRefused("a name cannot hold a NUL")
        done = subprocess.run(
            ["git", *words], cwd=self.path, input=data, capture_output=True, env=ENVIRONMENT, check=False
        )
        if done.returncode not in accept:
            raise GitRefused(done.stderr.decode("utf-8", "replace").strip() or f"git {words[0]}: {done.returncode}")
        return done.stdout

    def create(self, default_branch: str) -> None:
        """Make the empty repository, set as GitHub's are: any reachable commit may be fetched, refs/pull is ours."""
        self.path.mkdir(parents=True)
        self.run("init", "-q", "--bare", f"--initial-branch={default_branch}", ".")
        settings = {
            "http.receivepack": "true",
            "uploadpack.allowReachableSHA1InWant": "true",
            "uploadpack.allowAnySHA1InWant": "true",
            "uploadpack.allowFilter": "true",
            "receive.hideRefs": "refs/pull",
            "gc.auto": "0",
            "receive.autogc": "false",
            "core.logAllRefUpdates": "false",
        }
        with (self.path / "config").open("a") as config:
            for name, value in settings.items():
                section, _, key = name.partition(".")
                config.write(f"[{section}]\n\t{key} = {value}\n")

    def head(self, branch: str) -> None:
        self.run("symbolic-ref", "HEAD", f"refs/heads/{branch}")

    def refs(self, prefix: str = "refs/heads/") -> dict[str, str]:
        """Full ref name -> sha of what it points to, sorted by name."""
        lines = self.run("for-each-ref", "--format=%(objectname) %(refname)", prefix).decode().splitlines()
        return {name: sha for sha, _, name in (line.partition(" ") for line in lines)}

    def branches(self) -> dict[str, str]:
        return {name.removeprefix("refs/heads/"): sha for name, sha in self.refs().items()}

    def branch(self, name: str) -> str | None:
        """The sha at the tip of a branch."""
        return self._verify(f"refs/heads/{name}")

    def resolve(self, ref: str) -> str | None:
        """A branch, tag, full or shortened sha, or refs/… -> the commit's sha; None when there is no such commit."""
        if ref in self._commits:
            return ref
        tries = [ref] if ref.startswith("refs/") else [f"refs/heads/{ref}", f"refs/tags/{ref}", f"refs/{ref}"]
        if re.fullmatch(r"[0-9a-f]{7,40}", ref):
            tries.insert(0, ref)
        if ref == "HEAD":
            tries.insert(0, ref)
        return next((sha for name in tries if (sha := self._verify(name))), None)

    def _verify(self, name: str) -> str | None:
        if "\0" in name:
            return None
        out = self.run("rev-parse", "--verify", "--quiet", "--end-of-options", name + "^{commit}", accept=(0, 1, 128))
        return out.decode().strip().removeprefix("--end-of-options\n") or None

    def commit(self, sha: str) -> Commit:
        """One commit by its full sha. Raises GitRefused when it is not here."""
        if sha not in self._commits:
            self._commits[sha] = _parse_commit(sha, self.run("cat-file", "commit", sha))
        return self._commits[sha]

    def log(self, start: str, *, limit: int = 30, skip: int = 0, path: str = "", exclude: str = "") -> list[Commit]:
        """Commits reachable from `start`, newest first; only those touching `path`; without `exclude`'s history."""
        words = ["rev-list", f"--max-count={limit}", f"--skip={skip}", start]
        if exclude:
            words.append(f"^{exclude}")
        out = self.run(*words, "--", *([path] if path else []))
        return [self.commit(sha) for sha in out.decode().split()]

    def count(self, start: str, exclude: str = "") -> int:
        """How many commits are reachable from `start` and not from `exclude`; full shas."""
        key = (start, exclude)
        if key not in self._counts:
            without = [f"^{exclude}"] if exclude else []
            self._counts[key] = int(self.run("rev-list", "--count", start, *without, "--"))
        return self._counts[key]

    def merge_base(self, one: str, other: str) -> str | None:
        """Where two commits, full shas, last had a common history; None when they never had."""
        key = (one, other)
        if key not in self._bases:
            self._bases[key] = self.run("merge-base", one, other, accept=(0, 1)).decode().strip() or None
        return self._bases[key]

    def tree(self, sha: str, path: str = "") -> list[Entry]:
        """The entries of a folder at a commit. Raises GitRefused when it is not one."""
        target = f"{sha}:{path.strip('/')}" if path else f"{sha}^{{tree}}"
        entries = []
        for line in self.run("ls-tree", "-z", "-l", target).decode("utf-8", "replace").split("\0")[:-1]:
            facts, _, name = line.partition("\t")
            mode, kind, blob, size = facts.split()
            entries.append(Entry(mode, kind, blob, 0 if size == "-" else int(size), name))
        return sorted(entries, key=lambda entry: (entry.kind != "tree", entry.name))

    def blob(self, sha: str, path: str) -> bytes | None:
        """A file's bytes at a commit; None when there is no such file."""
        try:
            return self.run("cat-file", "blob", f"{sha}:{path.strip('/')}")
        except GitRefused:
            return None

    def object(self, name: str) -> str | None:
        """The sha of any object, named "commit:path" or by sha."""
        return self.run("rev-parse", "--verify", "--quiet", name, accept=(0, 1, 128)).decode().strip() or None

    def write(
        self,
        branch: str,
        changes: Mapping[str, bytes | None],
        message: str,
        author: Signature,
        parent: str | None = None,
    ) -> str:
        """Commit `changes` (None removes a file) on top of `branch`, or of `parent`; the new commit's sha."""
        ref = f"refs/heads/{branch}"
        tip = parent or self.branch(branch)
        script = [f"reset {ref}\n".encode()] if tip is None else []
        text = message.encode()
        script.append(f"commit {ref}\nauthor {author}\ncommitter {author}\ndata {len(text)}\n".encode() + text + b"\n")
        if tip:
            script.append(f"from {tip}\n".encode())
        for path, content in changes.items():
            name = _quoted(path)
            if content is None:
                script.append(f"D {name}\n".encode())
            else:
                script.append(f"M 100644 inline {name}\ndata {len(content)}\n".encode() + content + b"\n")
        self.run("fast-import", "--quiet", "--force", "--date-format=raw", data=b"".join(script) + b"\ndone\n")
        sha = self.branch(branch)
        assert sha is not None, "fast-import said yes without moving the branch"  # noqa: S101 (an invariant of git)
        return sha

    def update(self, ref: str, sha: str | None) -> None:
        """Point a ref at a commit; None deletes it. Raises GitRefused on a bad name or an unknown commit."""
        if sha is None:
            self.run("update-ref", "-d", ref)
        else:
            self.run("update-ref", "--", ref, sha)

    def take(self, other: "Bare", sha: str, ref: str) -> None:
        """Bring a commit of another repository here, under `ref`."""
        self.run("fetch", "-q", "--no-tags", "--no-write-fetch-head", str(other.path), f"+{sha}:{ref}")

    def copy_to(self, path: Path, default_branch: str) -> "Bare":
        """A fork: a repository of its own with the same branches and tags."""
        fork = Bare(path)
        fork.create(default_branch)
        fork.run("fetch", "-q", str(self.path), "+refs/heads/*:refs/heads/*", "+refs/tags/*:refs/tags/*")
        return fork

    def merge(self, base: str, head: str) -> str | None:
        """The tree of merging `head` into `base`; None when they conflict. A real merge needs git 2.38."""
        if (meeting := self.merge_base(base, head)) is None:
            return None
        if meeting == base:
            return self.commit(head).tree
        out = self.run("merge-tree", "--write-tree", base, head, accept=(0, 1)).decode()
        tree, _, trouble = out.partition("\n")
        return tree if SHA.fullmatch(tree) and not trouble.strip() else None

    def join(self, tree: str, parents: Sequence[str], message: str, author: Signature) -> str:
        """Make a commit of a tree, on no branch; its sha."""
        stamp = f"{int(author.at.timestamp())} +0000"
        body = [f"tree {tree}", *(f"parent {parent}" for parent in parents)]
        who = f"{_clean(author.name)} <{_clean(author.email)}> {stamp}"
        text = "\n".join([*body, f"author {who}", f"committer {who}", "", message]) + "\n"
        return self.run("hash-object", "-t", "commit", "-w", "--stdin", data=text.encode()).decode().strip()


def _clean(text: str) -> str:
    return re.sub(r"[<>\n\0]", "", text)


def _quoted(path: str) -> str:
    text = path.strip("/").replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{text}"'


def _parse_commit(sha: str, raw: bytes) -> Commit:
    head, _, message = raw.decode("utf-8", "replace").partition("\n\n")
    fields: dict[str, list[str]] = {}
    for line in head.split("\n"):
        name, _, value = line.partition(" ")
        fields.setdefault(name, []).append(value)
    parents = tuple(fields.get("parent", ()))
    author, committer = _signature(fields["author"][0]), _signature(fields["committer"][0])
    return Commit(sha, fields["tree"][0], parents, author, committer, message.rstrip("\n"))


def _signature(line: str) -> Signature:
    found = re.fullmatch(r"(.*?) ?<(.*?)> (-?\d+) [+-]\d{4}", line)
    if not found:
        return Signature(line, "", datetime.fromtimestamp(0, UTC))
    return Signature(found[1], found[2], datetime.fromtimestamp(int(found[3]), UTC))
