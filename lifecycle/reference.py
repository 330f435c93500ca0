"""What monitoring compares with, kept with a version when it is made: a profile, what is usual, how good it was."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from lifecycle.drift import Profile
from lifecycle.holdout import Holdout
from lifecycle.jobs import Predictions
from lifecycle.project import Model
from lifecycle.usual import as_times, keep_usual
from lifecycle.verdicts import Cbpe, Interval, measure
from lifecycle.windows import length_of

PROFILE, MEASURED = "profile.bin", "measured.json"
MOST_KNOWN = 5_000  # held-back rows from which a second model learns how large errors are
PROBABILITY = "probability_"


@dataclass(frozen=True, slots=True)
class Measured:
    """How the version did on its held-back rows: metrics with intervals, and how true its probabilities were."""

    rows: int = 0
    metrics: Mapping[str, Interval] = field(default_factory=dict)
    cbpe: Cbpe | None = None
    positive: str = ""

    @classmethod
    def read(cls, package: Path) -> "Measured":
        """What the version's folder says; nothing for a version that was made before this was kept."""
        if not (package / MEASURED).is_file():
            return cls()
        plain: dict[str, Any] = json.loads((package / MEASURED).read_text(encoding="utf-8"))
        metrics = {name: Interval(**one) for name, one in plain["metrics"].items()}
        cbpe = Cbpe.from_plain(plain["cbpe"]) if plain["cbpe"] else None
        return cls(plain["rows"], metrics, cbpe, plain["positive"])


def keep_reference(package: Path, known: Path, data: Holdout, predictions: Predictions, rules: Model) -> None:
    """Everything, from the predictions of all rows. What tells of single rows goes to `known`, not to the package."""
    rows = pq.read_table(data.rows)
    times = as_times(rows.column(rules.time)) if rules.time and _has_days(rows.column(rules.time)) else None
    table = rows.drop_columns(left_out(rules, rows.column_names))
    for name in predictions.table.column_names:
        table = table.append_column(name, predictions.table.column(name))
    reference = Profile.of(table)
    (package / PROFILE).write_bytes(reference.to_bytes())
    if times is not None:
        keep_usual(package, reference, table, times, length_of(rules.monitor.window))
    held = table.slice(data.train_rows)
    labels = pq.read_table(data.labels).column(rules.target)
    _keep_measured(package, rules, predictions.tail(data.holdout_rows).table, labels, days_of(times, data.train_rows))
    if rules.task == "regression":
        step = -(-held.num_rows // MOST_KNOWN)
        thinned = held.append_column("label", labels).take(pa.array(range(0, held.num_rows, step)))
        known.parent.mkdir(parents=True, exist_ok=True)
        pq.write_table(thinned, known)


def _has_days(column: pa.ChunkedArray) -> bool:
    """Whether the time column holds moments or days; numbers (a year, a step) order rows and have no windows."""
    kind = column.type
    return not (pa.types.is_integer(kind) or pa.types.is_floating(kind))


def left_out(rules: Model, names: list[str]) -> list[str]:
    """Columns that are not watched because the model's rules say so."""
    return [name for name in (rules.time, rules.target, rules.monitor.key, *rules.monitor.ignore) if name in names]


def days_of(times: pa.ChunkedArray | None, start: int = 0) -> list[str] | None:
    """The day of each row, as text: rows of one day depend on each other."""
    return None if times is None else [f"{one:%Y-%m-%d}" if one else "" for one in times.slice(start).to_pylist()]


def metrics_of(rules: Model) -> tuple[str, ...]:
    """What is measured: the metric that decides, and those that can be estimated without labels."""
    extra = ("mae",) if rules.task == "regression" else ("auc", "logloss", "accuracy")
    return tuple(dict.fromkeys((rules.metric, *extra)))


def _keep_measured(package: Path, rules: Model, answers: pa.Table, labels: pa.ChunkedArray, days: object) -> None:
    positive = rules.validate_.positive
    metrics: dict[str, Any] = {}
    for name in metrics_of(rules):
        try:
            metrics[name] = asdict(measure(labels, answers, name, groups=days, positive=positive))
        except ValueError:
            continue  # not defined for these rows or answers
    cbpe, name = _calibrated(rules, answers, labels)
    plain = {"schema": 1, "rows": len(labels), "metrics": metrics, "cbpe": cbpe, "positive": name}
    (package / MEASURED).write_text(json.dumps(plain, indent=1, sort_keys=True) + "\n", encoding="utf-8")


def _calibrated(rules: Model, answers: pa.Table, labels: pa.ChunkedArray) -> tuple[dict[str, Any] | None, str]:
    """How true the probabilities of two classes are, and which column holds that of the positive one."""
    names = [name for name in answers.column_names if name.startswith(PROBABILITY)]
    if len(names) != 2:
        return None, ""
    wanted = f"{PROBABILITY}{rules.validate_.positive}"
    name = wanted if wanted in names else max(names)
    try:
        found = Cbpe.fit(labels, answers.column(name), name.removeprefix(PROBABILITY))
    except ValueError:
        return None, ""
    return found.to_plain(), name
