"""The people of the day: each lives one small story after another, and comments until there are commands enough."""

import random
import re
import sys
import threading
import time
import traceback
from collections.abc import Callable
from typing import TypeVar

import requests

from bot.playground.azure import WorkItem
from tests.stories.repository import MODEL, as_requests, rows
from tests.torture.commands import ANSWER, EITHER, Book, Command
from tests.torture.house import ALONE, BOARDED, DRIFTING, House
from tests.torture.model import files

BOT = "lifecycle-bot[bot]"
UNDER_WAY = ("### ⏳", "### 🕐")
PATIENCE = 150.0
Seen = TypeVar("Seen")


class Impatient(Exception):
    """What somebody waited for did not come in time."""


class People:
    """Several people at once, each on a thread; `wanted` commands in all."""

    def __init__(self, house: House, book: Book, seed: int, wanted: int, crowd: int = 6) -> None:
        self.house, self.book, self.wanted = house, book, wanted
        self.stage = house.stage
        self._seed, self._crowd = seed, crowd
        self._threads: list[threading.Thread] = []
        self._stop = threading.Event()

    def begin(self) -> None:
        for number in range(self._crowd):
            dice = random.Random(f"{self._seed}/{number}")
            thread = threading.Thread(target=self._live, args=(dice, number), daemon=True)
            thread.start()
            self._threads.append(thread)

    def busy(self) -> bool:
        return any(thread.is_alive() for thread in self._threads)

    def stop(self) -> None:
        self._stop.set()

    def _live(self, dice: random.Random, number: int) -> None:
        if number == 0:
            self._tell(self.drifts, dice)
        stories: list[tuple[Callable[[random.Random], None], int]] = [
            (self.trains, 5), (self.promotes, 2), (self.cancels, 3), (self.asks, 4), (self.errs, 2), (self.fails, 2),
            (self.pulls, 2), (self.retrains, 2), (self.plans, 3), (self.watches, 2),
        ]  # fmt: skip
        while len(self.book.commands) < self.wanted and not self._stop.is_set():
            (story,) = dice.choices([one for one, _ in stories], [weight for _, weight in stories])
            self._tell(story, dice)
            time.sleep(dice.uniform(0, 1.5))

    def _tell(self, story: Callable[[random.Random], None], dice: random.Random) -> None:
        try:
            story(dice)
        except Impatient:
            self.book.gave_up()
        except Exception:
            traceback.print_exc(file=sys.stderr)

    # What they do

    def trains(self, dice: random.Random) -> None:
        repo, issue = self._issue(dice)
        for _ in range(dice.randint(1, 3)):
            beside = round(dice.uniform(0, 1), 2)
            self.comment(repo, issue, f"/train beside={beside} sleep={dice.uniform(0.05, 1):.2f}", "train", "succeeded")

    def promotes(self, dice: random.Random) -> None:
        repo, issue = self._issue(dice)
        self.comment(repo, issue, "/train", "train", "succeeded")
        version = self.version(repo, issue)
        self.comment(repo, issue, f"/promote v{version}", "promote", "succeeded", by="jonas")
        self.ended(repo, issue, 2)
        if dice.random() < 0.4:
            self.comment(repo, issue, "/rollback", EITHER, by="jonas")
        if dice.random() < 0.5:
            self.comment(repo, issue, "/status", ANSWER)

    def cancels(self, dice: random.Random) -> None:
        repo, issue = self._issue(dice)
        self.comment(repo, issue, "/train sleep=600", "train", "cancelled")
        self.until(lambda: self.said(repo, issue), "the run is told", patience=4 * PATIENCE)
        time.sleep(dice.uniform(0, 3))
        self.comment(repo, issue, "/cancel", ANSWER, by=dice.choice(("mira", "jonas")))

    def asks(self, dice: random.Random) -> None:
        repo, issue = self._issue(dice)
        for text in dice.sample(("/status", "/help", "/help train", "/status"), dice.randint(1, 3)):
            self.comment(repo, issue, text, ANSWER)

    def errs(self, dice: random.Random) -> None:
        repo, issue = self._issue(dice)
        self.comment(repo, issue, dice.choice(("/trian", "/cancel 99999", "/train bikes", "/promote v999")), ANSWER)

    def fails(self, dice: random.Random) -> None:
        repo, issue = self._issue(dice)
        self.comment(repo, issue, "/train fail=yes", "train", "failed")

    def retrains(self, dice: random.Random) -> None:
        repo, issue = self._issue(dice)
        self.comment(repo, issue, "/retrain", "retrain", "succeeded")

    def watches(self, dice: random.Random) -> None:
        issue = self.open(DRIFTING, "mira")
        self.comment(DRIFTING, issue, "/monitor window=2011-03", "monitor")

    def pulls(self, dice: random.Random) -> None:
        repo = dice.choice((*BOARDED, *ALONE))
        world, branch = self.stage.github.world, f"try-{dice.getrandbits(40):x}"
        heads = [world.push("mira", f"octo/{repo}", branch, files(f"{branch} 1"), "One")]
        pull = world.pull_open("mira", f"octo/{repo}", f"Try {branch}", branch).number
        self.book.pulls[f"github:octo/{repo}#{pull}"] = heads
        time.sleep(dice.uniform(0, 3))
        if dice.random() < 0.5:
            heads.append(world.push("mira", f"octo/{repo}", branch, files(f"{branch} 2"), "Two"))
            time.sleep(dice.uniform(0, 2))
        self.comment(repo, pull, "/validate", "validate")
        if dice.random() < 0.5:
            self.comment(repo, pull, "/status", ANSWER)

    def plans(self, dice: random.Random) -> None:
        azure = self.stage.azure
        mira = azure.person("Mira Holm", "mira@example.com")
        fields = {"System.Title": "A better line"}
        item = azure.create_item(self.stage.project, "User Story", mira, **fields)
        words = [("/help", ANSWER, ""), ("/status", ANSWER, "")]
        for text, makes, ends in words[: dice.randint(1, 2)]:
            self._comment_item(item, text, makes, ends)

    def drifts(self, dice: random.Random) -> None:
        """One model goes into production and is asked what it never learnt: a single drift, seen many times."""
        issue = self.open(DRIFTING, "mira")
        self.comment(DRIFTING, issue, "/train", "train", "succeeded")
        version = self.version(DRIFTING, issue)
        self.comment(DRIFTING, issue, f"/promote v{version}", "promote", "succeeded", by="jonas")
        self.ended(DRIFTING, issue, 2)
        self.until(lambda: self.score(DRIFTING), "the model is asked")
        for _ in range(4):
            # Of what one machine was asked the others hear a little later, and say so until then.
            ends = "succeeded" if len(self.house.replicas) == 1 else ""
            self.comment(DRIFTING, issue, "/monitor window=2011-03", "monitor", ends)
            time.sleep(dice.uniform(0, 2))
        azure = self.stage.azure

        def opened() -> WorkItem | None:
            drifts = [one for one in list(azure.items.values()) if "retrain" in str(one["System.Tags"])]
            return next((one for one in drifts if one.now.relations), None)

        self._comment_item(
            self.until(opened, "an item is opened and shows what it is about"), "/retrain", "retrain", "succeeded"
        )

    # How they do it

    def _comment_item(self, item: WorkItem, text: str, makes: str, ends: str) -> None:
        azure = self.stage.azure
        with azure.lock:
            comment = azure.comment(item, text, azure.person("Mira Holm", "mira@example.com"))
            ref = f"boards:{azure.name}/{item.id}"
            self.book.add(Command(ref, str(comment.id), text, makes, ends, item.rev))

    def _issue(self, dice: random.Random) -> tuple[str, int]:
        repo = dice.choice((*BOARDED, *ALONE))
        return repo, self.open(repo, "mira")

    def open(self, repo: str, by: str) -> int:
        """A new issue; its number."""
        return self.stage.github.world.issue_open(by, f"octo/{repo}", "A better line", "").number

    def comment(self, repo: str, issue: int, text: str, makes: str, ends: str = "", by: str = "mira") -> Command:
        made = self.stage.github.world.comment(by, f"octo/{repo}", issue, text)
        return self.book.add(Command(f"github:octo/{repo}#{issue}", str(made.id), text, makes, ends))

    def said(self, repo: str, issue: int) -> list[str]:
        """What the bot has said there."""
        world = self.stage.github.world
        with world.lock:
            return [one.body for one in world.issue(f"octo/{repo}", issue).comments if one.user.login == BOT]

    def ended(self, repo: str, issue: int, count: int) -> list[str]:
        """The comments of `count` runs that have ended."""

        def look() -> list[str] | None:
            runs = [one for one in self.said(repo, issue) if "[Run " in one]
            done = [one for one in runs if not any(mark in one for mark in UNDER_WAY)]
            return done if len(done) >= count else None

        return self.until(look, f"{count} runs of {repo}#{issue} have ended")

    def version(self, repo: str, issue: int) -> int:
        """The number of the version that was made there. Raises Impatient when none was."""
        for one in self.ended(repo, issue, 1):
            if found := re.search(rf"`{MODEL}` v(\d+) ", one):
                return int(found[1])
        raise Impatient

    def score(self, repo: str) -> bool:
        """Ask the endpoint for a month that the model never saw."""
        asked = {"dataframe_records": as_requests(rows(120, month=3, moved=3.0, seed=3))}
        try:
            answer = requests.post(f"{self.house.url}/models/octo/{repo}/{MODEL}/invocations", json=asked, timeout=30)
        except requests.RequestException:
            return False
        return answer.ok

    def until(self, look: Callable[[], Seen | None], what: str, patience: float = PATIENCE) -> Seen:
        limit = time.monotonic() + patience
        while time.monotonic() < limit and not self._stop.is_set():
            if found := look():
                return found
            time.sleep(0.2)
        raise Impatient(what)
