"""The supervisor keeps its children alive, takes them down in order, and dies with them, not without."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path

import pytest

LINUX = pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends children with their parent")

SUPERVISE = """
import json, logging, sys
from bot.supervisor import Child, run
logging.basicConfig(level=logging.INFO, stream=sys.stderr)
children, drain, pause = json.loads(sys.argv[1])
sys.exit(run([Child(name, argv, env) for name, argv, env in children], drain, pause))
"""

# Writes its pid on a line of a file named after it, then waits; SIGTERM ends it in its own way.
CHILD = """
import os, signal, sys, time
name, folder, on_term = os.environ["NAME"], sys.argv[1], sys.argv[2]
def stop(*_):
    open(f"{folder}/{name}.stopping", "w").close()
    if on_term == "ignore":
        return
    time.sleep(0.3)
    open(f"{folder}/{name}.stopped", "w").close()
    sys.exit(0)
signal.signal(signal.SIGTERM, stop)
with open(f"{folder}/{name}", "a") as file:
    file.write(f"{os.getpid()}\\n")
while True:
    time.sleep(0.05)
"""


class House:
    """A supervisor with children that say what happens to them in a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.process: subprocess.Popen[bytes] | None = None

    def start(self, children: Mapping[str, list[str]], drain: float = 10, pause: float = 0.1) -> None:
        named = [(name, argv, {"NAME": name}) for name, argv in children.items()]
        task = json.dumps([named, drain, pause])
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen([sys.executable, "-c", SUPERVISE, task], stderr=log)

    def child(self, on_term: str = "stop") -> list[str]:
        return [sys.executable, "-c", CHILD, str(self.folder), on_term]

    def pids(self, name: str) -> list[int]:
        path = self.folder / name
        return [int(line) for line in path.read_text().split()] if path.exists() else []

    def has_started(self, name: str, times: int) -> bool:
        return len(self.pids(name)) == times

    def send(self, number: signal.Signals) -> None:
        assert self.process is not None
        self.process.send_signal(number)

    def code(self, seconds: float = 10) -> int:
        assert self.process is not None
        return self.process.wait(seconds)

    @property
    def log(self) -> str:
        return (self.folder / "log").read_text()


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    house = House(tmp_path)
    yield house
    if house.process is not None:
        house.process.kill()
        house.process.wait()
    for path in tmp_path.iterdir():
        for pid in house.pids(path.name) if path.suffix == "" and path.name != "log" else []:
            until_gone(pid)


def until(true: Callable[[], object], seconds: float = 15) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it does not come true"
        time.sleep(0.01)


def until_gone(pid: int) -> None:
    until(lambda: not alive(pid))


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z" if LINUX_HERE else True


LINUX_HERE = sys.platform == "linux"


def test_all_children_run_and_stop_in_their_own_way_when_it_is_told_to(house: House) -> None:
    house.start({"web": house.child(), "worker": house.child()})
    until(lambda: house.pids("web") and house.pids("worker"))
    house.send(signal.SIGTERM)
    assert house.code() == 0
    assert (house.folder / "web.stopped").exists()
    assert (house.folder / "worker.stopped").exists()
    assert not alive(house.pids("web")[0])


def test_a_child_that_dies_is_started_again_and_the_other_one_is_left_alone(house: House) -> None:
    house.start({"web": house.child(), "worker": house.child()})
    for count in (1, 2, 3):
        until(partial(house.has_started, "worker", count))
        os.kill(house.pids("worker")[-1], signal.SIGKILL)
    until(lambda: len(house.pids("worker")) == 4)
    assert len(house.pids("web")) == 1
    house.send(signal.SIGINT)
    assert house.code() == 0
    assert "worker ended with code -9" in house.log


def test_the_pause_doubles_while_a_child_does_not_get_going(house: House) -> None:
    house.start({"worker": [sys.executable, "-c", "raise SystemExit(1)"]}, pause=0.05)
    until(lambda: house.log.count("ended with code 1") >= 4)
    pauses = [float(line.split()[-2]) for line in house.log.splitlines() if "to be started in" in line]
    assert pauses[:4] == [0.05, 0.1, 0.2, 0.4]
    house.send(signal.SIGTERM)
    assert house.code() == 0


@pytest.mark.parametrize("code", [2, os.EX_CONFIG])
def test_a_child_whose_settings_are_wrong_ends_it_all_with_its_code(house: House, code: int) -> None:
    house.start({"web": house.child(), "worker": [sys.executable, "-c", f"import time; time.sleep(1); exit({code})"]})
    assert house.code(30) == code
    assert (house.folder / "web.stopped").exists() or not house.pids("web")


