"""Which rows are held back, and what is said when data cannot be used."""

import gzip
import json
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq
import pytest

from lifecycle.holdout import BadData, Holdout, split
from lifecycle.project import Model

START = datetime.fromisoformat("2011-01-01")


def model(**more: object) -> Model:
    return Model.model_validate(
        {"task": "regression", "target": "y", "data": "data/*.parquet", "train": "python t.py"} | more
    )


def rows(count: int, start: int = 0) -> pa.Table:
    numbers = np.arange(start, start + count)
    return pa.table(
        {
            "when": [START + timedelta(hours=int(n)) for n in numbers],
            "x": numbers.astype(float) / 7,
            "kind": [f"k{n % 5}" for n in numbers],
            "n": numbers,
            "y": numbers * 2.0,
        }
    )


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    (tmp_path / "tree" / "data").mkdir(parents=True)
    return tmp_path / "tree"


def put(tree: Path, table: pa.Table, name: str = "a.parquet") -> None:
    pq.write_table(table, tree / "data" / name)


def ids(path: Path) -> list[int]:
    return pq.read_table(path).column("n").to_pylist()


def check_consistent(held: Holdout) -> None:
    train, everything = pq.read_table(held.train), pq.read_table(held.rows)
    kept, labels = pq.read_table(held.holdout), pq.read_table(held.labels)
    assert everything.num_rows == held.train_rows + held.holdout_rows
    assert everything.column_names == kept.column_names == list(held.columns)
    assert everything.slice(0, held.train_rows).equals(train.select(everything.column_names))
    assert everything.slice(held.train_rows).equals(kept)
    assert "y" not in kept.column_names
    assert labels.column_names == ["y"]
    assert labels.num_rows == kept.num_rows == held.holdout_rows


def test_the_last_fifth_in_time_is_held_back_whatever_the_order_in_the_file(tree, tmp_path):
    table = rows(100)
    put(tree, table.take(np.random.default_rng(1).permutation(100)))
    held = split(tree, model(time="when"), tmp_path / "cache")
    check_consistent(held)
    assert ids(held.train) == list(range(80))
    assert ids(held.holdout) == list(range(80, 100))
    assert pq.read_table(held.labels).column("y").to_pylist() == [n * 2.0 for n in range(80, 100)]
    assert held.train_span == ("2011-01-01T00:00:00", "2011-01-04T07:00:00")
    assert held.holdout_span == ("2011-01-04T08:00:00", "2011-01-05T03:00:00")
    assert held.columns == {"when": "timestamp[us]", "x": "double", "kind": "string", "n": "int64"}


