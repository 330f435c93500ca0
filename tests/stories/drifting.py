"""A repository whose model is asked, month by month, about rows that have moved or not; `w` is a column beside it."""

from dataclasses import dataclass, field
from random import Random
from typing import Any

from tests.stories.repository import RULES, as_csv, files, rows
from tests.stories.unlabelled import UNLABELLED
from tests.stories.world import Thread, World

RULES_AUTO = f"{RULES}    retrain: auto\n"
RULES_LABELS = RULES.replace("{window: 30d}", '{window: 30d, labels: "labels/*.csv"}')
RULES_ALONE = RULES.replace("monitor: {window: 30d}", 'monitor: {window: 30d, schedule: "* * * * *"}')


def spread_rows(count: int = 300, *, month: int = 1, moved: float = 0.0, spread: float = 0.0) -> list[dict[str, Any]]:
    """Rows with the column `w`, which the model does not look at; `spread` shifts it alone."""
    dice = Random(month)
    return [
        {**row, "w": round(spread + dice.gauss(0, 1), 4)} for row in rows(count, month=month, moved=moved, seed=month)
    ]


def spread_csv(count: int = 300, *, month: int = 1, spread: float = 0.0) -> str:
    lines = as_csv(made := spread_rows(count, month=month, spread=spread)).splitlines()
    return "\n".join([f"{lines[0]},w", *(f"{one},{row['w']}" for one, row in zip(lines[1:], made, strict=True))]) + "\n"


def later_truth(month: int, off: float) -> str:
    """What turned out to be true in a month, `off` from what it would have been before."""
    made = spread_rows(120, month=month)
    return "\n".join(["at,y", *(f"{row['at']},{row['y'] + off}" for row in made)]) + "\n"


REPOSITORIES = {
    "lives": files(data=spread_csv()),
    "hands": files(data=spread_csv()),
    "remarks": files(rules=RULES_AUTO, data=spread_csv()),
    "truths": files(rules=RULES_LABELS, data=spread_csv()),
    "truths-sent": files(data=spread_csv()),
    "clocks": files(rules=RULES_ALONE, data=spread_csv()),
    **UNLABELLED,
}


@dataclass(slots=True)
class Drifting:
    """One such repository, its issue, and what has come of it."""

    world: World
    repo: str
    issue: Thread = field(init=False)

    def __post_init__(self) -> None:
        self.issue = self.world.issue(self.repo)

    def serve(self) -> None:
        """Train the first version and put it into production."""
        self.issue.ask("/train", "is good enough")
        self.issue.ask("/promote", "v1 serves", by="jonas")

    def month(self, month: int, *, moved: float = 0.0, spread: float = 0.0) -> str:
        """Ask the endpoint as in a month, let the bot look at it, and hear what it says."""
        asked = spread_rows(120, month=month, moved=moved, spread=spread)
        assert self.world.score(self.repo, asked).status_code == 200
        return self.look(month)

    def look(self, month: int) -> str:
        """Let the bot look at a month, and hear what it says."""
        before = len(self.issue.said())
        self.issue.comment(f"/monitor window=2011-{month:02d}")

        def look() -> str | None:
            said = self.issue.said()[before:]
            return said[0] if said and not any(mark in said[0] for mark in ("⏳", "🕐")) else None

        return self.world.eventually(look, f"what was seen in month {month}")

    def items(self) -> list[int]:
        """The work items of this repository's drift."""
        found = [self.world.item(number) for number in self.world.items("retrain")]
        return [one.number for one in found if any(f"octo/{self.repo}/" in url for url in one.urls())]

    def issues(self, state: str) -> list[dict[str, Any]]:
        """Its retrain issues."""
        path = f"repos/octo/{self.repo}/issues?state={state}&labels=retrain"
        found: list[dict[str, Any]] = self.world.github(path)
        return found

    def the_issue(self, state: str) -> dict[str, Any]:
        """Its only retrain issue, as soon as it is there and in that state."""
        (found,) = self.world.eventually(lambda: self.issues(state), f"one {state} issue of {self.repo}")
        assert len(self.issues("all")) == 1
        return found

    def on_issue(self, number: int) -> Thread:
        return Thread(self.world, f"octo/{self.repo}", number)

    def set_state(self, number: int, state: str, reason: str | None = None) -> None:
        """Somebody closes or opens an issue."""
        github = self.world.stage.github.world
        github.set_state("mira", github.issue(f"octo/{self.repo}", number), state, reason)
