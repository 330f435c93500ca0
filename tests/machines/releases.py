"""A rolling upgrade with two real releases, installed from their commits: `python -m tests.machines.releases OLD`.

Both share a PostgreSQL and stand-in platforms. The old one works; the new one starts beside it and migrates the
database under its feet; both work; the old one is told to stop while it trains; then its machine is upgraded too.
"""

import argparse
import contextlib
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import sqlalchemy as sa

from bot.playground.server import free_port
from bot.playground.stage import set_stage
from tests.bench.postgres import postgres
from tests.machines.machines import Machine, Machines, machine
from tests.stories.repository import files
from tests.stories.test_cancel import alive
from tests.stories.world import Thread, World, version_in

HERE = Path(__file__).parents[2]
REPOSITORIES = tuple(f"r{number}" for number in range(8))
TABLES = ("lifecycle_version", "bot_version", "inbox_version")
TROUBLE = ("Traceback", "stumbled", "gave up", "cannot be moved", "failed")


def main() -> None:
    """Run the story with the release of a commit, and with this one or that of another commit beside it."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("old", help="the old release: a commit, tag or branch")
    parser.add_argument("new", nargs="?", help="the new one; what is checked out here if it is not named")
    said = parser.parse_args()
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="releases-")))
        old = stack.enter_context(installed(said.old, folder / "old"))
        new = stack.enter_context(installed(said.new, folder / "new")) if said.new else (sys.executable, HERE)
        machines = stack.enter_context(_machines(folder, stack.enter_context(postgres()), old, new))
        Story(machines).tell()


@contextlib.contextmanager
def installed(ref: str, folder: Path) -> Iterator[tuple[str, Path]]:
    """A release as its users have it: its Python, and where its source is."""
    source, python = folder / "source", folder / "venv" / "bin" / "python"
    subprocess.run(["git", "-C", HERE, "worktree", "add", "--quiet", "--detach", source, ref], check=True)
    try:
        subprocess.run([sys.executable, "-m", "venv", folder / "venv"], check=True)
        uv = Path(sys.executable).with_name("uv")
        pip = [uv, "pip", "install", "--python", python] if uv.exists() else [python, "-m", "pip", "install"]
        subprocess.run([*pip, "--quiet", "-c", source / "constraints.txt", f"{source}[artifacts]"], check=True)
        yield str(python), folder
    finally:
        subprocess.run(["git", "-C", HERE, "worktree", "remove", "--force", source], check=True)


@contextlib.contextmanager
def _machines(folder: Path, database: str, old: tuple[str, Path], new: tuple[str, Path]) -> Iterator[Machines]:
    """Both machines, neither of which is started; machine one has the old release."""
    ports = {"one": free_port(), "two": free_port()}
    url = f"http://127.0.0.1:{ports['one']}"
    stage = set_stage(folder, url)
    for name in REPOSITORIES:
        stage.github.world.create_repo(f"octo/{name}", files(), by="mira")
    one, two = (machine(folder, stage, name, port, database, REPOSITORIES) for name, port in ports.items())
    (one.python, one.home), (two.python, two.home) = old, new
    one.start("web")
    world = World(stage, url, folder, one.processes["web"], lambda: one.processes["web"])
    engine = sa.create_engine(database)
    try:
        yield Machines(world, one, two, engine)
    finally:
        engine.dispose()
        for each in (one, two):
            each.stop()
        for each in (one, two):
            each.close()
        world.close()


class Story:
    """What happens, and what must be true at the end of it."""

    def __init__(self, machines: Machines) -> None:
        self.machines, self.world = machines, machines.world
        self.asked: list[tuple[Thread, str]] = []
        self.began = time.monotonic()

    def tell(self) -> None:
        """All of it."""
        one, two = self.machines.one, self.machines.two
        one.start("work")
        self._well(one)
        before = self._schema()
        first = self._train("r0", 0)
        self._ended(first)
        through = [self._train("r1", 75), self._train("r2", 75)]  # train while everything happens
        self._note(f"old: ended {first.repo}, trains {len(through)}; schema {before}")

        two.start("web")
        two.start("work")
        self._well(two)
        self._note(f"new beside it; schema {self._schema()}")
        beside = [self._train(f"r{number}", 1) for number in (3, 4)]
        self._hook(two.url)
        beside += [self._train(f"r{number}", 1) for number in (5, 6, 3, 4)]
        for thread in beside:
            self._ended(thread)
        self._promoted(first)
        self._note(f"both: ended {len(beside)} runs, and promoted one")
        self._upgraded(through)
        self._end()

    def _upgraded(self, through: list[Thread]) -> None:
        one = self.machines.one
        caught = [*through, self._train("r7", 25)]
        training = {pid for thread in caught for pid in alive(self._name(thread))}
        hosts = [self.machines.run_of(thread.repo.split("/")[1], thread.number).host for thread in caught]
        assert one.host in hosts, "the old release trains nothing any more: make what it trains take longer"
        until = time.monotonic()
        for command in ("work", "web"):
            one.processes[command].terminate()
            assert one.processes[command].wait(40) == 0, f"{command} of the old release did not stop well"
        self._note(f"old stopped in {time.monotonic() - until:.1f} s while it trained {hosts.count(one.host)}")
        still = {pid for thread in caught for pid in alive(self._name(thread))}
        assert training <= still, "a training ended with the worker"
        after = self._train("r0", 1)
        self._ended(after)
        one.python, one.home = self.machines.two.python, self.machines.two.home
        one.start("web")
        one.start("work")
        self._well(one)
        self._note("upgraded")
        for thread in caught:
            self._ended(thread)
        self._ended(self._train("r5", 1))

    def _end(self) -> None:
        """Everything has ended once and was told once."""
        rows = self.machines.ask("SELECT id, kind, state, ref, told, revision FROM runs ORDER BY id")
        assert {row.state for row in rows} == {"succeeded"}, rows
        trained = [row for row in rows if row.kind == "train"]
        assert len(trained) == len(self.asked), f"{len(trained)} trainings for {len(self.asked)} commands"
        attempts = self.machines.ask("SELECT run, attempt FROM stages WHERE stage = 'train' AND attempt > 1")
        assert not attempts, f"trained twice: {attempts}"
        self.world.eventually(lambda: not self.machines.ask("SELECT id FROM runs WHERE told < revision"), "all told")
        for thread, _ in self.asked:
            assert sum("is good enough" in one for one in thread.said()) == 1, thread.said()
        for row in self.machines.ask("SELECT run, count(*) AS many FROM versions GROUP BY run"):
            assert row.many == 1, f"run {row.run} has {row.many} versions"
        stuck = "SELECT workflow_uuid, name FROM dbos.workflow_status WHERE status IN ('PENDING', 'ENQUEUED', 'ERROR')"
        self.world.eventually(lambda: not self.machines.ask(stuck), "no workflow is left or failed")
        for line in (self.world.folder / "bot.log").read_text(errors="replace").splitlines():
            if any(word in line for word in TROUBLE):
                print(line)
        hosts = self.machines.ask("SELECT host, count(*) AS many FROM runs GROUP BY host")
        self._note(f"{len(rows)} runs ended once, each told once; by machine {[row.many for row in hosts]}")

    def _train(self, repo: str, seconds: int) -> Thread:
        thread = self.world.issue(repo)
        self.asked.append((thread, f"{repo}-{len(self.asked)}-{os.getpid()}"))
        thread.comment(f"/train sleep={seconds} name={self._name(thread)}")
        if seconds > 10:
            self.world.eventually(lambda: alive(self._name(thread)), f"{thread.repo} trains")
        return thread

    def _name(self, thread: Thread) -> str:
        return next(name for one, name in self.asked if one == thread)

    def _ended(self, thread: Thread) -> str:
        return thread.says("is good enough", patience=120)

    def _promoted(self, thread: Thread) -> None:
        number = version_in(self._ended(thread))
        thread.comment(f"/promote v{number}", by="jonas")
        given = {"dataframe_records": [{"at": "2011-02-01T00:00:00", "x": 0.5, "z": 0.1}]}
        for each in (self.machines.one, self.machines.two):
            url = f"{each.url}/models/{thread.repo}/line/invocations"
            self.world.eventually(
                lambda url=url: self.world.http.post(url, json=given, timeout=60).status_code == 200,
                f"{each.name} serves what was promoted",
                90,
            )

    def _well(self, machine: Machine) -> None:
        def look() -> bool:
            answer = self.world.http.get(f"{machine.url}/metrics")
            return answer.ok and f'host="{machine.host}"' in answer.text

        self.world.eventually(look, f"{machine.name} works", 120)

    def _hook(self, url: str) -> None:
        """GitHub sends to the other machine from now on."""
        for app in self.world.stage.github.world.apps.values():
            assert app.hook
            app.hook.url = f"{url}/webhooks/github"

    def _schema(self) -> str:
        return " ".join(str(self.machines.ask(f"SELECT version_num FROM {table}")[0][0]) for table in TABLES)

    def _note(self, text: str) -> None:
        print(f"{time.monotonic() - self.began:6.1f} s  {text}", flush=True)


if __name__ == "__main__":
    main()
