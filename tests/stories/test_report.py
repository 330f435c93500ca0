"""The report of a pull request: read, looked at, pointed at, pressed."""

import re
from collections.abc import Mapping
from shutil import which
from typing import Any, Literal

import pytest
from playwright.sync_api import sync_playwright

from tests.stories.repository import RULES, TRAIN, beside
from tests.stories.world import Thread, World

PROGRAM = next(filter(None, map(which, ("chromium", "google-chrome", "chrome"))), None)
FEWER = 'pd.read_parquet(os.environ["LIFECYCLE_DATA"]).iloc[100:]'
pytestmark = pytest.mark.xdist_group("stories-1")


@pytest.fixture(scope="module")
def champion(world: World) -> None:
    """A version that serves."""
    issue = world.issue("reports")
    issue.ask("/train beside=0.3", "is good enough")
    issue.ask("/promote", "serves", by="jonas")


def press(world: World, check: Mapping[str, Any], button: str, by: str) -> None:
    """Press a button of a check, as on its page."""
    github = world.stage.github.world
    github.check_action(by, github.check_run("octo/reports", check["id"]), button)


def buttons(world: World, check: Mapping[str, Any]) -> list[str]:
    github = world.stage.github.world
    return [one["identifier"] for one in github.check_run("octo/reports", check["id"]).actions]


