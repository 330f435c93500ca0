"""A model repository on this machine: a bare mirror, and read-only checkouts of exactly one commit."""

import fcntl
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from urllib.parse import quote, unquote

from lifecycle.caches import last_used, mark_used
from lifecycle.gitprogram import Git, GitTrouble, GitUnreachable
from lifecycle.making import clear, making
from lifecycle.source import Source

__all__ = ["Commit", "GitTrouble", "GitUnreachable", "Source", "Workspaces"]

SHA = re.compile(r"^([0-9a-f]{40}|[0-9a-f]{64})$")
SHORT = re.compile(r"^[0-9a-f]{7,64}$")
ODD_IN_REF = re.compile(r"[\x00-\x20\x7f~^:?*\[\\]|\.\.|@\{|//|^[-/.]|[/.]$|\.lock$|/\.")
EVERYTHING = ("+refs/heads/*:refs/heads/*", "+refs/tags/*:refs/tags/*", "+refs/pull/*:refs/pull/*")
KEPT = "refs/lifecycle"  # a ref for each commit that was asked for; a file each, as nothing packs them
WORTH_IT = 20  # refs; going through a whole mirror for fewer is not
FETCH_SECONDS = 600
LOOK_SECONDS = 60
MOST_BYTES = 5 << 20
DEEPEST = 64  # folders in folders of a checkout, which Python cannot walk through when they are a thousand


@dataclass(frozen=True, slots=True)
class Commit:
    """One change of a branch: who made it, when it came, its first line, and the files that it touches."""

    sha: str
    author: str
    at: datetime
    subject: str
    files: tuple[str, ...]


