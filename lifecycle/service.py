"""The lifecycle as the bot sees it: start a run, look at it, move it, cancel it; every call may be repeated."""

import dataclasses
import importlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import ModuleType

from lifecycle import lookout, serving
from lifecycle.endpoints import Serving
from lifecycle.executors import Job, JobStatus, Refusal
from lifecycle.jobs import BadOutput
from lifecycle.making import clear
from lifecycle.pointing import Pointer, pointers
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
from lifecycle.shop import Outcome, Shop, serving_name
from lifecycle.stages import deploying
from lifecycle.store import Filter, NoSuchRun
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
JOB = re.compile(r"run-([0-9]+)-")
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

    def pointers(self, number: int) -> Sequence[Pointer]:
        """The lines in the repository that a run's outcome points at; harmless to ask, empty where nothing is known."""
        run = self.shop.store.get(number)
        return pointers(self.shop, run, lambda offset: self.log(run, Stage.TRAIN, offset))

    def observe(self, number: int) -> Observed:
        """The run as stored, its current jobs as the executor sees them, and who is ahead in line."""
        run = self.shop.store.get(number)
        elsewhere = self._elsewhere(run)
        gone = elsewhere and self.shop.hosts.gone(run.host)
        full = lane(run.spec.kind) == "train" and self._room() <= 0
        return Observed(run, self._jobs(run), self.shop.store.ahead(run), full, elsewhere, gone)

    def begin(self, run: Run, move: Begin) -> None:
        """Start the stage's jobs under their natural names. Raises Overtaken, as do all that change an observed run."""
        try:
            self._begin(run, move)
        except THEIRS as trouble:
            self._not_begun(run, move, str(trouble))

    def finish(self, run: Run, move: Finish) -> None:
        """Work out what the stage found, and note it."""
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

    def put_back(self, run: Run) -> None:
        """Back in line: the machine that had it is gone."""
        self.shop.store.put_back(run)

    def conclude(self, run: Run, move: Conclude) -> None:
        """End the run; a trained model becomes a version first, so that an ended run never lacks its version."""
        verdict = next((str(r.result["verdict"]) for r in reversed(run.stages) if "verdict" in r.result), "")
        version: Version | None = None
        if move.state is State.SUCCEEDED and run.spec.kind in MAKES_VERSION:
            version = seal(self.shop, run, verdict)
        made = version.number if version else run.spec.version
        self.shop.logs.keep(name for name in _logged(run) if not self._elsewhere(run))
        self.shop.store.end(run, move.state, move.reason, self.shop.now(), verdict, made)

    def give_up(self, number: int, sentence: str) -> None:
        """End a run that we could not move, saying why; one that another machine moves is that machine's to give up."""
        run = self.shop.store.get(number)
        if run.state.ended or (self._elsewhere(run) and not self.shop.hosts.gone(run.host)):
            return
        self.stop(Stop(tuple(self._jobs(run))))
        self.shop.store.end(run, State.FAILED, sentence, self.shop.now())

    def cancel(self, number: int, by: str) -> bool:
        """Note that `by` wants the run ended and stop what it is doing; false when it had ended."""
        wanted = self.shop.store.cancel(number, by)
        if wanted:
            self.stop(Stop(tuple(self._jobs(self.shop.store.get(number)))))
        return wanted

    def working(self) -> Mapping[str, int]:
        """The jobs and servers on this machine that runs wait for, and the run of each."""
        found = self.shop.store.find(Filter(state=State.RUNNING), limit=1000)
        return {name: run.id for run in found if not self._elsewhere(run) for name in _waited_for(run)}

    def due(self) -> Sequence[int]:
        """The runs that this machine can do something about, though no job of theirs has ended here."""
        return lookout.due(self.shop.store.engine, self.shop.hosts, self._room())

    def serve(self) -> Mapping[str, str]:
        """Make this machine serve what the registry says; of each model that it cannot serve yet, why."""
        found = {serving_name(*names): serving.serve(self.shop, *names) for names in self.shop.registry.models()}
        return {name: why for name, why in found.items() if why}

    def abandon(self) -> Sequence[str]:
        """End the jobs on this machine whose run is not this machine's any more; their names."""
        found = {name: JOB.match(name) for name in self.shop.executor.running()}
        stale = [name for name, match in found.items() if match and not self._wants(int(match[1]), name)]
        self.stop(Stop(tuple(stale)))
        return stale

    def _wants(self, number: int, job: str) -> bool:
        try:
            run = self.shop.store.get(number)
        except NoSuchRun:
            return False
        return run.state is State.RUNNING and not self._elsewhere(run) and job in _waited_for(run)

    def _elsewhere(self, run: Run) -> bool:
        """Whether another machine moves the run."""
        return run.state is State.RUNNING and not self.is_here(run)

    def _room(self) -> int:
        """How many more runs may train on this machine."""
        return self.shop.at_once - self.shop.store.working("train", self.shop.hosts.me)

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
        return self.shop.logs.read(name, self.is_here(run), offset) if name else (b"", offset)

    def ship(self) -> None:
        """Let other machines see what jobs here write, what models here are asked, and which labels are sent here."""
        self.shop.logs.ship(name for name in self.working() if _is_job(name))
        self.shop.requests.ship(self.shop.now())
        self.shop.labels.ship(self.shop.now())

    def is_here(self, run: Run) -> bool:
        """Whether this is the machine that has or had the run, with all that its jobs left."""
        return run.host in ("", self.shop.hosts.me)

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
        if self._note_begun(run, move, names):
            return True
        now = self.shop.store.get(run.id)
        record = now.stage(move.stage)
        mine = record is not None and record.state is StageState.RUNNING and record.attempt == move.attempt
        return mine and now.tenure == run.tenure

    def _note_begun(self, run: Run, move: Begin, names: Mapping[str, str]) -> bool:
        me, now = self.shop.hosts.me, self.shop.now()
        return self.shop.store.begin_stage(run, move.stage, move.attempt, names, now, me)

    def _not_begun(self, run: Run, move: Begin, sentence: str) -> None:
        """Note that the attempt failed, which may have been noted as begun or not."""
        record = self.shop.store.get(run.id).stage(move.stage)
        if record is None or record.attempt < move.attempt:
            self._note_begun(run, move, {})
        begun = self.shop.store.get(run.id)
        if not self._elsewhere(begun):
            self._failed(begun, StageRecord(move.stage, attempt=move.attempt), sentence)

    def _failed(self, run: Run, record: StageRecord, sentence: str) -> None:
        failed = dataclasses.replace(record, state=StageState.FAILED, note=sentence)
        self.shop.store.end_stage(run, failed, self.shop.now())

    def _jobs(self, run: Run) -> Mapping[str, JobStatus]:
        current = run.current
        if current is None or current.state is not StageState.RUNNING or self._elsewhere(run):
            return {}
        if current.stage is Stage.DEPLOY:
            return deploying.status(self.shop, run)
        return {name: self.shop.executor.status(name) for name in current.jobs.values()}


def _waited_for(run: Run) -> Sequence[str]:
    current = run.current
    return list(current.jobs.values()) if current and current.state is StageState.RUNNING else []


def _logged(run: Run) -> Sequence[str]:
    """The jobs of the run whose logs are kept."""
    return [name for record in run.stages if record.stage in WITH_JOBS for name in record.jobs.values()]


def _is_job(name: str) -> bool:
    return not name.startswith(deploying.PREFIX)


def _work(stage: Stage) -> ModuleType:
    return importlib.import_module(f"lifecycle.stages.{WORK[stage]}")
