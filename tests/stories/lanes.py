"""Repositories side by side, each with a board of its own: in each one story is told over and over, calm or broken."""

import re
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from bot.playground.azure import WorkItem
from bot.playground.faults import Fault, Faults, Kind, Served
from lifecycle import Watching, Window, connect
from tests.stories.repository import MODEL
from tests.stories.world import Thread, World

TURN = "import sys\n\nprint('a word', flush=True)\nsys.exit('no luck')\n"  # trains in a moment, and never well
NUMBERS = re.compile(r"[0-9a-f]{40}|\b[0-9a-f]{8,10}\b|\d+(?:\.\d+)?")
Picture = Mapping[str, object]
LONG = 180.0  # seconds until a story is over, on a machine that does much else
HARM: tuple[tuple[str, str, Fault], ...] = (  # a name, which calls (a read has no effect), what happens to one
    ("500", ".*", Fault(Kind.STATUS, status=500)),
    ("502 after the work", "(?!GET|OPTIONS).*", Fault(Kind.AFTER, status=502)),
    ("hang-up after the work", "(?!GET|OPTIONS).*", Fault(Kind.HANGUP_AFTER)),
)


@dataclass(frozen=True, slots=True)
class Case:
    """One call of a story, and what happens to it; `turn` counts the calls that look the same."""

    platform: str
    call: str  # POST /api/v3/repos/octo/@/issues/#/comments
    turn: int
    harm: str
    fault: Fault

    def __str__(self) -> str:
        return f"{self.harm} at the {self.turn}. {self.call} of {self.platform}"


