"""The lifecycle as the bot sees it: start a run, look at it, move it, cancel it; every call may be repeated."""

import dataclasses
import importlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import ModuleType

from lifecycle.endpoints import Serving
from lifecycle.executors import Job, JobStatus, Refusal
from lifecycle.jobs import BadOutput
from lifecycle.making import clear
from lifecycle.project import FILE, Project, read_project
from lifecycle.registry import BrokenVersion, Version
from lifecycle.runs import (
    Begin,
    Conclude,
    Finish,
    Kind,
    Observed,
    Run,
    Spec,
    Stage,
    StageRecord,
    StageState,
    State,
    Stop,
    lane,
)
from lifecycle.sealing import seal
from lifecycle.shop import Outcome, Shop
from lifecycle.stages import deploying
from lifecycle.store import Filter
from lifecycle.troubles import Trouble
from lifecycle.yamlfile import Mistakes

# What somebody has to put right: it ends the run with a sentence. Anything else is tried again.
THEIRS = (Trouble, BadOutput, BrokenVersion, Mistakes, Refusal)
# By name, as some of them load Arrow, numpy and more, which only a process that works needs.
WORK = {
    Stage.TRAIN: "training",
    Stage.PACKAGE: "packaging",
    Stage.VALIDATE: "validating",
    Stage.DEPLOY: "deploying",
    Stage.MONITOR: "monitoring",
}
WITH_JOBS = (Stage.TRAIN, Stage.PACKAGE, Stage.VALIDATE)
MAKES_VERSION = (Kind.TRAIN, Kind.RETRAIN)


