"""The issue page in a real browser: what others write appears while one is typing, and what one types is kept."""

import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect, sync_playwright

from tests.playground.github_stage import (
    REPOSITORY,
    Stage,
    github_stage,  # noqa: F401 (a fixture)
)

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
pytestmark = [pytest.mark.browser, pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine")]


@pytest.fixture(name="page")
def browser_page() -> Iterator[Page]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser.new_page()
        browser.close()


def test_typing_while_others_write(stage: Stage, page: Page) -> None:
    bot = stage.world.app_user(stage.app())
    stage.world.issue_open("mira", stage.repo, "Predict")
    more = "\n\n<details><summary>More</summary>hidden</details>"
    report = stage.world.comment(bot, stage.repo, 1, f"Training …{more}")
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("console", lambda message: problems.append(message.text) if message.type == "error" else None)
    page.goto(f"{stage.playground.url}/{REPOSITORY}/issues/1")
    page.get_by_text("More").click()
    box = page.get_by_label("Comment", exact=True).last
    box.fill("/train bike-dem")
    stage.world.edit_comment(bot, report, f"**Trained**, better by 8 %{more}")
    stage.world.comment("sam", stage.repo, 1, "Nice! <img src=x onerror=\"document.title='owned'\">")
    stage.world.add_labels(bot, stage.world.issue(REPOSITORY, 1), ["trained"])
    expect(page.get_by_text("better by 8 %")).to_be_visible(timeout=8_000)
    expect(page.get_by_text("Nice!", exact=True)).to_be_visible()
    expect(page.locator(".label", has_text="trained")).to_be_visible()
    expect(page.locator("details[open]", has_text="hidden")).to_be_visible()  # what was unfolded stays unfolded
    expect(box).to_have_value("/train bike-dem")
    box.press_sequentially("and")
    page.locator("#write select").select_option("jonas")
    page.get_by_role("button", name="Comment").click()
    expect(page.locator(".comment", has_text="/train bike-demand")).to_contain_text("jonas")
    assert stage.world.issue(REPOSITORY, 1).comments[-1].body == "/train bike-demand"
    assert stage.events()[-1] == "issue_comment.created"
    assert page.title() != "owned"
    assert [one for one in problems if "404" not in one] == []
