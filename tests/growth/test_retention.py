"""What nobody needs any longer is freed as `keep:` says; what an open run, version or champion needs, never."""

import fcntl
import json
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from bot.alive import Alive
from bot.bell import Bell
from bot.engine import Engine
from bot.events import CommentPosted
from bot.flows import retaining
from bot.freeing import once
from bot.inbox import Inbox
from bot.later import Later
from bot.settings import Keep as Said
from bot.settings import Settings
from bot.storage import Storage, open_storage
from bot.told import Told
from lifecycle import Champion, Filter, Keep, Kind, LocalExecutor, Registry, Retention, Run, Spec, State, Store, Version
from tests.bench.history import fill
from tests.growth.test_engine import left
from tests.operations.bots import eventually

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)


class Place:
    """A state folder whose things are of any age."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.storage: Storage = open_storage(Settings.model_construct(state=root, database=None))
        self.store = Store(self.storage.main)
        self.registry = Registry(self.storage.main, root / "versions")
        self.executor = LocalExecutor(root, "off")
        self.retention = Retention(root, self.store, self.registry, self.executor, Keep())

    def run(self, days: float, ended: bool = True) -> Run:
        """A run that was asked for, and ended, so many days ago."""
        spec = Spec(Kind.TRAIN, "octo/r", "m", "c" * 40, "", "mira")
        run = self.store.create(spec, f"{days}/{ended}", NOW - days * DAY)
        if ended:
            self.store.end(run, State.SUCCEEDED, "", NOW - days * DAY)
        return self.store.get(run.id)

    def put(self, name: str, days: float, text: str = "x") -> Path:
        """A file that was written so many days ago, in a folder of the same age."""
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        age(path, days)
        age(path.parent, days)
        return path

    def job(self, run: Run, days: float) -> Path:
        """The folder of a job of the run that ended so many days ago."""
        folder = f"jobs/run-{run.id}-train-fit-1"
        self.put(f"{folder}/log", days, "trained")
        self.put(f"{folder}/output/model.joblib", days)
        used = {"seconds": 1.0, "cpu_seconds": 1.0, "memory_mb": 1.0}
        done = {"state": "succeeded", "exit_code": 0, "reason": "", "used": used, "started": 0.0, "ended": 1.0}
        self.put(f"{folder}/pid.json", days, json.dumps({"pid": 1, "ticks": 1, "boot": "x", "started": 0.0}))
        self.put(f"{folder}/exit.json", days, json.dumps(done))
        return self.root / folder

    def version(self, run: Run, requirements: str) -> Version:
        package = self.root / "package"
        package.mkdir(exist_ok=True)
        (package / "requirements.txt").write_text(requirements)
        digest = self.registry.seal(package, {"run": run.id})
        made = Version("octo/r", "m", 0, digest, run.id, "c" * 40, NOW, "PASS")
        kept = self.registry.add(made, package, run)
        self.store.end(run, State.SUCCEEDED, "", NOW)
        return kept

    def environment(self, requirements: str, days: float) -> Path:
        folder = self.executor.environment(requirements)
        folder.mkdir(parents=True)
        age(folder, days)
        return folder

    def apply(self) -> int:
        return once(self.retention, NOW)


def age(path: Path, days: float) -> None:
    moment = (NOW - days * DAY).timestamp()
    os.utime(path, (moment, moment))


@pytest.fixture
def place(tmp_path: Path) -> Any:
    place = Place(tmp_path)
    yield place
    place.storage.main.dispose()
    place.storage.inbox.dispose()


def test_an_ended_runs_workspace_goes_after_a_week_and_its_log_after_three_months(place: Place) -> None:
    fresh, older, oldest = (place.job(place.run(days), days) for days in (6, 8, 91))
    packages = [
        place.put(f"runs/{run.id}/package/model", days) for run, days in ((place.run(6.1), 6), (place.run(8.1), 8))
    ]
    age(packages[1].parent.parent, 8)
    place.apply()
    assert sorted(path.name for path in fresh.iterdir()) == ["exit.json", "log", "output", "pid.json"]
    assert sorted(path.name for path in older.iterdir()) == ["exit.json", "log", "pid.json"]
    assert not oldest.exists()
    assert [path.exists() for path in packages] == [True, False]
    assert not list((place.root / "trash").iterdir())
    assert place.apply() == 0


def test_nothing_of_an_open_run_or_a_running_job_goes_however_old(place: Place) -> None:
    waiting = place.run(200, ended=False)
    folder = place.job(waiting, 200)
    package = place.put(f"runs/{waiting.id}/package/model", 200)
    age(package.parent.parent, 200)
    tree, data = place.put("repositories/trees/octo~2Fr/abc/train.py", 150), place.put("data/split/train.parquet", 150)
    running = place.job(place.run(100), 100)
    with (running / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        place.apply()
        assert (running / "output" / "model.joblib").exists()
    assert (folder / "output" / "model.joblib").exists()
    assert package.exists()
    assert tree.exists(), "it was used since the open run was asked for"
    assert data.exists()
    place.store.end(waiting, State.CANCELLED, "", NOW)
    place.apply()
    assert not any(path.exists() for path in (folder, running, package, tree, data))


def test_caches_go_when_nobody_used_them_for_a_month_but_never_what_serves(place: Place) -> None:
    kept = [place.put("repositories/trees/octo~2Fr/new/train.py", 29), place.put("data/new/train.parquet", 29)]
    old = [
        place.put("repositories/trees/octo~2Fr/old/train.py", 31),
        place.put("repositories/mirrors/old.git/HEAD", 31),
    ]
    old.append(place.put("data/old/train.parquet", 31))
    first, second = place.run(300, ended=False), place.run(299, ended=False)
    champion, deployed = place.version(first, "champion==1"), place.version(second, "deployed==1")
    promoting = place.run(298, ended=False)
    crown = Champion("octo/r", "m", champion.number, "serve-m.v1", 100, "jonas", promoting.id, NOW)
    place.registry.crown(crown, promoting)
    place.store.end(promoting, State.SUCCEEDED, "", NOW)
    folder = {"folder": str(place.registry.folder(deployed)), "attempt": 1}
    place.put("endpoints/deployments/serve-m.v2.json", 1, json.dumps(folder))
    kept += [
        place.environment("champion==1", 300),
        place.environment("deployed==1", 300),
        place.environment("new==1", 2),
    ]
    old.append(place.environment("old==1", 31))
    kept += [place.registry.folder(champion) / "manifest.json", place.registry.folder(deployed) / "manifest.json"]
    kept.append(place.put("endpoints/predictions/octo.r.m/2025-06-01.jsonl", 300))
    old.append(place.put("endpoints/predictions/octo.r.m/2024-12-01.jsonl", 300))
    place.apply()
    assert [path.name for path in kept if not path.exists()] == []
    assert [path.name for path in old if path.exists()] == []


def test_what_cannot_be_read_frees_no_environment(place: Place) -> None:
    place.put("endpoints/deployments/serve-m.v2.json", 1, "half a fil")
    environment = place.environment("old==1", 300)
    with pytest.raises(ValueError, match="Expecting value"):
        place.apply()
    assert environment.exists()


def test_one_process_at_a_time(place: Place) -> None:
    folder = place.job(place.run(91), 91)
    with (place.root / "retention.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert place.apply() == 0
    assert folder.exists()
    assert place.apply() == 1


def test_finished_workflows_events_and_texts_are_forgotten_in_a_workflow_of_its_own(place: Place) -> None:
    storage, done = place.storage, []
    inbox, told = Inbox(storage.inbox, Bell(place.root / "bell")), Told(storage.main)
    world: Any = SimpleNamespace(keep=Said(), prune=inbox.prune, told=told)

    def forget() -> None:
        done.append(engine.step("forget", lambda: retaining.forget(world, engine, NOW)))

    engine = Engine(storage.engine_url, Alive(storage.main, alone=True), Later(storage.main), {"handle": forget})
    engine.launch()
    fill(storage, 1, 1200, NOW - 500 * DAY, workflows=True)
    fill(storage, 1201, 2400, NOW - 10 * DAY, workflows=True)
    inbox.put([CommentPosted("github:octo/r#1", "1", "mira", False, "/train", NOW)])
    told.note("run:1", "check", "x", 1, NOW)
    engine.start("handle", "tick")
    eventually(lambda: bool(done), "the workflow has ended")
    assert done == ["1200 workflows, 1200 events, 900 texts"]
    assert left(storage) == 1201
    assert inbox.waiting() == 1
    assert not told.is_new("run:1", "check", "x")
    assert len(place.store.find(Filter(), limit=5000)) == 2400  # history stays
    engine.close(seconds=5)
    inbox.close()
