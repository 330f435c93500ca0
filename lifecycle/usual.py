"""How much the training data itself changes from one window to the next: drift means more than that.

Data that follows the seasons never looks like its own yearly profile in any one month. So when a version is made, every
window of its training data, as long as those that will be watched, is compared with the whole; the largest corrected
PSI that a column reaches there is what is usual for it, and an alarm asks for clearly more.
"""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from lifecycle.drift import Override, Profile, Watch, compare, profile
from lifecycle.project import Model

FILE = "usual.json"
WARN, ALARM = 1.2, 1.5  # times the most unusual window of the training data
SMALLEST = 50  # rows; a smaller window says little about what is usual


def keep_usual(package: Path, reference: Profile, rows: pa.Table, times: pa.ChunkedArray, length: timedelta) -> None:
    """Measure and keep what is usual. `rows` are the profiled columns, `times` when each row happened."""
    usual: dict[str, float] = {}
    for window in windows_of(rows, times, length):
        report = compare(reference, profile(window.to_batches(), like=reference))
        for column in report.columns:
            usual[column.name] = max(usual.get(column.name, 0.0), column.psi_corrected or 0.0)
    text = json.dumps(
        {"schema": 1, "window_hours": length / timedelta(hours=1), "psi": usual}, indent=1, sort_keys=True
    )
    (package / FILE).write_text(text + "\n", encoding="utf-8")


def windows_of(rows: pa.Table, times: pa.ChunkedArray, length: timedelta) -> Iterator[pa.Table]:
    """The table cut into windows of that length, from its first row on; small remainders are left out."""
    seconds = pc.divide(pc.cast(pc.cast(times, pa.timestamp("us")), pa.int64()), 1_000_000)
    first, last = pc.min(seconds).as_py(), pc.max(seconds).as_py()
    if first is None:
        return
    start = first
    while start <= last:
        stop = start + int(length.total_seconds())
        window = rows.filter(pc.and_(pc.greater_equal(seconds, start), pc.less(seconds, stop)))
        if window.num_rows >= SMALLEST:
            yield window
        start = stop


def watch_of(rules: Model, folder: Path, usual_rows: float | None = None) -> Watch:
    """The thresholds of the model's rules, raised for each column to what is usual for it, unless it has its own."""
    asked = rules.monitor
    path = folder / FILE
    usual: dict[str, float] = json.loads(path.read_text(encoding="utf-8"))["psi"] if path.is_file() else {}
    raised = {
        name: Override(max(asked.psi_warn, psi * WARN), max(asked.psi_alarm, psi * ALARM))
        for name, psi in usual.items()
    }
    for name, own in asked.columns.items():  # what the model's owners say of a column counts as it stands
        before = raised.get(name, Override(asked.psi_warn, asked.psi_alarm))
        alarm = own.psi_alarm or max(before.psi_alarm or asked.psi_alarm, own.psi_warn or 0)
        raised[name] = Override(min(own.psi_warn or before.psi_warn or asked.psi_warn, alarm), alarm)
    return Watch(
        psi_warn=asked.psi_warn,
        psi_alarm=asked.psi_alarm,
        ignore=asked.ignore,
        columns=raised,
        usual_rows=usual_rows,
    )


def as_times(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """A time column, stored as text or as timestamps, as timestamps in UTC."""
    if pa.types.is_timestamp(column.type):
        return pc.cast(column, pa.timestamp("us", tz=column.type.tz))
    return pa.chunked_array([[_moment(value) for value in column.to_pylist()]], type=pa.timestamp("us", tz="UTC"))


def _moment(value: object) -> datetime | None:
    if value is None:
        return None
    moment = datetime.fromisoformat(str(value))
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
