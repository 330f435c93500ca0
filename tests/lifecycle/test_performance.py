"""How well a model did: labels looked up by request and by key, and estimates without labels."""

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from lifecycle.estimating import estimated_loss
from lifecycle.labels import LabelLog, NoLabels, in_table, plain_key
from lifecycle.verdicts import Interval, Verdict, expected

NOW = datetime(2026, 3, 1, tzinfo=UTC)


def test_what_was_sent_last_counts(tmp_path: Path):
    log = LabelLog(tmp_path)
    assert log.read("m") == {}
    log.append("m", NOW, b'{"labels": [{"request": "a", "label": 1}, {"request": "a", "row": 1, "label": 2}]}')
    log.append("m", NOW, b'{"labels": [{"key": "2026-03-01T08:00:00Z", "label": "yes"}, {"request": "a", "label": 3}]}')
    assert log.read("m") == {"a/1": 2, "2026-03-01T08:00:00": "yes", "a/0": 3}
    with (tmp_path / "labels" / "m.jsonl").open("ab") as file:
        file.write(b'{"at": "torn')
    assert len(log.read("m")) == 3


@pytest.mark.parametrize(
    "body",
    [
        *(
            b"",
            b"[]",
            b"{}",
            b'{"labels": []}',
            b'{"labels": [{"label": 1}]}',
            b'{"labels": [{"request": "a"}]}',
            b"\xff",
        ),
        *(b'{"labels": [{"request": "a", "key": "b", "label": 1}]}', b'{"labels": [{"request": "a", "label": {}}]}'),
        *(b'{"labels": [{"request": "a", "row": -1, "label": 1}]}', b'{"labels": ' + b"[" * 5000),
    ],
)
def test_nonsense_is_refused_with_a_sentence(tmp_path: Path, body: bytes):
    with pytest.raises(NoLabels):
        LabelLog(tmp_path).append("m", NOW, body)
    assert LabelLog(tmp_path).read("m") == {}


def test_keys_are_the_same_however_they_are_written():
    moment = datetime(2026, 3, 1, 8, tzinfo=UTC)
    assert {
        plain_key(one) for one in (moment, "2026-03-01T08:00:00+00:00", "2026-03-01 08:00", "2026-03-01T09:00:00+01:00")
    } == {"2026-03-01T08:00:00"}
    assert (plain_key(7), plain_key(7.0), plain_key("seven")) == ("7", "7", "seven")
    assert in_table([1, None, 3], [0.5, 1.0, None]) == {"1": 0.5}


def test_an_estimate_sees_harder_rows(tmp_path: Path):
    rng = np.random.default_rng(0)
    x = rng.uniform(0, 1, 1000)
    known = pa.table({"x": x, "prediction": x, "label": x + rng.normal(0, 0.1 + x, 1000)})
    pq.write_table(known, tmp_path / "known.parquet")
    hard = pa.table({"x": np.full(300, 0.95), "prediction": np.full(300, 0.95)})
    found = estimated_loss(tmp_path / "known.parquet", hard, "mae")
    assert found is not None
    assert found.low < 0.84 < found.high
    reference = Interval(0.48, 0.45, 0.51)
    verdict = expected(found, reference, metric="mae", rows=300)
    assert verdict.verdict is Verdict.FAIL
    assert verdict.reason.startswith("Estimated without labels: ")
    assert (
        estimated_loss(tmp_path / "known.parquet", pa.table({"prediction": pa.array([], pa.float64())}), "mae") is None
    )