def test_a_program_that_is_not_there_is_tried_again_and_said(house: House) -> None:
    house.start({"web": ["/nowhere/to/be/found"]}, pause=0.05)
    until(lambda: house.log.count("cannot be started") >= 2)
    house.send(signal.SIGTERM)
    assert house.code() == 0


def test_a_child_that_does_not_stop_is_killed_and_that_shows(house: House) -> None:
    house.start({"web": house.child(), "worker": house.child("ignore")}, drain=0.8)
    until(lambda: house.pids("web") and house.pids("worker"))
    house.send(signal.SIGTERM)
    assert house.code() == 1
    assert (house.folder / "web.stopped").exists()
    assert not alive(house.pids("worker")[0])
    assert "worker did not stop in time" in house.log


def test_a_second_signal_does_not_wait(house: House) -> None:
    house.start({"worker": house.child("ignore")}, drain=60)
    until(lambda: house.pids("worker"))
    house.send(signal.SIGTERM)
    until((house.folder / "worker.stopping").exists)
    house.send(signal.SIGINT)
    assert house.code(5) == 1
    assert not alive(house.pids("worker")[0])


@LINUX
def test_a_hard_kill_takes_the_children_and_spares_what_they_put_into_a_session_of_its_own(house: House) -> None:
    keeper = (
        "import subprocess, sys, time; from pathlib import Path\n"
        "job = subprocess.Popen(['sleep', '60'], start_new_session=True)\n"
        f"Path({str(house.folder)!r}, 'job.txt').write_text(str(job.pid))\n"
        "time.sleep(60)"
    )
    house.start({"web": house.child("ignore"), "worker": [sys.executable, "-c", keeper]})
    until(lambda: house.pids("web") and (house.folder / "job.txt").exists())
    job = int((house.folder / "job.txt").read_text())
    try:
        house.send(signal.SIGKILL)
        until(lambda: not alive(house.pids("web")[0]))
        time.sleep(0.2)
        assert alive(job)
    finally:
        os.kill(job, signal.SIGKILL)


@LINUX
def test_it_weighs_little_and_sleeps(house: House) -> None:
    house.start({"web": house.child()})
    until(lambda: house.pids("web"))
    assert house.process is not None
    status = Path(f"/proc/{house.process.pid}/status").read_text()
    assert int(status.partition("VmRSS:")[2].split()[0]) < 20_000  # kB
    before = int(status.partition("\nvoluntary_ctxt_switches:")[2].split()[0])
    time.sleep(0.5)
    status = Path(f"/proc/{house.process.pid}/status").read_text()
    assert int(status.partition("\nvoluntary_ctxt_switches:")[2].split()[0]) - before <= 2
    house.send(signal.SIGTERM)
    assert house.code() == 0


PREPARES = """
import os, sys, time
from bot.supervisor import say_prepared
folder, code = sys.argv[1], int(sys.argv[2])
time.sleep(0.5)
if code:
    sys.exit(code)
open(f"{folder}/prepared", "w").close()
say_prepared(os.environ)
time.sleep(60)
"""
FOLLOWS = """
import os, sys, time
open(f"{sys.argv[1]}/follower", "w").write(str(os.path.exists(f"{sys.argv[1]}/prepared")))
time.sleep(60)
"""
PREPARING = """
import sys
from bot.supervisor import Child, run
folder, code = sys.argv[1:3]
first = Child("first", [sys.executable, "-c", sys.argv[3], folder, code], prepares=True)
sys.exit(run([first, Child("second", [sys.executable, "-c", sys.argv[4], folder])], 5, 0.1))
"""


def preparing(folder: Path, code: int) -> "subprocess.Popen[bytes]":
    return subprocess.Popen([sys.executable, "-c", PREPARING, str(folder), str(code), PREPARES, FOLLOWS])


def test_the_others_wait_until_the_first_has_prepared(tmp_path: Path) -> None:
    with preparing(tmp_path, 0) as process:
        until = time.monotonic() + 30
        while not (tmp_path / "follower").exists() or not (tmp_path / "follower").read_text():
            assert time.monotonic() < until
            time.sleep(0.02)
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0
    assert (tmp_path / "follower").read_text() == "True"


def test_what_cannot_prepare_ends_all_with_its_code_and_starts_nothing(tmp_path: Path) -> None:
    with preparing(tmp_path, 1) as process:
        assert process.wait(30) == 1
    assert not (tmp_path / "follower").exists()
