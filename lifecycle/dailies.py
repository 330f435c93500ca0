"""Daily profiles of what a version was asked: every row is read once, and a window is the sum of its days.

In `folder`: an index (which pieces are read, how far, and the files of each day), profiles, and a sample of each day's
rows for estimates. Files are written before the index that names them, so a crash costs work and never counts twice.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4
from zlib import crc32

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from lifecycle.arrivals import Arrival, Arrivals, Times
from lifecycle.drift import Profile, profile
from lifecycle.endpoints.kept import Json, KeptJson

SAMPLE = 500  # rows of a day
CELLS = 3_000  # columns of days that may be counted in memory, some 32 KB each
MANY = 8  # files of a day that are added up when they are read
CHANCE = "_chance"


@dataclass(frozen=True, slots=True)
class Recipe:
    """How rows are counted: like `reference`, without the columns `leave_out`; `sampled` if single rows are wanted."""

    reference: Profile
    leave_out: tuple[str, ...] = ()
    sampled: bool = False

    @property
    def answers(self) -> frozenset[str]:
        """Columns that hold the model's own answers."""
        return frozenset(one.name for one in self.reference.columns.values() if one.role == "prediction")


@dataclass(frozen=True, slots=True)
class Seen:
    """What a stretch of time looked like."""

    profile: Profile
    sample: pa.Table | None = None

    def add(self, other: "Seen") -> "Seen":
        """Both together."""
        return Seen(self.profile.add(other.profile), _thinned([self.sample, other.sample]))


@dataclass(slots=True)
class Dailies:
    """The daily profiles in `folder`."""

    folder: Path
    recipe: Recipe
    _index: KeptJson = field(init=False)

    def __post_init__(self) -> None:
        self._index = KeptJson(self.folder / "index.json")

    def catch_up(self, arrivals: Arrivals) -> None:
        """Count what has arrived since the last time. Raises BadData."""
        with self._index.alone():
            for piece, mark in arrivals.pieces().items():
                known = self._pieces().get(piece)
                if known is None or known["mark"] != mark:
                    self._read(arrivals, piece, mark, known)

    def window(self, since: datetime, until: datetime) -> Seen | None:
        """The sum of the days from `since` (inclusive) to `until`; None if nothing was asked."""
        first, last = since.date().isoformat(), until.date().isoformat()
        found: Seen | None = None
        for one in self._pieces().values():
            for day, files in one["days"].items():
                if first <= day < last:
                    for name in files:
                        found = self._load(name) if found is None else found.add(self._load(name))
        return found

    def pieces_in(self, since: datetime, until: datetime) -> Sequence[str]:
        """The pieces that hold requests of these days."""
        first, last = since.date().isoformat(), until.isoformat()
        return [name for name, one in self._pieces().items() if any(first <= day <= last for day in one["days"])]

    def span(self) -> tuple[datetime, datetime] | None:
        """When the first and the last request happened."""
        known = [one for one in self._pieces().values() if one["first"]]
        if not known:
            return None
        first, last = min(one["first"] for one in known), max(one["last"] for one in known)
        return datetime.fromisoformat(f"{first}+00:00"), datetime.fromisoformat(f"{last}+00:00")

    def timeless(self) -> int:
        """Rows that nobody knows the time of, which are in no window."""
        return sum(one["timeless"] for one in self._pieces().values())

    def _pieces(self) -> Json:
        pieces: Json = (self._index.read() or {"pieces": {}})["pieces"]
        return pieces

    def _read(self, arrivals: Arrivals, piece: str, mark: str, known: Json | None) -> None:
        goes_on = known is not None and arrivals.grows
        entry: Json = {"mark": mark, "days": {}, "first": "", "last": "", "timeless": 0}
        if known is not None and goes_on:
            entry = {**known, "days": {day: list(files) for day, files in known["days"].items()}}
        days: dict[str, Seen] = {}
        for arrival in arrivals.read(piece, entry["mark"] if goes_on else ""):
            rng = np.random.default_rng(crc32(f"{piece}/{arrival.mark}/{len(entry['days'])}".encode()))
            for day, seen in counted(arrival, self.recipe, rng):
                days[day] = days[day].add(seen) if day in days else seen
            _note_times(entry, arrival.times)
            entry["mark"] = arrival.mark or mark
            if len(days) * len(self.recipe.reference.columns) > CELLS:
                self._keep(entry, days)
        self._keep(entry, days)
        before = {} if known is None else {name for files in known["days"].values() for name in files}
        self._index.write({"schema": 1, "pieces": {**self._pieces(), piece: entry}})
        for name in set(before) - {name for files in entry["days"].values() for name in files}:
            for path in self.folder.glob(f"{name}.*"):
                path.unlink(missing_ok=True)

    def _keep(self, entry: Json, days: dict[str, Seen]) -> None:
        """Write what was counted and forget it; days of many files become one."""
        for day, seen in days.items():
            files = entry["days"].setdefault(day, [])
            if len(files) >= MANY:
                for name in files:
                    seen = seen.add(self._load(name))  # noqa: PLW2901
                files.clear()
            name = uuid4().hex
            (self.folder / f"{name}.profile").write_bytes(seen.profile.to_bytes(level=1))
            if seen.sample is not None:
                pq.write_table(seen.sample, self.folder / f"{name}.parquet")
            files.append(name)
        days.clear()

    def _load(self, name: str) -> Seen:
        sample = self.folder / f"{name}.parquet"
        stored = (self.folder / f"{name}.profile").read_bytes()
        return Seen(Profile.from_bytes(stored), pq.read_table(sample) if sample.is_file() else None)


