"""A house full of runs for the pages' tests: every state, a story of drift, and text that would like to be markup."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

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
from lifecycle.drift import Alarm, ColumnDrift, DriftReport
from lifecycle.schema import metadata as lifecycle_tables
from lifecycle.verdicts import Check, Comparison, Interval, Judgement, Outcome, SliceFinding, Verdict

PROJECT, MODEL = "octo/bikes", "bike-demand"
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
        lifecycle_tables.create_all(self.engine)
        bot_tables.create_all(self.engine)
        self.store, self.watching, self.links = Store(self.engine), Watching(self.engine), Links(self.engine)
        self.registry = Registry(self.engine, self.root / "versions")

    def views(self) -> Views:
        """What the pages get."""
        return Views(
            runs=self.store,
            registry=self.registry,
            watching=self.watching,
            links=self.links,
            log=self._log,
            routes=lambda project, model: self.shares if (project, model) == (PROJECT, MODEL) else {},
            score=self._score,
            url_of=web_address,
            commit_url=lambda project, sha: f"https://github.test/{project}/commit/{sha}",
            health=lambda: self.health,
            inbox_depth=lambda: 4,
            address="https://bot.test",
            version="0.1.0",
            now=lambda: self.time,
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
        self.links.add(f"run:{run.id}", spec.ref, "asked-in", self.time)
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
        run = self.finish(run, Stage.VALIDATE, minutes, judged.sentence, judgement=plain, verdict=judged.verdict)
        self.logs[(run.id, "train")] = TRAINING_LOG
        return run

    def version(self, run: Run, judged: Judgement, minutes: float, parent: str | None) -> Version:
        """The run's version, with files and a manifest."""
        package = self.root / f"package-{run.id}"
        package.mkdir()
        for name in ("MLmodel", "model.skops", "profile.bin", "requirements.txt"):
            (package / name).write_text(f"{name} of run {run.id}\n")
        (package / "signature.json").write_text(json.dumps({"columns": COLUMNS}))
        compared = [judged.primary, *judged.others]
        metrics = {one["metric"]: one for one in json.loads(judged.to_json())["others"]}
        metrics = {judged.primary.metric: json.loads(judged.to_json())["primary"], **metrics}
        assert len(metrics) == len(compared)
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
        version = self.registry.add(made, package)
        self.links.add(f"run:{run.id}", f"version:{PROJECT}/{MODEL}/{version.number}", "made", at)
        return version

    def promote(self, version: Version, minutes: float, by: str, share: int = 100) -> Run:
        """A run that put the version into production."""
        run = self.ask(Kind.PROMOTE, minutes, version=version.number, asked_by=by, options={"share": share})
        name = f"octo.bikes.{MODEL}.v{version.number}"
        run = self.begin(run, Stage.DEPLOY, minutes, server=name)
        run = self.finish(run, Stage.DEPLOY, minutes - 0.05, f"{version.name} serves {share} % of the traffic")
        self.conclude(run, State.SUCCEEDED, minutes - 0.05, version=version.number)
        at = self.time - timedelta(minutes=minutes)
        self.registry.crown(Champion(PROJECT, MODEL, version.number, name, share, by, run.id, at))
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


def comparison(metric: str, old: float | None, new: float, half: float, verdict: Verdict, **more: Any) -> Comparison:
    """A metric of two models, its difference with an interval of that half width."""
    difference = None if old is None else Interval(new - old, new - old - half, new - old + half)
    values: dict[str, Any] = {"margin": None if old is None else 0.02 * abs(old), "greater_is_better": False, **more}
    better = None if old is None else (new > old) == values["greater_is_better"]
    said = f"{metric} is {new:g}" if old is None else f"{metric} went from {old:g} to {new:g} on 536 held-back rows"
    return Comparison(
        metric, old, new, difference, values.pop("margin"), verdict, 536, None, f"{said}.", better, **values
    )


