"""Models whose labels never arrive: classes with probabilities, and numbers; some months are harder to answer."""

from random import Random
from typing import Any

from tests.stories.judging import repository
from tests.stories.judging import rows as plain_rows

RULES = """\
models:
  line:
    task: {task}
    target: y
    data: data/*.csv
    time: at
    train: python train.py
    validate: {{validate}}
    monitor: {{{{window: 30d}}}}
"""


def hours(month: int, *, target: str, count: int = 300, hard: bool = False) -> list[dict[str, Any]]:
    """Rows of a month of 2011. Hard ones all lie close to where one class turns into the other."""
    dice, made = Random(month), []
    for number, row in enumerate(plain_rows(count, seed=month, target=target)):
        day, hour = divmod(number * 2, 24)
        at = f"2011-{month:02d}-{day + 1:02d}T{hour:02d}:00:00"
        moved = {"x": round(0.5 + dice.gauss(0, 0.02), 5), "z": round(dice.gauss(0, 0.1), 4)} if hard else {}
        made.append({"at": at, **row, **moved})
    return made


def classes() -> dict[str, str | None]:
    """A classifier that says how sure it is."""
    rules = RULES.format(task="classification")
    return repository("{metric: auc, margin: 5%}", rules=rules, data=hours(1, target="yes-no"))


UNLABELLED = {"unlabelled": classes()}
