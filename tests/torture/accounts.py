"""The reckoning: the platforms, the database and the process table against what an undisturbed day would show."""

import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from bot.adapters.azure_text import tag_of
from lifecycle import Filter, Kind, Registry, Run, State, Store, Watching, connect
from lifecycle.runs import ATTEMPTS
from tests.stories.repository import MODEL
from tests.torture.commands import ANSWER, EITHER, Command
from tests.torture.house import BOARDED, DRIFTING, House
from tests.torture.people import BOT, UNDER_WAY
from tests.torture.trainings import JOB

ROBOT = "lifecycle-bot"
LATE = "written after this, though I read it before"
ENDS = {State.FAILED: "did not succeed", State.CANCELLED: "was cancelled"}


@dataclass(slots=True)
class Said:
    """What the bot wrote under one ref: texts and the moment of their last change."""

    texts: list[tuple[str, float]] = field(default_factory=list)

    def marked(self, marker: str) -> list[tuple[str, float]]:
        """The comments that carry a marker, in either platform's form."""
        wanted = re.compile(rf"[ (]{re.escape(marker)}[ )]")
        return [one for one in self.texts if wanted.search(one[0].split("\n", 1)[0])]


class Evidence:
    """Everything that can be seen from outside once it is quiet."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.engine = connect(house.database)
        self.runs: Sequence[Run] = sorted(Store(self.engine).find(Filter(), limit=100_000), key=lambda run: run.id)
        self.by_event: dict[str, list[Run]] = {}
        for run in self.runs:
            self.by_event.setdefault(run.key.rpartition("/")[0], []).append(run)
        self.said = self._said()

    def close(self) -> None:
        self.engine.dispose()

    def _said(self) -> dict[str, Said]:
        found: dict[str, Said] = {}
        stage = self.house.stage
        with stage.github.world.lock:
            for repo in stage.github.world.repos.values():
                for issue in repo.issues.values():
                    said = found.setdefault(f"github:{repo.full_name}#{issue.number}", Said())
                    said.texts += [(c.body, c.updated_at.timestamp()) for c in issue.comments if c.user.login == BOT]
        with stage.azure.lock:
            for item in stage.azure.items.values():
                said = found.setdefault(f"boards:{stage.azure.name}/{item.id}", Said())
                said.texts += [
                    (c.text, c.modified.timestamp())
                    for c in item.comments
                    if c.by.display_name == ROBOT and not c.deleted
                ]
        return found

    # Commands

    def traces(self, command: Command) -> tuple[list[Run], int]:
        """The runs that a command made, and how many comments answer it."""
        said = self.said.get(command.ref, Said())
        return self.by_event.get(command.event, []), len(said.marked(f"answer {command.event}"))

    def lost(self, commands: Iterable[Command]) -> list[str]:
        return [f"{one.event} {one.text}" for one in commands if self.traces(one) == ([], 0)]

    def misdone(self, commands: Iterable[Command], struck: Collection[str] = ()) -> list[str]:
        """Commands that came to another thing than they would have on an undisturbed day; `struck` are killed jobs."""
        found = []
        for one in commands:
            runs, answers = self.traces(one)
            if not runs and not answers:
                continue  # lost, counted there
            kinds = [str(run.spec.kind) for run in runs]
            if one.makes == EITHER or (one.makes == ANSWER and not runs):
                continue
            if not runs and LATE in self._answers(one):
                continue  # a promotion that was read after what was asked for later, which stands as on any day
            if kinds != [one.makes]:
                found.append(f"{one.event} {one.text}: made {kinds or 'an answer'}: {self._answers(one)}")
            elif one.ends and runs[0].state != one.ends and not _given_up(runs[0], struck):
                found.append(f"run {runs[0].id} ({one.text}) {runs[0].state}, not {one.ends}: {runs[0].reason}")
        return found

    def _answers(self, command: Command) -> str:
        found = self.said.get(command.ref, Said()).marked(f"answer {command.event}")
        return " | ".join(text.split("\n", 1)[-1][:300] for text, _ in found)

    # Runs

    def unended(self) -> list[str]:
        return [f"run {run.id} {run.state} {_stage(run)}" for run in self.runs if not run.state.ended]

    def untold(self) -> list[str]:
        """Runs without exactly one comment that tells their end; of a pull request's reports the newest counts."""
        found = []
        for run in self.runs:
            if not run.state.ended or not run.spec.ref:
                continue
            if run.spec.options.get("check") and not self._checked(run):
                found.append(f"run {run.id}: its check does not tell its end")
            if run.spec.options.get("report"):
                newest = max(r.id for r in self.runs if r.spec.ref == run.spec.ref and r.spec.options.get("report"))
                if run.id != newest:
                    continue
            texts = self.comments_of(run)
            if len(texts) != 1 or not _tells(texts[0][0], run):
                heads = [text.split("\n")[1][:80] for text, _ in texts]
                found.append(f"run {run.id} {run.spec.kind} {run.state} on {run.spec.ref}: {heads}")
        return found

    def comments_of(self, run: Run) -> list[tuple[str, float]]:
        marker = f"report-{run.spec.model}" if run.spec.options.get("report") else f"run-{run.id}"
        return self.said.get(run.spec.ref, Said()).marked(marker)

    def _checked(self, run: Run) -> bool:
        world = self.house.stage.github.world
        with world.lock:
            checks = list(world.check_runs(world.repo_of(run.spec.project), run.spec.commit))
        mine = [one for one in checks if one.external_id == str(run.id)]
        newer = [one for one in checks if one.external_id.isdecimal() and int(one.external_id) > run.id]
        return (len(mine) == 1 and mine[0].status == "completed") or (not mine and bool(newer))

    # What there must be once

    def twice(self) -> list[str]:
        """Whatever was written or made more than once."""
        found = []
        for ref, said in self.said.items():
            marks = Counter(text.split("\n", 1)[0] for text, _ in said.texts)
            found += [f"{count} comments {mark} on {ref}" for mark, count in marks.items() if count > 1]
        world = self.house.stage.github.world
        with world.lock:
            for repo in world.repos.values():
                names = Counter((one.head_sha, one.name, one.external_id) for one in world.check_runs(repo))
                found += [f"{count} checks {name}" for name, count in names.items() if count > 1]
        found += [f"{count} cards for {ref}" for ref, count in self.cards().items() if count > 1]
        registry = Registry(self.engine, self.house.states[0])
        made = [one for names in registry.models() for one in registry.of_model(*names, limit=100_000)]
        versions = Counter(one.run for one in made)
        return found + [f"{count} versions of run {run}" for run, count in versions.items() if count > 1]

    def cards(self) -> Mapping[str, int]:
        """How many work items there are for each issue of a repository with a board on which something was trained."""
        azure = self.house.stage.azure
        tagged: Counter[str] = Counter()
        with azure.lock:
            for item in azure.items.values():
                tagged.update(tag.strip() for tag in str(item["System.Tags"] or "").split(";"))
        wanted = {
            run.spec.ref
            for run in self.runs
            if run.spec.kind in (Kind.TRAIN, Kind.RETRAIN) and run.spec.project.split("/")[1] in (*BOARDED, DRIFTING)
        }
        return {ref: tagged[tag_of(ref)] for ref in wanted if ref.startswith("github:")}

    def cardless(self) -> list[str]:
        return [ref for ref, count in self.cards().items() if not count]

    def drifts(self) -> dict[str, Any]:
        """Episodes of drift, and the items that were opened for them on either side."""
        with self.engine.connect() as connection:
            episodes = connection.exec_driver_sql("SELECT count(*) FROM episodes").scalar()
        azure, world = self.house.stage.azure, self.house.stage.github.world
        with azure.lock:
            items = sum("retrain" in str(item["System.Tags"] or "").split("; ") for item in azure.items.values())
        with world.lock:
            issues = world.repo_of(f"octo/{DRIFTING}").issues.values()
            told = sum(any(label.name == "retrain" for label in issue.labels) for issue in issues)
        open_ = len(Watching(self.engine).open_episodes())
        return {"episodes": episodes, "open": open_, "work_items": items, "issues": told}

    def champions(self) -> list[tuple[str, int]]:
        """The repositories whose model serves, and which version."""
        registry = Registry(self.engine, self.house.states[0])
        found = [(project, registry.champion(project, MODEL)) for project, _ in registry.models()]
        return [(project, version.number) for project, version in found if version is not None]


def _given_up(run: Run, struck: Collection[str]) -> bool:
    """Whether a run says that it was lost too often, and we did kill as many of its jobs: that is its promised end."""
    killed = sum((job := JOB.match(name)) is not None and int(job[1]) == run.id for name in struck)
    return run.state is State.FAILED and f"was lost {ATTEMPTS} times" in run.reason and killed >= ATTEMPTS


def _stage(run: Run) -> str:
    current = run.current
    return f"{current.stage} {current.state} {current.attempt} {dict(current.jobs)}" if current else "all done"


def _tells(text: str, run: Run) -> bool:
    """Whether a comment tells the run's end."""
    if any(mark in text for mark in UNDER_WAY) or f"[Run {run.id}]" not in text:
        return False
    word = ENDS.get(run.state)
    return word in text if word else not any(other in text for other in ENDS.values())