def notes(world: World, check: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """What the check points at; annotations come a moment after its conclusion."""
    path = f"repos/octo/reports/check-runs/{check['id']}/annotations"
    found: list[Mapping[str, Any]] = world.eventually(lambda: world.github(path), "annotations")
    return found


def above_the_fold(text: str) -> list[str]:
    return re.sub(r"<details>.*?</details>", "", text, flags=re.DOTALL).splitlines()


@pytest.fixture(scope="module")
def worse(world: World, champion: None) -> tuple[Thread, Mapping[str, Any]]:
    """A pull request that makes the model worse, with its check."""
    commit = world.push("reports", "worse", train=beside(5.0))
    pull = world.pull("reports", "worse")
    check = world.checked("reports", commit)
    pull.says("is worse")
    return pull, check


def test_the_report_says_it_plainly_first_and_shows_it(world: World, worse: tuple[Thread, Mapping[str, Any]]) -> None:
    text = worse[0].says("is worse")
    lines = above_the_fold(text)
    assert len(lines) <= 60
    assert lines[1] == "### ❌ `line` is worse"
    assert "neither model had seen, it is wrong by" in lines[3]
    assert "and not by chance" in lines[3]
    assert "| **mae** ↓ |" in text
    assert "**Compared with** v1, made today" in text
    assert "How this was judged" in text
    for address in set(re.findall(r'(?:src|srcset)="([^"]+)"', text)):
        shown = world.page(address)
        assert shown.status_code == 200
        assert shown.headers["Content-Type"].startswith("image/svg+xml")
        assert world.page(address[:-4] + "AAAA").status_code == 403


def test_the_check_points_at_the_rule_that_was_not_met(world: World, worse: tuple[Thread, Mapping[str, Any]]) -> None:
    check = worse[1]
    assert check["conclusion"] == "failure"
    rule = next(one for one in notes(world, check) if one["path"] == "lifecycle.yaml")
    assert "margin" in RULES.splitlines()[rule["start_line"] - 1]
    assert rule["annotation_level"] == "failure"


def test_who_may_not_accept_is_told_why_and_nothing_changes(
    world: World, worse: tuple[Thread, Mapping[str, Any]]
) -> None:
    pull, check = worse
    assert buttons(world, check) == ["rerun", "accept"]
    press(world, check, "accept", by="sam")
    assert "needs write permission" in pull.says("`/accept` was not carried out", "`sam`")
    press(world, check, "accept", by="mira")
    assert "It takes two people" in pull.says("`/accept` was not carried out", "`mira`")
    press(world, check, "rerun", by="sam")
    assert "may not run it again" in pull.says("`/validate` was not carried out", "`sam`")
    assert world.check("reports", check["head_sha"])["conclusion"] == "failure"


def test_what_is_accepted_passes_for_this_commit_and_no_later_one(
    world: World, worse: tuple[Thread, Mapping[str, Any]]
) -> None:
    pull, check = worse
    commit = check["head_sha"]
    press(world, check, "accept", by="jonas")

    def look() -> Mapping[str, Any] | None:
        now = world.check("reports", commit)
        return now if now["conclusion"] == "neutral" else None

    now = world.eventually(look, "the check passes")
    assert now["output"]["title"].startswith("Accepted as it is by jonas.")
    assert f"for commit `{commit[:8]}` only" in now["output"]["summary"]
    assert buttons(world, now) == ["rerun"]
    assert "`jonas`" in pull.says("**Accepted as it is**", commit[:8])
    assert "Accepted as it is" in world.page(now["details_url"]).text
    press(world, {**now, "id": now["id"]}, "rerun", by="jonas")  # another run is judged anew, and may be accepted anew
    world.eventually(lambda: world.check("reports", commit)["conclusion"] == "failure", "it is judged again")

    later = world.push("reports", "worse", train=beside(5.1))
    assert world.checked("reports", later)["conclusion"] == "failure"
    assert "Accepted as it is" not in pull.says("is worse", later[:8])
    said = pull.ask("/accept", "Accepted as it is", by="jonas")
    assert later[:8] in said
    world.eventually(lambda: world.check("reports", later)["conclusion"] == "neutral", "the command does the same")


@pytest.mark.usefixtures("champion")
def test_mistakes_in_lifecycle_yaml_are_shown_on_their_lines(world: World) -> None:
    commit = world.push("reports", "mistakes", rules=RULES.replace("target: y", "target: [y]\n    colour: red"))
    world.pull("reports", "mistakes")

    def look() -> Mapping[str, Any] | None:
        found = world.github(f"repos/octo/reports/commits/{commit}/check-runs")["check_runs"]
        return next((one for one in found if one["name"] == "lifecycle / lifecycle.yaml"), None)

    check = world.eventually(look, "a check of lifecycle.yaml")
    assert check["conclusion"] == "failure"
    assert check["output"]["title"] == "2 mistakes in lifecycle.yaml"
    assert sorted(one["start_line"] for one in notes(world, check)) == [4, 5]
    assert world.check("reports", commit)["name"] == check["name"]  # and nothing was run


@pytest.mark.usefixtures("champion")
def test_a_crash_points_at_the_line_of_the_script(world: World) -> None:
    broken = TRAIN.replace('print("fitted", flush=True)', "print(1 / 0)")
    commit = world.push("reports", "crash", train=broken)
    world.pull("reports", "crash")
    check = world.checked("reports", commit)
    assert check["conclusion"] == "failure"
    (note,) = notes(world, check)
    assert (note["path"], note["message"]) == ("train.py", "ZeroDivisionError: division by zero")
    assert broken.splitlines()[note["start_line"] - 1] == "print(1 / 0)"


@pytest.mark.usefixtures("champion")
def test_on_a_board_the_report_is_what_a_board_can_render(world: World) -> None:
    item = world.new_item("Is the model still good?")
    item.comment("/link octo/reports#1")
    item.says("Linked with")
    item.comment("/validate")
    text = item.says("| metric |")
    assert "<" not in text.replace("<!--", "")
    assert "mermaid" not in text
    assert "**Data**" in text
    pictures = re.findall(r"!\[[^\]]*\]\(([^)]+)\)", text)
    assert [world.page(one).status_code for one in pictures] == [200] * len(pictures)
    assert all(".sheet.svg" in one for one in pictures)


@pytest.mark.usefixtures("champion")
def test_an_undecided_report_is_neutral_and_asks_for_people(world: World) -> None:
    rules = RULES.replace("margin: 2%", "margin: 0.01%")
    world.push("reports", "main", rules=rules)
    fewer = beside(0.3).replace('print("fitted"', 'print("fitted on fewer"')
    fewer = fewer.replace('rows = pd.read_parquet(os.environ["LIFECYCLE_DATA"])', "rows = FEWER")
    commit = world.push("reports", "close", rules=rules, train=fewer.replace("FEWER", FEWER))
    pull = world.pull("reports", "close")
    check = world.checked("reports", commit)
    assert check["conclusion"] == "neutral"

    def labels() -> list[str]:
        return [one["name"] for one in world.github(f"repos/octo/reports/issues/{pull.number}")["labels"]]

    world.eventually(lambda: "needs-human" in labels(), "the label is there")
    press(world, check, "accept", by="jonas")
    world.eventually(lambda: world.check("reports", commit)["conclusion"] == "success", "it passes")
    world.eventually(lambda: "needs-human" not in labels(), "the label is gone")


@pytest.mark.browser
@pytest.mark.skipif(PROGRAM is None, reason="neither chromium nor google-chrome is installed")
@pytest.mark.parametrize(("width", "scheme"), [(1100, "light"), (390, "dark")])
def test_people_see_the_pictures(
    world: World, worse: tuple[Thread, Mapping[str, Any]], width: int, scheme: Literal["light", "dark"]
) -> None:
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=PROGRAM, args=["--no-sandbox", "--disable-gpu"])
        page = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
        for address in (worse[0].url, worse[1]["html_url"]):
            page.goto(address)
            page.wait_for_function("[...document.querySelectorAll('picture img')].every(one => one.complete)")
            seen = page.locator("picture img").evaluate_all("all => all.map(one => [one.currentSrc, one.naturalWidth])")
            assert len(seen) in (2, 3)
            assert all(f".{scheme}.svg?" in source and size == 420 for source, size in seen)
            assert page.evaluate("document.documentElement.scrollWidth") <= width
        browser.close()
