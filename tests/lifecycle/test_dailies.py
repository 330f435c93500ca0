"""Daily profiles: each row read once, any window a sum of days, whatever the requests lie in."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from lifecycle.arrivals import FileArrivals, LogArrivals
from lifecycle.dailies import Dailies, Recipe, end_of_day, straight, whole_days
from lifecycle.drift import Profile, compare, profile
from lifecycle.endpoints.predictions import PredictionLog
from lifecycle.troubles import BadData, NoSuchData

START = datetime(2026, 3, 1, tzinfo=UTC)
DAY = timedelta(days=1)


def table(rows: int, seed: int = 0, shift: float = 0.0) -> pa.Table:
    rng = np.random.default_rng(seed)
    kinds = rng.choice(["a", "b", None], rows)
    return pa.table({"x": rng.normal(shift, 1, rows), "kind": pa.array(kinds), "prediction": rng.normal(0, 2, rows)})


@pytest.fixture
def recipe() -> Recipe:
    return Recipe(profile(table(5000)), ("at",), sampled=True)


def put(log: PredictionLog, day: int, rows: int, version: str = "v1", seed: int = 1) -> None:
    made = table(rows, seed).to_pylist()
    answers = [row.pop("prediction") for row in made]
    log.append("m", START + day * DAY, f"r{day}{seed}", version, made, answers)


def plain(one: Profile) -> dict[str, object]:
    """A profile's counts, without the last digits of sums that depend on the order of adding."""
    made = {}
    for name, column in one.columns.items():
        kept = column.to_plain()
        kept = {key: round(value, 6) if isinstance(value, float) else value for key, value in kept.items()}
        made[name] = kept
    return {"rows": one.rows, "columns": made}


def test_a_window_is_the_sum_of_its_days_and_nothing_is_read_twice(tmp_path: Path, recipe: Recipe):
    log = PredictionLog(tmp_path / "log")
    for day in range(4):
        put(log, day, 100 + day, seed=day)
    dailies = Dailies(tmp_path / "profiles", recipe)
    arrivals = LogArrivals(log, "m", None, "v1")
    dailies.catch_up(arrivals)
    seen = dailies.window(START + DAY, START + 3 * DAY)
    assert seen is not None
    assert seen.profile.rows == 101 + 102
    direct = straight(arrivals, recipe, START + DAY, START + 3 * DAY)
    assert direct is not None
    assert plain(seen.profile) == plain(direct.profile)
    assert compare(recipe.reference, seen.profile).verdict == "CLEAN"

    put(log, 3, 50, seed=9)
    reads: list[tuple[str, str]] = []

    class Watched(LogArrivals):
        def read(self, piece: str, mark: str):  # type: ignore[no-untyped-def]
            reads.append((piece, mark))
            return LogArrivals.read(self, piece, mark)

    again = Dailies(tmp_path / "profiles", recipe)
    before = log.pieces("m")["2026-03-04.jsonl"]
    again.catch_up(Watched(log, "m", None, "v1"))
    assert [piece for piece, _ in reads] == ["2026-03-04.jsonl"]
    assert 0 < int(reads[0][1]) < before
    whole = again.window(START, START + 5 * DAY)
    assert whole is not None
    assert whole.profile.rows == 100 + 101 + 102 + 103 + 50
    assert again.span() == (START, START + 3 * DAY)


def test_only_the_watched_version_s_answers_count_as_its_answers(tmp_path: Path, recipe: Recipe):
    log = PredictionLog(tmp_path)
    put(log, 0, 100, "v1", seed=1)
    put(log, 0, 40, "v2", seed=2)
    dailies = Dailies(tmp_path / "profiles", recipe)
    dailies.catch_up(LogArrivals(log, "m", None, "v2"))
    seen = dailies.window(START, START + DAY)
    assert seen is not None
    assert (seen.profile.rows, seen.profile.columns["x"].rows, seen.profile.columns["prediction"].rows) == (
        140,
        140,
        40,
    )


