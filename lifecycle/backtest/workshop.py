"""Makes versions for a backtest: the repository's own training in the sandbox, then answers for all of history."""

import json
import shlex
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from lifecycle.backtest.history import History
from lifecycle.executors import Executor, Job, JobState, Limits, Refusal
from lifecycle.holdout import split
from lifecycle.jobs import BadOutput, Predictions, collect, predict_job, read_predictions
from lifecycle.project import Model
from lifecycle.reference import Measured, keep_reference
from lifecycle.shop import Trouble, requirements_of
from lifecycle.stages.packaging import copy_code

HIDDEN = (".*", "__pycache__", "*.egg-info")


class Failed(Trouble):
    """A version could not be made or could not answer; the message ends with the last words of its job."""


@dataclass(frozen=True, slots=True)
class Made:
    """A version: its package with profile and measures, what it answers on every row of history, its held-back rows."""

    number: int
    package: Path
    answers: pa.Table
    measured: Measured
    known: Path


@dataclass(slots=True)
class Workshop:
    """Trains in `root`; `tree` is a copy of the repository."""

    repository: Path
    root: Path
    executor: Executor
    model: Model
    history: History
    said: Callable[[str], None]
    made: list[Made] = field(default_factory=list)

    def make(self, rows: int) -> Made:
        """A version that learnt from the first rows of history, as the bot would train it. Raises Trouble."""
        number = len(self.made) + 1
        home = self.root / f"v{number}"
        home.mkdir(parents=True)
        tree = self._tree()
        pq.write_table(self.history.rows.slice(0, rows), home / "history.parquet")
        data = split(home, self.model.model_copy(update={"data": "history.parquet"}), self.root / "data")
        fit = Job(
            name=f"backtest-{number}-fit",
            command=tuple(shlex.split(self.model.train)),
            tree=tree,
            requirements=requirements_of(tree, self.model),
            inputs={"LIFECYCLE_DATA": data.train},
            values={"LIFECYCLE_PARAMS": json.dumps(dict(self.model.params), sort_keys=True), "LIFECYCLE_SEED": "0"},
            limits=Limits(memory_mb=self.model.limits.memory_mb, seconds=self.model.limits.minutes * 60),
        )
        package = self._packed(self._done(fit), home / "package", tree, list(data.columns.items()))
        every = self.history.rows.drop_columns([self.model.target])
        pq.write_table(every, self.root / "every.parquet")
        job = predict_job(f"backtest-{number}-predict", package, self.root / "every.parquet", fit.requirements,
                          fit.limits, True)  # fmt: skip
        try:
            answers = read_predictions(self._done(job), every.num_rows, self.model.task).table
        except BadOutput as trouble:
            raise Failed(f"v{number} cannot answer: {trouble}.") from None
        known = home / "known.parquet"
        keep_reference(package, known, data, Predictions(answers.slice(0, rows)), self.model)
        made = Made(number, package, answers, Measured.read(package), known)
        self.made.append(made)
        return made

    def _tree(self) -> Path:
        tree = self.root / "tree"
        if not tree.is_dir():
            shutil.copytree(self.repository, tree, ignore=shutil.ignore_patterns(*HIDDEN))
        return tree

    def _done(self, job: Job) -> Path:
        """Run a job to its end; the folder that it wrote. Raises Trouble with its last words."""
        try:
            self.executor.submit(job)
        except Refusal as refusal:
            raise Trouble(str(refusal)) from None
        while not (status := self.executor.status(job.name)).state.ended:
            self.executor.wait([job.name], 5.0)
        if status.state is not JobState.SUCCEEDED:
            log, _ = self.executor.log(job.name)
            last = log.decode("utf-8", "replace").strip().splitlines()[-15:]
            raise Failed("\n".join([f"{job.name} {status.state}: {status.reason}", *last]))
        return self.executor.output(job.name)

    def _packed(self, output: Path, package: Path, tree: Path, columns: list[tuple[str, str]]) -> Path:
        for path in collect(output):
            (package / path).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(output / path, package / path)
        copy_code(tree, package / "code")
        signature = {"columns": [{"name": name, "type": kind} for name, kind in columns]}
        (package / "signature.json").write_text(json.dumps(signature), encoding="utf-8")
        return package
