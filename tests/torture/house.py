"""What is tortured: the two platforms, a database, and replicas of the bot that are started again whenever they die."""

import contextlib
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import requests
from sqlalchemy import create_engine, text
from sqlalchemy.exc import SQLAlchemyError

from bot.playground.server import free_port
from bot.playground.stage import Stage, set_stage
from tests.torture import processes
from tests.torture.balancer import Balancer
from tests.torture.model import files

BOARDED = ("north", "south")
ALONE = ("east", "west")
DRIFTING = "drift"
REPOSITORIES = (*BOARDED, *ALONE, DRIFTING)
SETTINGS = """\
public_url: {url}
listen: 127.0.0.1:{port}
state: {state}
sweep: 10s
limits: {{jobs_at_once: 3}}
{shared}
github:
  url: {github}
  app: {{id: {app}, private_key: "${{env:TORTURE_GITHUB_KEY}}"}}
  webhook_secret: ${{env:TORTURE_GITHUB_SECRET}}
  seconds_between_writes: 0
azure_devops:
  url: {azure}
  token: ${{env:TORTURE_AZURE_TOKEN}}
  webhook: {{username: lifecycle-bot, password: "${{env:TORTURE_AZURE_SECRET}}"}}
projects:
{projects}
"""


@dataclass(slots=True)
class Replica:
    """One `lifecycle-bot serve`, and who starts it again when it dies, as systemd does within a second."""

    folder: Path
    settings: Path
    port: int
    state: Path  # of its own, as on a machine of its own
    env: dict[str, str]
    process: "subprocess.Popen[bytes] | None" = None
    starts: int = 0
    born: float = 0.0
    paused: bool = False
    _leaving: threading.Event = field(default_factory=threading.Event)
    _keeper: threading.Thread | None = None

    def begin(self) -> None:
        self._keeper = threading.Thread(target=self._keep, daemon=True)
        self._keeper.start()

    def _keep(self) -> None:
        dice = random.Random(self.port)
        while not self._leaving.is_set():
            with (self.folder / f"bot-{self.port}.log").open("ab") as log:
                argv = [sys.executable, "-m", "bot", "serve", "--settings", str(self.settings)]
                self.process = subprocess.Popen(argv, env=self.env, stdout=log, stderr=subprocess.STDOUT)
            self.starts, self.born = self.starts + 1, time.monotonic()
            code = self.process.wait()
            if not self._leaving.is_set() and code not in (-signal.SIGKILL,):
                print(f"replica {self.port} ended by itself with code {code}", file=sys.stderr)
            self._leaving.wait(dice.uniform(0.1, 1.0))

    def family(self) -> dict[str, list[int]]:
        """The processes of this replica by what they are: serve, web, worker, and others below them."""
        found: dict[str, list[int]] = {}
        if self.process is not None and self.process.poll() is None:
            for pid in processes.tree(self.process.pid):
                said = processes.words(pid)
                name = next((one for one in ("web", "worker") if f" bot {one} " in said), "other")
                found.setdefault("serve" if pid == self.process.pid else name, []).append(pid)
        return found

    def close(self) -> int | None:
        """Ask it to stop, as an operator would; its exit code."""
        self._leaving.set()
        if self.process is None:
            return None
        self.process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(timeout=60)
        processes.send(processes.tree(self.process.pid), signal.SIGKILL)
        return self.process.wait()


@dataclass(slots=True)
class House:
    """Everything that runs."""

    folder: Path
    stage: Stage
    url: str
    database: str
    replicas: list[Replica]
    balancer: Balancer | None

    @property
    def states(self) -> list[Path]:
        """The state folders, one for each replica."""
        return [replica.state for replica in self.replicas]

    def jobs(self) -> dict[str, Path]:
        """The folder of every job of a run, by name, on whichever replica; servers of models not."""
        return {path.name: path for state in self.states for path in sorted((state / "jobs").glob("run-*"))}

    def paths(self) -> list[Path]:
        """What names every process of ours in its arguments or environment."""
        return [*self.states, *(replica.settings for replica in self.replicas)]

    def answers(self) -> bool:
        with contextlib.suppress(requests.RequestException):
            return requests.get(f"{self.url}/healthz", timeout=5).ok
        return False

    def wait_until_it_answers(self, seconds: float = 120.0) -> bool:
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            if self.answers():
                return True
            time.sleep(0.2)
        return False

    def wait_until_it_has_swept(self, seconds: float = 120.0) -> bool:
        """Before its first sweep a new bot has nothing to compare with: what happened earlier is not its affair."""
        engine, until = create_engine(self.database), time.monotonic() + seconds
        try:
            while time.monotonic() < until:
                with contextlib.suppress(SQLAlchemyError), engine.connect() as connection:
                    if connection.execute(text("SELECT count(*) FROM cursors WHERE name = 'sweep'")).scalar():
                        return True
                time.sleep(0.2)
            return False
        finally:
            engine.dispose()


@contextlib.contextmanager
def house(folder: Path, database: str, replicas: int) -> Iterator[House]:
    """The house, running; `database` is empty for SQLite. At the end nothing of it runs any more."""
    ports = [free_port() for _ in range(replicas)]
    balancer = Balancer(free_port(), ports) if replicas > 1 else None
    url = f"http://127.0.0.1:{balancer.port if balancer else ports[0]}"
    stage = set_stage(folder, url)
    for name in REPOSITORIES:
        stage.github.world.create_repo(f"octo/{name}", files(), by="mira")
    env = {**os.environ, **_secrets(stage), "TORTURE_DATABASE": database}
    made: list[Replica] = []
    place = folder / "shared" if replicas > 1 else None
    for port in ports:
        settings = folder / f"app-{port}.yaml"
        state = folder / f"state-{port}"
        settings.write_text(_settings(stage, url, port, database, place), encoding="utf-8")
        made.append(Replica(folder, settings, port, state, env))
    found = House(folder, stage, url, database or f"sqlite:///{made[0].state / 'lifecycle.db'}", made, balancer)
    try:
        for replica in made:
            replica.begin()
        yield found
    finally:
        for replica in made:
            replica.close()
        for path in found.paths():
            processes.send(processes.carrying(path), signal.SIGKILL)
        if balancer:
            balancer.close()
        stage.close()


def _settings(stage: Stage, url: str, port: int, database: str, place: Path | None) -> str:
    lines = [f"  - {{repository: octo/{name}, board: {{project: Bikes}}}}" for name in (*BOARDED, DRIFTING)]
    lines += [f"  - {{repository: octo/{name}}}" for name in ALONE]
    told = stage.secrets
    shared = ["database: ${env:TORTURE_DATABASE}"] if database else []
    if place is not None:
        shared.append(f"artifacts: {place.as_uri()}")
    return SETTINGS.format(
        url=url,
        port=port,
        state=f"state-{port}",
        shared="\n".join(shared),
        github=stage.github.api,
        app=told.app_id,
        azure=stage.azure.base_url,
        projects="\n".join(lines),
    )


def _secrets(stage: Stage) -> dict[str, str]:
    told = stage.secrets
    return {
        "TORTURE_GITHUB_KEY": told.private_key.replace("\n", "\\n"),
        "TORTURE_GITHUB_SECRET": told.github_webhook,
        "TORTURE_AZURE_TOKEN": told.azure_token,
        "TORTURE_AZURE_SECRET": told.azure_webhook,
    }
