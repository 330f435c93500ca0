"""A house full of runs for the pages' tests: every state, a story of drift, and text that would like to be markup."""

import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import event

from bot.acceptances import Acceptances
from bot.figures.signing import Signer
from bot.links import Links
from bot.schema import metadata as bot_tables
from bot.web.views import Views
from lifecycle import (
    Answer,
    Champion,
    Kind,
    Registry,
    Run,
    Spec,
    Stage,
    StageRecord,
    StageState,
    State,
    Store,
    Version,
    Watching,
    Window,
    connect,
)
from lifecycle.schema import metadata as lifecycle_tables
from lifecycle.verdicts import Judgement
from tests.bot.figures_of_rows import regression as plots
from tests.web.findings import EVIDENCE, drift_report

PROJECT, MODEL = "octo/bikes", "bike-demand"
SIGNER = Signer(b"k" * 32)
NOW = datetime(2025, 6, 3, 14, 30, tzinfo=UTC)
HOSTILE = "<script>document.title='owned'</script>\"><img src=x onerror=alert(1)> שלום \u202egnp.exe 🚲{{ 7*7 }}"


@dataclass
class House:
    """Everything behind the pages, on a SQLite file; clocks, logs and endpoints are values that a test may set."""

    root: Path
    time: datetime = NOW
    logs: dict[tuple[int, str], bytes] = field(default_factory=dict)
    shares: dict[str, int] = field(default_factory=dict)
    health: dict[str, str] = field(default_factory=lambda: {"database": "ok", "worker": "ok"})
    answer: Answer = field(default_factory=lambda: Answer(200, b'{"predictions": [12.5]}', "v3"))
    asked: list[tuple[str, str, bytes]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.engine = connect(f"sqlite:///{self.root / 'bot.db'}")
        event.listen(self.engine, "connect", _hurry)
        lifecycle_tables.create_all(self.engine)
        bot_tables.create_all(self.engine)
        self.store, self.watching, self.links = Store(self.engine), Watching(self.engine), Links(self.engine)
        self.registry = Registry(self.engine, self.root / "versions")

    def become(self, other: "House") -> None:
        """Hold what the other, whose database is closed, holds."""
        self.engine.dispose()
        shutil.rmtree(self.root)
        shutil.copytree(other.root, self.root)
        self.logs, self.shares = dict(other.logs), dict(other.shares)

    def views(self) -> Views:
        """What the pages get."""
        return Views(
            runs=self.store,
            registry=self.registry,
            watching=self.watching,
            links=self.links,
            acceptances=Acceptances(self.engine),
            log=self._log,
            routes=lambda project, model: self.shares if (project, model) == (PROJECT, MODEL) else {},
            score=self._score,
            label=lambda project, model, body: len(body),
            url_of=web_address,
            commit_url=lambda project, sha: f"https://github.test/{project}/commit/{sha}",
            health=lambda: self.health,
            inbox_depth=lambda: 4,
            swept=lambda: self.time - timedelta(seconds=90),
            address="https://bot.test",
            version="0.1.0",
            now=lambda: self.time,
            signer=SIGNER,
        )

    def _log(self, run: Run, stage: Stage, offset: int) -> tuple[bytes, int]:
        data = self.logs.get((run.id, stage), b"")[offset : offset + 65536]
        return data, offset + len(data)

    def _score(self, project: str, model: str, body: bytes) -> Answer:
        self.asked.append((project, model, body))
        return self.answer

    def ask(self, kind: Kind, minutes: float, key: str = "", **more: Any) -> Run:
        """A new run, asked so many minutes before now."""
        values: dict[str, Any] = {
            "kind": kind,
            "project": PROJECT,
            "model": MODEL,
            "commit": "3f9d2c1b7a5e4f60918273645546372819aabbcc",
            "ref": "github:octo/bikes#12",
            "asked_by": "ann",
            **more,
        }
        spec = Spec(**values)
        key = key or f"{kind}:{minutes}:{spec.model}"
        run = self.store.create(spec, key, self.time - timedelta(minutes=minutes))
        self.links.add(spec.ref, f"run:{run.id}", "asked", self.time)
        return run

    def begin(self, run: Run, stage: Stage, minutes: float, attempt: int = 1, **jobs: str) -> Run:
        """The stage begins, so many minutes before now."""
        self.store.begin_stage(run, stage, attempt, jobs, self.time - timedelta(minutes=minutes))
        return self.store.get(run.id)

    def finish(self, run: Run, stage: Stage, minutes: float, note: str, **result: Any) -> Run:
        """The stage is done."""
        return self._end(run, StageRecord(stage, StageState.DONE, note=note, result=result), minutes)

    def fail(self, run: Run, stage: Stage, minutes: float, note: str) -> Run:
        """The stage failed."""
        return self._end(run, StageRecord(stage, StageState.FAILED, note=note), minutes)

    def _end(self, run: Run, record: StageRecord, minutes: float) -> Run:
        current = self.store.get(run.id).stage(record.stage)
        assert current is not None
        ended = replace(record, attempt=current.attempt)
        assert self.store.end_stage(run, ended, self.time - timedelta(minutes=minutes))
        return self.store.get(run.id)

    def conclude(self, run: Run, state: State, minutes: float, reason: str = "", **more: Any) -> Run:
        """The run ends."""
        self.store.end(run, state, reason, self.time - timedelta(minutes=minutes), **more)
        return self.store.get(run.id)

    def trained(self, minutes: float, judged: Judgement, kind: Kind = Kind.TRAIN, **more: Any) -> Run:
        """A run that went through training, packaging and validation, the last ending so many minutes before now."""
        run = self.ask(kind, minutes + 3, **more)
        run = self.begin(run, Stage.TRAIN, minutes + 2.9, fit=f"run-{run.id}-train-fit-1")
        run = self.finish(run, Stage.TRAIN, minutes + 1.1, "2,142 rows, 104.2 s, 312 MB", rows=2142, held_back=536)
        run = self.finish(self.begin(run, Stage.PACKAGE, minutes + 1.1), Stage.PACKAGE, minutes + 1, "9 files, 1.4 MB")
        run = self.begin(run, Stage.VALIDATE, minutes + 1, candidate=f"run-{run.id}-validate-candidate-1")
        plain = json.loads(judged.to_json())
        champion = None if judged.primary.champion is None else 3
        found = {**plots(), **EVIDENCE, "judgement": plain, "verdict": judged.verdict, "champion": champion}
        run = self.finish(run, Stage.VALIDATE, minutes, judged.sentence, **found)
        self.logs[(run.id, "train")] = TRAINING_LOG
        return run

    def version(self, run: Run, judged: Judgement, minutes: float, parent: str | None) -> Version:
        """The run's version, with files and a manifest."""
        package = self.root / f"package-{run.id}"
        package.mkdir()
        for name in ("MLmodel", "model.skops", "profile.bin", "requirements.txt"):
            (package / name).write_text(f"{name} of run {run.id}\n")
        (package / "signature.json").write_text(json.dumps({"columns": COLUMNS}))
        plain = json.loads(judged.to_json())
        metrics = {one["metric"]: one for one in [plain["primary"], *plain["others"]]}
        facts: Mapping[str, Any] = {
            "project": PROJECT,
            "model": MODEL,
            "run": run.id,
            "commit": run.spec.commit,
            "asked_by": run.spec.asked_by,
            "parameters": dict(run.spec.params),
            "training": {"rows": 2142, "held_back": 536, "seconds": 104.2, "memory_mb": 312},
            "environment": {"requirements_sha256": "9c" * 32, "platform": "linux"},
            "metrics": metrics,
            "parent": parent,
            "verdict": str(judged.verdict),
        }
        digest = self.registry.seal(package, facts)
        at = self.time - timedelta(minutes=minutes)
        made = Version(PROJECT, MODEL, 0, digest, run.id, run.spec.commit, at, str(judged.verdict), metrics)
        version = self.registry.add(made, package, run)
        self.links.add(f"run:{run.id}", f"version:{PROJECT}/{MODEL}/{version.number}", "made", at)
        return version

    def promote(self, version: Version, minutes: float, by: str, share: int = 100) -> Run:
        """A run that put the version into production."""
        run = self.ask(Kind.PROMOTE, minutes, version=version.number, asked_by=by, options={"share": share})
        name = f"octo.bikes.{MODEL}.v{version.number}"
        run = self.begin(run, Stage.DEPLOY, minutes, server=name)
        at = self.time - timedelta(minutes=minutes)
        self.registry.crown(Champion(PROJECT, MODEL, version.number, name, share, by, run.id, at), run)
        run = self.finish(run, Stage.DEPLOY, minutes - 0.05, f"{version.name} serves {share} % of the traffic")
        self.conclude(run, State.SUCCEEDED, minutes - 0.05, version=version.number)
        self.links.add(f"run:{run.id}", f"version:{PROJECT}/{MODEL}/{version.number}", "deployed", at)
        return run

    def watch(self, month: int, worst: float, number: int, minutes: float) -> Window:
        """A monitor's run over one month of 2025."""
        since, until = datetime(2025, month, 1, tzinfo=UTC), datetime(2025, month + 1, 1, tzinfo=UTC)
        run = self.ask(Kind.MONITOR, minutes, key=f"monitor:{month}", asked_by="schedule", ref="boards:Fabrikam/345")
        found = drift_report(worst)
        run = self.begin(run, Stage.MONITOR, minutes)
        plain = json.loads(found.to_json())
        run = self.finish(run, Stage.MONITOR, minutes - 0.1, found.sentence, report=plain, verdict=found.verdict)
        run = self.conclude(run, State.SUCCEEDED, minutes - 0.1, verdict=str(found.verdict))
        at = self.time - timedelta(minutes=minutes - 0.1)
        window = Window(PROJECT, MODEL, number, run.id, since, until, found.rows, str(found.verdict), worst, at, plain)
        self.watching.note(window)
        return window


def _hurry(raw: Any, _record: object) -> None:
    raw.execute("PRAGMA synchronous=OFF")  # no test here pulls the plug


def web_address(ref: str) -> str:
    """Where the world outside would show a ref."""
    system, _, rest = ref.partition(":")
    place, _, number = rest.replace("#", "/").rpartition("/")
    match system:
        case "github":
            return f"https://github.test/{place}/issues/{number}"
        case "boards":
            return f"https://dev.azure.test/{place}/_workitems/edit/{number}"
        case _:
            return "javascript:alert(1)"


COLUMNS = [
    {"name": "temp", "type": "float64"},
    {"name": "hr", "type": "int64"},
    {"name": "weathersit", "type": "string"},
]
TRAINING_LOG = (
    b"\x1b[1mReading\x1b[0m 2142 rows of hours.parquet\n"
    + b"".join(b"\rround %d/200  mae %.2f" % (i, 90 / (1 + i / 30)) for i in range(0, 201, 10))
    + "\n\x1b[32m✓ done\x1b[0m in 104 s — wrote model.skops\n<b>not bold</b> & fine\n".encode()
)
