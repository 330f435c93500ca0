"""lifecycle.yaml as teams write it: right ones become models, wrong ones are told with every line."""

from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from lifecycle.project import FILE, Mistakes, read_project

ROOT = Path(__file__).parents[2]
LEAST = """\
models:
  bike-demand:
    task: regression
    target: bikers
    data: data/hours.parquet
    train: python train.py
"""


def mistakes(text: str) -> list[str]:
    with pytest.raises(Mistakes) as caught:
        read_project(text)
    assert all(mistake.file == FILE for mistake in caught.value.mistakes)
    return [f"{mistake.line}: {mistake.what}" for mistake in caught.value.mistakes]


def test_the_least_that_describes_a_model() -> None:
    model = read_project(LEAST).models["bike-demand"]
    assert (model.metric, model.requirements, model.retrain) == ("mae", "requirements.txt", "propose")
    assert (model.validate_.margin, model.validate_.holdout) == ("", 0.2)
    assert (model.monitor.window, model.monitor.schedule) == ("30d", "")
    assert read_project(LEAST.replace("regression", "classification")).models["bike-demand"].metric == "logloss"


def test_everything_that_can_be_said() -> None:
    text = (
        LEAST
        + """\
    time: timestamp
    paths: [train.py, "data/**"]
    requirements: model/requirements.txt
    params: {max_depth: 6, rate: 0.1, verbose: off, deep: true, since: 2011-01-01, at: 12:30}
    validate: {metric: rmse, margin: 0.5, slices: [weathersit], holdout: 0.3, require_improvement: yes, blocks: day}
    monitor: {schedule: "0 6 * * *", window: 24h, ignore: [note], psi_warn: 0.2, psi_alarm: 0.3, clean_windows: 3}
    retrain: auto
    limits: {memory_mb: 512, minutes: 5}
"""
    )
    model = read_project(text).models["bike-demand"]
    assert dict(model.params) == {
        "max_depth": 6,
        "rate": 0.1,
        "verbose": "off",
        "deep": True,
        "since": "2011-01-01",
        "at": "12:30",
    }
    assert (model.metric, model.validate_.margin, model.validate_.require_improvement) == ("rmse", "0.5", True)
    assert (model.monitor.window, model.monitor.clean_windows) == ("24h", 3)
    assert (model.limits.memory_mb, model.retrain, model.time) == (512, "auto", "timestamp")


def test_the_demos_own_file_is_right() -> None:
    (name,) = read_project((ROOT / "bot/playground/data/bikes/lifecycle.yaml").read_text()).models
    assert name == "bike-demand"


def test_every_mistake_is_told_at_once_with_its_line() -> None:
    text = """\
models:
  Bike Demand:
    task: regression
    data: data.csv
    train: [python, train.py]
    validate: {metric: accuracee, margin: lots, holdout: 0.9}
    monitor:
      schedule: daily
      window: a month
      psi_warn: 0
    retrian: auto
"""
    told = mistakes(text)
    assert [line.split(": ")[0] for line in told] == ["2", "2", "5", "6", "6", "6", "8", "9", "10", "11"]
    whole = "\n".join(told)
    for said in (
        "models.Bike Demand.target is missing",
        "models.Bike Demand.train: expected text",
        "unknown metric 'accuracee'; known are",
        "A margin is a number such as 0.005 or a share such as 2%",
        "expected at most 0.5",
        "write five cron fields",
        "expected more than 0",
        "models.Bike Demand.retrian is not a key that belongs here; did you mean `retrain`?",
    ):
        assert said in whole


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "1: models is missing"),
        ("models: {}", "1: models: expected 1 or more entries"),
        ("models: []", "1: models: expected a mapping"),
        ("model:\n  x: 1\n", "1: model is not a key that belongs here; did you mean `models`?"),
        (LEAST.replace("regression", "clustering"), "3: models.bike-demand.task: expected 'regression'"),
        (LEAST + LEAST.removeprefix("models:\n"), "7: the key bike-demand stands twice"),
        (LEAST + "    retrain: yes\n", "7: models.bike-demand.retrain: expected 'propose' or 'auto'"),
        (LEAST + "    params: {a: [1]}\n", "7: models.bike-demand.params.a: expected text or a whole"),
    ],
)  # fmt: skip
def test_single_mistakes(text: str, told: str) -> None:
    assert any(line.startswith(told) for line in mistakes(text)), mistakes(text)


KEYS = st.sampled_from(
    [
        "task",
        "target",
        "data",
        "train",
        "time",
        "paths",
        "params",
        "validate",
        "monitor",
        "retrain",
        "limits",
        "window",
        "margin",
    ]
)
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=8)
    | st.sampled_from(["auto", "1%", "3d"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=12,
)


@settings(deadline=None)
@given(st.dictionaries(KEYS, VALUES, max_size=6))
def test_any_description_is_models_or_mistakes(changes: dict[str, object]) -> None:
    whole = yaml.safe_load(LEAST)
    whole["models"]["bike-demand"] |= changes
    text = yaml.safe_dump(whole, allow_unicode=True)
    try:
        model = read_project(text).models["bike-demand"]
    except Mistakes:
        return
    assert model.metric
    assert model.monitor.window


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ("train: python 'train.py", "a quote is not closed"),
        ("train: ''", "expected a command"),
        ('monitor: {schedule: "99 * * * *"}', "not a schedule"),
        ("monitor: {psi_warn: 0.5}", "psi_warn must not be above"),
        ("validate: {metric: auc}", "no metric for regression"),
    ],
)
def test_what_would_only_fail_later_is_told_at_once(wrong: str, said: str) -> None:
    lines = {"task": "regression", "target": "y", "data": "d.csv", "train": "python train.py"}
    lines.pop(wrong.split(":")[0], None)
    text = "models:\n  m:\n" + "".join(f"    {key}: {value}\n" for key, value in lines.items()) + f"    {wrong}\n"
    with pytest.raises(Mistakes) as told:
        read_project(text)
    assert said in str(told.value)
