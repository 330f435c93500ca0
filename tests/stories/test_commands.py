"""What counts as a command, who may give it, and what is said about one that cannot be followed."""

import pytest

from tests.stories.world import World

pytestmark = pytest.mark.xdist_group("stories-2")


def test_several_commands_in_one_comment_are_answered_in_one(world: World) -> None:
    issue = world.issue("talks")
    issue.comment("Two questions.\n\n/help cancel\n/status\n\nThank you!")
    answer = issue.says("/cancel")
    assert "Nothing is linked to this place yet" in answer
    assert len(issue.said()) == 1


def test_what_only_looks_like_a_command_is_none(world: World) -> None:
    issue = world.issue("talks")
    quiet = [
        issue.comment("```\n/train\n```"),
        issue.comment("> /train\n\nno, please"),
        issue.comment("One could write /train here."),
        issue.comment("`/train`"),
        issue.comment("<!-- \n/train\n-->"),
        issue.comment("/usr/bin/python is missing"),
        issue.comment("/deploy-preview"),
        issue.comment("nothing yet"),
    ]
    comment = world.stage.github.world.find_comment(issue.repo, quiet[-1])
    world.stage.github.world.edit_comment("mira", comment, "/train")
    issue.comment("/help cancel")
    issue.says("/cancel")
    assert len(issue.said()) == 1
    assert not any(issue.reactions(one) for one in quiet)
    issue.comment("/status")
    assert "Nothing is linked" in issue.says("linked")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("/trian", ("Did you mean", "`/train`")),
        ("/link", ("target", "Usage:", "/link <target>")),
        ("/promote v1 share=much", ("`share` expects", "much", "Usage:", "/promote")),
        ("/promote shard=20", ("Did you mean `share`?", "Usage:")),
        ("/validate margin=often", ("/validate", "margin")),
        ("/validate margin=-1%", ("A margin is a number", "-1%")),
        ("/validate metric=r2 margin=3", ("would let every candidate pass",)),
        ("/validate metric=auc", ("no metric `auc` for regression", "mae")),
        ("/validate against=v99", ("has no version", "v99")),
        ("/validate seeds=50", ("`seeds`", "from 1 to 20")),
        ("/train bikes", ("There is no model `bikes`", "`line`")),
        ("/cancel 99999", ("/cancel", "99999")),
        ("/rollback", ("nothing to go back to",)),
        ("/promote", ("has no version yet", "/train line")),
        ("/monitor window=soon", ("is not a window", "2011-04")),
        ("/link AB#99999", ("AB#99999", "that I can see")),
        ("/link elsewhere/bikes#1", ("not among the projects",)),
        ("/help nothing", ("There is no command",)),
    ],
)
def test_a_command_that_cannot_be_followed_is_refused_with_what_to_do(
    world: World, text: str, words: tuple[str, ...]
) -> None:
    issue = world.issue("talks")
    issue.comment(text)
    assert "was not carried out" in issue.says(*words)
    assert len(issue.said()) == 1


def test_help_lists_the_commands_and_explains_one(world: World) -> None:
    issue = world.issue("talks")
    issue.comment("/help")
    table = issue.says("What it does")
    for name in ("train", "validate", "retrain", "promote", "rollback", "monitor", "status", "cancel", "link", "help"):
        assert f"`/{name}" in table
    issue.comment("/help train")
    assert "write permission" in issue.says("Any other `name=value`")


def test_a_reader_may_look_but_start_nothing(world: World) -> None:
    issue = world.issue("talks")
    issue.comment("/train", by="sam")
    refusal = issue.says("was not carried out")
    assert "`sam` may not use `/train`" in refusal
    assert "needs write permission" in refusal
    issue.comment("/status", by="sam")
    assert "Nothing is linked" in issue.says("linked")


def test_bots_are_not_obeyed(world: World) -> None:
    issue = world.issue("talks")
    world.stage.github.world.app("other-bot")
    issue.comment("/train", by="other-bot[bot]")
    issue.comment("/help cancel")
    issue.says("/cancel")
    assert len(issue.said()) == 1