def test_equal_times_stay_together(tree, tmp_path):
    table = rows(100)
    days = [START + timedelta(days=n // 15) for n in range(100)]
    put(tree, table.set_column(0, "when", pa.array(days)))
    held = split(tree, model(time="when"), tmp_path / "cache")
    assert ids(held.train) == list(range(75))
    assert held.holdout_rows == 25


def test_times_as_text_dates_or_numbers_do_as_well(tree, tmp_path):
    table = rows(50)
    texts = [moment.isoformat() + "Z" for moment in table.column("when").to_pylist()]
    for number, times in enumerate((pa.array(texts), table.column("n"), table.column("x"))):
        put(tree, table.set_column(0, "when", times))
        held = split(tree, model(time="when"), tmp_path / str(number))
        assert ids(held.holdout) == list(range(40, 50))


def test_without_time_a_row_stays_on_its_side_while_data_grows(tree, tmp_path):
    put(tree, rows(2000))
    before = split(tree, model(), tmp_path / "cache")
    check_consistent(before)
    assert 330 < before.holdout_rows < 470
    put(tree, rows(1000, start=2000), "b.parquet")
    after = split(tree, model(), tmp_path / "cache")
    assert set(ids(before.holdout)) == {n for n in ids(after.holdout) if n < 2000}
    assert after.data_version != before.data_version


def test_a_whole_number_column_that_becomes_float_moves_no_row(tree, tmp_path):
    table = rows(500)
    put(tree, table)
    before = split(tree, model(), tmp_path / "cache")
    put(tree, table.set_column(3, "n", table.column("n").cast(pa.float64())))
    after = split(tree, model(), tmp_path / "cache")
    assert ids(before.holdout) == ids(after.holdout)


def test_equal_rows_are_never_on_both_sides(tree, tmp_path):
    table = rows(300)
    put(tree, pa.concat_tables([table, table.set_column(4, "y", pa.array(np.zeros(300)))]))
    held = split(tree, model(), tmp_path / "cache")
    assert not set(ids(held.train)) & set(ids(held.holdout))


def test_the_split_is_the_same_on_every_machine(tree, tmp_path):
    """These rows were held back when this was written; a change here moves rows between training and exam."""
    table = rows(60).append_column("late", pa.array([None, True, False] * 20))
    put(tree, table)
    held = split(tree, model(), tmp_path / "cache")
    assert ids(held.holdout) == [0, 2, 12, 13, 20, 40, 49, 53, 58]


def test_csv_json_lines_and_zipped_files_read_alike(tree, tmp_path):
    table = rows(120)
    pa_csv.write_csv(table, tree / "data" / "a.csv")
    (tree / "data" / "b.csv.gz").write_bytes(gzip.compress((tree / "data" / "a.csv").read_bytes()))
    lines = [json.dumps({k: str(v) if k == "when" else v for k, v in row.items()}) for row in table.to_pylist()]
    (tree / "data" / "c.jsonl").write_text("\n".join(lines))
    for name in ("a.csv", "b.csv.gz", "c.jsonl"):
        held = split(tree, model(data=f"data/{name}", time="when"), tmp_path / "cache")
        assert ids(held.holdout) == list(range(96, 120)), name


def test_several_files_are_one_in_the_order_of_their_names(tree, tmp_path):
    put(tree, rows(50), "2011-01.parquet")
    put(tree, rows(50, start=50).drop_columns(["kind"]), "2011-02.parquet")
    held = split(tree, model(time="when"), tmp_path / "cache")
    assert ids(held.rows) == list(range(100))


def test_late_type_changes_in_a_large_csv_are_seen(tree, tmp_path):
    text = "x,y\n" + "".join(f"{n % 97},{n}\n" for n in range(200_000)) + "0.5,7\n"
    (tree / "data" / "a.csv").write_text(text)
    held = split(tree, model(data="data/a.csv"), tmp_path / "cache")
    assert held.columns == {"x": "double"}


def test_rows_without_target_or_time_are_dropped_and_counted(tree, tmp_path):
    table = rows(100)
    y = table.column("y").to_pylist()
    when = table.column("when").to_pylist()
    y[3], y[4], when[5] = None, float("nan"), None
    table = table.set_column(4, "y", pa.array(y, pa.float64(), from_pandas=False)).set_column(0, "when", pa.array(when))
    put(tree, table)
    held = split(tree, model(time="when"), tmp_path / "cache")
    assert held.dropped == 3
    assert held.train_rows + held.holdout_rows == 97


def test_categories_are_hashed_and_named_by_what_they_stand_for(tree, tmp_path):
    table = rows(200)
    put(tree, table)
    plain = split(tree, model(), tmp_path / "cache")
    put(tree, table.set_column(2, "kind", table.column("kind").dictionary_encode()))
    coded = split(tree, model(), tmp_path / "cache")
    assert ids(plain.holdout) == ids(coded.holdout)
    assert coded.columns["kind"] == "string"


def test_it_is_made_once_for_the_same_bytes_and_settings(tree, tmp_path):
    put(tree, rows(100))
    first = split(tree, model(), tmp_path / "cache")
    stamp = first.train.stat().st_mtime_ns
    again = split(tree, model(), tmp_path / "cache")
    assert again == first
    assert again.train.stat().st_mtime_ns == stamp
    other = split(tree, model(validate={"holdout": 0.4}), tmp_path / "cache")
    assert other.train != first.train
    assert not list((tmp_path / "cache").glob("making-*"))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"target": "z"}, "no column 'z', which is the target"),
        ({"time": "z"}, "no column 'z', which is the time"),
        ({"target": "kind"}, "a regression needs numbers"),
        ({"time": "kind"}, "cannot be read as times"),
        ({"data": "data/none.csv"}, "there is no file data/none.csv"),
        ({"data": "../secret.csv"}, "must be a path inside"),
        ({"data": "/etc/passwd"}, "must be a path inside"),
        ({"data": "file:///etc/passwd"}, "cannot be read from file://"),
        ({"data": "s3://bucket/x.parquet"}, "needs the package fsspec|cannot be read"),
        ({"data": "data/link.csv"}, "a link to somewhere outside"),
        ({"data": "data/text.txt"}, "of a kind that is not known"),
        ({"data": "data/broken.parquet"}, "broken.parquet cannot be read"),
        ({"data": "data/ragged.csv"}, "ragged.csv cannot be read"),
        ({"data": "data/pointer.csv"}, "Git LFS pointer"),
        ({"data": "data/nested.jsonl"}, "only numbers, texts and times"),
        ({"data": "data/same.csv"}, "only one value"),
        ({"data": "data/one.csv"}, "only 1 of 1 rows|too few"),
        ({"data": "data/alike.csv"}, "too few, or too alike"),
        ({"data": "data/twice.csv"}, "more than one column 'x'"),
        ({"data": "data/bare.csv"}, "no column to predict from"),
        ({"data": "data/empty.csv"}, "cannot be read"),
    ],
)
def test_what_cannot_be_used_is_said_in_a_sentence(tree, tmp_path, changes, words):
    put(tree, rows(50))
    data = tree / "data"
    (tmp_path / "secret.csv").write_text("x,y\n1,2\n")
    (data / "link.csv").symlink_to(tmp_path / "secret.csv")
    (data / "text.txt").write_text("x")
    (data / "broken.parquet.tmp").write_text("x")
    (data / "ragged.csv").write_text("x,y\n1,2\n1,2,3\n")
    (data / "pointer.csv").write_text("version https://git-lfs.github.com/spec/v1\noid sha256:0\n")
    (data / "nested.jsonl").write_text('{"x": [1], "y": 1}\n{"x": [2], "y": 2}\n')
    (data / "same.csv").write_text("x,y\n1,2\n2,2\n3,2\n")
    (data / "one.csv").write_text("x,y\n1,2\n")
    (data / "alike.csv").write_text("x,y\n1,2\n1,3\n1,4\n")
    (data / "twice.csv").write_text("x,x,y\n1,1,2\n1,2,3\n")
    (data / "bare.csv").write_text("y\n2\n3\n")
    (data / "empty.csv").write_text("")
    if "broken" in str(changes):
        (data / "broken.parquet").write_bytes(b"PAR1 not at all PAR1")
    with pytest.raises(BadData, match=words) as told:
        split(tree, model(**changes), tmp_path / "cache")
    assert "\n" not in str(told.value)
    assert not list((tmp_path / "cache").glob("*")) if (tmp_path / "cache").exists() else True
