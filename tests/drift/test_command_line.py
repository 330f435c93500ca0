"""python -m lifecycle: exit codes, JSON, help, and one sentence for every wrong input; never a traceback."""

import json
import subprocess
import sys

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
import pytest

from tests.drift.program import run


@pytest.fixture
def files(tmp_path, monkeypatch):
    rng = np.random.default_rng(1)
    rows = 3000
    monkeypatch.chdir(tmp_path)
    label = (rng.random(rows) < 0.3).astype(int)
    score = rng.normal(size=rows) + 1.5 * label
    noise = rng.normal(size=rows)

    def put(name, **columns):
        table = pa.table(columns)
        if name.endswith(".parquet"):
            pq.write_table(table, name)
        else:
            pyarrow.csv.write_csv(table, name)

    def chance(values):
        return 1 / (1 + np.exp(-values))

    put("labels.csv", label=label, region=rng.choice(["north", "south"], rows))
    put("champion.csv", prediction=chance(score))
    put("same.csv", prediction=chance(score + 0.02 * noise))
    put("worse.csv", prediction=chance(score + 1.5 * noise))
    put("unsure.csv", prediction=chance(score + 0.15 * noise))
    put("better.csv", prediction=chance(score + 0.5 * label))
    put("short.csv", prediction=chance(score[:100]))
    put("holes.csv", prediction=pa.array(chance(score), mask=np.arange(rows) == 5))
    put("nan.csv", prediction=pa.array(["nan", *["0.5"] * (rows - 1)]))
    put("constant.csv", prediction=np.full(rows, 0.3))
    put("one_class.csv", label=np.zeros(rows, int))
    put("train.parquet", x=rng.normal(size=rows), c=rng.choice(["a", "b"], rows), target=label, id=np.arange(rows))
    put("calm.csv", x=rng.normal(size=rows), c=rng.choice(["a", "b"], rows))
    put("moved.csv", x=rng.normal(2, 1, rows), c=rng.choice(["a", "b"], rows))
    put("nudged.csv", x=rng.normal(0.38, 1, rows), c=rng.choice(["a", "b"], rows))
    return tmp_path


def judge(capsys, candidate, *more, champion="champion.csv", labels="labels.csv", metric="auc"):
    words = ["judge", "--labels", labels, "--candidate", candidate, "--metric", metric]
    return run(capsys, *words, *(["--champion", champion] if champion else []), *more)


@pytest.mark.parametrize(
    ("candidate", "verdict", "status"),
    [("same.csv", "PASS", 0), ("better.csv", "PASS", 0), ("unsure.csv", "INCONCLUSIVE", 3), ("worse.csv", "FAIL", 4)],
)
def test_judge_says_which_of_three(files, capsys, candidate, verdict, status):
    code, out, err = judge(capsys, candidate, "--margin", "0.005", "--json")
    assert (code, err) == (status, "")
    found = json.loads(out)
    assert found["verdict"] == verdict
    assert {"champion", "candidate", "difference", "low", "high", "verdict", "rows_needed"} <= set(found)
    assert found["low"] <= found["difference"] <= found["high"]
    assert found["difference"] == pytest.approx(found["candidate"] - found["champion"])
    assert (found["rows_needed"] is None) == (verdict != "INCONCLUSIVE")
    code, out, _ = judge(capsys, candidate, "--margin", "0.005")
    assert code == status
    assert out.startswith(f"{verdict}: auc ")


