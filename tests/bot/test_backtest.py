"""`lifecycle-bot monitor backtest` as a person uses it: history replayed on files, with the repository's training."""

import json
from pathlib import Path

import pytest

from bot.__main__ import main
from tests.stories.repository import as_csv, files, rows


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """Five months of a line, of which the last two have moved."""
    for name, content in files().items():
        path = tmp_path / "line" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content or "", encoding="utf-8")
    for month, moved in enumerate((0.0, 0.0, 0.0, 3.0, 3.0), 1):
        made = rows(300, month=month, moved=moved, seed=month)
        (tmp_path / f"2011-{month:02d}.csv").write_text(as_csv(made), encoding="utf-8")
    return tmp_path / "line"


def backtest(repository: Path, *more: str) -> int:
    data = str(repository.parent / "2011-*.csv")
    words = ["monitor", "backtest", "line", "--repository", str(repository), "--data", data, "--window", "month"]
    return main([*words, "--learn", "2", *more])


def test_what_would_have_alarmed_and_what_a_retraining_would_have_gained(
    repository: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert backtest(repository, "--json") == 0
    found = json.loads(capsys.readouterr().out)
    assert [(one["since"][:7], one["call"], one["version"]) for one in found["windows"]] == [
        ("2011-03", "NOTHING", 1),
        ("2011-04", "RETRAIN", 1),
        ("2011-05", "NOTHING", 2),
    ]
    moved = found["windows"][1]
    assert {one["name"] for one in moved["columns"]} == {"x", "z", "prediction"}
    assert moved["gain"]["high"] < 0, "the retrained version's error is certainly smaller"
    assert found["windows"][2]["value"] < found["windows"][2]["first_version"]
    assert found["mean"] < found["mean_without_retraining"]
    assert found["retrained"] == 1


def test_other_thresholds_and_a_table_for_people(repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert backtest(repository, "--psi-alarm", "50", "--psi-warn", "40", "--keep") == 0
    said = capsys.readouterr()
    lines = said.out.splitlines()
    assert lines[0].split()[:4] == ["window", "rows", "by", "verdict"]
    assert lines[1].startswith("2011-03-01 – 2011-04-01  300   v1  CLEAN")
    assert "training v1 on 600 rows" in said.err


@pytest.mark.parametrize(
    ("more", "sentence"),
    [
        (("--persists", "3 of 2"), '--persists: expected how many of how many windows must alarm, as in "2 of 3"'),
        (("--learn", "9"), "The data holds 5 windows of month"),
        (("--window", "fortnight"), "'fortnight' is not a length of time"),
        (("--data", "/nowhere/*.csv"), "There is no file /nowhere/*.csv."),
    ],
)
def test_mistakes_are_told_in_one_sentence(
    repository: Path, capsys: pytest.CaptureFixture[str], more: tuple[str, ...], sentence: str
) -> None:
    assert backtest(repository, *more) == 2
    assert sentence in capsys.readouterr().err


def test_a_training_that_fails_tells_its_last_words(repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (repository / "train.py").write_text('raise SystemExit("the rows do not suit me")\n', encoding="utf-8")
    assert backtest(repository) == 1
    assert "the rows do not suit me" in capsys.readouterr().err
