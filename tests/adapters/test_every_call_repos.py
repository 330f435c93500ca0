"""Every call to Azure Repos broken once, before and after its effect, one at a time: all end the same."""

import os
from collections.abc import Callable, Iterator, Mapping
from itertools import count
from pathlib import Path

import pytest

from bot.adapters.azure_repos import AzureRepos
from bot.playground.azure.pull_requests import abandon
from bot.ports import Check, Conclusion, Mark
from bot.refs import Ref
from bot.retrying import Json
from tests.adapters.breaking import AZURE, broken_once, calls_of, persistently
from tests.adapters.test_azure_repos import PLACE, Place

numbers = count()


class Scene:
    """A bot that has just started, and a pull request of its own."""

    def __init__(self, place: Place, cache: Path, number: int) -> None:
        self.place, branch = place, f"try-{number}"
        self.head = place.org.push(place.repository, branch, {"a": f"{number}\n".encode()}, "Try", place.mira)
        self.pull = place.org.open_pull_request(place.repository, branch, "main", "Try it", place.mira)
        self.said = place.org.comment_on_pull_request(self.pull, "/validate", place.mira)
        self.ref = Ref("repos", PLACE, self.pull.id)
        token = place.org.personal_token(place.robot)
        self.repos = AzureRepos(place.org.base_url, token, cache=cache, environ=os.environ, timeout=3)

    def comment(self) -> Json:
        for text in ("queued", "training", "done"):
            persistently(lambda text=text: bool(self.repos.say(self.ref, "run-7", text)))  # type: ignore[misc]
        return True

    def check(self) -> Json:
        for conclusion in (Conclusion.RUNNING, Conclusion.FAILURE):
            check = Check(self.head, "lifecycle / line", "x", conclusion, conclusion.value, "…", "http://bot/7")
            persistently(lambda check=check: self.repos.check(PLACE, check))  # type: ignore[misc]
        return True

    def label(self) -> Json:
        for present in (True, False, True):
            persistently(lambda present=present: self.repos.label(self.ref, "late", present))  # type: ignore[misc]
        return True

    def react(self) -> Json:
        said = str(persistently(lambda: self.repos.comments(self.ref)[0].id))
        return persistently(lambda: self.repos.acknowledge(self.ref, said, Mark.SEEN))

    def reads(self) -> Json:
        repos, ref = self.repos, self.ref
        asked: tuple[Callable[[], Json], ...] = (
            lambda: repos.permission(ref, "mira@example.com").value,
            lambda: repos.thing(ref).title,
            lambda: [comment.body for comment in repos.comments(ref)],
            lambda: repos.pull(ref).head == self.head,
            lambda: repos.head(PLACE).branch,
            lambda: str(ref) in [str(pull.ref) for pull in repos.open_pulls(PLACE)],
            lambda: repos.source(PLACE).url,
        )
        return [persistently(one) for one in asked]

    def picture(self) -> Mapping[str, object]:
        """What people see of the pull request."""
        said = [comment for thread in self.pull.threads for comment in thread.comments if not comment.deleted]
        return {
            "comments": [(one.by.display_name, one.text, len(one.likes)) for one in said],
            "statuses": [(one.state, one.description) for one in self.pull.statuses],
            "labels": [str(label) for label in self.pull.labels],
        }


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    it = Place(tmp_path_factory.mktemp("repos"))
    yield it
    it.running.close()
    it.org.close()


@pytest.mark.parametrize("name", ["comment", "check", "label", "react", "reads"])
def test_every_call_broken_once_before_and_after_its_effect_ends_the_same(
    place: Place, tmp_path: Path, name: str
) -> None:
    Scene(place, tmp_path, next(numbers)).reads()  # the library asks for its routes once in a process
    calm = Scene(place, tmp_path, next(numbers))
    answer, calls = calls_of(place.faults, getattr(calm, name))
    wanted = calm.picture()
    for breakage, number in broken_once(place.faults, AZURE, calls):
        scene = Scene(place, tmp_path, next(numbers))
        got = getattr(scene, name)()
        assert (got, scene.picture()) == (answer, wanted), f"{breakage.name} at {calls[number - 1]} ({number})"
        abandon(place.org, scene.pull, place.mira)
