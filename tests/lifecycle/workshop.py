"""A lifecycle without platforms: a real repository, real jobs and real tables, moved as the bot moves them."""

import os
import subprocess
import time
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from lifecycle.database import connect
from lifecycle.endpoints.local import LocalEndpoint
from lifecycle.endpoints.predictions import PredictionLog
from lifecycle.executors import Limits
from lifecycle.executors.local import LocalExecutor
from lifecycle.fingerprints import Fingerprints
from lifecycle.joblogs import JobLogs
from lifecycle.labels import LabelLog
from lifecycle.registry import Champion, Registry, Version
from lifecycle.runs import Begin, Conclude, Finish, Kind, Run, Spec, Stage, State, Wait, next_move
from lifecycle.schema import metadata
from lifecycle.service import Lifecycle
from lifecycle.shop import Shop
from lifecycle.source import Source
from lifecycle.store import Store
from lifecycle.watching import Watching
from lifecycle.workspace import Workspaces

PROJECT, MODEL = "octo/lines", "line"
IDENTITY = {"GIT_AUTHOR_NAME": "Mira", "GIT_AUTHOR_EMAIL": "mira@example.org"}
IDENTITY |= {name.replace("AUTHOR", "COMMITTER"): value for name, value in IDENTITY.items()}
CLEAN = {"GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": os.devnull, "PATH": os.environ["PATH"], **IDENTITY}
SECONDS = 120


class Workshop:
    """One repository with one model called `line`, and what happens to it."""

    START = datetime(2026, 3, 1, tzinfo=UTC)

    def __init__(self, root: Path, environments: Path) -> None:
        self.origin, self.asked, self.head = root / "origin", 0, ""
        self.origin.mkdir()
        self._git("init", "-q", "-b", "main")
        engine = connect(f"sqlite:///{root / 'it.db'}")
        metadata.create_all(engine)
        executor = LocalExecutor(root, "auto", os.environ, environments=environments)
        self.shop = Shop(
            root=root,
            store=Store(engine),
            registry=Registry(engine, root / "versions"),
            watching=Watching(engine),
            fingerprints=Fingerprints(engine),
            workspaces=Workspaces(root / "repositories"),
            executor=executor,
            endpoint=LocalEndpoint(root / "endpoints", executor, self.now),
            requests=PredictionLog(root / "endpoints"),
            source=lambda project: Source(project, str(self.origin)),
            now=self.now,
            most=Limits(),
            at_once=2,
            logs=JobLogs(executor, None),
            labels=LabelLog(root / "endpoints"),
        )
        self.life = Lifecycle(self.shop)
        self.clock = self.START

    def now(self) -> datetime:
        return self.clock

    def _git(self, *words: str) -> str:
        done = subprocess.run(["git", *words], cwd=self.origin, env=CLEAN, capture_output=True, text=True, check=True)
        return done.stdout.strip()

    def commit(self, files: Mapping[str, str | None], subject: str = "a step") -> str:
        """The commit of these files, on the default branch."""
        for name, text in files.items():
            path = self.origin / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.unlink(missing_ok=True)
            if text is not None:
                path.write_text(text)
        self._git("add", "-A")
        self._git("commit", "-q", "--allow-empty", "-m", subject)
        self.head = self._git("rev-parse", "HEAD")
        return self.head

    def run(self, kind: Kind = Kind.VALIDATE, **options: Any) -> Run:
        """A run of the newest commit, from its beginning to its end."""
        self.asked += 1
        spec = Spec(kind, PROJECT, MODEL, self.head, "", "mira", options={"policy": self.head, **options})
        number = self.life.start(spec, f"asked-{self.asked}").id
        until = time.monotonic() + SECONDS
        while time.monotonic() < until:
            now = self.life.observe(number)
            match next_move(now):
                case Begin() as begin:
                    self.life.begin(now.run, begin)
                case Finish() as finish:
                    self.life.finish(now.run, finish)
                case Conclude() as conclude:
                    self.life.conclude(now.run, conclude)
                    return self.shop.store.get(number)
                case Wait():
                    self.shop.executor.wait(list(now.jobs), 10)
                case other:
                    raise AssertionError(other)
        raise AssertionError(f"run {number} did not end")

    def champion(self, **options: Any) -> Version:
        """A version of the newest commit, in production."""
        return self.crown(self.run(Kind.TRAIN, **options))

    def crown(self, run: Run) -> Version:
        """Put the run's version into production, without serving it."""
        assert run.state is State.SUCCEEDED, run.reason
        assert run.version is not None
        spec = Spec(Kind.PROMOTE, PROJECT, MODEL, self.head, "", "jonas", version=run.version)
        deploy = self.life.start(spec, f"promote-{run.id}")
        champion = Champion(PROJECT, MODEL, run.version, "here", 100, "jonas", deploy.id, self.clock)
        self.shop.registry.crown(champion, deploy)
        version = self.shop.registry.get(PROJECT, MODEL, run.version)
        assert version is not None
        return version

    def found(self, **options: Any) -> Mapping[str, Any]:
        """What the validation of the newest commit found."""
        return found(self.run(Kind.VALIDATE, **options))

    def later(self, **length: int) -> None:
        self.clock += timedelta(**length)


def found(run: Run) -> Mapping[str, Any]:
    """The result of the run's validation."""
    assert run.state is State.SUCCEEDED, run.reason
    record = run.stage(Stage.VALIDATE)
    assert record is not None
    return record.result


def checks(result: Mapping[str, Any]) -> dict[str, tuple[str, str]]:
    """Outcome and sentence of each check."""
    return {one["name"]: (one["outcome"], one["sentence"]) for one in result["judgement"]["checks"]}
