"""The demo's story: what people do, step by step, and what can be read at the platforms' APIs afterwards."""

import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field

import requests

from bot.playground.reader import Reader
from bot.playground.stage import JONAS, MIRA, MODEL, REPOSITORY, Stage, as_csv, as_requests, months

PATIENCE = 90.0  # seconds for one thing to come true; the first training also installs the model's environment
LOOK = 0.15
WORSE = """NUMBERS = ["holiday", "weekday", "workingday", "temp", "atemp", "hum", "windspeed"]"""
HOURLY = """NUMBERS = ["hr", "holiday", "weekday", "workingday", "temp", "atemp", "hum", "windspeed"]"""
PLAIN = "HistGradientBoostingRegressor(random_state=0, **params)"
COUNTS = 'HistGradientBoostingRegressor(loss="poisson", random_state=0, **params)'
SHALLOW = '{"max_depth": 4, "max_iter": 100}'
DEEPER = '{"max_depth": 6, "max_iter": 150}'


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that was expected, and what was observed instead of believed."""

    step: str
    expected: str
    observed: str
    seconds: float
    came_true: bool


class Stuck(Exception):
    """Something that the story needs did not come true."""


@dataclass(slots=True)
class Story:
    """Tells it: acts as people, waits until the platforms show what should follow, and keeps the record."""

    stage: Stage
    bot: str
    say: Callable[[str], None]
    steps: list[Step] = field(default_factory=list)
    issue: int = 0
    retrain_item: int = 0
    retrain_issue: int = 0

    @property
    def read(self) -> Reader:
        return Reader(self.stage, self.bot)

    def tell(self) -> bool:
        """The whole story; whether all of it came true."""
        parts = (self.train, self.promote, self.review, self.drift, self.retrain, self.close)
        try:
            for part in parts:
                part()
        except Stuck:
            return False
        return all(step.came_true for step in self.steps)

    def record(self) -> list[dict[str, object]]:
        """The steps, as `demo.json` has them."""
        return [asdict(step) for step in self.steps]

    def expect(self, step: str, expected: str, look: Callable[[], str | None]) -> str:
        """Wait until `look` says something, note it and say it. Raises Stuck when nothing comes for too long."""
        start, seen, error = time.monotonic(), None, ""
        while seen is None and time.monotonic() - start < PATIENCE:
            try:
                seen = look()
            except requests.RequestException as problem:
                error = f" ({problem})"
            if seen is None:
                time.sleep(LOOK)
        seconds = round(time.monotonic() - start, 2)
        true = seen is not None
        self.steps.append(Step(step, expected, seen or f"not within {PATIENCE:.0f} s{error}", seconds, true))
        self.say(f"   {'✔' if true else '✘'} {expected}" + (f": {seen}" if seen else "") + f"  ({seconds:.1f} s)")
        if seen is None:
            raise Stuck(expected)
        return seen

    def train(self) -> None:
        """Step 2: an issue, a command, one comment, a card."""
        world = self.stage.github.world
        opened = world.issue_open(
            MIRA, REPOSITORY, "Predict hourly demand", "How many bikes will be out at 8 in the morning?"
        )
        self.issue = opened.number
        self.say(f"2. Mira opens {self._issue_url(self.issue)} and comments `/train {MODEL}`.")
        comment = world.comment(MIRA, REPOSITORY, self.issue, f"/train {MODEL}")
        self.expect("train", "the bot reacts to the comment", lambda: self._reacted(comment.id))
        self.expect("train", "one comment tells the end of the run", lambda: self._one_comment("is good enough"))
        self.expect("train", "a work item is linked to the issue, and its card has moved", self._card)

    def promote(self) -> None:
        """Step 3: a second person promotes, and the version serves."""
        self.say("3. Mira may not promote what she trained; Jonas may: `/promote`.")
        world = self.stage.github.world
        world.comment(MIRA, REPOSITORY, self.issue, "/promote")
        self.expect("promote", "who trained it is refused", lambda: self._answer("Promotion needs two people"))
        world.comment(JONAS, REPOSITORY, self.issue, "/promote")
        self.expect("promote", "the version serves", lambda: self._answer("v1 serves"))
        rows = as_requests(months()["2011-01"][:3])
        self.expect("promote", "the scoring endpoint answers over HTTP", lambda: self._scored(rows))

    def review(self) -> None:
        """Step 4: a worse change fails its check, a better one passes."""
        worse = self._pull("simpler", "Leave out the hour of the day", {HOURLY: WORSE})
        better = self._pull("counts", "Counts are Poisson, and may go deeper", {PLAIN: COUNTS, SHALLOW: DEEPER})
        self.say(f"4. Two pull requests: {self._pull_url(worse[0])} and {self._pull_url(better[0])}.")
        self.expect("review", "the check of the worse change fails", lambda: self._checked(worse[1], "failure"))
        self.expect("review", "its report says by how much and where", lambda: self._reported(worse[0], "is worse"))
        self.expect("review", "the check of the better change passes", lambda: self._checked(better[1], "success"))
        self.expect("review", "its report says by how much", lambda: self._reported(better[0], "is good enough"))

    def drift(self) -> None:
        """Step 5: requests month by month; in spring exactly one item opens on each side."""
        self.say("5. Requests of January to June go to the endpoint, and the monitor looks at each month.")
        for month in ("2011-01", "2011-02", "2011-03"):
            self._month(month, alarm=False)
        self._month("2011-04", alarm=True)
        self.expect("drift", "one retrain work item opens on the board", lambda: self._single_item(1))
        self.expect("drift", "one issue opens on GitHub", lambda: self._single_issue("open"))
        self.expect("drift", "both are linked with each other and with the evidence", self._joined)
        for month in ("2011-05", "2011-06"):
            self._month(month, alarm=True)
        self.expect("drift", "it is still one item while the drift lasts", lambda: self._single_item(1))

    def retrain(self) -> None:
        """Step 6, first half: the spring's data arrives, and a new version learns from it."""
        by_month = months()
        files = {f"data/{month}.csv": as_csv(by_month[month]) for month in ("2011-04", "2011-05", "2011-06")}
        self.stage.github.world.push(MIRA, REPOSITORY, "main", files, "Add the rentals of the spring")
        self.say(f"6. The spring's data is pushed; Mira comments `/retrain` on {self._item_url()}.")
        self._comment_item("Mira Holm", "mira@example.com", "/retrain")
        self.expect(
            "retrain", "the report on the work item shows the recovery", lambda: self._item_answer("is good enough")
        )
        self._comment_item("Jonas Berg", "jonas@example.com", "/promote")
        self.expect("retrain", "the new version serves", lambda: self._item_answer("v2 serves"))

    def close(self) -> None:
        """Step 6, second half: a clean window, and the items close themselves."""
        self._month("2011-06", alarm=False)
        self.expect("close", "the work item closes itself", self._item_closed)
        self.expect("close", "so does the issue", lambda: self._single_issue("closed"))

    def _pull(self, branch: str, title: str, changes: Mapping[str, str]) -> tuple[int, str]:
        world = self.stage.github.world
        text = (self._file("train.py")).decode()
        for before, after in changes.items():
            if before not in text:
                raise Stuck(f"train.py has no {before!r} to change")
            text = text.replace(before, after)
        commit = world.push(MIRA, REPOSITORY, branch, {"train.py": text.encode()}, title)
        return world.pull_open(MIRA, REPOSITORY, title, branch).number, commit

    def _file(self, name: str) -> bytes:
        import base64

        return base64.b64decode(self.read.github(f"repos/{REPOSITORY}/contents/{name}")["content"])

    def _month(self, month: str, *, alarm: bool) -> None:
        answer = self.read.score(as_requests(months()[month]))
        if answer.status_code != 200:
            raise Stuck(f"the endpoint answered {answer.status_code}: {answer.text[:200]}")
        before = len(self.read.said(self.issue))
        self.stage.github.world.comment(MIRA, REPOSITORY, self.issue, f"/monitor {MODEL} window={month}")
        count = len(answer.json()["predictions"])
        expected = f"{month}, {count} requests: {'alarm' if alarm else 'no alarm'}"
        self.expect("drift", expected, lambda: self._newest_answer(before, alarm))

    def _newest_answer(self, before: int, alarm: bool) -> str | None:
        said = self.read.said(self.issue)[before:]
        ended = [one for one in said if "⏳" not in _sentence(one) and "waits in line" not in _sentence(one)]
        if not ended:
            return None
        if ("drifts" in _sentence(ended[-1])) is not alarm:
            raise Stuck(f"the bot says {_sentence(ended[-1])!r}")
        return _sentence(ended[-1])

    def _reacted(self, comment: int) -> str | None:
        found = self.read.github(f"repos/{REPOSITORY}/issues/comments/{comment}/reactions")
        return ", ".join(one["content"] for one in found) or None

    def _one_comment(self, text: str) -> str | None:
        said = self.read.said(self.issue)
        return _sentence(said[0]) if len(said) == 1 and text in _sentence(said[0]) else None

    def _answer(self, text: str) -> str | None:
        return next((_sentence(one) for one in self.read.said(self.issue) if text in _sentence(one)), None)

    def _card(self) -> str | None:
        url = self._issue_url(self.issue)
        for number in self.read.items("lifecycle-bot"):
            item = self.read.item(number)
            linked = any(one["url"] == url for one in item.get("relations") or [])
            state = item["fields"]["System.State"]
            if linked and state != "New":
                return f"AB#{number} is {state}"
        return None

    def _scored(self, rows: list[dict[str, object]]) -> str | None:
        answer = self.read.score(rows)
        return f"predictions {[round(one) for one in answer.json()['predictions']]}" if answer.ok else None

    def _checked(self, commit: str, conclusion: str) -> str | None:
        check = self.read.check(commit)
        if check.get("conclusion") and check["conclusion"] != conclusion:
            raise Stuck(f"the check concluded {check['conclusion']}: {check['output']['title']}")
        return str(check["output"]["title"]) if check.get("conclusion") == conclusion else None

    def _reported(self, number: int, text: str) -> str | None:
        said = [one for one in self.read.said(number) if text in _sentence(one)]
        return f"1 comment, {len(said[0].splitlines())} lines" if len(said) == 1 else None

    def _single_item(self, count: int) -> str | None:
        numbers = self.read.items("retrain")
        if len(numbers) > count:
            raise Stuck(f"{len(numbers)} retrain items: {numbers}")
        if len(numbers) == count:
            self.retrain_item = numbers[0]
            return f"AB#{numbers[0]} {self.read.item(numbers[0])['fields']['System.Title']}"
        return None

    def _single_issue(self, state: str) -> str | None:
        found = self.read.github(f"repos/{REPOSITORY}/issues?state=all&labels=retrain&per_page=100")
        if len(found) > 1:
            raise Stuck(f"{len(found)} retrain issues")
        if found and found[0]["state"] == state:
            self.retrain_issue = found[0]["number"]
            return f"#{self.retrain_issue} is {state}"
        return None

    def _joined(self) -> str | None:
        urls = {one["url"] for one in self.read.item(self.retrain_item).get("relations") or []}
        body = self.read.github(f"repos/{REPOSITORY}/issues/{self.retrain_issue}")["body"]
        wanted = {self._issue_url(self.retrain_issue), f"{self.bot}/models/{REPOSITORY}/{MODEL}/versions/1"}
        if wanted <= urls and any("/runs/" in url for url in urls) and f"_workitems/edit/{self.retrain_item}" in body:
            return f"{len(urls)} links on AB#{self.retrain_item}"
        return None

    def _comment_item(self, name: str, address: str, text: str) -> None:
        azure = self.stage.azure
        azure.comment(azure.items[self.retrain_item], text, azure.person(name, address))

    def _item_answer(self, text: str) -> str | None:
        said = self.read.item_said(self.retrain_item)
        return next((_sentence(one) for one in said if text in _sentence(one)), None)

    def _item_closed(self) -> str | None:
        state = self.read.item(self.retrain_item)["fields"]["System.State"]
        return f"AB#{self.retrain_item} is {state}" if state in ("Closed", "Done") else None

    def _issue_url(self, number: int) -> str:
        return f"{self.stage.github.url}/{REPOSITORY}/issues/{number}"

    def _pull_url(self, number: int) -> str:
        return f"{self.stage.github.url}/{REPOSITORY}/pull/{number}"

    def _item_url(self) -> str:
        return f"{self.stage.azure.base_url}/Bikes/_workitems/edit/{self.retrain_item}"


def _sentence(comment: str) -> str:
    """The first line of a comment, without its Markdown."""
    lines = [line for line in comment.splitlines() if line and not line.startswith(("<!--", "[lifecycle-bot]:"))]
    return lines[0].lstrip("# ").replace("`", "").replace("*", "")[:160] if lines else ""
