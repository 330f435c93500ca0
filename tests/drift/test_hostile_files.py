"""Files as they really are: text that looks like numbers, names twice, indexes, semicolons; outputs that do harm."""

import gzip
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.drift.program import run

ROWS = 2000


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def as_program(words, **options):
    command = [sys.executable, "-m", "lifecycle", *words]
    return subprocess.run(command, stderr=subprocess.PIPE, text=True, check=False, timeout=60, **options)


def put(name, **columns):
    table = pa.table(columns)
    if name.endswith(".parquet"):
        pq.write_table(table, name)
    else:
        rows = zip(*(["" if one is None else str(one) for one in column.to_pylist()] for column in table), strict=True)
        lines = [",".join(table.schema.names), *(",".join(row) for row in rows)]
        Path(name).write_text("\n".join(lines) + "\n")


def words_like_numbers(seed):
    rng = np.random.default_rng(seed)
    return {
        "zip": rng.choice(["01234", "00501", "94103"], ROWS),
        "flag": rng.choice(["True", "False"], ROWS),
        "version": rng.choice(["1.0", "2.0", "3.5"], ROWS),
        "at": rng.choice(["12:30", "13:45"], ROWS),
        "day": rng.choice(["2026-01-01", "2026-01-02"], ROWS),
        "truth": rng.random(ROWS) < 0.3,
        "mixed": rng.choice(["True", "False", "maybe"], ROWS),
        "x": rng.normal(size=ROWS),
    }


@pytest.mark.parametrize("large", [False, True])
def test_text_that_looks_like_numbers_stays_text_in_csv(capsys, monkeypatch, large):
    put("train.parquet", **words_like_numbers(1))
    put("window.csv", **words_like_numbers(2))
    if large:
        monkeypatch.setattr("lifecycle.tables.WHOLE", 0)
    assert run(capsys, "profile", "train.parquet", "--out", "p")[0] == 0
    code, out, _ = run(capsys, "drift", "p", "window.csv", "--json")
    assert (code, [one["reason"] for one in json.loads(out)["columns"] if one["verdict"] != "CLEAN"]) == (0, [])


def test_truths_are_the_same_however_they_are_written(capsys):
    rng = np.random.default_rng(0)
    truths = {name: rng.random(ROWS) < 0.3 for name in ("a", "b")}
    words = {name: np.where(column, "True", "False") for name, column in truths.items()}
    put("truths.parquet", **truths)
    put("words.parquet", **words)
    put("words.csv", **words)
    put("ones.csv", **{name: column.astype(int) for name, column in truths.items()})
    tables = ("truths.parquet", "words.parquet", "words.csv", "ones.csv")
    for train in tables[:3]:
        assert run(capsys, "profile", train, "--out", "p")[0] == 0
        assert [run(capsys, "drift", "p", window)[0] for window in tables] == [0, 0, 0, 0]


def test_csv_with_semicolons_and_decimal_commas(capsys):
    rng = np.random.default_rng(1)
    values = rng.normal(size=(2, ROWS))
    lines = [f"{one:.4f};{two:.4f};a,b".replace(".", ",") for one, two in values.T]
    Path("german.csv").write_text("\n".join(["x;y;c", *lines]) + "\n", encoding="utf-8-sig")
    Path("plain.csv").write_text("\n".join(["x,y,c", *(f'{one:.4f},{two:.4f},"a,b"' for one, two in values.T)]) + "\n")
    code, out, _ = run(capsys, "profile", "german.csv", "--out", "p")
    assert (code, out) == (0, f"p: {ROWS:,} rows, 3 columns watched.\n")
    code, out, _ = run(capsys, "drift", "p", "plain.csv", "--json")
    assert code == 0
    assert {one["name"]: one["kind"] for one in json.loads(out)["columns"]} == {
        "x": "numeric", "y": "numeric", "c": "category",
    }  # fmt: skip
    assert max(one["psi"] for one in json.loads(out)["columns"]) == 0
    Path("one.csv").write_text('"a;b"\n' + "".join(f"{one}\n" for one in values[0]))
    assert "1 columns watched" in run(capsys, "profile", "one.csv", "--out", "q")[1]


def test_a_table_with_a_name_twice_is_refused(capsys):
    put("train.parquet", x=np.random.default_rng(0).normal(size=ROWS))
    run(capsys, "profile", "train.parquet", "--out", "p")
    twice = pa.table([pa.array(np.zeros(ROWS)), pa.array(np.ones(ROWS))], names=["x", "x"])
    pq.write_table(twice, "twice.parquet")
    for words in (["profile", "twice.parquet", "--out", "q"], ["drift", "p", "twice.parquet"]):
        code, out, err = run(capsys, *words)
        assert (code, out) == (2, "")
        assert err.endswith('twice.parquet has two columns "x".\n')