@dataclass(slots=True)
class Lane:
    """octo/NAME and its board."""

    world: World
    name: str
    board: str
    branches: int = 0

    def faults(self, platform: str) -> Faults:
        return self.world.stage.github.faults if platform == "github" else self.world.stage.azure_faults

    def calls(self, platform: str) -> list[Served]:
        """The calls about this lane."""
        found, whose = self.faults(platform).log, re.compile(self.place)
        return [one for one in found if (whose.search(one.path) if platform == "github" else one.scope == self.board)]

    @property
    def place(self) -> str:
        """What the paths of this lane's calls to GitHub have."""
        return rf"/octo/{self.name}(?:[/?.]|$)"

    def shape(self, platform: str, call: Served) -> str:
        """A call without what differs from telling to telling: @ for the lane, # for numbers, commits, branches."""
        whose = f"octo/{self.name}" if platform == "github" else f"/{self.board}/"
        path = re.sub(r"[?].*", "", call.path).replace(whose, "octo/@" if platform == "github" else "/@/")
        return f"{call.method} {re.sub(r'/([0-9a-f]{40}|[0-9]+|try-[0-9]+)(?=/|$)', '/#', path)}"

    def pattern(self, case: Case) -> str:
        """The regular expression for the paths of calls that look so."""
        path = re.escape(case.call.partition(" ")[2])
        name = self.name if case.platform == "github" else self.board
        return f"^{path.replace('@', name).replace(re.escape('#'), '[^/?]+')}(?:[?]|$)"

    def told(self, story: Callable[["Lane"], Thread]) -> tuple[Thread, Mapping[str, Sequence[str]]]:
        """Tell the story; where it was told, and the calls that it took on each platform."""
        before = {platform: len(self.calls(platform)) for platform in ("github", "azure")}
        thread = story(self)
        return thread, {
            platform: [self.shape(platform, call) for call in self.calls(platform)[start:]]
            for platform, start in before.items()
        }

    def broken(self, case: Case, story: Callable[["Lane"], Thread]) -> tuple[Thread, bool]:
        """Tell the story with one call broken; where it was told, and whether the call came at all."""
        method, faults = case.call.split(" ")[0], self.faults(case.platform)
        scope = f"^{self.board}$" if case.platform == "azure" else ""
        rule = faults.add(replace(case.fault, method=method, path=self.pattern(case), scope=scope, nth=case.turn))
        try:
            thread = story(self)
        finally:
            faults.remove(rule)
        return thread, any(call.fault == rule for call in faults.log)

    def settle(self, thread: Thread) -> Thread:
        """Wait until there was a run, and nothing is left to do about the thread."""
        self.world.eventually(lambda: self._quiet(thread), f"all is told of {thread.repo}#{thread.number}", LONG)
        return thread

    def query(self, text: str, *values: object) -> list[tuple[object, ...]]:
        """Ask the bot's database."""
        with sqlite3.connect(self.world.folder / "state" / "lifecycle.db", timeout=30) as database:
            return database.execute(text, values).fetchall()

    def episode(self) -> int:
        """An episode of drift that monitoring has just opened; its number."""
        project, now = f"octo/{self.name}", datetime.now(UTC)
        engine = connect(f"sqlite:///{self.world.folder / 'state' / 'lifecycle.db'}")
        ((run,),) = self.query("SELECT max(id) FROM runs WHERE project = ?", project)
        window = Window(project, MODEL, 1, int(str(run)), now - timedelta(days=30), now, 100, "ALARM", 3.0, now)
        found = Watching(engine).open(window, "drift")
        engine.dispose()
        return found.id

    def poke(self, workflow: str, number: int) -> None:
        """Let the bot do something that it has put off until now."""
        with sqlite3.connect(self.world.folder / "state" / "lifecycle.db", timeout=30) as database:
            row = (f"{workflow}/{number}", "", "", 0.0, 0.0, 0, "a test")
            database.execute("INSERT INTO later VALUES (?, ?, ?, ?, ?, ?, ?)", row)

    def waits(self, key: str) -> bool:
        """Whether something is put off."""
        return bool(self.query("SELECT 1 FROM later WHERE key = ?", key))

    def is_told(self, subject: str, target: str) -> bool:
        return bool(self.query("SELECT 1 FROM told WHERE subject = ? AND target = ?", subject, target))

    def left(self, episode: int, platform: str) -> object:
        """As what the bot remembers to have left the item of an episode: open or closed."""
        query = "SELECT digest FROM told WHERE subject = ? AND target = ?"
        return self.query(query, f"episode:{episode}", f"{platform}/state")

    def _quiet(self, thread: Thread) -> bool:
        ref = f"github:{thread.repo}#{thread.number}"
        runs = self.query("SELECT id, ended_yet, told >= revision FROM runs WHERE ref = ?", ref)
        waits = {key for key, line in self.query("SELECT key, line FROM later") if line == ref}
        waits |= {key for (key,) in self.query("SELECT key FROM later")} & {f"tell/{number}" for number, *_ in runs}
        return bool(runs) and all(ended and told for _, ended, told in runs) and not waits

    def picture(self, thread: Thread) -> Picture:
        """What people see of it, without what differs from telling to telling."""
        github, azure = self.world.stage.github.world, self.world.stage.azure
        with github.lock, azure.lock:
            issue = github.issue(thread.repo, thread.number)
            url = f"/octo/{self.name}/{'pull' if issue.pull else 'issues'}/{thread.number}"
            cards = [
                one for one in azure.items.values() if any(url == link.url[-len(url) :] for link in one.now.relations)
            ]
            head = issue.pull.head_sha if issue.pull else ""
            runs = [run for suite in issue.repo.suites if suite.head_sha == head for run in suite.runs]
            return {
                "issue": (issue.title, issue.state, sorted(label.name for label in issue.labels)),
                "comments": [(one.user.login, _plain(one.body)) for one in issue.comments],
                "reactions": [(one.user.login, one.content) for said in issue.comments for one in said.reactions],
                "checks": [(run.name, run.status, run.conclusion, run.title) for run in runs],
                "cards": [self._card(one) for one in cards],
                "runs": self._runs(f"github:{thread.repo}#{thread.number}"),
            }

    def _card(self, item: WorkItem) -> object:
        fields = (item["System.Title"], item["System.State"], _plain(str(item["System.Tags"])))
        return *fields, len(item.now.relations), [_plain(said.text) for said in item.comments if not said.deleted]

    def _runs(self, ref: str) -> list[tuple[object, ...]]:
        return self.query("SELECT kind, state, verdict FROM runs WHERE ref = ? ORDER BY id", ref)


def _plain(text: str) -> str:
    """A text with its numbers, commits and times left out; a duration may be told with a unit or not at all."""
    return NUMBERS.sub("#", text)
