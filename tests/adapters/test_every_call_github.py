"""Every call to GitHub broken once, before and after its effect, one at a time: all end the same."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import count

import pytest

from bot.adapters.github import App, GitHub
from bot.playground.faults import Fault, Kind
from bot.playground.github import Playground, start
from bot.ports import Category, Check, Conclusion, Draft, Mark
from bot.refs import Ref
from bot.retrying import Json
from tests.adapters.breaking import SILENT, Breakage, broken_once, calls_of, persistently

BIKES = "octo/bikes"
LIMITS = (
    Breakage("429", Fault(Kind.STATUS, status=429, headers={"Retry-After": "1"}), "POST|PATCH|DELETE"),
    Breakage("401", Fault(Kind.STATUS, status=401, body='{"message": "Bad credentials"}')),
    Breakage("409", Fault(Kind.STATUS, status=409, body='{"message": "Conflict"}')),
)


@dataclass(slots=True)
class Town:
    """A GitHub, and for each act a bot that has just started and an issue of its own."""

    hub: Playground
    app: App
    numbers: Iterator[int] = field(default_factory=count)

    def scene(self) -> "Scene":
        number = self.hub.world.issue_open("mira", BIKES, "Predict demand", "please").number
        said = self.hub.world.comment("mira", BIKES, number, "/train").id
        github = GitHub(self.hub.api, self.app, seconds_between_writes=0.0, timeout=3, lag=0.3)
        return Scene(self, github, Ref("github", BIKES, number), said, f"key-{next(self.numbers)}")


@dataclass(frozen=True, slots=True)
class Scene:
    town: Town
    github: GitHub
    issue: Ref
    said: int
    key: str

    def comment(self) -> Json:
        for text in ("queued", "training", "training", "done"):
            persistently(lambda text=text: bool(self.github.say(self.issue, "run-7", text)))  # type: ignore[misc]
        return True

    def react(self) -> Json:
        return persistently(lambda: self.github.acknowledge(self.issue, str(self.said), Mark.SEEN))

    def check(self) -> Json:
        def put(conclusion: Conclusion) -> None:
            head = self.github.head(BIKES).commit
            check = Check(head, f"lifecycle / {self.key}", self.key, conclusion, conclusion.value, "…", "http://bot/7")
            self.github.check(BIKES, check)

        for conclusion in (Conclusion.QUEUED, Conclusion.RUNNING, Conclusion.FAILURE):
            persistently(lambda conclusion=conclusion: put(conclusion))  # type: ignore[misc]
        return True

    def item(self) -> Json:
        github, marker = self.github, f"drift/{self.key}"
        draft = Draft(f"Retrain {self.key}", "It drifts.", ("retrain",))
        number = persistently(lambda: github.open(BIKES, marker, draft).number)
        ref = Ref("github", BIKES, int(str(number)))
        persistently(lambda: github.revise(ref, Draft(f"Retrain {self.key} now", "It drifts more.", ("retrain", "x"))))
        persistently(lambda: github.relate(ref, "http://bot/runs/7", "Evidence: run 7"))
        persistently(lambda: github.move(ref, Category.COMPLETED))
        return persistently(lambda: github.category(ref).value)

    def label(self) -> Json:
        for present in (True, False, True):
            persistently(lambda present=present: self.github.label(self.issue, "late", present))  # type: ignore[misc]
        return True

    def reads(self) -> Json:
        github, issue = self.github, self.issue
        asked: tuple[Callable[[], Json], ...] = (
            lambda: github.permission(issue, "mira").value,
            lambda: github.thing(issue).title,
            lambda: [comment.body for comment in github.comments(issue)],
            lambda: github.head(BIKES).commit,
            lambda: github.pull(Ref("github", BIKES, 1)).head,
            lambda: [pull.title for pull in github.open_pulls(BIKES)],
            lambda: github.source(BIKES).url,
            lambda: str(github.find(BIKES, "none")),
        )
        return [persistently(one) for one in asked]

    def comments(self) -> list[tuple[str, str]]:
        return [(one.user.login, one.body) for one in self.town.hub.world.issue(BIKES, self.issue.number).comments]

    def picture(self) -> Mapping[str, object]:
        """What people see of this scene."""
        repo = self.town.hub.world.repo_of(BIKES)
        issue = self.town.hub.world.issue(repo, self.issue.number)
        items = [one for one in repo.issues.values() if self.key in one.title.split()]
        runs = [run for suite in repo.suites for run in suite.runs if run.external_id == self.key]
        return {
            "comments": self.comments(),
            "reactions": [(one.user.login, one.content) for one in issue.comments[0].reactions],
            "labels": [label.name for label in issue.labels],
            "items": [(one.state, one.state_reason, sorted(label.name for label in one.labels)) for one in items],
            "texts": [f"{one.title}\n{one.body}".replace(self.key, "") for one in items],
            "checks": [(run.status, run.conclusion, run.title) for run in runs],
        }


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    hub = start(tmp_path_factory.mktemp("github"))
    for login, level in (("mira", "write"), ("jonas", "maintain")):
        hub.world.user(login, level)
    hub.world.create_repo(BIKES, {"train.py": "print(1)\n"}, by="mira")
    hub.world.push("mira", BIKES, "change", {"train.py": "print(2)\n"}, "Change")
    hub.world.pull_open("mira", BIKES, "Change", "change")
    app = hub.world.app()
    yield Town(hub, App(app.id, app.private_key))
    hub.close()


ACTS = ("comment", "react", "check", "item", "label", "reads")


@pytest.mark.parametrize("name", ACTS)
def test_every_call_broken_once_before_and_after_its_effect_ends_the_same(town: Town, name: str) -> None:
    faults, calm = town.hub.faults, town.scene()
    answer, calls = calls_of(faults, getattr(calm, name))
    assert any(call.startswith("POST") for call in calls), "at least the App's token is asked for"
    wanted = calm.picture()
    for breakage, number in broken_once(faults, (*SILENT, *LIMITS), calls):
        scene = town.scene()
        got = getattr(scene, name)()
        assert (got, scene.picture()) == (answer, wanted), f"{breakage.name} at {calls[number - 1]} ({number})"


@pytest.mark.parametrize(("name", "made"), [("comment", "comments"), ("check", "check-runs"), ("item", "issues")])
def test_what_was_made_without_an_answer_and_shows_late_is_made_once(town: Town, name: str, made: str) -> None:
    faults, calm = town.hub.faults, town.scene()
    calls_of(faults, getattr(calm, name))
    wanted = calm.picture()
    for kind in (Kind.AFTER, Kind.HANGUP_AFTER):
        faults.clear()
        faults.add(Fault(kind, path=f"/{made}$", method="POST", status=502))
        faults.add(Fault(Kind.LAG, path=rf"/{made}(\?|$)", method="GET", seconds=0.25, times=None))
        scene = town.scene()
        getattr(scene, name)()
        faults.clear()
        assert scene.picture() == wanted


def test_a_comment_that_shows_far_too_late_is_cleared_away(town: Town) -> None:
    faults, scene = town.hub.faults, town.scene()
    faults.add(Fault(Kind.AFTER, path="/comments$", method="POST", status=502))
    faults.add(Fault(Kind.LAG, path=r"/comments\?", method="GET", seconds=0.8, times=3))
    scene.comment()
    faults.clear()
    mine = [body for login, body in scene.comments() if login != "mira"]
    assert len(mine) == 1
    assert mine[0].endswith("done")


@pytest.mark.parametrize("how", ["revoked", "expired"])
def test_a_token_that_is_refused_in_the_middle_is_renewed(town: Town, how: str) -> None:
    scene, world = town.scene(), town.hub.world
    scene.github.say(scene.issue, "run-7", "queued")
    for secret, token in [*world.tokens.items()]:
        if token.installation is not None and how == "revoked":
            world.revoke(secret)
        elif token.installation is not None:
            world.tokens[secret] = replace(token, expires_at=world.now())
    scene.github.say(scene.issue, "run-7", "done")
    assert scene.github.thing(scene.issue).open
    assert [body.split("\n")[-1] for _, body in scene.comments()] == ["/train", "done"]
