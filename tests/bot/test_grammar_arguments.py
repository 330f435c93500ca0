"""What is written behind a command, read as its signature says, or a sentence that explains why not."""

import shlex

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.arguments import words
from bot.grammar import EVERYWHERE, Asked, Command, Misread, Unknown, Where, command, find, fit, usage
from bot.ports import Permission
from tests.bot.sample_commands import ALL, Pace, call, misread, train


def test_words_and_names_fill_the_signature() -> None:
    assert call("/train") == ("asker", "", {})
    assert call("/train bike-demand max_depth=6 rate=1e-3 fast=true note='a b' tag=\"6\"") == (
        "asker",
        "bike-demand",
        {"max_depth": 6, "rate": 0.001, "fast": True, "note": "a b", "tag": "6"},
    )
    assert call("/train a=5 model=bike") == ("asker", "bike", {"a": 5})
    assert call("/train “two words”")[1] == "two words"
    assert call("/help") is None
    assert call("/help train") == "train"


def test_every_type_is_read_as_its_signature_says() -> None:
    assert call("/ok-to-run 3")["depth"] == 3
    got = call("/ok-to-run 3 .25 really=Yes how=SOME pace=fast margin=5%")
    assert (got["rate"], got["really"], got["how"], got["pace"]) == (0.25, True, "some", Pace.FAST)
    assert got["margin"].share == 0.05
    assert call("/ok-to-run rate=-1 depth=-4")["depth"] == -4


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("/trian", "There is no command `/trian`. Did you mean `/train`? `/help` lists what there is."),
        ("/deploy-it-all", "There is no command `/deploy-it-all`. `/help` lists what there is."),
        ("/link", "`/link` needs `target`. Usage: `/link <target>`"),
        ("/link a b", "`b` is one word too many for `/link`. Usage: `/link <target>`"),
        ("/link tarqet=a", "`/link` has no argument `tarqet`. Did you mean `target`? Usage: `/link <target>`"),
        ("/link a target=b", "`target` is given twice."),
        ("/link target=", "`target` expects a text that is not empty, not nothing."),
        ("/train x=1 x=2", "`x` is given twice."),
        ("/train ask=1", "`/train` has no argument `ask`."),
        ("/train 'bike", "A quotation mark is opened and not closed: `'bike`."),
        ("/train --fast", "Arguments are written `name=value`, without dashes; what is `--fast`?"),
        ("/train —fast", "Arguments are written `name=value`"),
        ("/ok-to-run deep", "`depth` expects a whole number, not `deep`. Usage: `/ok-to-run <depth> [rate] [really=…]"),
        ("/ok-to-run 1.5", "`depth` expects a whole number, not `1.5`."),
        ("/ok-to-run 1 nan", "`rate` expects a number, not `nan`."),
        ("/ok-to-run 1 1e999", "`rate` expects a number, not `1e999`."),
        ("/ok-to-run ١", "`depth` expects a whole number"),
        ("/ok-to-run 1 really=maybe", "`really` expects yes or no, not `maybe`."),
        ("/ok-to-run 1 how=none", "`how` expects one of all, some, not `none`."),
        ("/ok-to-run 1 pace=x", "`pace` expects one of slow, fast, not `x`."),
        ("/ok-to-run 1 margin=x", "`margin` expects a percent such as 2%, not `x`."),
        ("/ok-to-run 1 margin='@octo `x`'", "`margin` expects a percent such as 2%, not `@octo ˋxˋ`."),
    ],
)
def test_what_cannot_be_understood_is_explained(line: str, said: str) -> None:
    assert misread(line).startswith(said)


def test_unknown_commands_tell_whether_they_may_be_meant_for_us() -> None:
    with pytest.raises(Unknown) as slip:
        call("/trian")
    assert slip.value.near == ("train",)
    with pytest.raises(Unknown) as others:
        call("/assign")
    assert others.value.near == ()


def test_a_command_knows_where_it_works() -> None:
    assert call("/ok-to-run 1", Where.PULL)["depth"] == 1
    with pytest.raises(Misread, match="works on a pull request, not on a work item"):
        call("/ok-to-run 1", Where.ITEM)


def test_the_eleventh_command_gets_a_sentence() -> None:
    found = find("/train\n" * 30)
    assert len(found) == 11
    assert fit(found[9], ALL).command is train
    with pytest.raises(Misread, match="A comment can hold 10 commands"):
        fit(found[10], ALL)


def test_commands_are_checked_where_they_are_made() -> None:
    def odd(ask: object, when: bytes) -> None: ...
    def bare(ask, when): ...  # type: ignore[no-untyped-def]
    def many(ask: object, *refs: str) -> None: ...

    for function in (odd, bare, many):
        with pytest.raises(TypeError):
            command(needs=Permission.READ)(function)
    assert isinstance(train, Command)
    assert train.where == EVERYWHERE
    assert usage(train) == "/train [model] [name=value …]"


@settings(deadline=None)
@given(st.text(alphabet="ab ='\"\\1-", max_size=20))
def test_words_are_split_as_a_shell_splits_them(text: str) -> None:
    try:
        expected = shlex.split(text)
    except ValueError:
        with pytest.raises(Misread):
            words(text)
        return
    assert [(f"{word.name}=" if word.name else "") + word.text for word in words(text)] == expected


@settings(deadline=None)
@given(st.text(max_size=60))
def test_any_line_is_a_call_or_a_sentence(rest: str) -> None:
    for known in ALL:
        try:
            fit(Asked(known.name, rest, 1, 1), ALL).run("asker")
        except Misread as error:
            said = str(error)
            assert said.endswith((".", "`", "?")), said
            assert "\n" not in said