def test_the_index_of_a_data_frame_is_no_feature(capsys):
    rng = np.random.default_rng(0)
    for name, index in (("train.parquet", rng.permutation(ROWS)), ("window.parquet", 90_000 + np.arange(ROWS))):
        put(name, x=rng.normal(size=ROWS), __index_level_0__=index, **{"": index, "Unnamed: 0": index})
    _, out, _ = run(capsys, "profile", "train.parquet", "--out", "p")
    assert "1 columns watched" in out
    assert "Not watched: __index_level_0__ (the table's index)." in out
    assert run(capsys, "drift", "p", "window.parquet")[0] == 0


def test_a_profile_that_watches_nothing_is_none(capsys):
    put("train.parquet", when=pa.array([1] * ROWS, pa.timestamp("s")))
    code, out, err = run(capsys, "profile", "train.parquet", "--out", "p")
    assert (code, out) == (2, "")
    assert err == "lifecycle: train.parquet has no column that can be watched: when (a point in time).\n"
    assert not Path("p").exists()


def test_what_came_from_too_few_rows_judges_nothing(capsys):
    rng = np.random.default_rng(0)
    put("one.parquet", x=[1.0])
    put("window.parquet", x=rng.normal(5, 1, ROWS))
    assert run(capsys, "profile", "one.parquet", "--out", "p")[:2] == (0, "p: 1 row, 1 columns watched.\n")
    code, _, err = run(capsys, "drift", "p", "window.parquet")
    assert (code, err) == (2, "lifecycle: p was made of 1 row; fewer than 30 are too few to compare with.\n")


def test_the_output_destroys_no_input(capsys):
    put("train.parquet", x=np.random.default_rng(0).normal(size=ROWS))
    before = Path("train.parquet").read_bytes()
    os.symlink("train.parquet", "link")
    for out in ("train.parquet", "link", "./train.parquet"):
        code, _, err = run(capsys, "profile", "train.parquet", "--out", out)
        assert code == 2
        assert "is what is read; give another name for the profile." in err
    assert Path("train.parquet").read_bytes() == before


def test_the_output_goes_where_a_link_points_and_into_devices(capsys):
    put("train.parquet", x=np.random.default_rng(0).normal(size=ROWS))
    Path("old").write_bytes(b"old")
    os.symlink("old", "link")
    assert run(capsys, "profile", "train.parquet", "--out", "link")[0] == 0
    assert Path("link").is_symlink()
    assert Path("old").read_bytes()[:2] == b"\x1f\x8b"
    os.mkfifo("pipe")
    reader = subprocess.Popen(["cat", "pipe"], stdout=subprocess.PIPE)
    assert run(capsys, "profile", "train.parquet", "--out", "pipe")[0] == 0
    assert reader.communicate(timeout=20)[0] == Path("old").read_bytes()
    assert Path("pipe").is_fifo()
    assert run(capsys, "profile", "train.parquet", "--out", "n" * 250)[0] == 0
    os.symlink("/dev/full", "full")
    code, out, err = run(capsys, "profile", "train.parquet", "--out", "full")
    assert (code, out, err) == (2, "", "lifecycle: full cannot be written: No space left on device.\n")
    assert run(capsys, "profile", "train.parquet", "--out", "")[2].count("\n") == 1
    assert run(capsys, "profile", "", "--out", "p")[2].startswith("lifecycle: A table has no name;")
    assert run(capsys, "drift", "old", "train.parquet", "--usual-rows", "nan")[0] == 2
    assert run(capsys, "drift", "old", "train.parquet", "--ignore", "x")[2].startswith(
        "lifecycle: no column is watched"
    )
    assert not [one for one in os.listdir() if one.startswith(".")]


def test_a_reader_that_leaves_early_changes_no_verdict():
    rng = np.random.default_rng(0)
    put("train.parquet", **{f"column {at:04}": rng.normal(size=200) for at in range(900)})
    put("window.parquet", **{f"column {at:04}": rng.normal(5, 1, size=200) for at in range(900)})
    assert as_program(["profile", "train.parquet", "--out", "p"], stdout=subprocess.DEVNULL).returncode == 0
    read, write = os.pipe()
    os.close(read)
    for words, status in ((["drift", "p", "window.parquet", "--json"], 4), (["judge", "--help"], 0)):
        done = as_program(words, stdout=write)
        assert (done.returncode, done.stderr) == (status, "")
    os.close(write)
    with open("/dev/full", "w") as full:
        done = as_program(["drift", "p", "window.parquet", "--json"], stdout=full)
    assert (done.returncode, done.stderr) == (2, "lifecycle: the result cannot be written: No space left on device.\n")


