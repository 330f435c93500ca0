"""What the stages work with: a frozen set of tools, and the words in which a stage reports."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lifecycle.endpoints import Endpoint, RequestLog
from lifecycle.executors import Executor, Job, Limits
from lifecycle.fingerprints import Fingerprints
from lifecycle.hosts import ALONE, Hosts
from lifecycle.joblogs import JobLogs
from lifecycle.labels import LabelLog
from lifecycle.project import FILE, Model, Project, read_project
from lifecycle.registry import Registry
from lifecycle.runs import Run, Stage, Value
from lifecycle.source import Source
from lifecycle.store import Store
from lifecycle.troubles import Trouble
from lifecycle.watching import Watching
from lifecycle.workspace import Workspaces

if TYPE_CHECKING:
    from lifecycle.holdout import Holdout


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a stage found: a note of a few words, and facts as JSON."""

    note: str
    result: Mapping[str, Any] = field(default_factory=dict)
    verdict: str = ""


@dataclass(frozen=True, slots=True)
class Shop:
    """The tools. `root` is the state folder; `source` says where a project's repository is."""

    root: Path
    store: Store
    registry: Registry
    watching: Watching
    fingerprints: Fingerprints
    workspaces: Workspaces
    executor: Executor
    endpoint: Endpoint
    requests: RequestLog
    source: Callable[[str], Source]
    now: Callable[[], datetime]
    at_once: int  # runs that may work at the same time on this machine
    most: Limits  # no model gets more than the house allows, whatever its repository asks
    logs: JobLogs
    labels: LabelLog
    hosts: Hosts = ALONE

    def folder(self, run: Run) -> Path:
        """Where the run keeps its own files."""
        folder = self.root / "runs" / str(run.id)
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def tree(self, run: Run) -> Path:
        """The checkout of the run's commit."""
        return self.workspaces.checkout(self.source(run.spec.project), run.spec.commit)

    def recipe(self, run: Run) -> Model:
        """How the run's own commit says that the model is trained."""
        text = (self.tree(run) / FILE).read_bytes() if (self.tree(run) / FILE).is_file() else None
        return _section(text, run, f"{FILE} at {run.spec.commit[:8]}")

    def rules(self, run: Run) -> Model:
        """How the model is judged and watched: read from the default branch, so that no change grades itself.

        A model that is new in the change has no rules yet on the default branch; then its own are used.
        """
        commit = str(run.spec.options.get("policy", "")) or run.spec.commit
        text = self.workspaces.read(self.source(run.spec.project), commit, FILE)
        if text is None or run.spec.model not in _parsed(text, FILE).models:
            return self.recipe(run)
        return _section(text, run, FILE)

    def holdout(self, run: Run) -> "Holdout":
        """The run's data, split into what training may see and what is held back."""
        from lifecycle.holdout import split  # loads Arrow, which only working processes need

        return split(self.tree(run), self.rules(run), self.root / "data")

    def limits(self, model: Model) -> Limits:
        """What a job of this model may use."""
        return Limits(
            memory_mb=min(model.limits.memory_mb, self.most.memory_mb),
            seconds=min(model.limits.minutes * 60, self.most.seconds),
            file_mb=self.most.file_mb,
            disk_mb=self.most.disk_mb,
            processes=self.most.processes,
        )


def job_name(run: Run, stage: Stage, part: str, attempt: int) -> str:
    """The natural name of a job: the same whoever asks for it, and however often."""
    return f"run-{run.id}-{stage}-{part}-{attempt}"


def serving_name(project: str, model: str) -> str:
    """What an endpoint calls a model."""
    return f"{project.replace('/', '.')}.{model}"


def part_of(jobs: Mapping[str, str], part: str) -> str:
    """The name of that part's job. Raises Trouble."""
    if part not in jobs:
        raise Trouble(f"The run has no {part} job.")
    return jobs[part]


def full_parameters(recipe: Model, run: Run) -> Mapping[str, Value]:
    """The parameters of training: the repository's, overridden by what was asked."""
    return {**recipe.params, **run.spec.params}


def params_json(recipe: Model, run: Run) -> str:
    """The same as the training job gets them."""
    return json.dumps(full_parameters(recipe, run), sort_keys=True)


def requirements_of(tree: Path, recipe: Model) -> str:
    """The text of the model's requirements file. Raises Trouble."""
    path = (tree / recipe.requirements).resolve()
    if not path.is_relative_to(tree.resolve()) or not path.is_file():
        raise Trouble(f"The repository has no file {recipe.requirements}; `requirements` in {FILE} names it.")
    return path.read_text(encoding="utf-8", errors="replace")


def _parsed(text: bytes, where: str) -> Project:
    return read_project(text.decode("utf-8", errors="replace"), where)


def _section(text: bytes | None, run: Run, where: str) -> Model:
    if text is None:
        raise Trouble(f"There is no {where}; it says which models the repository has and how they are trained.")
    models = _parsed(text, where).models
    if run.spec.model not in models:
        raise Trouble(f"{where} has no model {run.spec.model}; it has {', '.join(sorted(models))}.")
    return models[run.spec.model]


__all__ = [
    "Job",
    "Outcome",
    "Shop",
    "Trouble",
    "full_parameters",
    "job_name",
    "params_json",
    "part_of",
    "requirements_of",
    "serving_name",
]