@dataclass(frozen=True, slots=True)
class Lifecycle:
    """Runs and what moves them."""

    shop: Shop

    def start(self, spec: Spec, key: str) -> Run:
        """The run with that natural key, created if there is none; it begins when somebody advances it."""
        return self.shop.store.create(spec, key, self.shop.now())

    def project(self, name: str, commit: str) -> Project:
        """What the repository says of its models at that commit. Raises Trouble, Mistakes or GitTrouble."""
        text = self.shop.workspaces.read(self.shop.source(name), commit, FILE)
        if text is None:
            raise Trouble(
                f"{name} has no {FILE} at {commit[:8]}; it says which models there are and how to train them."
            )
        return read_project(text.decode("utf-8", errors="replace"))

    def on_branch(self, name: str, commit: str, head: str) -> bool:
        """Whether the commit is in the history of `head`."""
        return self.shop.workspaces.ahead(self.shop.source(name), head, commit) == 0

    def changed(self, name: str, base: str, head: str) -> Sequence[str]:
        """What `head` changed since it left `base`, as a pull request shows it."""
        return self.shop.workspaces.changed_paths(self.shop.source(name), base, head)

    def observe(self, number: int) -> Observed:
        """The run as stored, its current jobs as the executor sees them, and who is ahead in line."""
        run = self.shop.store.get(number)
        full = lane(run.spec.kind) == "train" and self.shop.store.working("train") >= self.shop.at_once
        return Observed(run, self._jobs(run), self.shop.store.ahead(run), full)

    def begin(self, number: int, move: Begin) -> None:
        """Start the stage's jobs under their natural names."""
        run = self.shop.store.get(number)
        try:
            self._begin(run, move)
        except THEIRS as trouble:
            self.shop.store.begin_stage(run, move.stage, move.attempt, {}, self.shop.now())
            self._failed(run, StageRecord(move.stage, attempt=move.attempt), str(trouble))

    def finish(self, number: int, move: Finish) -> None:
        """Work out what the stage found, and note it."""
        run = self.shop.store.get(number)
        record = run.stage(move.stage)
        if record is None or record.state is not StageState.RUNNING:
            return
        try:
            outcome: Outcome = _work(move.stage).finish(self.shop, run, record)
        except THEIRS as trouble:
            self._failed(run, record, str(trouble))
            return
        result = {**outcome.result, "verdict": outcome.verdict} if outcome.verdict else outcome.result
        done = dataclasses.replace(record, state=StageState.DONE, note=outcome.note, result=result)
        self.shop.store.end_stage(run, done, self.shop.now())

    def stop(self, move: Stop) -> None:
        """End these jobs, with everything they started."""
        for name in move.jobs:
            self.shop.executor.cancel(name)

    def conclude(self, number: int, move: Conclude) -> Run:
        """End the run; a trained model becomes a version first, so that an ended run never lacks its version."""
        run = self.shop.store.get(number)
        verdict = next((str(r.result["verdict"]) for r in reversed(run.stages) if "verdict" in r.result), "")
        version: Version | None = None
        if move.state is State.SUCCEEDED and run.spec.kind in MAKES_VERSION:
            version = seal(self.shop, run, verdict)
        made = version.number if version else run.spec.version
        self.shop.store.end(run, move.state, move.reason, self.shop.now(), verdict, made)
        return self.shop.store.get(number)

    def give_up(self, number: int, sentence: str) -> None:
        """End a run that we could not move, saying why."""
        run = self.shop.store.get(number)
        self.stop(Stop(tuple(self._jobs(run))))
        self.shop.store.end(run, State.FAILED, sentence, self.shop.now())

    def cancel(self, number: int, by: str) -> bool:
        """Note that `by` wants the run ended and stop what it is doing; false when it had ended."""
        wanted = self.shop.store.cancel(number, by)
        if wanted:
            self.stop(Stop(tuple(self._jobs(self.shop.store.get(number)))))
        return wanted

    def working(self) -> Mapping[str, int]:
        """The jobs and servers that runs wait for, and the run of each."""
        found = self.shop.store.find(Filter(state=State.RUNNING), limit=1000)
        return {name: run.id for run in found for name in _waited_for(run)}

    def ended(self, working: Mapping[str, int], seconds: float) -> Mapping[str, int]:
        """Those of `working` that need not be waited for any longer; blocks until there is one, at most `seconds`."""
        done = self.shop.executor.wait([name for name in working if _is_job(name)], seconds)
        servers = (name for name in working if not _is_job(name))
        ready = {name for name in servers if self.shop.endpoint.status(name).state is not Serving.STARTING}
        return {name: number for name, number in working.items() if name in done | ready}

    def tidy(self) -> None:
        """Clear away what processes that were killed left on this machine, half-made or no longer needed."""
        self.shop.executor.tidy()
        self.shop.workspaces.tidy()
        self.shop.registry.tidy()
        clear(self.shop.root / "data")

    def log(self, run: Run, stage: Stage, offset: int = 0) -> tuple[bytes, int]:
        """What the stage's first job has written, from `offset` on, and the offset to ask for next."""
        record = run.stage(stage)
        name = next(iter(record.jobs.values()), None) if record and stage in WITH_JOBS else None
        return self.shop.executor.log(name, offset) if name else (b"", offset)

    def _begin(self, run: Run, move: Begin) -> None:
        if move.stage is Stage.DEPLOY:
            names = {deploying.PART: deploying.deployment(run)}
            if self._mine(run, move, names):
                deploying.begin(self.shop, run)
            return
        jobs: Mapping[str, Job] = {}
        if move.stage in WITH_JOBS:
            jobs = _work(move.stage).jobs(self.shop, run, move.attempt)
        if self._mine(run, move, {part: job.name for part, job in jobs.items()}):
            for job in jobs.values():
                self.shop.executor.submit(job)

    def _mine(self, run: Run, move: Begin, names: Mapping[str, str]) -> bool:
        """Whether the attempt is ours to start: newly noted, or noted before we stopped half-way."""
        if self.shop.store.begin_stage(run, move.stage, move.attempt, names, self.shop.now()):
            return True
        record = self.shop.store.get(run.id).stage(move.stage)
        return record is not None and record.state is StageState.RUNNING and record.attempt == move.attempt

    def _failed(self, run: Run, record: StageRecord, sentence: str) -> None:
        failed = dataclasses.replace(record, state=StageState.FAILED, note=sentence)
        self.shop.store.end_stage(run, failed, self.shop.now())

    def _jobs(self, run: Run) -> Mapping[str, JobStatus]:
        current = run.current
        if current is None or current.state is not StageState.RUNNING:
            return {}
        if current.stage is Stage.DEPLOY:
            return deploying.status(self.shop, run)
        return {name: self.shop.executor.status(name) for name in current.jobs.values()}


def _waited_for(run: Run) -> Sequence[str]:
    current = run.current
    return list(current.jobs.values()) if current and current.state is StageState.RUNNING else []


def _is_job(name: str) -> bool:
    return not name.startswith(deploying.PREFIX)


def _work(stage: Stage) -> ModuleType:
    return importlib.import_module(f"lifecycle.stages.{WORK[stage]}")
