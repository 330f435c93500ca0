"""The history that is replayed: all rows in the order of time, and the windows that it is cut into."""

import glob
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from lifecycle.datafiles import data_files, read
from lifecycle.project import Model
from lifecycle.reference import days_of
from lifecycle.troubles import BadData
from lifecycle.usual import as_times
from lifecycle.windows import length_of

MONTH = "month"


@dataclass(frozen=True, slots=True)
class History:
    """n rows with target and time, oldest first; `times` are their moments (UTC, microseconds)."""

    rows: pa.Table
    times: np.ndarray[tuple[int], np.dtype[np.datetime64]]

    def between(self, since: datetime, until: datetime) -> slice:
        """Which rows happened from `since` to before `until`."""
        edges = [np.datetime64(one.astimezone(UTC).replace(tzinfo=None), "us") for one in (since, until)]
        start, stop = np.searchsorted(self.times, edges)
        return slice(int(start), int(stop))

    def days(self, part: slice) -> list[str]:
        """The day of each of these rows."""
        return [str(day) for day in self.times[part].astype("datetime64[D]")]

    def windows(self, length: str) -> Sequence[tuple[datetime, datetime]]:
        """From the first row's day on, as long as there are rows; `month` for calendar months. Raises BadData."""
        first = self.times[0].item().replace(tzinfo=UTC, hour=0, minute=0, second=0, microsecond=0)
        last = self.times[-1].item().replace(tzinfo=UTC)
        step: timedelta | None
        try:
            step = None if length == MONTH else length_of(length)
        except ValueError as trouble:
            raise BadData(f"{trouble}, or month") from None
        found = []
        start = first.replace(day=1) if step is None else first
        while start <= last:
            stop = start + step if step else (start + timedelta(days=32)).replace(day=1)
            found.append((start, stop))
            start = stop
        return found


def read_history(where: Sequence[str], model: Model) -> History:
    """The rows of all files. Raises BadData with one sentence."""
    if model.time is None:
        raise BadData("A backtest needs to know when each row happened: name the column as `time` in lifecycle.yaml.")
    table = pa.concat_tables([_read(one) for one in where], promote_options="permissive")
    for name, role in ((model.target, "target"), (model.time, "time")):
        if name not in table.column_names:
            raise BadData(f"The data has no column {name!r}, the {role}; it has {', '.join(table.column_names[:20])}.")
    try:
        moments = as_times(table.column(model.time)).cast(pa.timestamp("us"))
    except (ValueError, pa.ArrowException) as trouble:
        raise BadData(f"The column {model.time!r} cannot be read as times: {str(trouble)[:200]}.") from None
    known = pc.and_(pc.is_valid(moments), pc.is_valid(table.column(model.target)))
    table, moments = table.filter(known), moments.filter(known)
    if not table.num_rows:
        raise BadData("No row of the data has both a time and a target.")
    order = pa.array(np.argsort(moments.to_numpy(), kind="stable"))
    return History(table.take(order), moments.take(order).to_numpy().astype("datetime64[us]"))


def _read(where: str) -> pa.Table:
    if "://" in where:
        with data_files(Path(), where) as files:
            return read(files)
    files = [Path(one) for one in sorted(glob.glob(where)) if Path(one).is_file()]
    if not files:
        raise BadData(f"There is no file {where}.")
    return read(files)


__all__ = ["MONTH", "History", "days_of", "read_history"]