def judgement(verdict: Verdict = Verdict.PASS, old: float | None = 45.1, new: float = 38.2) -> Judgement:
    """A whole report: five metrics, the baseline, slices where it got worse, and checks."""
    ratio = 1.0 if old is None else new / old
    others = (
        comparison("rmse", old and 66.3, 66.3 * ratio, 3.4, verdict),
        comparison("r2", old and 0.832, 0.832 + (1 - ratio) * 0.3, 0.02, verdict, greater_is_better=True),
        comparison("mape", old and 0.41, 0.41 * ratio, 0.19, Verdict.INCONCLUSIVE),
    )
    slices: tuple[SliceFinding, ...] = ()
    if verdict is Verdict.FAIL and old:
        slices = tuple(
            SliceFinding(
                name, value, rows, old * 0.9, old * worse, Interval(old * (worse - 0.9), old * 0.1, old * (2 * worse - 1.9)),
                0.004, kind, f"Where {name} is {value}, mae rose by half on {rows} rows (p = 0.004 after correction).",
            )
            for name, value, rows, worse, kind in (
                ("weathersit", "light rain", 214, 1.31, Verdict.FAIL),
                ("hr", "17 to 19", 402, 1.12, Verdict.INCONCLUSIVE),
            )
        )  # fmt: skip
    said = {"PASS": "better by 15 %", "FAIL": "worse by 23 %", "INCONCLUSIVE": "not distinguishable"}[verdict]
    sentence = f"mae went from {old} to {new:g} ({said}, 95 % interval 12 % to 34 %) on 536 held-back rows."
    return Judgement(
        verdict=verdict,
        primary=comparison("mae", old, new, 2.1, verdict),
        others=others,
        baseline=comparison("mae", 121.0, new, 6.0, Verdict.PASS, margin=0.0, against="mean of the training rows"),
        slices=slices,
        checks=(
            Check("overlap", Outcome.OK, "No held-back row is also a training row."),
            Check("time", Outcome.OK, "Training ends on 2025-02-21, before the first held-back row."),
            Check("speed", Outcome.WARN, "One row takes 4.1 ms at the 95th percentile; the champion took 2.2 ms."),
        ),
        sentence=sentence if old else f"mae is {new:g}; there is no champion to compare with.",
        slices_tested=46,
    )


def drift_report(worst: float) -> DriftReport:
    """A window whose worst column has that corrected PSI."""
    verdict = Alarm.ALARM if worst >= 0.2 else Alarm.WARN if worst >= 0.1 else Alarm.CLEAN
    moved = "mostly higher: median 0.61 instead of 0.24" if worst > 0.1 else "as in training"
    columns = (
        ColumnDrift("temp", "numeric", 1e-9, worst + 0.01, worst, min(0.99, worst / 2), verdict, f"temp is {moved}."),
        ColumnDrift("hum", "numeric", 0.2, 0.05, 0.03, 0.08, Alarm.CLEAN, "hum is as in training."),
        ColumnDrift("weathersit", "category", 0.6, 0.02, 0.004, None, Alarm.CLEAN, "weathersit is as in training.", missing=0.012),
        ColumnDrift("prediction", "numeric", 0.01, worst / 2, worst / 2.2, 0.2, Alarm.CLEAN, "The answers moved along.", "prediction"),
    )  # fmt: skip
    count = sum(one.verdict is not Alarm.CLEAN for one in columns)
    sentence = (
        f"{count} of 4 columns moved, temp most (PSI {worst:g})." if count else "All 4 columns are as in training."
    )
    return DriftReport(verdict, columns, 743, sentence, 2142, {"instant": "it counts rows"}, (), ())


