"""Every call to Azure DevOps broken once, before and after its effect, one at a time: all end the same."""

import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import pytest

from bot.adapters.azure_boards import AzureBoards
from bot.playground.azure import WorkItem
from bot.playground.faults import Fault, Kind
from bot.ports import Category, Draft, Mark
from bot.refs import Ref
from bot.retrying import Json
from tests.adapters.azure_world import PLACE, World, served
from tests.adapters.breaking import AZURE, broken_once, calls_of, persistently

numbers = count()


@dataclass(frozen=True, slots=True)
class Scene:
    """A bot that has just started, and a work item of its own."""

    world: World
    boards: AzureBoards
    item: WorkItem
    key: str

    @property
    def ref(self) -> Ref:
        return self.world.ref(self.item)

    def comment(self) -> Json:
        for text in ("queued", "training", "training", "done"):
            persistently(lambda text=text: bool(self.boards.say(self.ref, "run-7", text)))  # type: ignore[misc]
        return True

    def react(self) -> Json:
        said = str(self.item.comments[0].id)
        return persistently(lambda: self.boards.acknowledge(self.ref, said, Mark.SEEN))

    def track(self) -> Json:
        boards, marker = self.boards, f"drift/{self.key}"
        draft = Draft(f"Retrain {self.key}", "It drifts.", ("retrain",), kind="problem", severity=2)
        ref = Ref("boards", "Fabrikam", int(str(persistently(lambda: boards.open(PLACE, marker, draft).number))))
        newer = Draft(f"Retrain {self.key} now", "It drifts *more*.", ("retrain", "x"), kind="problem", severity=1)
        persistently(lambda: boards.revise(ref, newer))
        persistently(lambda: boards.relate(ref, "http://bot/runs/7", "Evidence: run 7"))
        persistently(lambda: boards.move(ref, Category.IN_PROGRESS))
        persistently(lambda: boards.move(ref, Category.COMPLETED))
        return persistently(lambda: boards.category(ref).value)

    def reads(self) -> Json:
        boards, ref = self.boards, self.ref
        asked: tuple[Callable[[], Json], ...] = (
            lambda: boards.permission(ref, "mira@example.com").value,
            lambda: boards.thing(ref).title,
            lambda: [comment.body for comment in boards.comments(ref)],
            lambda: str(boards.find(PLACE, "none")),
            lambda: boards.category(ref).value,
        )
        return [persistently(one) for one in asked]

    def picture(self) -> Mapping[str, object]:
        """What people see of this scene."""
        org = self.world.org
        items = [one for one in org.items.values() if self.key in str(one["System.Title"]).split()]
        said = [comment for comment in self.item.comments if not comment.deleted]
        return {
            "comments": [(one.by.display_name, one.text, one.format) for one in said],
            "items": [(one.type.name, one["System.State"], len(one.now.relations)) for one in items],
            "texts": [str(one["Microsoft.VSTS.TCM.ReproSteps"] or one["System.Description"]) for one in items],
            "urgency": [(one["Microsoft.VSTS.Common.Severity"], one["System.Title"][-3:]) for one in items],
        }


@pytest.fixture(scope="module")
def fabrikam(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with served(tmp_path_factory.mktemp("azure-devops")) as world:
        yield world


@pytest.fixture
def scene(fabrikam: World, azure_cache: Path) -> Callable[[], Scene]:
    def make() -> Scene:
        item = fabrikam.item()
        fabrikam.org.comment(item, "/train", fabrikam.mira)
        boards = AzureBoards(
            fabrikam.org.base_url, fabrikam.token, cache=azure_cache, environ=os.environ, timeout=3, lag=0.3
        )
        return Scene(fabrikam, boards, item, f"key-{next(numbers)}")

    make().reads()  # the library asks for its routes once in a process
    return make


@pytest.mark.parametrize("name", ["comment", "react", "track", "reads"])
def test_every_call_broken_once_before_and_after_its_effect_ends_the_same(
    fabrikam: World, scene: Callable[[], Scene], name: str
) -> None:
    faults, calm = fabrikam.faults, scene()
    answer, calls = calls_of(faults, getattr(calm, name))
    wanted = calm.picture()
    for breakage, number in broken_once(faults, AZURE, calls):
        one = scene()
        got = getattr(one, name)()
        assert (got, one.picture()) == (answer, wanted), f"{breakage.name} at {calls[number - 1]} ({number})"


@pytest.mark.parametrize(("name", "made"), [("comment", r"/comments\?format"), ("track", r"/workitems/\$")])
def test_what_was_made_without_an_answer_and_shows_late_is_made_once(
    fabrikam: World, scene: Callable[[], Scene], name: str, made: str
) -> None:
    faults, calm = fabrikam.faults, scene()
    calls_of(faults, getattr(calm, name))
    wanted = calm.picture()
    for kind in (Kind.AFTER, Kind.HANGUP_AFTER):
        one = scene()
        faults.clear()
        faults.add(Fault(kind, path=made, method="POST", status=502))
        faults.add(Fault(Kind.LAG, path=r"/comments\?(?!format)|/wiql", seconds=0.25, times=None))
        getattr(one, name)()
        assert all(rule.kind is Kind.LAG or faults.count("POST", made) for rule in faults.rules)
        faults.clear()
        assert one.picture() == wanted


def test_other_peoples_changes_in_between_are_kept(fabrikam: World, scene: Callable[[], Scene]) -> None:
    one = scene()
    fabrikam.faults.clear()
    fabrikam.faults.add(Fault(Kind.STATUS, path="/workitems/", method="PATCH", status=412, times=2))
    one.boards.relate(one.ref, "http://bot/runs/7", "Run 7")
    fabrikam.faults.clear()
    assert [link.url for link in one.item.now.relations] == ["http://bot/runs/7"]
