"""Pull requests: each push is validated, for as long as it is worth it."""

import os

import pytest

from tests.stories.repository import LINE, beside, slow
from tests.stories.test_cancel import alive
from tests.stories.world import World

pytestmark = pytest.mark.xdist_group("stories-1")
TOUCHED = LINE + "\n# nothing changes\n"


@pytest.fixture(scope="module")
def champion(world: World) -> None:
    """A version that serves, a little beside the rows, so that there is something to be better and worse than."""
    issue = world.issue("pulls")
    issue.ask("/train beside=0.3", "is good enough")
    issue.ask("/promote", "serves", by="jonas")


def in_progress(world: World, commit: str) -> str:
    def look() -> str | None:
        check = world.check("pulls", commit)
        return str(check["details_url"]) if check.get("status") == "in_progress" else None

    return world.eventually(look, f"the check of {commit[:8]} is in progress")


@pytest.mark.usefixtures("champion")
def test_a_worse_push_fails_its_check_and_a_better_one_passes_in_the_same_comment(world: World) -> None:
    worse = world.push("pulls", "change", train=slow(1).replace("BESIDE = 0.0", "BESIDE = 5.0"))
    pull = world.pull("pulls", "change")
    assert world.page(in_progress(world, worse)).status_code == 200
    check = world.checked("pulls", worse)
    assert check["conclusion"] == "failure"
    assert world.page(check["details_url"]).status_code == 200
    assert "mae" in check["output"]["summary"]
    pull.says("is worse", worse[:8])
    (first,) = pull.comments()

    better = world.push("pulls", "change", train=beside(0.0) + "# better\n")
    assert world.checked("pulls", better)["conclusion"] == "success"
    pull.says("is good enough", better[:8])
    (only,) = pull.comments()
    assert only["id"] == first["id"]
    assert worse[:8] not in only["body"]


@pytest.mark.usefixtures("champion")
def test_a_newer_push_ends_the_run_of_the_older_one(world: World) -> None:
    name = f"older-{os.getpid()}"
    older = world.push("pulls", "hasty", train=slow(600, name))
    pull = world.pull("pulls", "hasty")
    world.eventually(lambda: alive(name), "the older push is in training")
    newer = world.push("pulls", "hasty", line=TOUCHED)
    assert world.checked("pulls", newer)["conclusion"] == "success"
    assert world.checked("pulls", older)["conclusion"] == "cancelled"
    assert not alive(name)
    pull.says("is good enough", newer[:8])
    assert len(pull.said()) == 1


def test_closing_a_pull_request_ends_its_run(world: World) -> None:
    name = f"closed-{os.getpid()}"
    commit = world.push("pulls", "dropped", train=slow(600, name))
    pull = world.pull("pulls", "dropped")
    world.eventually(lambda: alive(name), "the training runs")
    github = world.stage.github.world
    github.set_state("mira", github.issue(pull.repo, pull.number), "closed")
    assert world.checked("pulls", commit)["conclusion"] == "cancelled"
    world.eventually(lambda: not alive(name), "its processes are gone")


def test_a_draft_is_validated_when_it_is_ready(world: World) -> None:
    commit = world.push("pulls", "draft", line=TOUCHED)
    pull = world.pull("pulls", "draft", draft=True)
    pull.ask("/help cancel", "/cancel")
    assert world.check("pulls", commit) == {}
    world.stage.github.world.set_draft("mira", pull.repo, pull.number, False)
    assert world.checked("pulls", commit)["conclusion"] == "success"


def test_becoming_a_draft_ends_the_run_and_being_ready_again_starts_one_for_the_same_commit(world: World) -> None:
    name = f"undecided-{os.getpid()}"
    commit = world.push("pulls", "undecided", train=slow(600, name))
    pull, github = world.pull("pulls", "undecided"), world.stage.github.world
    world.eventually(lambda: alive(name), "the training runs")
    github.set_draft("mira", pull.repo, pull.number, True)
    assert world.checked("pulls", commit)["conclusion"] == "cancelled"
    world.eventually(lambda: not alive(name), "its processes are gone")
    assert "conversion to a draft" in pull.says("was cancelled")
    github.set_draft("mira", pull.repo, pull.number, False)
    world.eventually(lambda: alive(name), "the training runs again")
    github.set_state("mira", github.issue(pull.repo, pull.number), "closed")
    world.eventually(lambda: not alive(name), "closing ends it again")
    github.set_state("mira", github.issue(pull.repo, pull.number), "open")
    world.eventually(lambda: alive(name), "opening it again starts it again")
    pull.ask("/cancel", "Cancelling")
    world.eventually(lambda: not alive(name), "what a person ends stays ended")
    assert len([one for one in pull.comments() if "Validating" in one["body"]]) == 1


def test_a_change_that_touches_no_model_has_no_check(world: World) -> None:
    commit = world.push("pulls", "words", readme="Some words.\n")
    pull = world.pull("pulls", "words")
    pull.ask("/help cancel", "/cancel")
    assert world.check("pulls", commit) == {}
    assert len(pull.said()) == 1


def test_the_code_of_a_fork_is_not_run_and_one_comment_says_so(world: World) -> None:
    github = world.stage.github.world
    github.user("lena", name="Lena Fors")
    github.fork("lena", "octo/pulls")
    name = f"fork-{os.getpid()}"
    first = world.push("lena/pulls", "theirs", by="lena", train=slow(600, name))
    pull = world.pull("pulls", "lena:theirs", by="lena")
    check = world.checked("pulls", first)
    assert check["conclusion"] == "action_required"
    assert "comes from a fork" in check["output"]["title"]
    second = world.push("lena/pulls", "theirs", by="lena", train=slow(601, name))
    assert world.checked("pulls", second)["conclusion"] == "action_required"
    pull.says("comes from a fork", "not run", second[:8])
    assert len(pull.said()) == 1

    assert "may not use `/validate`" in pull.ask("/validate", "was not carried out", by="lena")
    assert "comes from a fork" in pull.ask("/validate", "was not carried out", by="mira")
    assert not alive(name)


def test_what_is_merged_is_trained_again_on_the_merge_commit(world: World) -> None:
    commit = world.push("merges", "good", line=TOUCHED)
    pull = world.pull("merges", "good")
    assert world.checked("merges", commit)["conclusion"] == "success"
    world.stage.github.world.merge("jonas", pull.repo, pull.number)
    merged = world.github(f"repos/octo/merges/pulls/{pull.number}")["merge_commit_sha"]
    pull.says("is good enough", merged[:8], "`line` v1")
    assert merged[:8] in world.page("models/octo/merges/line/versions/1").text
    assert pull.ask("/promote v1", "serves", by="jonas")
