"""The prediction log: written by many at once, read back by window, torn lines and all."""

import json
import subprocess
import sys
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pytest

from lifecycle.endpoints.predictions import BATCH, PredictionLog, Reading

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)


@pytest.fixture
def log(tmp_path: Path) -> PredictionLog:
    return PredictionLog(tmp_path)


def put(log: PredictionLog, at: datetime, *rows: dict[str, object]) -> None:
    log.append("bikes", at, "r", "v1", rows, [number for number, _ in enumerate(rows)])


def column(batches: object, name: str) -> list[object]:
    return [value for batch in batches for value in batch.column(name).to_pylist()]  # type: ignore[attr-defined]


def test_a_window_by_arrival(log: PredictionLog):
    for day in range(5):
        put(log, NOON + day * DAY, {"n": day, "kind": f"k{day}"})
    batches = list(log.read("bikes", NOON + DAY, NOON + 3 * DAY))
    assert column(batches, "n") == [1, 2]
    assert batches[0].schema.names == ["n", "kind", "prediction"]
    assert log.latest("bikes") == NOON + 4 * DAY
    assert next(path.name for path in log.days("bikes")) == "2026-03-01.jsonl"


def test_a_line_tells_all(log: PredictionLog):
    log.append("bikes", NOON, "abc", "bikes.v3", [{"temp": 0.5}], [12.25])
    text = log.days("bikes")[0].read_text()
    assert json.loads(text) == {
        "at": "2026-03-01T12:00:00.000000+00:00",
        "request": "abc",
        "version": "bikes.v3",
        "row": {"temp": 0.5},
        "prediction": 12.25,
    }


def test_a_window_by_the_rows_own_time(log: PredictionLog):
    put(log, NOON, {"n": 0, "when": "2011-01-01T00:00:00"}, {"n": 1, "when": "2011-02-01 00:00:00"})
    put(log, NOON + DAY, {"n": 2, "when": "2011-01-31T23:59:59Z"}, {"n": 3, "when": "2011-02-01T00:30:00+01:00"})
    put(log, NOON + DAY, {"n": 4, "when": "not a time"}, {"n": 5})
    january = datetime(2011, 1, 1, tzinfo=UTC), datetime(2011, 2, 1, tzinfo=UTC)
    reading = Reading()
    assert column(log.read("bikes", *january, "when", reading), "n") == [0, 2, 3]
    assert reading.timeless == 2
    assert log.latest("bikes", "when") == datetime(2011, 2, 1, tzinfo=UTC)
    put(log, NOON + DAY, {"n": 6, "when": "2011-03-01"})
    assert log.latest("bikes", "when") == datetime(2011, 3, 1, tzinfo=UTC)
    assert column(log.read("bikes", *january, "when"), "n") == [0, 2, 3]
    put(log, NOON + DAY, {"n": 7, "when": "2011-01-15"})
    assert column(log.read("bikes", *january, "when"), "n") == [0, 2, 3, 7]


def test_nothing_yet(log: PredictionLog):
    assert log.latest("bikes") is None
    assert log.latest("bikes", "when") is None
    assert list(log.read("bikes", NOON, NOON + DAY)) == []
    put(log, NOON, {"x": 1})
    assert log.latest("bikes", "when") is None


def test_torn_lines_are_skipped_and_counted_and_spoil_no_other(log: PredictionLog):
    put(log, NOON, {"n": 0})
    path = log.days("bikes")[0]
    with path.open("ab") as file:
        file.write(b'{"at": "2026\n\xff\xfe\n[1]\n{"at": 1}\n{"at": "2026-03-01T12')
    later = PredictionLog(log.root)
    put(later, NOON + timedelta(hours=1), {"n": 1})
    reading = Reading()
    assert column(later.read("bikes", NOON, NOON + DAY, None, reading), "n") == [0, 1]
    assert reading.torn == 5


def test_a_line_still_being_written_is_left_for_later(log: PredictionLog):
    put(log, NOON, {"n": 0})
    path = log.days("bikes")[0]
    whole = path.read_bytes()
    path.write_bytes(whole + whole[:20])
    reading = Reading()
    assert column(log.read("bikes", NOON, NOON + DAY, None, reading), "n") == [0]
    assert reading.torn == 0
    assert log.latest("bikes") == NOON
    path.write_bytes(whole + whole)
    assert column(log.read("bikes", NOON, NOON + DAY), "n") == [0, 0]


def test_many_batches_stream(log: PredictionLog):
    for start in range(0, 2 * BATCH + 5, 5000):
        put(log, NOON, *({"n": n} for n in range(start, min(start + 5000, 2 * BATCH + 5))))
    batches = log.read("bikes", NOON, NOON + DAY)
    assert next(batches).num_rows == BATCH
    assert [batch.num_rows for batch in batches] == [BATCH, 5]


def test_types_of_columns(log: PredictionLog):
    put(
        log,
        NOON,
        {
            "whole": 1,
            "mixed": 1,
            "flag": True,
            "text": "a",
            "odd": [1, {"x": 2}],
            "both": "a",
            "big": 2**63,
            "none": None,
        },
        {"whole": None, "mixed": 0.5, "flag": False, "text": None, "odd": None, "both": 2, "big": -1, "extra": 1},
    )
    (batch,) = log.read("bikes", NOON, NOON + DAY)
    types = {name: str(batch.schema.field(name).type) for name in batch.schema.names}
    assert types == {
        "whole": "int64",
        "mixed": "double",
        "flag": "bool",
        "text": "string",
        "odd": "string",
        "both": "string",
        "big": "double",
        "none": "null",
        "prediction": "int64",
        "extra": "int64",
    }
    assert batch.column("odd").to_pylist() == ['[1,{"x":2}]', None]
    assert batch.column("both").to_pylist() == ["a", "2"]
    assert batch.column("whole").to_pylist() == [1, None]
    assert isinstance(batch, pa.RecordBatch)


WRITER = """
import sys
from datetime import datetime, UTC
from pathlib import Path
from lifecycle.endpoints.predictions import PredictionLog
log = PredictionLog(Path(sys.argv[1]))
for n in range(300):
    rows = [{"n": n, "text": "x" * 200}] * 7
    log.append("bikes", datetime(2026, 3, 1, 12, tzinfo=UTC), sys.argv[2], "v", rows, [1] * 7)
"""


def test_threads_and_processes_do_not_tear_each_others_lines(log: PredictionLog):
    argv = [sys.executable, "-c", WRITER, str(log.root)]
    others = [subprocess.Popen([*argv, str(number)]) for number in range(2)]

    def write() -> None:
        for _ in range(300):
            put(log, NOON, *[{"n": 1, "text": "y" * 200}] * 7)

    threads = [threading.Thread(target=write) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [other.wait() for other in others] == [0, 0]
    reading = Reading()
    assert len(column(log.read("bikes", NOON, NOON + DAY, None, reading), "n")) == 5 * 300 * 7
    assert reading.torn == 0


def test_only_one_file_per_model_is_kept_open(log: PredictionLog):
    for day in range(50):
        put(log, NOON + day * DAY, {"n": day})
    assert len(log._files) == 1


def test_names_that_would_leave_the_folder(log: PredictionLog):
    for name in ("", "../x", "a/b", ".x"):
        with pytest.raises(ValueError, match="not the name"):
            log.append(name, NOON, "r", "v", [{}], [1])
