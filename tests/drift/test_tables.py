"""Files as people have them: kinds, packing, types that widen, and what cannot be read in a sentence."""

import contextlib
import gzip

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lifecycle import tables
from lifecycle.tables import TableError, read, source


@pytest.fixture
def write(tmp_path):
    def put(name, content):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    return put


ROWS = [{"a": 1, "b": "x"}, {"a": 2, "b": "y"}]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("t.csv", "a,b\n1,x\n2,y\n"),
        ("t.tsv", "a\tb\n1\tx\n2\ty\n"),
        ("bom.csv", "\ufeffa,b\n1,x\n2,y\n"),
        ("crlf.csv", "a,b\r\n1,x\r\n2,y\r\n"),
        ("t.jsonl", '{"a": 1, "b": "x"}\n{"a": 2, "b": "y"}\n'),
        ("t.csv.gz", gzip.compress(b"a,b\n1,x\n2,y\n", mtime=0)),
        ("t.jsonl.gz", gzip.compress(b'{"a": 1, "b": "x"}\n{"a": 2, "b": "y"}\n', mtime=0)),
    ],
)
def test_text_of_every_kind(write, name, content):
    assert read(write(name, content)).to_pylist() == ROWS


def test_parquet_a_folder_of_it_and_a_file_url(tmp_path):
    whole = pa.table({"a": range(1000), "b": ["x", "y"] * 500})
    pq.write_table(whole.slice(0, 500), tmp_path / "1.parquet", row_group_size=50)
    pq.write_table(whole.slice(500), tmp_path / "2.parquet", row_group_size=50)
    assert read(tmp_path).num_rows == 1000
    assert read(f"file://{tmp_path}/1.parquet", ["b"]).schema.names == ["b"]
    sample = source(tmp_path).sample(100)
    assert 50 <= sample.num_rows <= 200
    assert sample["a"].to_pylist()[-1] > 500  # from all over, not from the beginning


def test_wide_tables_are_profiled_in_slabs(tmp_path, monkeypatch):
    from lifecycle.drift import Profile, compare, files, profile_files

    rng = np.random.default_rng(0)
    whole = pa.table({f"x{at}": rng.normal(size=500) for at in range(30)} | {"c": ["a", "b"] * 250})
    pq.write_table(whole, tmp_path / "t.parquet")
    narrow = profile_files([source(tmp_path / "t.parquet")], exclude=["x3"])
    monkeypatch.setattr(files, "WIDE", 10)
    monkeypatch.setattr(files, "SLAB", 7)
    wide = profile_files([source(tmp_path / "t.parquet")], exclude=["x3"])
    assert wide.to_bytes() == narrow.to_bytes()
    window = profile_files([source(tmp_path / "t.parquet")] * 2, like=wide)
    assert (window.rows, window.extra) == (1000, ("x3",))
    assert compare(wide, window).verdict == "CLEAN"
    assert Profile.of(whole, like=wide).add(Profile.of(whole, like=wide)).rows == window.rows


def test_an_abandoned_reader_leaves_no_thread(tmp_path):
    import threading

    pq.write_table(pa.table({"a": np.arange(500_000)}), tmp_path / "t.parquet")
    rows = source(tmp_path / "t.parquet").batches()
    next(rows)
    rows.close()
    assert not [one for one in threading.enumerate() if one.name == "decode"]


def test_a_large_csv_is_streamed_and_its_types_hold_for_every_row(write, monkeypatch):
    monkeypatch.setattr(tables, "WHOLE", 0)
    monkeypatch.setattr(tables, "BLOCK", 200)
    lines = [f"{at},{at},{at}" for at in range(200)] + ["1.5,word,"] * 50
    path = write("t.csv", "\n".join(["a,b,c", *lines]))
    table = read(path)
    assert [str(field.type) for field in table.schema] == ["double", "string", "int64"]
    assert table["b"].to_pylist()[0] == "0"
    assert len(table) == 250


def test_empty_cells_are_missing_but_quoted_ones_are_text(write):
    assert read(write("t.csv", 'a,b\n,\n1,""\n')).to_pylist() == [{"a": None, "b": None}, {"a": 1, "b": ""}]


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("t.csv", "", "is empty"),
        ("t.csv", "  \n\n", "is empty"),
        ("t.csv", "città\né".encode("latin-1"), "not UTF-8"),
        ("t.csv", "a\n1\n".encode("utf-16"), "UTF-16"),
        ("t.csv", b"PK\x03\x04\x00\x00", "not a text file"),
        ("t.csv", "a,b\n1\n", "cannot be read"),
        ("t.csv", "a,a\n1,2\n", 'two columns "a"'),
        ("t.jsonl", '{"a": 1', "cannot be read"),
        ("t.jsonl", "[1, 2]\n", "cannot be read"),
        ("t.parquet", b"nothing of the kind", "cannot be read"),
        ("t.parquet", b"PAR1", "cannot be read"),
        ("t.csv.gz", b"not gzip", "cannot be read"),
        ("t.xlsx", b"PK", "of no kind that can be read"),
        ("late.csv", b"a\n" + b"x\n" * 40_000 + b"\xff\xfe\n", "UTF-8"),
    ],
)
def test_what_cannot_be_read_is_said_in_a_sentence(write, name, content, sentence):
    path = write(name, content)
    with pytest.raises(TableError, match=sentence) as told:
        read(path)
    assert path.name in str(told.value)
    assert "\n" not in str(told.value)
    assert str(told.value).endswith(".")


def test_what_is_not_there(tmp_path, write):
    with pytest.raises(TableError, match="There is no file"):
        read(tmp_path / "none.csv")
    with pytest.raises(TableError, match="no parquet file in the folder"):
        read(tmp_path)
    with pytest.raises(TableError, match='has no column "c"; it has a, b'):
        read(write("t.csv", "a,b\n1,2\n"), ["c"])
    with pytest.raises(TableError, match=r"needs the package fsspec|cannot be read|no file"):
        read("nowhere://x/t.csv")


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=200), st.sampled_from(["t.csv", "t.jsonl", "t.parquet", "t.csv.gz"]))
def test_any_bytes_are_read_or_refused(write, content, name):
    with contextlib.suppress(TableError):  # and nothing else
        assert isinstance(read(write(name, content)), pa.Table)
