"""What validation works out of a real candidate and a real champion, from the split to the version's own papers."""

from pathlib import Path

import pytest
import yaml

from lifecycle.reports import report_document
from lifecycle.runs import Kind, State
from tests.lifecycle.reporting import misfits
from tests.lifecycle.workshop import Workshop, checks, found
from tests.stories.judging import CLASSES, NUMBERS, repository, rows


@pytest.fixture
def workshop(tmp_path: Path, environments: Path) -> Workshop:
    return Workshop(tmp_path, environments)


@pytest.mark.parametrize(("target", "metric"), [("yes-no", "auc"), ("three", "logloss"), ("yes-no", "f1")])
def test_classes_with_probabilities_are_judged(workshop: Workshop, target: str, metric: str) -> None:
    positive = ", positive: yes" if metric == "f1" else ""
    asked = f"{{metric: {metric}, margin: 5%{positive}}}"
    many = rows(1200, target=target)
    workshop.commit(repository(asked, CLASSES, many))
    version = workshop.champion()
    workshop.commit(repository(asked, CLASSES, many, blind=True), "Blind")
    result = workshop.found()
    assert result["judgement"]["verdict"] == "FAIL"
    assert result["judgement"]["primary"]["metric"] == metric
    assert {one["metric"] for one in result["judgement"]["others"]} >= {"accuracy", "brier"} - {metric}
    assert result["judgement"]["baseline"]["verdict"] != "PASS"
    assert ("calibration" in checks(result)) == (target == "yes-no")
    assert version.metrics["accuracy"]["candidate"] > 0.6


def test_a_version_carries_its_report_its_card_and_what_was_installed(workshop: Workshop) -> None:
    workshop.commit(repository())
    first = workshop.champion()
    workshop.later(days=12)
    workshop.commit(repository(wobble=0.02) | {"README.md": "More words.\n"}, "Wobble | a <b>little</b>")
    run = workshop.run(Kind.TRAIN)
    report = report_document(run)
    assert report is not None
    assert misfits(report) == []
    assert report["baseline"]["age_days"] == 12
    assert [one["subject"] for one in report["changed"]["others"]] == ["Wobble | a <b>little</b>"]
    assert report["champion"] == first.number
    second = workshop.shop.registry.get("octo/lines", "line", run.version or 0)
    assert second is not None
    workshop.shop.registry.verify(second)
    folder = workshop.shop.registry.folder(second)
    assert misfits(yaml.safe_load((folder / "report.json").read_text())) == []
    card = (folder / "MODEL_CARD.md").read_text()
    _, head, body = card.split("---\n", 2)
    metadata = yaml.safe_load(head)
    assert metadata["pipeline_tag"] == "tabular-regression"
    (result,) = metadata["model-index"][0]["results"]
    assert {one["type"] for one in result["metrics"]} >= {"mae", "rmse", "r_squared"}
    assert "# line" in body
    assert "v1" in body
    assert "pandas==" in (folder / "packages.txt").read_text()
    manifest = workshop.shop.registry.manifest(second)
    assert set(manifest["digests"]) == {"data", "code", "task", "parameters", "environment", "model", "answers"}
    (workshop.shop.root / "card.md").write_text(card)


def test_the_same_inputs_are_recognised_and_words_do_not_count(workshop: Workshop) -> None:
    workshop.commit(repository())
    workshop.champion()
    workshop.commit({"README.md": "Only words.\n"}, "Words")
    again = workshop.found()["reproducible"]
    assert (again["verdict"], again["compared_with"], again["largest_difference"]) == ("same", 1, 0.0)
    workshop.commit(repository(wobble=0.5), "Code")
    assert workshop.found()["reproducible"]["verdict"] == "unknown"


def test_data_that_leaks_or_changed_its_kind_is_said(workshop: Workshop) -> None:
    told = [{**row, "copy": float(str(row["y"])) * 2 + 1} for row in rows(600)]
    workshop.commit(repository(data=told))
    workshop.champion()
    other = [{**row, "kind": "new" if at % 4 == 0 else row["kind"], "z": "" if at % 5 == 0 else row["z"]}
             for at, row in enumerate(rows(600, seed=2))]  # fmt: skip
    workshop.commit(repository(data=other).copy() | {"train.py": repository()["train.py"]}, "New data")
    run = workshop.run()
    assert run.state is State.FAILED or checks(found(run))


def test_limits_the_dummy_and_whole_entities(workshop: Workshop) -> None:
    by_customer = NUMBERS.replace("    train:", "    entity: customer\n    train:")
    workshop.commit(repository("{metric: mae, margin: 2%, at_most: 0.1}", by_customer))
    run = workshop.run(Kind.TRAIN)
    assert run.verdict == "FAIL"
    assert checks(found(run))["limits"][0] == "FAIL"
    assert checks(found(run))["entities"][0] == "OK"
    assert found(run)["judgement"]["baseline"]["verdict"] == "PASS"
    workshop.commit(repository("{metric: mae, baseline: false}", beside=50.0), "Far off")
    without = workshop.run(Kind.TRAIN)
    assert without.verdict == "PASS"
    assert found(without)["judgement"]["baseline"] is None
    workshop.commit(repository("{metric: mae}", beside=50.0), "Far off")
    assert workshop.run(Kind.TRAIN).verdict == "FAIL"
