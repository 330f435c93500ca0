"""Two machines that share a database and a place for artifacts, each with its own state folder, web and worker."""

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from bot.playground.demo import stop_jobs
from bot.playground.server import free_port
from bot.playground.stage import Stage, set_stage
from tests import environments
from tests.stories.repository import RULES, as_csv, files, rows
from tests.stories.world import World

REPOSITORIES = ("dies", "stalls", "drains", "shares", "learns")
LEARNS = files(  # so many held-back rows that an estimate without labels can learn from them
    rules=RULES.replace("margin: 2%", "margin: 2%, holdout: 0.4"), data=as_csv(rows() + rows(month=2, seed=2))
)
LEASE = 4  # seconds; a machine is gone after twice as long

SETTINGS = """\
public_url: {url}
listen: 127.0.0.1:{port}
state: {name}
database: ${{env:MACHINES_DATABASE}}
artifacts: {artifacts}
machines: {{lease: {lease}s, absence: 2m}}
sweep: 5s
github:
  url: {github}
  app: {{id: {app}, private_key: "${{env:MACHINES_KEY}}"}}
  webhook_secret: ${{env:MACHINES_SECRET}}
  seconds_between_writes: 0
projects:
{projects}
"""


@dataclass
class Machine:
    """One machine: the processes of its bot, as a larger site starts them."""

    name: str
    url: str
    settings: Path
    environment: dict[str, str]
    processes: dict[str, "subprocess.Popen[bytes]"] = field(default_factory=dict)
    python: str = sys.executable
    home: Path | None = None  # where its processes start, if not here

    @property
    def state(self) -> Path:
        return self.settings.parent / self.name

    @property
    def host(self) -> str:
        """What the machine is called in the database."""
        return (self.state / "host").read_text().strip()

    def start(self, command: str) -> None:
        with (self.settings.parent / "bot.log").open("ab") as log:
            argv = [self.python, "-m", "bot", command, "--settings", str(self.settings)]
            process = subprocess.Popen(argv, env=self.environment, stdout=log, stderr=subprocess.STDOUT, cwd=self.home)
        self.processes[command] = process

    def kill(self) -> None:
        """The machine loses its power, as far as the work is concerned: its worker and its jobs are gone at once."""
        pids = [self.processes["work"].pid, *self.jobs()]
        while pids:  # until nothing is left, not even what began while we looked
            for pid in pids:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            self.processes["work"].wait(10)
            pids = self.jobs()

    def jobs(self) -> list[int]:
        """The keepers of trainings on this machine, and what runs below them."""
        found = []
        for folder in (self.state / "jobs").glob("run-*"):
            for process in Path("/proc").glob("[0-9]*"):
                with contextlib.suppress(OSError):
                    words = (process / "cmdline").read_bytes() + (process / "environ").read_bytes()
                    if f"{folder}".encode() in words:
                        found.append(int(process.name))
        return found

    def stop(self) -> None:
        for process in self.processes.values():
            process.send_signal(signal.SIGCONT)
            process.terminate()

    def close(self) -> None:
        for process in self.processes.values():
            try:
                process.wait(15)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        if self.state.exists():
            stop_jobs(self.state)  # servers of models outlive the bot


@dataclass
class Machines:
    """Both, the platform that they work for, and their database."""

    world: World
    one: Machine
    two: Machine
    database: sa.Engine

    def ask(self, query: str, **values: Any) -> Any:
        """The rows of a query."""
        with self.database.begin() as connection:
            return connection.execute(sa.text(query), values).all()

    def run_of(self, repo: str, number: int) -> Any:
        """The newest run that was asked for on an issue, once a machine has it."""

        def look() -> Any:
            query = "SELECT * FROM runs WHERE ref = :ref ORDER BY id DESC LIMIT 1"
            rows = self.ask(query, ref=f"github:octo/{repo}#{number}")
            return rows[0] if rows and rows[0].host else None

        return self.world.eventually(look, f"a machine has the run of {repo}#{number}")

    def on(self, host: str) -> Machine:
        return self.one if self.one.host == host else self.two

    def other(self, machine: Machine) -> Machine:
        return self.two if machine is self.one else self.one


def machine(
    folder: Path,
    stage: Stage,
    name: str,
    port: int,
    database: str,
    repositories: Sequence[str],
    lease: int = LEASE,
    artifacts: str = "",
) -> Machine:
    """A machine with its settings, which is not started; without `artifacts` they are in a folder beside its own."""
    told, url = stage.secrets, f"http://127.0.0.1:{port}"
    place = artifacts or f"file://{folder}/shared"
    text = SETTINGS.format(
        url=url, port=port, name=name, artifacts=place, lease=lease, github=stage.github.api, app=told.app_id,
        projects="\n".join(f"  - {{repository: octo/{one}}}" for one in repositories),
    )  # fmt: skip
    (folder / f"{name}.yaml").write_text(text, encoding="utf-8")
    environments.share(folder / name)
    environment = {
        **os.environ,
        "MACHINES_DATABASE": database,
        "MACHINES_KEY": told.private_key.replace("\n", "\\n"),
        "MACHINES_SECRET": told.github_webhook,
    }
    return Machine(name, url, folder / f"{name}.yaml", environment)


@contextlib.contextmanager
def machines(folder: Path, database: str, artifacts: str = "") -> Iterator[Machines]:
    """Both at work."""
    ports = {"one": free_port(), "two": free_port()}
    url = f"http://127.0.0.1:{ports['one']}"
    stage = set_stage(folder, url)
    for name in REPOSITORIES:
        stage.github.world.create_repo(f"octo/{name}", LEARNS if name == "learns" else files(), by="mira")
    both = [
        machine(folder, stage, name, port, database, REPOSITORIES, artifacts=artifacts) for name, port in ports.items()
    ]
    one, two = both
    for each in both:  # all four at once: whoever comes first makes the tables
        each.start("web")
        each.start("work")
    world = World(stage, url, folder, one.processes["web"], lambda: one.processes["web"])
    engine = sa.create_engine(database)
    try:
        for each in both:
            world.eventually(lambda each=each: world.http.get(f"{each.url}/healthz").ok, each.name, 120)
        yield Machines(world, one, two, engine)
    finally:
        engine.dispose()
        one.stop()
        two.stop()
        one.close()
        two.close()
        world.close()
        for each in both:
            for pid in each.jobs():
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