@pytest.mark.parametrize("kind", ["parquet", "csv", "jsonl"])
def test_files_of_requests_that_were_scored_elsewhere(tmp_path: Path, recipe: Recipe, kind: str):
    tree = tmp_path / "tree" / "asked"
    tree.mkdir(parents=True)

    def write(name: str, first: datetime, rows: int, seed: int) -> None:
        times = [(first + timedelta(minutes=20 * place)).replace(tzinfo=None).isoformat() for place in range(rows)]
        made = table(rows, seed).append_column("at", pa.array(times))
        if kind == "parquet":
            pq.write_table(made, tree / f"{name}.parquet")
        elif kind == "csv":
            import pyarrow.csv as pa_csv

            pa_csv.write_csv(made, tree / f"{name}.csv")
        else:
            (tree / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in made.to_pylist()))

    write("first", START, 100, 1)
    arrivals = FileArrivals("asked/*", tmp_path / "tree", "at")
    dailies = Dailies(tmp_path / "profiles", recipe)
    dailies.catch_up(arrivals)
    assert dailies.window(START, START + DAY).profile.rows == 72  # type: ignore[union-attr]
    write("first", START, 80, 1)  # a file that is written anew is counted anew
    write("second", START, 30, 2)
    dailies.catch_up(arrivals)
    assert dailies.window(START, START + 2 * DAY).profile.rows == 80 + 30  # type: ignore[union-attr]
    kept = {path.stem for path in (tmp_path / "profiles").glob("*.profile")}
    named = json.loads((tmp_path / "profiles" / "index.json").read_text())["pieces"]
    assert kept == {name for one in named.values() for files in one["days"].values() for name in files}
    sample = dailies.window(START, START + 2 * DAY).sample  # type: ignore[union-attr]
    assert sample is not None
    assert sample.num_rows == 110


def test_files_by_the_day_in_their_names_and_nonsense(tmp_path: Path, recipe: Recipe):
    (tmp_path / "log-20260301.csv").write_text("x,kind,prediction\n1.0,a,0.5\n2.0,b,\n")
    dailies = Dailies(tmp_path / "profiles", recipe)
    dailies.catch_up(FileArrivals("log-*.csv", tmp_path, None))
    assert dailies.window(START, START + DAY).profile.rows == 2  # type: ignore[union-attr]
    (tmp_path / "nameless.csv").write_text("x\n1\n")
    with pytest.raises(BadData, match="no day in its name"):
        dailies.catch_up(FileArrivals("nameless.csv", tmp_path, None))
    with pytest.raises(BadData, match="has no column 'at'"):
        Dailies(tmp_path / "others", recipe).catch_up(FileArrivals("log-*.csv", tmp_path, "at"))
    with pytest.raises(BadData, match="there is no file missing"):
        dailies.catch_up(FileArrivals("missing/*.csv", tmp_path, None))
    with pytest.raises(BadData, match="must be a path inside the repository"):
        dailies.catch_up(FileArrivals("../../etc/*.csv", tmp_path, None))
    with pytest.raises(BadData, match="cannot be read from ftp"):
        dailies.catch_up(FileArrivals("ftp://host/x.csv", tmp_path, None))


def test_rows_without_a_time_are_in_no_window_and_are_counted(tmp_path: Path, recipe: Recipe):
    log = PredictionLog(tmp_path)
    rows = [{"x": 1.0, "at": "2026-03-01T10:00:00+02:00"}, {"x": 2.0, "at": "soon"}, {"x": 3.0}]
    log.append("m", START, "r", "v1", rows, [0.0, 0.0, 0.0])
    dailies = Dailies(tmp_path / "profiles", recipe)
    dailies.catch_up(LogArrivals(log, "m", "at", "v1"))
    assert dailies.window(START, START + DAY).profile.rows == 1  # type: ignore[union-attr]
    assert dailies.timeless() == 2
    assert dailies.span() == (START + timedelta(hours=8), START + timedelta(hours=8))


def test_days(tmp_path: Path):
    assert whole_days(START, START + DAY)
    assert not whole_days(START, START + timedelta(hours=5))
    assert end_of_day(START + timedelta(hours=5)) == START + DAY


def test_files_in_an_object_store_are_read_as_they_arrive(tmp_path: Path, recipe: Recipe):
    fsspec = pytest.importorskip("fsspec")
    store = fsspec.filesystem("memory")
    arrivals = FileArrivals("memory://asked/*.parquet", Path(), "at")
    dailies = Dailies(tmp_path / "profiles", recipe)
    with pytest.raises(NoSuchData, match="there is no parquet, CSV or JSON lines file"):
        dailies.catch_up(arrivals)

    def write(name: str, rows: int, seed: int) -> None:
        times = pa.array([START + timedelta(minutes=place) for place in range(rows)], pa.timestamp("us", tz="UTC"))
        with store.open(f"/asked/{name}.parquet", "wb") as file:
            pq.write_table(table(rows, seed).append_column("at", times), file)

    write("a", 100, 1)
    dailies.catch_up(arrivals)
    write("b", 50, 2)
    dailies.catch_up(arrivals)
    assert dailies.window(START, START + DAY).profile.rows == 150  # type: ignore[union-attr]
    store.rm("/asked", recursive=True)
