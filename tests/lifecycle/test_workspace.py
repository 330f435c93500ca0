"""Mirrors and checkouts of real git repositories."""

import os
import subprocess
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from lifecycle.source import Source
from lifecycle.workspace import WORTH_IT, GitTrouble, Workspaces

IDENTITY = {"GIT_AUTHOR_NAME": "Ada", "GIT_AUTHOR_EMAIL": "ada@example.org"}
IDENTITY |= {name.replace("AUTHOR", "COMMITTER"): value for name, value in IDENTITY.items()}
CLEAN = {"GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": os.devnull, "PATH": os.environ["PATH"], **IDENTITY}


class Repository:
    """A repository to play with."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.mkdir()
        self("init", "-q", "-b", "main")

    def __call__(self, *words: str) -> str:
        done = subprocess.run(["git", *words], cwd=self.path, env=CLEAN, capture_output=True, text=True, check=True)
        return done.stdout.strip()

    def commit(self, **files: str) -> str:
        for name, text in files.items():
            (self.path / name.replace("__", ".")).write_text(text)
        self("add", "-A")
        self("commit", "-q", "-m", "a step")
        return self("rev-parse", "HEAD")


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    return Repository(tmp_path / "origin")


@pytest.fixture
def source(repository: Repository) -> Source:
    return Source("octo/bikes", str(repository.path))


@pytest.fixture
def workspaces(tmp_path: Path) -> Workspaces:
    return Workspaces(tmp_path / "work")


def test_a_branch_a_tag_and_a_short_sha_lead_to_the_commit(repository, source, workspaces):
    first = repository.commit(train__py="1")
    repository("tag", "-a", "v1", "-m", "one")
    second = repository.commit(train__py="2")
    assert workspaces.resolve(source, "main") == second
    assert workspaces.resolve(source, "HEAD") == second
    assert workspaces.resolve(source, "v1") == first
    assert workspaces.resolve(source, "refs/heads/main") == second
    assert workspaces.resolve(source, first[:10]) == first
    assert workspaces.resolve(source, first) == first
    third = repository.commit(train__py="3")
    assert workspaces.resolve(source, "main") == third


def test_the_head_of_a_pull_request_is_found_by_its_sha_even_when_the_server_hands_out_only_refs(
    repository, source, workspaces
):
    repository.commit(a="1")
    repository("checkout", "-q", "-b", "side")
    head = repository.commit(a="2")
    repository("update-ref", "refs/pull/3/head", head)
    repository("checkout", "-q", "main")
    repository("branch", "-q", "-D", "side")
    repository("config", "uploadpack.allowAnySHA1InWant", "false")
    assert workspaces.checkout(source, head).joinpath("a").read_text() == "2"
    assert workspaces.resolve(source, "refs/pull/3/head") == head


def test_a_checkout_is_exact_read_only_and_made_once(repository, source, workspaces):
    (repository.path / "sub").mkdir()
    (repository.path / "sub" / "run.sh").write_text("#!/bin/sh\n")
    (repository.path / "sub" / "run.sh").chmod(0o755)
    (repository.path / "out").symlink_to("/etc/passwd")
    sha = repository.commit(train__py="print(1)\n", data__csv="a,b\r\n1,2\r\n")
    tree = workspaces.checkout(source, sha)
    assert (tree / "data.csv").read_bytes() == b"a,b\r\n1,2\r\n"
    assert (tree / "train.py").stat().st_mode & 0o222 == 0
    assert (tree / "sub" / "run.sh").stat().st_mode & 0o111
    assert (tree / "out").is_symlink()
    assert not (tree / ".git").exists()
    again = (tree / "train.py").stat().st_mtime_ns
    assert workspaces.checkout(source, sha) == tree
    assert (tree / "train.py").stat().st_mtime_ns == again
    assert [path.name for path in tree.parent.iterdir()] == [sha]


def test_folders_in_folders_without_end_are_refused_in_a_sentence(repository, source, workspaces):
    repository.commit(a="1")
    blob = repository("rev-parse", "HEAD:a")
    repository("update-index", "--add", "--cacheinfo", f"100644,{blob},{'d/' * 1200}b")
    repository("commit", "-q", "-m", "deep")
    with pytest.raises(GitTrouble, match="more than 64 deep"):
        workspaces.checkout(source, repository("rev-parse", "HEAD"))


def test_nothing_in_the_repository_runs_when_it_is_checked_out(repository, source, workspaces, tmp_path):
    marker = tmp_path / "ran"
    (repository.path / ".gitattributes").write_text("* filter=evil export-ignore\n")
    sha = repository.commit(a="1")
    hook = repository.path / ".git" / "hooks" / "post-checkout"
    hook.write_text(f"#!/bin/sh\ntouch {marker}\n")
    hook.chmod(0o755)
    repository("config", "filter.evil.smudge", f"touch {marker}")
    assert (workspaces.checkout(source, sha) / "a").read_text() == "1"
    assert not marker.exists()


def test_a_commit_that_is_here_is_not_asked_for_again(repository, source, workspaces):
    sha = repository.commit(a="1")
    workspaces.fetch(source, sha)
    gone = Source("octo/bikes", "/nowhere/at/all")
    assert workspaces.read(gone, sha, "a") == b"1"
    with pytest.raises(GitTrouble, match="octo/bikes"):
        workspaces.resolve(gone, "main")


def test_commits_that_nobody_asked_for_lately_are_let_go_and_fetched_again_when_asked_for(
    repository, source, workspaces
):
    repository("config", "uploadpack.allowAnySHA1InWant", "true")
    repository.commit(train__py="0")
    old = []
    for number in range(WORTH_IT):
        repository("switch", "-q", "--detach", "main")
        old.append(repository.commit(train__py=f"tried {number}"))
        workspaces.fetch(source, old[-1])
    repository("switch", "-q", "--detach", "main")
    used = repository.commit(train__py="used")
    workspaces.fetch(source, used)
    refs = workspaces.root / "mirrors" / "octo~2Fbikes.git" / "refs" / "lifecycle"
    for sha in (*old, used):
        os.utime(refs / sha, (1000, 1000))
    assert workspaces.prune(500.0) == 0
    assert workspaces.read(source, used, "train.py") == b"used"  # which is a use
    assert workspaces.prune(2000.0) == WORTH_IT
    assert [ref.name for ref in refs.iterdir()] == [used]
    objects = subprocess.run(
        ["git", "cat-file", "--batch-all-objects", "--batch-check"], cwd=refs.parents[1], capture_output=True, text=True
    ).stdout
    assert used in objects
    assert not any(sha in objects for sha in old)
    assert workspaces.read(source, old[3], "train.py") == b"tried 3"


def test_reading_a_file(repository, source, workspaces):
    (repository.path / "deep").mkdir()
    (repository.path / "deep" / "x.yaml").write_text("models: {}")
    (repository.path / "link").symlink_to("a")
    (repository.path / "big").write_bytes(b"x" * (6 << 20))
    sha = repository.commit(a="1")
    assert workspaces.read(source, sha, "deep/x.yaml") == b"models: {}"
    for absent in ("missing", "deep", "link", "../a", "/etc/passwd", "", "*"):
        assert workspaces.read(source, sha, absent) is None
    with pytest.raises(GitTrouble, match="larger"):
        workspaces.read(source, sha, "big")


def test_what_changed_and_how_far_ahead(repository, source, workspaces):
    base = repository.commit(a="1", b="1")
    repository("checkout", "-q", "-b", "side")
    head = repository.commit(b="2", c="3")
    repository("checkout", "-q", "main")
    main = repository.commit(a="2")
    assert workspaces.changed_paths(source, main, head) == ("b", "c")
    assert workspaces.ahead(source, base, head) == 1
    assert workspaces.ahead(source, head, main) == 1
    repository("checkout", "-q", "--orphan", "new")
    orphan = repository.commit(a="9")
    assert "a" in workspaces.changed_paths(source, main, orphan)


@pytest.mark.parametrize(
    "ref",
    ["--upload-pack=touch /tmp/x", "-x", "a b", "a..b", "x^{commit}", "", "a\nb", "a:b", "refs/heads/*", "x" * 300],
)
def test_names_that_are_no_names_are_refused(repository, source, workspaces, ref):
    repository.commit(a="1")
    with pytest.raises(GitTrouble, match="not the name"):
        workspaces.resolve(source, ref)


def test_what_is_not_there_is_said_in_a_sentence(repository, source, workspaces):
    repository.commit(a="1")
    with pytest.raises(GitTrouble, match="octo/bikes has no branch or tag 'nope'"):
        workspaces.resolve(source, "nope")
    with pytest.raises(GitTrouble, match="has no commit"):
        workspaces.resolve(source, "0123456789")
    with pytest.raises(GitTrouble, match="has no commit"):
        workspaces.fetch(source, "0" * 40)
    with pytest.raises(GitTrouble, match="not a full commit"):
        workspaces.checkout(source, "main")


def test_two_processes_worth_of_threads_check_out_at_once(repository, source, tmp_path):
    sha = repository.commit(**{f"f{n}": str(n) for n in range(50)})
    seen: list[int] = []
    racers = [
        threading.Thread(
            target=lambda: seen.append(len(list(Workspaces(tmp_path / "w").checkout(source, sha).iterdir())))
        )
        for _ in range(6)
    ]
    for racer in racers:
        racer.start()
    for racer in racers:
        racer.join()
    assert seen == [50] * 6


def test_a_lock_left_by_a_killed_git_does_not_block(repository, source, workspaces):
    workspaces.fetch(source, repository.commit(a="1"))
    mirror = next((workspaces.root / "mirrors").glob("*.git"))
    sha = repository.commit(a="2")
    (mirror / "refs" / "lifecycle").mkdir(parents=True, exist_ok=True)
    (mirror / "refs" / "lifecycle" / f"{sha}.lock").touch()
    workspaces.fetch(source, sha)
    assert workspaces.read(source, sha, "a") == b"2"


class Guarded(BaseHTTPRequestHandler):
    """A server that wants a login and notes what it was told."""

    heard: list[str]

    def do_GET(self) -> None:
        self.heard.append(self.headers.get("Authorization", ""))
        self.send_response(403 if self.headers.get("Authorization") else 401)
        self.send_header("WWW-Authenticate", "Basic")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        return


def test_the_credential_goes_to_the_host_and_into_no_message_and_no_file(tmp_path):
    heard: list[str] = []
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Noting", (Guarded,), {"heard": heard}))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{server.server_port}/octo/bikes.git"
    try:
        with pytest.raises(GitTrouble) as told:
            Workspaces(tmp_path / "w").resolve(Source("octo/bikes", url, lambda: ("x", "s3cret-token")), "main")
    finally:
        server.shutdown()
        server.server_close()
    assert heard
    assert all(word.startswith("Basic ") for word in heard)
    assert "s3cret" not in str(told.value)
    assert "\n" not in str(told.value)
    kept = b"".join(path.read_bytes() for path in (tmp_path / "w").rglob("*") if path.is_file())
    assert b"s3cret" not in kept
