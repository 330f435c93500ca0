"""Board and work item in a real browser: what others do appears while one is typing, and what one types is kept."""

import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect, sync_playwright

from tests.playground.azure_fixtures import World, agile_world  # noqa: F401 (a fixture)

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
pytestmark = [pytest.mark.browser, pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine")]


@pytest.fixture(name="page")
def browser_page() -> Iterator[Page]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser.new_page()
        browser.close()


def test_typing_while_the_bot_works(world: World, page: Page) -> None:
    org = world.org
    item = org.create_item(world.project, "Task", world.mira, **{"System.Title": "Predict"})
    org.comment(item, "Training …\n\n<details><summary>More</summary>hidden</details>", world.bot)
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("console", lambda message: problems.append(message.text) if message.type == "error" else None)
    page.goto(f"{world.url}/Bikes/_workitems/edit/{item.id}")
    page.get_by_text("More").click()
    box = page.get_by_label("Comment", exact=True)
    box.fill("/train bike-dem")
    org.change_item(item, world.bot, **{"System.State": "Active"})
    org.comment(item, "Better by 8 % <img src=x onerror=\"document.title='owned'\">", world.bot)
    expect(page.get_by_text("Better by 8 %")).to_be_visible(timeout=8_000)
    expect(page.get_by_text("New → Active")).to_be_visible()
    expect(page.locator("details[open]", has_text="hidden")).to_be_visible()
    expect(box).to_have_value("/train bike-dem")
    box.press_sequentially("and")
    page.locator("form.say select[name=person]").select_option("ada@example.com")
    page.get_by_role("button", name="Comment").click()
    expect(page.locator(".comment", has_text="/train bike-demand")).to_contain_text("Ada Berg")
    said = item.comments[-1]
    assert (said.text, said.format, said.by) == ("/train bike-demand", "markdown", world.ada)
    assert page.title() != "owned"
    expect(page.locator("form.say select[name=person]")).to_have_value("ada@example.com")  # remembered
    assert [one for one in problems if "404" not in one] == []


def test_a_card_moves_on_the_open_board(world: World, page: Page) -> None:
    item = world.org.create_item(world.project, "User Story", world.mira, **{"System.Title": "Predict"})
    page.goto(f"{world.url}/Bikes/_boards/board")
    expect(page.get_by_role("region", name="New")).to_contain_text("Predict")
    world.org.change_item(item, world.bot, **{"System.State": "Active"})
    expect(page.get_by_role("region", name="Active")).to_contain_text("Predict", timeout=8_000)
    page.get_by_text("New work item").click()
    page.get_by_label("Title").fill("Ask for forecasts")
    page.get_by_role("button", name="Create").click()
    expect(page.get_by_role("heading", name="Ask for forecasts")).to_be_visible()
    page.get_by_label("Move to").select_option("Closed")
    page.get_by_role("button", name="Move").click()
    expect(page.get_by_text("New → Closed")).to_be_visible()
