"""The machine-learning lifecycle: train, package, validate, deploy, monitor, retrain; knows no platform.

These are the public names; the rest of the package is nobody's business outside. They are imported when first asked
for, so that a process which only needs one of them stays small.
"""

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lifecycle.artifacts import Artifacts, OutOfReach
    from lifecycle.backtest import Asked, Failed, as_json, as_table, replay
    from lifecycle.database import NewerDatabase, connect, migrate
    from lifecycle.drift import Alarm, DriftReport
    from lifecycle.endpoints import Answer
    from lifecycle.endpoints.local import LocalEndpoint
    from lifecycle.endpoints.predictions import PredictionLog
    from lifecycle.endpoints.shared import SharedLog
    from lifecycle.episodes import Size
    from lifecycle.executors import Executor, JobStatus, Limits, Used
    from lifecycle.executors.local import LocalExecutor
    from lifecycle.fencing import Overtaken
    from lifecycle.fingerprints import Fingerprint, Fingerprints
    from lifecycle.hosts import Hosts
    from lifecycle.joblogs import JobLogs
    from lifecycle.labels import LabelLog
    from lifecycle.numbering import skip_numbers
    from lifecycle.pointing import Pointer
    from lifecycle.project import FILE, Mistake, Mistakes, Model, Project, metric_names, read_project
    from lifecycle.registry import Champion, Registry, Version
    from lifecycle.reports import report_document
    from lifecycle.retention import Keep, Retention
    from lifecycle.runs import (
        Begin,
        Conclude,
        Finish,
        Kind,
        Move,
        Observed,
        PutBack,
        Rest,
        Run,
        Spec,
        Stage,
        StageRecord,
        StageState,
        State,
        Stop,
        Value,
        Wait,
        next_move,
        plan,
    )
    from lifecycle.schema import Utc
    from lifecycle.service import Lifecycle
    from lifecycle.shop import Shop, serving_name
    from lifecycle.source import Source
    from lifecycle.store import Filter, NoSuchRun, Store
    from lifecycle.troubles import Trouble
    from lifecycle.verdicts import METRICS, Check, Comparison, Judgement, Margin, Verdict, misfit
    from lifecycle.watching import Episode, Outcome, Watching, Window
    from lifecycle.windows import length_of, read_window
    from lifecycle.workspace import GitTrouble, GitUnreachable, Workspaces

_HOME = {
    "backtest": ("Asked", "Failed", "as_json", "as_table", "replay"),
    "database": ("NewerDatabase", "connect", "migrate"),
    "drift": ("Alarm", "DriftReport"),
    "endpoints": ("Answer",),
    "endpoints.local": ("LocalEndpoint",),
    "endpoints.predictions": ("PredictionLog",),
    "executors": ("Executor", "JobStatus", "Limits", "Used"),
    "executors.local": ("LocalExecutor",),
    "fingerprints": ("Fingerprint", "Fingerprints"),
    "artifacts": ("Artifacts", "OutOfReach"),
    "endpoints.shared": ("SharedLog",),
    "joblogs": ("JobLogs",),
    "fencing": ("Overtaken",),
    "hosts": ("Hosts",),
    "labels": ("LabelLog",),
    "numbering": ("skip_numbers",),
    "pointing": ("Pointer",),
    "project": ("FILE", "Mistake", "Mistakes", "Model", "Project", "metric_names", "read_project"),
    "registry": ("Champion", "Registry", "Version"),
    "reports": ("report_document",),
    "retention": ("Keep", "Retention"),
    "runs": ("Begin", "Conclude", "Finish", "Kind", "Move", "Observed", "PutBack", "Rest", "Run", "Spec", "Stage",
             "StageRecord", "StageState", "State", "Stop", "Value", "Wait", "next_move", "plan"),
    "schema": ("Utc",),
    "service": ("Lifecycle",),
    "shop": ("Shop", "serving_name"),
    "troubles": ("Trouble",),
    "source": ("Source",),
    "windows": ("length_of", "read_window"),
    "store": ("Filter", "NoSuchRun", "Store"),
    "verdicts": ("METRICS", "Check", "Comparison", "Judgement", "Margin", "Verdict", "misfit"),
    "watching": ("Episode", "Outcome", "Watching", "Window"),
    "episodes": ("Size",),
    "workspace": ("GitTrouble", "GitUnreachable", "Workspaces"),
}  # fmt: skip
_MODULE = {name: module for module, names in _HOME.items() for name in names}

__all__ = [
    "FILE",
    "METRICS",
    "Alarm",
    "Answer",
    "Artifacts",
    "Asked",
    "Begin",
    "Champion",
    "Check",
    "Comparison",
    "Conclude",
    "DriftReport",
    "Episode",
    "Executor",
    "Failed",
    "Filter",
    "Fingerprint",
    "Fingerprints",
    "Finish",
    "GitTrouble",
    "GitUnreachable",
    "Hosts",
    "JobLogs",
    "JobStatus",
    "Judgement",
    "Keep",
    "Kind",
    "LabelLog",
    "Lifecycle",
    "Limits",
    "LocalEndpoint",
    "LocalExecutor",
    "Margin",
    "Mistake",
    "Mistakes",
    "Model",
    "Move",
    "NewerDatabase",
    "NoSuchRun",
    "Observed",
    "OutOfReach",
    "Outcome",
    "Overtaken",
    "Pointer",
    "PredictionLog",
    "Project",
    "PutBack",
    "Registry",
    "Rest",
    "Retention",
    "Run",
    "SharedLog",
    "Shop",
    "Size",
    "Source",
    "Spec",
    "Stage",
    "StageRecord",
    "StageState",
    "State",
    "Stop",
    "Store",
    "Trouble",
    "Used",
    "Utc",
    "Value",
    "Verdict",
    "Version",
    "Wait",
    "Watching",
    "Window",
    "Workspaces",
    "as_json",
    "as_table",
    "connect",
    "length_of",
    "metric_names",
    "migrate",
    "misfit",
    "next_move",
    "plan",
    "read_project",
    "read_window",
    "replay",
    "report_document",
    "serving_name",
    "skip_numbers",
]


def __getattr__(name: str) -> object:
    if name not in _MODULE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_MODULE[name]}"), name)
