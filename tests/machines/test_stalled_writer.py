"""A worker stands still between its look and its write, while another one writes the same."""

import os
from collections.abc import Callable, Hashable
from pathlib import Path

from bot.adapters.azure_boards import AzureBoards, Board
from bot.adapters.github import App, GitHub
from bot.doubts import STALL, Doubts
from bot.playground.stage import set_stage
from bot.ports import Draft
from bot.refs import Ref
from tests.stories.repository import files


class Stalled(Doubts):
    """Stands still right before the write, for as long as it takes others to do something."""

    def __init__(self, meanwhile: Callable[[], object]) -> None:
        self.moment = 0.0
        super().__init__(clock=lambda: self.moment)
        self.meanwhile = meanwhile

    def hold(self, key: Hashable) -> bool:
        self.meanwhile()
        self.moment += STALL + 1
        return super().hold(key)


def test_one_comment_stays_with_whoever_was_there_first(tmp_path: Path) -> None:
    stage = set_stage(tmp_path, "http://127.0.0.1:9")
    try:
        world = stage.github.world
        world.create_repo("octo/stalls", files(), by="mira")
        ref = Ref("github", "octo/stalls", world.issue_open("mira", "octo/stalls", "A line").number)
        auth = App(stage.secrets.app_id, stage.secrets.private_key, None)
        one, other = (GitHub(stage.github.api, auth, seconds_between_writes=0.0) for _ in range(2))

        one._comments._doubts = Stalled(lambda: other.say(ref, "run-1", "is good"))
        one.say(ref, "run-1", "trains")
        assert [comment.body.splitlines()[-1] for comment in one.comments(ref)] == ["trains"]
        other.say(ref, "run-1", "is good")  # as Told.tell sees to: the newest is told once more
        assert [comment.body.splitlines()[-1] for comment in one.comments(ref)] == ["is good"]

        draft = Draft("A line drifts", "It does.", tags=("retrain",))
        one._issues._doubts = Stalled(lambda: other.open("octo/stalls", "drift/1", draft))
        opened = {adapter.open("octo/stalls", "drift/1", draft) for adapter in (one, other)}
        first, second = (Ref("github", "octo/stalls", ref.number + n) for n in (1, 2))
        assert [one.thing(ref).open for ref in (first, second)] == [True, False]
        assert opened == {first}
    finally:
        stage.close()


def test_one_work_item_stays(tmp_path: Path) -> None:
    stage = set_stage(tmp_path, "http://127.0.0.1:9")
    try:
        place = f"{stage.azure.base_url.rsplit('/', 1)[1]}/Bikes"
        boards = {place: Board(project="Bikes")}
        one, other = (
            AzureBoards(
                stage.azure.base_url, stage.secrets.azure_token, boards=boards, cache=tmp_path / "c", environ=os.environ
            )
            for _ in range(2)
        )
        draft = Draft("A line drifts", "It does.", tags=("retrain",))
        one._items._doubts = Stalled(lambda: other.open(place, "drift/1", draft))
        (opened,) = {adapter.open(place, "drift/1", draft) for adapter in (one, other)}
        assert [item.id for item in stage.azure.items.values() if not item.deleted] == [opened.number]
        assert len(stage.azure.items) == 2
    finally:
        stage.close()
