"""What validation works out of a real candidate and a real champion, from the split to the version's own papers."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

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
    assert "calibration" in checks(result)
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
    run = workshop.run(Kind.TRAIN)
    assert checks(found(run))["leakage"] == ("WARN", "copy alone all but gives the answer away.")
    workshop.crown(run)
    other = [
        {**row, "kind": "new" if at % 4 == 0 else row["kind"], "y": float(str(row["y"])) + 6, "hint": at % 50 or ""}
        for at, row in enumerate(rows(600, seed=2))
    ]
    workshop.commit(repository(data=other), "Other data")
    result = workshop.found()
    told_now = checks(result)
    assert result["changed"]["data"] is True
    assert told_now["leakage"][0] == "OK"
    assert told_now["schema since v1"] == ("WARN", "Compared with v1's data: copy is gone, hint is new.")
    assert told_now["new categories since v1"][1].endswith('of kind are new ("new").')
    assert told_now["target shift since v1"][0] == "WARN"
    assert "The target moved" in told_now["target shift since v1"][1]


def test_a_champion_that_cannot_be_asked_is_a_matter_for_people(workshop: Workshop) -> None:
    workshop.commit(repository())
    workshop.champion()
    less = [{name: value for name, value in row.items() if name != "z"} for row in rows()]
    fewer = repository(data=less)
    fewer["guess.py"] = str(fewer["guess.py"]).replace('["x", "z"]', '["x"]')
    fewer["train.py"] = str(fewer["train.py"]).replace('["x", "z", "kind"]', '["x", "kind"]')
    workshop.commit(fewer, "Without z")
    run = workshop.run(Kind.TRAIN)
    assert run.verdict == "INCONCLUSIVE"
    result = found(run)
    assert "cannot be asked on this data" in result["judgement"]["sentence"]
    assert "columns that are not there: z" in checks(result)["champion"][1]
    assert result["judgement"]["primary"]["champion"] is None
    report = report_document(run)
    assert misfits(report) == []


def test_rows_of_a_day_that_err_together_count_as_one(workshop: Workshop) -> None:
    dice = Random(5)
    timed: list[dict[str, object]] = []
    for day in range(60):
        luck = dice.gauss(0, 2)
        for hour, row in enumerate(rows(12, seed=day)):
            at = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(days=day, hours=hour)
            timed.append({"at": at.isoformat()[:19], **row, "y": round(float(str(row["y"])) + luck, 3)})
    by_time = NUMBERS.replace("    train:", "    time: at\n    train:")
    workshop.commit(repository("{metric: mae, margin: 2%, holdout: 0.5}", by_time, timed))
    result = workshop.found()
    assert result["blocks"]["by"] == "day of at"
    assert result["blocks"]["groups"] == 30
    assert "Rows of the same day of at err together" in checks(result)["dependence"][1]
    assert checks(result)["time order"][0] == "OK"
    workshop.commit(repository("{metric: mae, blocks: none}", by_time, timed), "Independent")
    assert workshop.found()["blocks"] is None


def test_numbers_as_times_order_rows_and_a_rule_that_cannot_hold_is_told_before_training(workshop: Workshop) -> None:
    by_step = NUMBERS.replace("    train:", "    time: step\n    train:")
    stepped = [{"step": at // 10, **row} for at, row in enumerate(rows())]
    workshop.commit(repository("{metric: mae}", by_step, stepped))
    run = workshop.run(Kind.TRAIN)
    assert run.verdict == "PASS"
    assert checks(found(run))["time order"][0] == "OK"
    workshop.commit(repository("{metric: mae, slices: [colour]}", by_step, stepped), "A slice of nothing")
    refused = workshop.run(Kind.TRAIN)
    assert refused.state is State.FAILED
    assert refused.reason.startswith("`slices` in lifecycle.yaml names colour, and the data has no such column")
    assert refused.stages[0].jobs == {}


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