def furnish(house: House) -> Sequence[Run]:
    """The story of the demo, and one run in every other state; all runs, oldest first."""
    day = 1440.0
    first_judged = judgement(old=None, new=45.1)
    first = house.conclude(house.trained(40 * day, first_judged), State.SUCCEEDED, 40 * day, verdict="PASS", version=1)
    v1 = house.version(first, first_judged, 40 * day, None)
    house.links.add("github:octo/bikes#12", "boards:Fabrikam/345", "planned-in", house.time)
    house.promote(v1, 39 * day, "ben")
    worse = house.trained(
        30 * day, judgement(Verdict.FAIL, 45.1, 55.6), Kind.VALIDATE, ref="github:octo/bikes#14", asked_by="cho"
    )
    house.conclude(worse, State.SUCCEEDED, 30 * day, verdict="FAIL")
    better_judged = judgement(Verdict.PASS, 45.1, 38.2)
    params = {"max_depth": 6, "learning_rate": 0.05, "early_stopping": True, "loss": "absolute_error"}
    better = house.trained(20 * day, better_judged, params=params)
    v2 = house.version(
        house.conclude(better, State.SUCCEEDED, 20 * day, verdict="PASS", version=2), better_judged, 20 * day, "v1"
    )
    house.promote(v2, 19 * day, "cho")
    windows = [
        house.watch(m, w, 2 if m > 2 else 1, (7 - m) * day) for m, w in enumerate((0.012, 0.034, 0.14, 0.92, 2.4), 1)
    ]
    episode = house.watching.open(windows[3], "drift")
    house.links.add(f"episode:{episode.id}", "boards:Fabrikam/390", "opened", house.time)
    house.links.add(f"episode:{episode.id}", "github:octo/bikes#31", "opened", house.time)
    house.shares = {f"octo.bikes.{MODEL}.v2": 90, f"octo.bikes.{MODEL}.v1": 10}
    _others(house)
    return list(reversed(house.store.find(_all(), limit=100)))


def _all() -> Any:
    from lifecycle import Filter

    return Filter()


def _others(house: House) -> None:
    """Runs that failed, were lost, wait, are cancelled, and one that would like to be markup."""
    failed = house.begin(house.ask(Kind.TRAIN, 300, key="failed"), Stage.TRAIN, 299, fit="run-f")
    said = "train.py ended with exit code 1: ValueError: Input contains NaN, in column 'windspeed'."
    house.conclude(house.fail(failed, Stage.TRAIN, 297, said), State.FAILED, 297, said)
    house.logs[(failed.id, "train")] = (
        b'Traceback (most recent call last):\n  File "train.py", line 31\nValueError: Input contains NaN\n'
    )
    unsure = house.trained(
        200, judgement(Verdict.INCONCLUSIVE, 45.1, 44.9), Kind.VALIDATE, key="unsure", ref="github:octo/bikes#15"
    )
    house.conclude(unsure, State.SUCCEEDED, 200, verdict="INCONCLUSIVE")
    hostile = house.ask(
        Kind.TRAIN,
        150,
        key="hostile",
        model="x" * 63,
        asked_by=HOSTILE,
        params={HOSTILE: HOSTILE, "long": "A1 " * 3400},
    )
    hostile = house.begin(hostile, Stage.TRAIN, 149, fit="run-h")
    house.conclude(house.fail(hostile, Stage.TRAIN, 148, HOSTILE), State.FAILED, 148, HOSTILE)
    house.logs[(hostile.id, "train")] = HOSTILE.encode() + b"\n\x1b]0;title\x07\x00\x9b31m" + b"z" * 5000
    house.links.add(f"run:{hostile.id}", "elsewhere:" + HOSTILE, "<b>how</b>", house.time)
    stopped = house.begin(house.ask(Kind.TRAIN, 90, key="stopped"), Stage.TRAIN, 89, fit="run-s")
    house.store.cancel(stopped.id, "ann")
    house.conclude(stopped, State.CANCELLED, 88, "Cancelled by ann.")
    running = house.begin(
        house.ask(Kind.RETRAIN, 4, key="running", params={"max_depth": 8}), Stage.TRAIN, 3.5, 2, fit="run-r"
    )
    house.logs[(running.id, "train")] = TRAINING_LOG
    for number in range(2):
        house.ask(
            Kind.VALIDATE, 2 - number, key=f"waiting-{number}", ref=f"github:octo/bikes#{16 + number}", asked_by="dora"
        )
    moving = house.ask(Kind.TRAIN, 1.5, key="other", model="churn-score", project="octo/customers", trusted=False)
    house.begin(moving, Stage.TRAIN, 1.4, fit="run-m")
