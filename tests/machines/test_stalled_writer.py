"""A worker stands still between its look and its write, while another one writes the same."""

from collections.abc import Callable, Hashable
from pathlib import Path

from bot.adapters.github import App, GitHub
from bot.doubts import STALL, Doubts
from bot.playground.stage import set_stage
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
    finally:
        stage.close()
