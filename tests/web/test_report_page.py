"""The report on a run's page: the same facts as in the comment, to sort, open, hover and take away."""

import json

import pytest
from flask.testing import FlaskClient
from playwright.sync_api import Page, expect

from lifecycle import Run
from tests.web.house import MODEL, PROJECT, House
from tests.web.reader import read
from tests.web.test_pages_browser import (  # noqa: F401  (fixtures)
    PROGRAM,
    base,
    browser,
    page,
)

VERSION = f"/models/{PROJECT}/{MODEL}/versions/2"
in_a_browser = pytest.mark.skipif(PROGRAM is None, reason="neither chromium nor google-chrome is installed")


@pytest.fixture
def failed(runs: dict[str, Run]) -> Run:
    return next(run for run in runs.values() if run.verdict == "FAIL")


def test_the_page_has_what_the_comment_has(client: FlaskClient, failed: Run) -> None:
    text = read(client, f"/runs/{failed.id}").text
    for fact in (
        "On 536 rows that neither model had seen, it is wrong by 55.60 on average, v3 by 45.10: 23 % worse",
        "Compared with v3, made 120 days ago",
        "Where it got worse",
        "4.10 ms",
        "Run 7 gave the same answers.",
        "max_depth : 4 → 6",
        "mae, part by part",
    ):
        assert fact.replace(" ", "") in text.replace(" ", ""), fact


def test_a_report_and_a_card_can_be_taken_away(client: FlaskClient, house: House, failed: Run) -> None:
    assert client.get(f"/runs/{failed.id}/report.json").json["verdict"] == "FAIL"
    version = house.registry.get(PROJECT, MODEL, 2)
    assert version is not None
    assert client.get(f"{VERSION}/MODEL_CARD.md").status_code == 404  # versions of older bots have none
    (house.registry.folder(version) / "MODEL_CARD.md").write_text("---\nlicense: x\n---\n# A card\n")
    (house.registry.folder(version) / "report.json").write_text(json.dumps({"schema": 1}))
    card = client.get(f"{VERSION}/MODEL_CARD.md")
    assert card.text.startswith("---\nlicense")
    assert card.headers["Content-Disposition"] == f'attachment; filename="{MODEL}-v2-MODEL_CARD.md"'
    assert client.get(f"{VERSION}/report.json").json == {"schema": 1}
    for other in ("manifest.json", "../v1/report.json", "profile.bin"):
        assert client.get(f"{VERSION}/{other}").status_code == 404
    assert client.get(VERSION.replace("/2", "/99") + "/report.json").status_code == 404


@in_a_browser
@pytest.mark.browser
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_headings_sort_and_names_say_why(page: Page, base: str, failed: Run, scheme: str) -> None:  # noqa: F811
    page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
    page.set_viewport_size({"width": 1280, "height": 900})
    page.goto(f"{base}/runs/{failed.id}")
    forest = page.locator(".forest").first
    names = forest.locator(".line[data-name] .name bdi")
    before = names.all_text_contents()
    forest.get_by_role("button", name="Champion").click()
    found = forest.locator(".line[data-name]").evaluate_all("rows => rows.map(r => r.dataset.champion)")
    values = [float(one) for one in found]
    assert values == sorted(values)
    forest.get_by_role("button", name="Champion").click()
    assert names.all_text_contents() != before
    more = forest.locator(".line[data-name=mae] .more")
    because = forest.locator(".line[data-name=mae] .because").first
    expect(because).to_be_hidden()
    more.focus()
    page.keyboard.press("Enter")
    expect(because).to_be_visible()
    expect(because).to_contain_text("held-back rows")
    ink = "all => all.map(one => getComputedStyle(one.querySelector('text')).fill)"
    drawn = page.locator(".plots svg").evaluate_all(ink)
    assert len(drawn) == 2
    assert set(drawn) == ({"rgb(24, 32, 44)"} if scheme == "light" else {"rgb(229, 234, 241)"})  # the page's own ink


@in_a_browser
@pytest.mark.browser
def test_without_scripts_every_reason_is_there(page: Page, base: str, failed: Run) -> None:  # noqa: F811
    page.goto(f"{base}/runs/{failed.id}")
    page.get_by_text("Every comparison in words").click()
    expect(page.locator(".words").last).to_contain_text("weathersit is light rain")
    assert page.locator(".plots title").count() > 20  # each point and bar says its values
