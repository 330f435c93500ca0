"""The report in words: the first two lines for everybody, the rest within what platforms take and render."""

from dataclasses import fields, replace
from datetime import UTC, datetime
from typing import Any

import pytest

from bot.adapters import github_text
from bot.playground.github.markup import markdown
from bot.wording import run_check, run_comment
from bot.wording.sentences import plain_sentence
from bot.wording.style import Style, clipped
from bot.world import World
from lifecycle import Kind, Run, Spec, Stage, StageRecord, StageState, State
from lifecycle.verdicts import Check, Judgement, Outcome, Verdict
from tests.bot.figures_of_rows import HOSTILE, classification, regression
from tests.web.findings import EVIDENCE, comparison, judgement

AT = datetime(2025, 6, 3, 14, 30, tzinfo=UTC)


def world(pictures: bool = True) -> World:
    """As far as wording looks at it."""
    url = (
        (lambda run, name, theme: f"https://bot.test/figures/{run}/{name}.{theme}.svg?signature=x")
        if pictures
        else None
    )
    said: dict[str, Any] = dict.fromkeys(field.name for field in fields(World))
    said |= {"public_url": "https://bot.test", "web_url": lambda project: f"https://github.test/{project}"}
    return World(**said | {"figure_url": url})


def run_of(result: dict[str, Any], ref: str = "github:octo/bikes#2", **more: Any) -> Run:
    """A validation that ended with that result."""
    spec = Spec(Kind.VALIDATE, "octo/bikes", "bike-demand", "3f" * 20, ref, "mira", **more)
    train = StageRecord(
        Stage.TRAIN, StageState.DONE, 1, AT, AT, result={"rows": 2142, "held_back": 413, "data_version": "d" * 64}
    )
    verdict = result["judgement"]["verdict"]
    validate = StageRecord(Stage.VALIDATE, StageState.DONE, 1, AT, AT, "said", result=result)
    return Run(4, "key", spec, State.SUCCEEDED, (train, validate), AT, AT, AT, verdict)


def above_the_fold(text: str) -> list[str]:
    kept, folded = [], 0
    for line in text.splitlines():
        folded += line.startswith("<details")
        kept += [] if folded else [line]
        folded -= line.startswith("</details")
    return kept


@pytest.mark.parametrize("pictures", [True, False])
@pytest.mark.parametrize("result", [regression() | EVIDENCE, regression(0.0) | EVIDENCE, classification() | EVIDENCE])
def test_a_comment_has_at_most_sixty_lines_above_the_fold(result: dict[str, Any], pictures: bool) -> None:
    lines = above_the_fold(run_comment(run_of(result), (), world(pictures)))
    assert len(lines) <= 60
    assert lines[0].startswith("### ")
    assert lines[2].startswith("On 3,000 rows that neither model had seen, it ")


def test_the_first_two_lines_need_no_statistics() -> None:
    text = run_comment(run_of(regression()), (), world())
    heading, _, sentence, *_ = text.splitlines()
    assert heading == "### ❌ `bike-demand` is worse"
    assert "it is wrong by" in sentence
    assert "worse, and not by chance" in sentence
    for word in ("interval", "mae", "p =", "margin", "confidence"):
        assert word not in sentence


@pytest.mark.parametrize(
    ("judged", "words"),
    [
        (judgement(Verdict.PASS, 45.1, 38.2), "it is wrong by 38.20 on average, v3 by 45.10: 15 % better, and not by"),
        (judgement(Verdict.INCONCLUSIVE, 45.1, 44.9), "0.4 % better, which could be chance"),
        (judgement(Verdict.PASS, None, 45.1), "it had not seen, it is wrong by 45.10 on average; there is nothing"),
        (replace(judgement(Verdict.PASS, 45.1, 45.3), primary=comparison("mae", 45.1, 45.3, 0.4, Verdict.PASS)),
         "as good, for up to 2 % worse counts as good"),
        (replace(judgement(Verdict.FAIL, 45.1, 44.0), primary=comparison("mae", 45.1, 44.0, 0.4, Verdict.PASS)),
         "But it got clearly worse where weathersit is light rain."),
        (replace(judgement(Verdict.PASS, 45.1, 44.0), verdict=Verdict.FAIL,
                 checks=(Check("limits", Outcome.FAIL, "mae is 44; at most 40 is asked."),)),
         "But: mae is 44; at most 40 is asked."),
    ],
)  # fmt: skip
def test_every_verdict_has_a_plain_sentence(judged: Judgement, words: str) -> None:
    assert words in plain_sentence(judged, 3)