def counted(arrival: Arrival, recipe: Recipe, rng: np.random.Generator) -> Iterator[tuple[str, Seen]]:
    """Each day of a batch, counted."""
    days = arrival.times.astype("datetime64[D]")
    for day in np.unique(days[~np.isnat(days)]):
        yield str(day), seen_in(arrival, days == day, recipe, rng)


def seen_in(arrival: Arrival, chosen: Any, recipe: Recipe, rng: np.random.Generator) -> Seen:
    """Some rows of a batch, counted; answers are counted only where they are the watched version's own."""
    names = [name for name in arrival.rows.schema.names if name not in recipe.leave_out]
    features = [name for name in names if name not in recipe.answers]
    answers = [name for name in names if name in recipe.answers]
    at = np.flatnonzero(chosen)
    made = profile(arrival.rows.select(features).take(pa.array(at)), like=recipe.reference) if features else None
    own = at if arrival.own is None else at[arrival.own[at]]
    said = arrival.rows.select([*features, *answers]).take(pa.array(own))
    found = profile(said.select(answers), like=recipe.reference) if answers else None
    both = made.joined(found) if made and found else made or found or Profile(len(at), {})
    sample = None
    if recipe.sampled and len(said):
        table = pa.Table.from_batches([said]).append_column(CHANCE, pa.array(rng.random(len(said))))
        sample = _thinned([table])
    return Seen(replace(both, rows=len(at)), sample)


def _thinned(parts: Sequence[pa.Table | None]) -> pa.Table | None:
    """At most so many rows of all, those with the smallest random numbers: samples of samples are samples."""
    there = [part for part in parts if part is not None]
    if not there:
        return None
    try:
        whole = pa.concat_tables(there, promote_options="permissive")
    except (pa.ArrowException, TypeError):
        return there[0]  # kinds that do not fit: the profile names them
    days = SAMPLE * 40
    if whole.num_rows <= (SAMPLE if len(there) == 1 else days):
        return whole
    return whole.sort_by(CHANCE).slice(0, SAMPLE if len(there) == 1 else days)


def straight(arrivals: Arrivals, recipe: Recipe, since: datetime, until: datetime) -> Seen | None:
    """A window that does not begin and end with days, counted from the rows themselves."""
    start, stop = (np.datetime64(one.replace(tzinfo=None), "us") for one in (since, until))
    found: Seen | None = None
    rng = np.random.default_rng(0)
    for piece in arrivals.pieces():
        for arrival in arrivals.read(piece, ""):
            chosen = (arrival.times >= start) & (arrival.times < stop)
            if chosen.any():
                seen = seen_in(arrival, chosen, recipe, rng)
                found = seen if found is None else found.add(seen)
    return found


def whole_days(since: datetime, until: datetime) -> bool:
    """Whether a window begins and ends with days."""
    return all(one == datetime.combine(one.date(), datetime.min.time(), one.tzinfo) for one in (since, until))


def end_of_day(moment: datetime) -> datetime:
    """The first moment of the next day."""
    day: date = moment.date() + timedelta(days=1)
    return datetime.combine(day, datetime.min.time(), moment.tzinfo)


def _note_times(entry: Json, times: Times) -> None:
    known = times[~np.isnat(times)]
    entry["timeless"] += len(times) - len(known)
    if len(known):
        first, last = str(known.min()), str(known.max())
        entry["first"] = min(entry["first"] or first, first)
        entry["last"] = max(entry["last"], last)