def test_any_terminal_can_be_written_to():
    put("train.parquet", größe=np.random.default_rng(0).normal(size=ROWS))
    put("window.parquet", größe=np.random.default_rng(0).normal(3, 1, size=ROWS))
    for encoding in ("ascii", "latin-1", "utf-8"):
        environment = {**os.environ, "PYTHONIOENCODING": encoding}
        options = {"stdout": subprocess.PIPE, "env": environment, "encoding": encoding}
        assert as_program(["profile", "train.parquet", "--out", "p"], **options).returncode == 0
        done = as_program(["drift", "p", "window.parquet", "--json"], **options)
        assert (done.returncode, done.stderr) == (4, "")
        assert json.loads(done.stdout)["columns"][0]["name"] == "größe"
        assert as_program(["drift", "p", "window.parquet"], **options).returncode == 4


NUMBER, CATEGORY = "x", "c"


@pytest.mark.parametrize(
    ("column", "what"),
    [
        ("", {"version": None}),
        ("", {"version": 2}),
        ("", {"rows": "many"}),
        ("", {"columns": [1]}),
        (NUMBER, {"counts": "a b c"}),
        (NUMBER, {"counts": "1 2"}),
        (NUMBER, {"counts": " ".join(["-1"] * 4098)}),
        (NUMBER, {"counts": " ".join(["9" * 20] * 4098)}),
        (NUMBER, {"grid": {"shape": "round", "start": 0, "unit": 1}}),
        (NUMBER, {"grid": {"shape": "linear", "start": "x", "unit": 1}}),
        (NUMBER, {"grid": {"shape": "linear", "start": 0, "unit": 0}}),
        (NUMBER, {"rows": -5}),
        (NUMBER, {"rows": "many"}),
        (NUMBER, {"bounds": ["a", "b"]}),
        (NUMBER, {"total": None}),
        (NUMBER, {"kind": "picture"}),
        (CATEGORY, {"values": [1, 2]}),
        (CATEGORY, {"counts": ["x"]}),
        (CATEGORY, {"counts": [1]}),
        (CATEGORY, {"buckets": []}),
        (CATEGORY, {"unseen": [1]}),
    ],
)
def test_a_profile_that_somebody_spoiled_is_named(capsys, column, what):
    rng = np.random.default_rng(0)
    put("train.parquet", x=rng.normal(size=ROWS), c=rng.choice(["a", "b"], ROWS))
    run(capsys, "profile", "train.parquet", "--out", "p")
    plain = json.loads(gzip.decompress(Path("p").read_bytes()))
    (plain["columns"][column] if column else plain).update(what)
    Path("p").write_bytes(gzip.compress(json.dumps(plain).encode()))
    code, out, err = run(capsys, "drift", "p", "train.parquet")
    assert (code, out) == (2, "")
    assert err.startswith("lifecycle: p: ")
    assert "damaged; make it again" in err or "this program reads version 1" in err
    assert "mistake of this program" not in err


def test_single_precision_is_no_drift(capsys):
    def rows(rng):
        spread = np.where(rng.random(ROWS) < 0.5, 1.1, rng.pareto(0.3, ROWS) + 1.1)
        return {
            "lowest": np.where(rng.random(ROWS) < 0.3, 0.1, rng.random(ROWS) + 0.1).astype(np.float32),
            "highest": np.where(rng.random(ROWS) < 0.3, -0.7, -rng.random(ROWS) - 0.7).astype(np.float32),
            "steps": (rng.integers(1, 9, ROWS) / 10).astype(np.float32),
            "tail": spread.astype(np.float32),
        }

    put("train.parquet", **rows(np.random.default_rng(1)))
    short = {name: [float(str(one)) for one in column] for name, column in rows(np.random.default_rng(2)).items()}
    put("window.csv", **short)
    run(capsys, "profile", "train.parquet", "--out", "p")
    code, out, _ = run(capsys, "drift", "p", "window.csv", "--json")
    assert (code, [one["reason"] for one in json.loads(out)["columns"] if one["verdict"] != "CLEAN"]) == (0, [])
