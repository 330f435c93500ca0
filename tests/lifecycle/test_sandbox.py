"""What code behind the wall can see and do, and what may be taken from its output."""

import os
import socket
import textwrap
import threading
from pathlib import Path

import pytest

from lifecycle.executors import JobState, processtree
from lifecycle.executors.sandbox import BadOutput, collect
from tests.lifecycle.conftest import Bench, MakeBench, needs_sandbox

LOOK = """
import glob, os, socket, sys

def attempt(what, call):
    try:
        print(what, "->", call())
    except Exception as trouble:
        print(what, "-> no:", type(trouble).__name__)

attempt("pids", lambda: sum(name.isdigit() for name in os.listdir("/proc")))
attempt("secrets", lambda: sum(b"s3cret" in open(path, "rb").read() for path in glob.glob("/proc/*/environ")))
attempt("port", lambda: socket.create_connection(("127.0.0.1", PORT), 2))
attempt("interfaces", lambda: [name for _, name in socket.if_nameindex()])
attempt("home", lambda: os.listdir(os.path.expanduser("~")))
attempt("elsewhere", lambda: open("ELSEWHERE").read())
attempt("system", lambda: open("/usr/x", "w"))
attempt("input", lambda: open(os.environ["LIFECYCLE_DATA"], "a"))
attempt("environment", lambda: open(sys.prefix + "/x", "w"))
attempt("through a link", lambda: open("link").read())
attempt("shadow", lambda: open("/etc/shadow").read())
attempt("mount", lambda: os.system("mount -t tmpfs none /usr 2>/dev/null"))
attempt("unshare", lambda: os.system("unshare -Ur true 2>/dev/null"))
attempt("capabilities", lambda: [line.split()[1] for line in open("/proc/self/status") if line.startswith("CapEff")][0])
"""


@needs_sandbox
def test_strangers_code_sees_nothing_of_ours(make_bench: MakeBench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("BOT_TOKEN", "s3cret")
    bench = make_bench("require")
    elsewhere = tmp_path / "private.txt"
    elsewhere.write_text("private")
    (bench.tree / "link").symlink_to(elsewhere)
    data = tmp_path / "rows.csv"
    data.write_text("a")
    listener = socket.create_server(("127.0.0.1", 0))
    with listener:
        code = LOOK.replace("PORT", str(listener.getsockname()[1])).replace("ELSEWHERE", str(elsewhere))
        status = bench.run("look", code, trusted=False, inputs={"LIFECYCLE_DATA": data})
    assert status.state is JobState.SUCCEEDED, bench.log("look")
    seen = dict(line.split(" -> ", 1) for line in bench.log("look").splitlines() if " -> " in line)
    assert int(seen["pids"]) <= 3
    assert seen["secrets"] == "0"
    assert seen["port"].startswith("no:")
    assert seen["interfaces"] == "['lo']"
    assert seen["home"] == "[]"
    for what in ("elsewhere", "system", "input", "environment", "through a link", "shadow"):
        assert seen[what].startswith("no:"), (what, seen[what])
    assert seen["mount"] != "0"
    assert seen["capabilities"] == "0" * 16
    assert data.read_text() == "a"


@needs_sandbox
def test_numbers_and_threads_work_behind_the_wall(make_bench: MakeBench):
    code = """
        import concurrent.futures, locale, multiprocessing, tempfile
        with concurrent.futures.ProcessPoolExecutor(2) as pool:
            print(sum(pool.map(abs, range(-10, 0))))
        print(multiprocessing.Queue().empty(), tempfile.gettempdir(), locale.getpreferredencoding())
        import getpass, os, pwd, socket, threading
        with socket.create_server(("localhost", 0)) as server:
            threading.Thread(target=socket.create_connection, args=(("localhost", server.getsockname()[1]),)).start()
            server.accept()[0].close()
        print(getpass.getuser(), pwd.getpwuid(os.getuid()).pw_dir, socket.gethostbyname(socket.gethostname()))
    """
    bench = make_bench("require")
    bench.run("pool", textwrap.dedent(code))
    assert "55\nTrue /tmp UTF-8\njob /tmp/home 127.0.0.1\n" in bench.log("pool")


def test_the_output_is_listed_file_by_file(tmp_path: Path):
    (tmp_path / "model" / "deep").mkdir(parents=True)
    (tmp_path / "model" / "deep" / "b").write_text("b")
    (tmp_path / "a").write_text("a")
    assert collect(tmp_path) == [Path("a"), Path("model/deep/b")]


def _link(folder: Path) -> None:
    (folder / "x").symlink_to("/etc/passwd")


def _linked_folder(folder: Path) -> None:
    (folder / "x").symlink_to("/etc")


def _hard_link(folder: Path) -> None:
    (folder.parent / "secret").write_text("s")
    os.link(folder.parent / "secret", folder / "x")


def _pipe(folder: Path) -> None:
    os.mkfifo(folder / "x")


@pytest.mark.parametrize("make", [_link, _linked_folder, _hard_link, _pipe])
def test_what_could_lead_a_reader_astray_is_refused(tmp_path: Path, make):
    folder = tmp_path / "output"
    folder.mkdir()
    make(folder)
    with pytest.raises(BadOutput, match="'x'"):
        collect(folder)


def test_a_socket_in_the_output_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("s")
        with pytest.raises(BadOutput, match="not a plain file"):
            collect(tmp_path)


def test_too_much_output_is_refused(tmp_path: Path):
    for number in range(12):
        (tmp_path / str(number)).write_bytes(b"x" * 200_000)
    with pytest.raises(BadOutput, match="more than 10 files"):
        collect(tmp_path, most_files=10)
    with pytest.raises(BadOutput, match="1 MB"):
        collect(tmp_path, most_mb=1)


def test_folders_count_too(tmp_path: Path):
    for number in range(12):
        (tmp_path / str(number)).mkdir()
    with pytest.raises(BadOutput, match="more than 10 files"):
        collect(tmp_path, most_files=10)


def test_folders_in_folders_without_end_are_refused(tmp_path: Path):
    folder = tmp_path
    for _ in range(1200):  # deeper than Python's recursion
        folder = folder / "d"
        folder.mkdir()
    with pytest.raises(BadOutput, match="more than 32 deep"):
        collect(tmp_path)
    processtree.remove_tree(str(tmp_path / "d"))  # pytest cannot


def test_an_output_whose_path_is_a_link_itself_is_followed_no_further(tmp_path: Path):
    """The folder is ours; only what is in it is the job's."""
    (tmp_path / "real").mkdir()
    (tmp_path / "real" / "a").write_text("a")
    assert collect(tmp_path / "real") == [Path("a")]


def test_both_walls_run_at_once(make_bench: MakeBench):
    benches: list[Bench] = [make_bench("off", "one"), make_bench("auto", "two")]
    threads = [threading.Thread(target=bench.run, args=("j", "print(1)")) for bench in benches]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(bench.executor.status("j").state is JobState.SUCCEEDED for bench in benches)
