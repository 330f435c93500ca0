"""What a validation says, and what it is based on: read from comments, checks, labels and the run's own facts."""

import re
from collections.abc import Mapping
from typing import Any

import pytest

from tests.lifecycle.reporting import misfits
from tests.stories.judging import BY_LUCK, CLASSES, SEEDED, repository, rows
from tests.stories.world import Thread, World

pytestmark = pytest.mark.xdist_group("stories-3")
ENOUGH = "{metric: mae, margin: 5%, holdout: 0.5}"


def begin(world: World, repo: str, files: Mapping[str, str | None], train: str = "/train") -> Thread:
    """These files on the default branch, a version of them in production, and an issue to go on with."""
    world.stage.github.world.push("mira", f"octo/{repo}", "main", dict(files), "Begin")
    issue = world.issue(repo)
    issue.ask(train, "`line` v")
    issue.ask("/promote", "serves", by="jonas")
    return issue


def facts(world: World, said: str) -> Mapping[str, Any]:
    """What the validate stage of the run that a comment tells of has found."""
    number = re.search(r"/runs/(\d+)", said)
    assert number, said
    run = world.page(f"runs/{number[1]}.json").json()
    found: Mapping[str, Any] = run["stages"][2]["result"]
    return found


def checks(found: Mapping[str, Any]) -> dict[str, tuple[str, str]]:
    return {one["name"]: (one["outcome"], one["sentence"]) for one in found["judgement"]["checks"]}


def pull(world: World, repo: str, branch: str, files: Mapping[str, str | None]) -> tuple[Thread, str]:
    commit = world.stage.github.world.push("mira", f"octo/{repo}", branch, dict(files), f"Try {branch}")
    return world.pull(repo, branch), commit


def labels(world: World, thread: Thread) -> list[str]:
    return [one["name"] for one in world.github(f"repos/{thread.repo}/issues/{thread.number}")["labels"]]


def test_a_worse_part_fails_a_candidate_that_is_good_on_the_whole_and_facts_say_on_what_it_rests(world: World) -> None:
    many = rows(2400)
    begin(world, "judged", repository(ENOUGH, data=many))
    opened, commit = pull(world, "judged", "worse-b", repository(ENOUGH, data=many, beside=0.3, where="b"))
    check = world.checked("judged", commit)
    said = opened.says("is worse")
    found = facts(world, said)

    assert check["conclusion"] == "failure"
    assert found["judgement"]["primary"]["verdict"] != "FAIL"
    (worst,) = [one for one in found["judgement"]["slices"] if one["verdict"] == "FAIL"]
    assert (worst["name"], worst["value"]) == ("kind", "b")
    assert "b" in said
    for who in ("candidate", "champion"):
        assert all(value > 0 for value in found["costs"][who].values())
    assert found["baseline"]["version"] == found["champion"] == 1
    assert found["baseline"]["rows"] > 1000
    assert found["changed"]["here"] == ["train.py"]
    assert found["changed"]["data"] is False
    assert found["reproducible"]["verdict"] == "unknown"
    assert [said for outcome, said in checks(found).values() if outcome != "OK"] == []


def test_what_the_rows_cannot_tell_needs_a_human_until_a_later_push_is_clear(world: World) -> None:
    begin(world, "judged", repository("{metric: mae, margin: 1%}"))
    opened, first = pull(world, "judged", "unclear", repository(beside=0.05, wobble=0.1))
    check = world.checked("judged", first)
    said = opened.says("cannot be told apart")
    assert check["conclusion"] == "neutral"
    assert re.search(r"about [\d,]+ rows would tell", said)
    assert facts(world, said)["judgement"]["primary"]["rows_needed"] > 100
    world.eventually(lambda: labels(world, opened) == ["needs-human"], "the label is there")

    second = world.stage.github.world.push("mira", "octo/judged", "unclear", dict(repository(beside=5.0)), "Worse")
    assert world.checked("judged", second)["conclusion"] == "failure"
    world.eventually(lambda: not labels(world, opened), "the label is gone")


def test_a_training_that_depends_on_its_seed_is_judged_on_several_and_says_if_it_repeats(world: World) -> None:
    issue = begin(world, "lots", repository(train=SEEDED, luck=0.2))
    first = facts(world, issue.ask("/validate", "/runs/", "Stages"))
    assert first["seeds"]["count"] == len(set(first["seeds"]["values"])) == 3
    assert "takes a seed" in first["seeds"]["why"]
    assert first["seeds"]["spread"] > first["seeds"]["margin"]
    assert "on average over 3 seeds" in first["judgement"]["sentence"]
    assert first["reproducible"]["verdict"] == "same"
    again = facts(world, issue.ask("/validate margin=90%", "/runs/", "Stages"))
    assert again["seeds"]["count"] == 1
    assert "less than the margin" in again["seeds"]["why"]

    world.stage.github.world.push("mira", "octo/lots", "main", dict(repository(train=BY_LUCK, luck=0.2)), "By luck")
    issue.ask("/validate seeds=1", "/runs/", "Stages")
    told = facts(world, issue.ask("/validate seeds=1", "/runs/", "Stages"))
    assert told["reproducible"]["verdict"] == "differs"
    assert told["reproducible"]["largest_difference"] > 1e-3
    assert checks(told)["repeatability"][0] == "WARN"
    assert told["changed"]["others"][0]["subject"] == "By luck"


def test_classes_are_judged_by_their_probabilities_and_the_report_fits_its_schema(world: World) -> None:
    many = [{**row, "hint": 1 if row["y"] == "yes" else 0} for row in rows(900, target="yes-no")]
    asked = "{metric: auc, margin: 0.02}"
    issue = begin(world, "sorted", repository(asked, CLASSES, many))
    opened, commit = pull(world, "sorted", "blind", repository(asked, CLASSES, many, blind=True))
    assert world.checked("sorted", commit)["conclusion"] == "failure"
    found = facts(world, opened.says("is worse"))
    assert {"logloss", "brier", "accuracy"} <= {one["metric"] for one in found["judgement"]["others"]}
    outcome, sentence = checks(found)["leakage"]
    assert outcome == "WARN"
    assert "hint each alone all but give the answer away" in sentence  # x does so too: it makes the label

    said = issue.ask("/validate against=v1 metric=logloss margin=10%", "is good enough")
    number = re.search(r"/runs/(\d+)", said)
    assert number is not None
    report = world.page(f"runs/{number[1]}/report.json").json()
    assert report["judgement"]["primary"]["metric"] == "logloss"
    assert misfits(report) == []