def test_a_check_says_its_sentence_once() -> None:
    check = run_check(run_of(regression()), world())
    assert "it is wrong by" in check.title
    assert "it is wrong by" not in check.summary
    assert check.summary.startswith("| metric |")
    assert [len(part) for one in check.buttons for part in (one.label, one.identifier) if len(part) > 20] == []
    assert all(len(one.description) <= 40 for one in check.buttons)


def test_age_and_what_else_changed_are_said() -> None:
    text = run_comment(run_of(regression() | EVIDENCE), (), world())
    assert "made 120 days ago" in text
    assert "`/retrain` would make a fairer rival" in text
    assert "9 changes by Jonas" in text
    assert "other data; 1 other parameter" in text
    assert "| one row, 95th percentile | 2.2 ms | 4.1 ms |" in text
    assert "| memory | – | 210.0 MB |" in text


def test_slices_that_got_worse_are_few_and_text_in_them_stays_text() -> None:
    text = run_comment(run_of(regression()), (), world())
    rows = text[text.index("**Where it got worse**") :].split("\n\n")[1].splitlines()[2:]
    assert 1 <= len(rows) <= 5
    shown = markdown(text)
    assert "<script" not in shown
    assert 'class="mention"' not in shown
    assert shown.count("<h3>") == 1


@pytest.mark.parametrize("system", ["boards:Fabrikam/345", "github:octo/bikes#2"])
def test_each_place_gets_what_it_can_render(system: str) -> None:
    text = run_comment(run_of(regression() | EVIDENCE, system), (), world())
    rich = system.startswith("github")
    assert ("<details>" in text) == ("<picture>" in text) == ("<sub>" in text) == rich
    assert ("![" in text) == ("sheet.svg" in text) != rich
    for fact in (
        "is worse",
        "| metric |",
        "Where it got worse",
        "Latency and cost",
        "made 120 days ago",
        "git checkout",
    ):
        assert fact in text


def test_without_a_way_to_pictures_github_draws_and_boards_show_tables() -> None:
    assert "```mermaid" in run_comment(run_of(regression()), (), world(pictures=False))
    board = run_comment(run_of(regression(), "boards:Fabrikam/345"), (), world(pictures=False))
    assert "mermaid" not in board
    assert "![" not in board


def test_the_longest_report_fits_and_keeps_its_verdict() -> None:
    huge = regression() | EVIDENCE
    plain = huge["judgement"]
    plain["checks"] = [{"name": HOSTILE * 50, "outcome": "FAIL", "sentence": HOSTILE * 900}] * 400
    plain["slices"] = [one | {"value": "長" * 5_000, "reason": HOSTILE * 100} for one in plain["slices"]] * 90
    plain["sentence"] = HOSTILE * 4_000
    params = {f"p{n}": HOSTILE * 40 for n in range(300)}
    run = run_of(huge, params=params)
    body = github_text.comment("report", run_comment(run, (), world(pictures=False)))
    assert len(body.encode()) <= 65_536
    assert "is worse" in body
    assert len(github_text.fit(run_check(run, world()).summary, 65_535).encode()) <= 65_535
    assert len(above_the_fold(body)) <= 62
    assert body.count("<details>") == body.count("</details>")


def test_a_run_of_an_older_version_is_told_as_far_as_it_is_known() -> None:
    older = {"judgement": regression()["judgement"], "champion": None}
    assert "| metric | champion: none |" in run_comment(run_of(older), (), world())
    unknown: dict[str, Any] = {"judgement": {"schema": 99, "verdict": "FAIL"}}
    assert "| stage |" in run_comment(run_of(unknown), (), world())


def test_what_does_not_fit_is_cut_at_a_line() -> None:
    assert clipped(["a" * 10, "b" * 10], most=15) == ["a" * 10, "", "… the rest is on the run's page."]
    assert Style.of("repos") is Style.PLAIN