class Workspaces:
    """Mirrors and checkouts below `root`, shared by all processes of this machine.

    Every method raises GitTrouble. What is asked for from outside (commits, names of branches, paths) is checked here.
    """

    def __init__(self, root: Path, environ: Mapping[str, str] | None = None) -> None:
        self.root = root.absolute()
        (self.root / "mirrors").mkdir(parents=True, exist_ok=True)
        self.git = Git(self.root, environ or {})

    def resolve(self, source: Source, ref: str) -> str:
        """The full sha of a branch, tag, `HEAD`, `refs/…`, full or unambiguous short sha, asked of the origin now."""
        if SHA.match(ref):
            self.fetch(source, ref)
            return ref
        sha = self._advertised(source, ref)
        if sha is not None:
            self.fetch(source, sha)
            return sha
        if not SHORT.match(ref):
            raise GitTrouble(f"{source.name} has no branch or tag {ref!r}")
        with self._mirror(source) as mirror:
            self._fetch(source, mirror, *EVERYTHING)
            return self._expanded(source, mirror, ref)

    def _advertised(self, source: Source, ref: str) -> str | None:
        if not ref or len(ref) > 250 or ODD_IN_REF.search(ref):
            raise GitTrouble(f"{ref[:80]!r} is not the name of a branch, tag or commit")
        names = [ref] if ref == "HEAD" or ref.startswith("refs/") else [f"refs/heads/{ref}", f"refs/tags/{ref}"]
        wanted = [*names, *(f"{name}^{{}}" for name in names if name.startswith("refs/tags/"))]
        answer = self.git.run("ls-remote", "--", source.url, *wanted, source=source, seconds=LOOK_SECONDS, ask=True)
        lines = (line.split("\t", 1) for line in answer.decode("utf-8", "replace").splitlines())
        found = {name: sha for sha, name in lines}
        return next((found[name] for name in (f"{names[-1]}^{{}}", *names) if name in found), None)

    def _expanded(self, source: Source, mirror: Path, short: str) -> str:
        try:
            words = ("rev-parse", "--verify", "--quiet", "--end-of-options", f"{short}^{{commit}}")
            return self.git.run(f"--git-dir={mirror}", *words, source=source).decode().strip()
        except GitTrouble:
            raise GitTrouble(f"{source.name} has no commit {short}, or more than one that begins so") from None

    def fetch(self, source: Source, commit: str) -> None:
        """See to it that the commit is in the mirror; asks the origin only when it is not."""
        mirror = self._path(source)
        if self._has(source, mirror, _sha(commit)):
            mark_used(mirror)
            mark_used(mirror / KEPT / commit)
            return
        with self._mirror(source):
            if self._has(source, mirror, commit):
                return
            try:
                self._fetch(source, mirror, f"+{commit}:{KEPT}/{commit}")  # the ref keeps it from being pruned
            except GitUnreachable:
                raise
            except GitTrouble:  # some servers hand out only what a branch points at
                self._fetch(source, mirror, *EVERYTHING)
            if not self._has(source, mirror, commit):
                raise GitTrouble(f"{source.name} has no commit {commit[:12]}")

    def _fetch(self, source: Source, mirror: Path, *refspecs: str) -> None:
        options = ("--quiet", "--force", "--no-tags", "--no-write-fetch-head", "--no-recurse-submodules")
        words = (f"--git-dir={mirror}", "fetch", *options, "--", source.url, *refspecs)
        self.git.run(*words, source=source, seconds=FETCH_SECONDS, ask=True)

    def _has(self, source: Source, mirror: Path, commit: str) -> bool:
        if not mirror.is_dir():
            return False
        try:
            self.git.run(f"--git-dir={mirror}", "cat-file", "-e", f"{commit}^{{commit}}", source=source)
        except GitTrouble:
            return False
        return True

    def _path(self, source: Source) -> Path:
        return self.root / "mirrors" / f"{_folder_name(source.name)}.git"

    @contextmanager
    def _mirror(self, source: Source) -> Iterator[Path]:
        """The source's mirror, ours alone; made when it is lacking, cleared of locks that a killed git left."""
        path = self._path(source)
        with open(path.with_suffix(".lock"), "w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not (path / "HEAD").is_file():
                self.git.run("init", "--quiet", "--bare", "--template=", "--", str(path), source=source)
            _unlock(path)
            yield path

    def read(self, source: Source, commit: str, path: str) -> bytes | None:
        """A file's content at a commit; None when there is no such file (a link or a folder is none)."""
        self.fetch(source, commit)
        if not path or path.startswith("/") or "\0" in path or ".." in path.split("/"):
            return None
        mirror = f"--git-dir={self._path(source)}"
        entry = self.git.run(mirror, "ls-tree", "-z", "-l", commit, "--", path, source=source).decode(
            "utf-8", "replace"
        )
        about, _, name = entry.partition("\0")[0].partition("\t")
        if name != path or not about.startswith(("100644 blob", "100755 blob")):
            return None
        _, _, blob, size = about.split()
        if int(size) > MOST_BYTES:
            raise GitTrouble(f"{path} of {source.name} is larger than {MOST_BYTES >> 20} MB")
        return self.git.run(mirror, "cat-file", "blob", blob, source=source)

    def checkout(self, source: Source, commit: str) -> Path:
        """The tree of the commit, its files read-only; made once and kept. Links are kept as links, not followed."""
        target = self.root / "trees" / _folder_name(source.name) / _sha(commit)
        if target.is_dir():
            mark_used(target)
            return target
        self.fetch(source, commit)
        with making(target.parent) as folder:
            self._write_tree(source, commit, folder)
            try:
                (folder / "tree").rename(target)
            except OSError:
                if not target.is_dir():  # another process may have been quicker; its tree is as good
                    raise
        return target

    def tidy(self) -> None:
        """Clear away what was being written when its process was killed."""
        for folder in (self.root / "trees").glob("*/"):
            clear(folder)
        for mirror in (self.root / "mirrors").glob("*.git/"):
            with open(mirror.with_suffix(".lock"), "w") as lock, suppress(BlockingIOError):
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                _unlock(mirror)

    def prune(self, before: float) -> int:
        """Let go of commits that nobody has asked for since then (seconds since 1970), and of what only they held."""
        count = 0
        for mirror in (self.root / "mirrors").glob("*.git/"):
            source = Source(unquote(mirror.stem.replace("~", "%")), "")
            with self._mirror(source):
                stale = [ref for ref in (mirror / KEPT).glob("*") if last_used(ref) < before]
                if len(stale) < WORTH_IT:
                    continue
                for ref in stale:
                    ref.unlink(missing_ok=True)
                for words in (("repack", "-a", "-d", "-q"), ("prune", "--expire=now")):
                    self.git.run(f"--git-dir={mirror}", *words, source=source, seconds=FETCH_SECONDS)
                count += len(stale)
        return count

    def _write_tree(self, source: Source, commit: str, folder: Path) -> None:
        """Plain `git checkout` in effect, with no filter configured, so that attributes cannot run anything."""
        tree = folder / "tree"
        tree.mkdir()
        extra = {"GIT_INDEX_FILE": str(folder / "index")}
        places = (f"--git-dir={self._path(source)}", f"--work-tree={tree}")
        self.git.run(*places, "read-tree", commit, source=source, extra=extra, seconds=FETCH_SECONDS)
        names = self.git.run(*places, "ls-files", "-z", source=source, extra=extra).split(b"\0")
        if max(name.count(b"/") for name in names) > DEEPEST:
            raise GitTrouble(f"{source.name} has folders in folders at {commit[:8]}, more than {DEEPEST} deep")
        everything = ("checkout-index", "--all", "--force", f"--prefix={tree}/")
        self.git.run(*places, *everything, source=source, extra=extra, seconds=FETCH_SECONDS)
        for path in tree.rglob("*"):
            if not path.is_symlink() and path.is_file():
                path.chmod(path.stat().st_mode & 0o555)

    def changed_paths(self, source: Source, base: str, head: str) -> tuple[str, ...]:
        """What `head` changed since it left `base`, as a pull request shows it."""
        self._both(source, base, head)
        words = ("diff", "--name-only", "-z", "--no-renames", "--no-ext-diff", "--no-textconv")
        mirror = f"--git-dir={self._path(source)}"
        try:
            answer = self.git.run(mirror, *words, f"{base}...{head}", "--", source=source)
        except GitTrouble:  # no common ancestor
            answer = self.git.run(mirror, *words, base, head, "--", source=source)
        return tuple(name for name in answer.decode("utf-8", "replace").split("\0") if name)

    def history(self, source: Source, base: str, head: str) -> tuple[Commit, ...]:
        """What happened on the way from `base` to `head`, newest first, each merge as one change; at most 500."""
        self._both(source, base, head)
        shown = "--format=%x00%x00%H%x1f%cI%x1f%an%x1f%s%x00"
        words = (
            "log",
            "--first-parent",
            "-m",
            "--max-count=500",
            "--name-only",
            "--no-renames",
            "--no-ext-diff",
            shown,
        )
        mirror = f"--git-dir={self._path(source)}"
        answer = self.git.run(mirror, "-c", "core.quotePath=false", *words, f"{base}..{head}", "--", source=source)
        return tuple(_commit(part) for part in answer.decode("utf-8", "replace").split("\0\0")[1:])

    def ahead(self, source: Source, base: str, head: str) -> int:
        """How many commits `head` has that `base` has not."""
        self._both(source, base, head)
        words = ("rev-list", "--count", f"{base}..{head}", "--")
        return int(self.git.run(f"--git-dir={self._path(source)}", *words, source=source))

    def _both(self, source: Source, base: str, head: str) -> None:
        self.fetch(source, base)
        self.fetch(source, head)


def _commit(text: str) -> Commit:
    sha, at, author, rest = text.split("\x1f", 3)
    subject, _, files = rest.partition("\x00")
    return Commit(sha, author, datetime.fromisoformat(at), subject, tuple(name for name in files.split("\n") if name))


def _unlock(mirror: Path) -> None:
    """Remove the locks and the half-written objects of a git that was killed; whoever calls holds the mirror."""
    for pattern in ("*.lock", "refs/**/*.lock", "objects/pack/tmp_*", "objects/*/tmp_obj_*"):
        for stale in mirror.glob(pattern):
            stale.unlink(missing_ok=True)


def _sha(commit: str) -> str:
    if not SHA.match(commit):
        raise GitTrouble(f"{commit[:80]!r} is not a full commit sha")
    return commit


def _folder_name(name: str) -> str:
    """A repository's name as one folder's name, different for different names."""
    safe = quote(name, safe="").replace("~", "%7E").replace("%", "~")
    if not safe.strip(".~"):
        raise GitTrouble(f"{name!r} is not the name of a repository")
    return safe