def test_judge_in_slices_blocks_and_limits(files, capsys):
    code, out, _ = judge(capsys, "worse.csv", "--slices", "region", "--json")
    assert code == 4
    assert {one["value"] for one in json.loads(out)["slices"]} == {"north", "south"}
    assert judge(capsys, "same.csv", "--blocks", "region")[0] in (0, 3)
    code, out, _ = judge(capsys, "same.csv", "--at-least", "0.99")
    assert code == 4
    assert "at least 0.990 is asked" in out
    assert judge(capsys, "same.csv", "--require-improvement")[0] in (3, 4)
    assert judge(capsys, "better.csv", "--require-improvement")[0] == 0
    assert judge(capsys, "better.csv", "--dummy")[0] == 0
    assert judge(capsys, "constant.csv", champion=None)[0] == 4  # without a champion, a dummy is to be beaten
    assert judge(capsys, "better.csv", champion=None)[0] == 0


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ({"candidate": "short.csv"}, "3,000 labels but 100 predictions of the candidate"),
        ({"candidate": "none.csv"}, "There is no file none.csv"),
        ({"candidate": "labels.csv"}, 'labels.csv has no column "prediction"'),
        ({"candidate": "holes.csv"}, "1 of 3,000 predictions of the candidate are missing"),
        ({"candidate": "nan.csv"}, "NaN or infinite|missing"),
        ({"candidate": "same.csv", "labels": "champion.csv"}, 'champion.csv has no column "label"'),
        ({"candidate": "same.csv", "labels": "one_class.csv"}, "only one"),
        ({"candidate": "same.csv", "metric": "auroc"}, 'no metric "auroc"'),
        ({"candidate": "same.csv", "metric": "mape"}, "mape is not defined"),
        ({"candidate": "same.csv", "more": ["--margin", "lots"]}, "A margin is"),
        ({"candidate": "same.csv", "more": ["--slices", "planet"]}, 'no column "planet"'),
        ({"candidate": "same.csv", "more": ["--positive", "7"]}, 'positive class "7" does not occur'),
        ({"candidate": "same.csv", "more": ["--confidence", "95"]}, "Confidence is a share"),
    ],
)
def test_judge_refuses_in_one_sentence(files, capsys, words, sentence):
    import re

    more = words.pop("more", [])
    code, out, err = judge(capsys, words.pop("candidate"), *more, **words)
    assert (code, out) == (2, "")
    assert re.search(sentence, err), err
    assert err.startswith("lifecycle: ")
    assert err.count("\n") == 1


def test_profile_then_drift(files, capsys):
    code, out, _ = run(capsys, "profile", "train.parquet", "--out", "p", "--exclude", "target")
    assert code == 0
    assert "p: 3,000 rows, 2 columns watched." in out
    assert "Not watched: id" in out
    for data, verdict, status in (("calm.csv", "CLEAN", 0), ("nudged.csv", "WARN", 3), ("moved.csv", "ALARM", 4)):
        code, out, err = run(capsys, "drift", "p", data, "--json")
        found = json.loads(out)
        assert (code, found["verdict"], err) == (status, verdict, "")
        worst = found["columns"][0]
        assert {"name", "kind", "p", "psi", "psi_corrected", "ks", "verdict", "reason"} <= set(worst)
        assert run(capsys, "drift", "p", data)[1].startswith(f"{verdict}: ")
    assert run(capsys, "drift", "p", "moved.csv", "--ignore", "x")[0] == 0
    assert run(capsys, "drift", "p", "calm.csv", "moved.csv")[0] == 4
    assert not list(files.glob(".p.*"))


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["drift", "labels.csv", "calm.csv"], "not a profile"),
        (["drift", "none", "calm.csv"], "There is no file none"),
        (["drift", "p", "labels.csv"], "none of the profile's columns"),
        (["drift", "p", "calm.csv", "--psi-warn", "3"], "psi_warn must be"),
        (["profile", "none.csv", "--out", "q"], "There is no file none.csv"),
        (["profile", "train.parquet", "--out", "no/where/q"], "cannot be written"),
        (["profile", "train.parquet"], "required: --out"),
        (["invent"], "invalid choice"),
        ([], "required: COMMAND"),
    ],
)
def test_wrong_words(files, capsys, words, sentence):
    run(capsys, "profile", "train.parquet", "--out", "p")
    code, out, err = run(capsys, *words)
    assert (code, out) == (2, "")
    assert sentence in err
    assert err.count("\n") == 1


@pytest.mark.parametrize("command", [[], ["profile"], ["drift"], ["judge"]])
def test_help_reads_like_a_manual_page(capsys, command):
    code, out, _ = run(capsys, *command, "--help")
    assert code == 0
    assert "NAME\n" in out
    assert "EXIT STATUS" in out or "EXAMPLES" in out


def test_as_a_program(files):
    done = subprocess.run(
        [sys.executable, "-m", "lifecycle", "drift", "none", "calm.csv"], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "lifecycle: There is no file none.\n"
