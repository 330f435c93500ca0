"""What a command works with: who asks, where, and what they mean by "the model" and "the commit"."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.arguments import code_span
from bot.ports import Permission, Thing, Unavailable
from bot.refs import Ref
from bot.world import Plan, World
from lifecycle import Episode, Filter, Kind, Mistakes, Model, Project, Run, Spec, Trouble, Value, Version

LATE = timedelta(minutes=2)  # at most so long after it was written a command is read, where we cannot tell better
SETTLED = timedelta(minutes=1)  # after so long an item that we have opened is linked, or will not be


class Refused(Exception):
    """Said to the asker, as the sentence that it is: why not, and what to do."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What a command answers: Markdown to say, and the runs that it started, which tell their own story."""

    text: str = ""
    runs: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Ask:
    """One command of one comment. `key` is natural: the comment's, and the command's place in it; `at` is its time."""

    world: World
    ref: Ref
    thing: Thing
    asker: str
    has: Permission
    key: str
    at: datetime

    def plan(self) -> Plan:
        """The repository and board that this place belongs to. Raises Refused."""
        world = self.world
        if self.ref.system in world.forges:
            if self.ref.place not in world.plans:
                raise Refused(f"{self.ref.place} is not among the projects of this bot's app.yaml.")
            return world.plans[self.ref.place]
        near = (end for link in world.links.around(str(self.ref)) for end in (link.a, link.b))
        linked = [Ref.parse(end).place for end in near if end.partition(":")[0] in world.forges]
        mine = [plan for plan in world.plans.values() if (plan.board or "").split("/")[0] == self.ref.place]
        for place in linked:
            if place in world.plans:
                return world.plans[place]
        if len(mine) != 1:
            self._settle()
            raise Refused(
                "This work item is not linked to a repository yet. Link it to an issue or pull request, "
                "`/link owner/repository#12`, and ask again."
            )
        return mine[0]

    def project(self) -> Project:
        """What the repository's default branch says of its models. Raises Refused."""
        plan = self.plan()
        head = self.world.forge(plan.repository).head(plan.repository, plan.branch)
        return self.described(plan.repository, head.commit)

    def described(self, repository: str, commit: str) -> Project:
        """What the repository says of its models at a commit. Raises Refused."""
        try:
            return self.world.life.project(repository, commit)
        except Trouble as trouble:
            raise Refused(str(trouble)) from None
        except Mistakes as mistakes:
            raise Refused("lifecycle.yaml has mistakes:\n\n" + code_block(str(mistakes))) from None

    def model(self, name: str) -> tuple[str, Model]:
        """The model asked for; the only one there is when none is named. Raises Refused."""
        models = self.project().models
        if not name:
            linked = self._linked_model()
            name = linked if linked in models else next(iter(models)) if len(models) == 1 else ""
        if not name:
            raise Refused(f"Say which model: {', '.join(code_span(known) for known in sorted(models))}.")
        if name not in models:
            known = ", ".join(code_span(one) for one in sorted(models))
            raise Refused(f"There is no model {code_span(name)}; lifecycle.yaml has {known}.")
        return name, models[name]

    def commit(self) -> tuple[str, str, bool]:
        """The commit meant here, the default branch's, and whether the first is code that we trust. Raises Refused."""
        plan = self.plan()
        forge = self.world.forge(plan.repository)
        head = forge.head(plan.repository, plan.branch)
        if not self.thing.is_pull:
            return head.commit, head.commit, True
        pull = forge.pull(self.ref)
        if not pull.open:
            raise Refused("This pull request is closed; ask on an open one, or on an issue for the default branch.")
        if pull.from_fork:
            raise Refused(
                f"Commit `{pull.head[:8]}` comes from a fork, and a fork's code does not run here. A maintainer who "
                "has read it can push it to a branch of this repository and open a pull request from there."
            )
        return pull.head, head.commit, True

    def start(self, spec: Spec, place: str = "") -> Run:
        """Start the run, link it to where it was asked, and let it begin."""
        world = self.world
        run = world.life.start(spec, f"{self.key}{place}")
        world.links.add(str(self.ref), f"run:{run.id}", "asked", world.now())
        world.poke("advance", run.id)
        return run

    def spec(self, kind: Kind, model: str, **more: object) -> Spec:
        """A specification for the commit meant here. Raises Refused."""
        commit, policy, trusted = self.commit()
        options: dict[str, Value] = {"policy": policy, **_given(more.get("options"))}
        return Spec(
            kind=kind,
            project=self.plan().repository,
            model=model,
            commit=commit,
            ref=str(self.ref),
            asked_by=self.asker,
            params=_given(more.get("params")),
            options=options,
            trusted=trusted,
        )

    def version(self, name: str, model: str) -> Version:
        """The version called `v3` or `3`; the newest when none is named. Raises Refused."""
        registry, project = self.world.life.shop.registry, self.plan().repository
        if not name:
            newest = next(iter(registry.of_model(project, model, limit=1)), None)
            if newest is None:
                raise Refused(f"{code_span(model)} has no version yet; `/train {model}` makes the first.")
            return newest
        digits = name.removeprefix("v")
        found = registry.get(project, model, int(digits)) if digits.isdecimal() and len(digits) < 10 else None
        if found is None:
            known = ", ".join(version.name for version in registry.of_model(project, model, limit=5)) or "none"
            raise Refused(f"{code_span(model)} has no version {code_span(name)}. The newest are: {known}.")
        return found

    def episode(self, model: str = "") -> Episode:
        """The open episode of drift that this item is about, else that of the model. Raises Refused."""
        watching, linked = self.world.life.shop.watching, self._linked_episode()
        if linked is not None and not model:
            if linked.closed is not None:
                raise Refused("This item is closed; open it again first, or wait for the next alarm.")
            return linked
        name, _ = self.model(model)
        found = watching.episode(self.plan().repository, name)
        if found is None:
            raise Refused(f"{code_span(name)} has no open retrain item.")
        return found

    def check_production(self, model: str) -> None:
        """Refuse what was written before a change of production that we have read already. Raises Refused."""
        shop, project = self.world.life.shop, self.plan().repository
        if shop.store.by_key(self.key) is not None:
            return  # started by ourselves, before we were interrupted
        which = Filter(project=project, model=model, kinds=(Kind.PROMOTE, Kind.ROLLBACK), open_only=True)
        done = [shop.store.get(one.run) for one in shop.registry.reign(project, model, limit=1)]
        for run in (*shop.store.find(which), *done):
            if _written(run) > self.written():
                raise Refused(
                    f"`/{run.spec.kind}`, which put v{run.spec.version} of {code_span(model)} into production, was "
                    "written after this, though I read it before. Please write it again if it is still meant."
                )

    def written(self) -> int:
        """When the command was written, in seconds since 1970, by the platform's clock."""
        return int(self.at.timestamp())

    def _linked_model(self) -> str:
        """The model that a drift item is about."""
        episode = self._linked_episode()
        return episode.model if episode else ""

    def _linked_episode(self) -> Episode | None:
        for link in self.world.links.of(str(self.ref)):
            subject, _, number = link.other(str(self.ref)).partition(":")
            if subject == "episode":
                return self.world.life.shop.watching.by_id(int(number))
        self._settle()
        return None

    def _settle(self) -> None:
        """Wait where this seems to be an item of ours that was opened a moment ago. Raises Unavailable."""
        if self.thing.is_pull or self.world.now() - self.at > SETTLED:
            return
        for episode in self.world.life.shop.watching.open_episodes():
            links = self.world.links.of(f"episode:{episode.id}")
            tracked = any(link.other(f"episode:{episode.id}").startswith(f"{self.ref.system}:") for link in links)
            if not tracked and self.thing.title.startswith(f"Retrain {episode.model}: "):
                raise Unavailable("This item was opened a moment ago, and is being linked.", after=1.0)


def _written(run: Run) -> int:
    """When a promotion or rollback was asked for; runs of older releases do not say."""
    said = run.spec.options.get("written")
    return said if isinstance(said, int) else int((run.created - LATE).timestamp())


def _given(values: object) -> Mapping[str, Value]:
    return {name: value for name, value in values.items() if value != ""} if isinstance(values, dict) else {}


def code_block(text: str) -> str:
    """Text from outside as a block of code that it cannot break out of."""
    fence = "```"
    while fence in text:
        fence += "`"
    return f"{fence}text\n{text}\n{fence}"
