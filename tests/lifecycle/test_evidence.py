"""Seeds, repeats, fingerprints and lineage: what earlier runs and the repository say about a candidate."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from lifecycle.database import connect
from lifecycle.evidence.repeats import Repeat, answers_digest, apart, code_digest
from lifecycle.evidence.seeding import pooled_spread, seeded
from lifecycle.fingerprints import Fingerprint, Fingerprints
from lifecycle.grading import gate_of
from lifecycle.project import read_project
from lifecycle.runs import Kind, Spec
from lifecycle.schema import metadata
from lifecycle.store import Store
from lifecycle.verdicts import Margin
from tests.lifecycle.test_project import LEAST
from tests.lifecycle.workshop import Workshop


@pytest.fixture
def kept(tmp_path: Path) -> Fingerprints:
    engine = connect(f"sqlite:///{tmp_path / 'it.db'}")
    metadata.create_all(engine)
    store, clock = Store(engine), Workshop.START
    for number in range(1, 9):
        store.create(Spec(Kind.TRAIN, "octo/lines", "line", "a" * 40, "", "mira"), f"run-{number}", clock)
    return Fingerprints(engine)


def one(run: int, value: float, seed: int = 0, inputs: str = "a", metric: str = "mae") -> Fingerprint:
    return Fingerprint(run, seed, "octo/lines", "line", inputs, "files", f"{value}", metric, value)


def test_the_newest_earlier_training_of_the_same_inputs_is_found(kept: Fingerprints) -> None:
    for found in (one(1, 0.5), one(2, 0.6), one(2, 0.7, seed=1), one(3, 0.5, inputs="b"), one(5, 0.9)):
        kept.note(found)
        kept.note(found)
    assert kept.same_inputs(one(4, 0.5)) == one(2, 0.6)
    assert kept.same_inputs(one(1, 0.5)) is None
    assert kept.same_inputs(one(4, 0.5, inputs="c")) is None


def test_spread_is_of_other_seeds_or_other_outcomes_not_of_the_same_again(kept: Fingerprints) -> None:
    for found in (one(1, 0.5), one(2, 0.5), one(3, 0.5, inputs="b"), one(3, 0.7, seed=1, inputs="b")):
        kept.note(found)
    assert kept.repeated("octo/lines", "line", "mae", before=8) == [[0.5, 0.7]]
    assert kept.repeated("octo/lines", "line", "mae", before=3) == []
    assert kept.repeated("octo/lines", "line", "rmse", before=8) == []


def test_pooled_spread_is_within_groups() -> None:
    assert pooled_spread([]) is None
    assert pooled_spread([[1.0, 3.0], [10.0, 12.0]]) == pytest.approx(np.sqrt(2))


def test_a_parameter_called_seed_moves_on() -> None:
    assert seeded({"seed": 7, "depth": 3}, 2) == {"seed": 9, "depth": 3}
    assert seeded({"seed": "fixed"}, 2) == {"seed": "fixed"}
    assert seeded({"seed": True}, 1) == {"seed": True}


def test_answers_are_the_same_within_a_millionth() -> None:
    first = pa.table({"prediction": [1.0, 2000.0, 3.0]})
    near = pa.table({"prediction": [1.0 + 1e-7, 2000.001, 3.0]})
    far = pa.table({"prediction": [1.0, 2000.0, 3.1]})
    assert apart(first, near)[1] == 0
    assert apart(first, far) == (pytest.approx(0.1), 1)
    words = pa.table({"prediction": ["a", "b", "b"]})
    assert apart(words, pa.table({"prediction": ["a", "b", "c"]})) == (1.0, 1)
    assert apart(first, words)[1] == 3
    assert answers_digest(first) == answers_digest(first) != answers_digest(near)


def test_what_a_repeat_found_is_said() -> None:
    assert Repeat().check() == ()
    assert "same answers" in Repeat(3, True, True, 0.0, 0).sentence
    (check,) = Repeat(3, False, False, 0.25, 12).check()
    assert check.outcome == "WARN"
    assert "up to 0.25 apart, on 12 held-back rows" in check.sentence
    assert "other answers. A fixed seed" in Repeat(3, False, False).sentence


def test_code_is_everything_but_data_rules_and_words(tmp_path: Path) -> None:
    files = {"train.py": "1", "data/rows.csv": "x", "lifecycle.yaml": "models:", "README.md": "hi"}
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    before = code_digest(tmp_path, "data/*.csv")
    for name in ("data/rows.csv", "lifecycle.yaml", "README.md"):
        (tmp_path / name).write_text("other")
    assert code_digest(tmp_path, "data/*.csv") == before
    (tmp_path / "train.py").write_text("2")
    assert code_digest(tmp_path, "data/*.csv") != before


def test_margin_and_limits_belong_to_the_metric_that_they_were_written_for() -> None:
    asked = "    validate: {metric: mae, margin: 3, at_most: 50, baseline: false, blocks: none, seeds: 4}\n"
    model = read_project(LEAST + asked).models["bike-demand"]
    gate = gate_of(model, {})
    assert (gate.margin, gate.limits.at_most, gate.beat_baseline) == (Margin(3.0), 50, False)
    other = gate_of(model, {"metric": "r2"})
    assert (other.margin, other.limits.at_most) == (Margin(0.005), None)
    assert gate_of(model, {"metric": "r2", "margin": "1%"}).margin == Margin(0.01, relative=True)
    assert gate_of(read_project(LEAST).models["bike-demand"], {}).margin == Margin(0.01, relative=True)


def test_history_shows_each_change_with_its_files(tmp_path: Path, environments: Path) -> None:
    workshop = Workshop(tmp_path, environments)
    first = workshop.commit({"a.py": "1"}, "First")
    workshop.commit({"b č.py": "1", "a.py": "2"}, "Second\x1f odd")
    last = workshop.commit({"a.py": None}, "Third")
    source = workshop.shop.source("octo/lines")
    third, second = workshop.shop.workspaces.history(source, first, last)
    assert (third.sha, third.subject, third.author, third.files) == (last, "Third", "Mira", ("a.py",))
    assert second.files == ("a.py", "b č.py")
    assert second.at.tzinfo is not None
    assert workshop.shop.workspaces.history(source, last, last) == ()
