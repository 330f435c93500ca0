"""The pages in a real browser: the log grows by itself, nothing is refused by the policy, nothing overflows a phone."""

import shutil
import threading
from collections.abc import Iterator
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from bot.web.pages import create_pages
from lifecycle import Kind, Run, Stage, State
from tests.web.house import MODEL, PROJECT, House

PROGRAM = next(filter(None, map(shutil.which, ("chromium", "google-chrome", "chrome"))), None)
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(PROGRAM is None, reason="neither chromium nor google-chrome is installed"),
]
QUIET = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]
QUIET += ["--disable-sync", "--no-first-run"]
PATHS = ["/", "/models", f"/models/{PROJECT}/{MODEL}", f"/models/{PROJECT}/{MODEL}/versions/2", "/nothing"]


class Silent(WSGIRequestHandler):
    """Serves without a word."""

    def log_message(self, *args: object) -> None:
        """Nothing."""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as play:
        found = play.chromium.launch(executable_path=PROGRAM, args=QUIET)
        yield found
        found.close()


@pytest.fixture
def base(house: House) -> Iterator[str]:
    server: WSGIServer = make_server("127.0.0.1", 0, create_pages(house.views()), handler_class=Silent)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A phone; whatever its console says against a page, such as a refusal by the policy, fails the test."""
    found = browser.new_page(viewport={"width": 390, "height": 844})
    complaints: list[str] = []
    found.on("console", lambda message: complaints.append(message.text) if message.type != "log" else None)
    found.on("pageerror", lambda error: complaints.append(str(error)))
    yield found
    found.close()
    assert [one for one in complaints if "404 (NOT FOUND)" not in one] == []


def test_no_page_is_wider_than_a_phone(page: Page, base: str, runs: dict[str, Run]) -> None:
    for path in [*PATHS, *(f"/runs/{run.id}" for run in runs.values())]:
        page.goto(base + path)
        assert page.evaluate("document.documentElement.scrollWidth") <= 390, path
        assert not page.title().startswith("owned")


def test_log_and_stages_follow_a_run_by_themselves(page: Page, base: str, house: House) -> None:
    run = house.ask(Kind.TRAIN, 1)
    page.goto(f"{base}/runs/{run.id}")
    expect(page.locator("#top")).to_contain_text("Next in line")
    run = house.begin(run, Stage.TRAIN, 0.5, fit="run-1-train-fit-1")
    house.logs[(run.id, "train")] = b"epoch 1\n<i>loss</i> 0.5\n"
    expect(page.locator("#log pre")).to_have_text("epoch 1\n<i>loss</i> 0.5\n", use_inner_text=False, timeout=9000)
    expect(page.locator("#top .pill")).to_have_text("Running")
    house.logs[(run.id, "train")] += b"epoch 2\n"
    expect(page.locator("#log pre")).to_contain_text("epoch 2", timeout=9000)
    house.conclude(house.fail(run, Stage.TRAIN, 0, "It ran out of memory."), State.FAILED, 0, "It ran out of memory.")
    expect(page.locator("#top")).to_contain_text("It ran out of memory.", timeout=9000)
    expect(page.locator("#top .pill")).to_have_text("Failed")
    assert page.locator("#log pre").text_content() == "epoch 1\n<i>loss</i> 0.5\nepoch 2\n"


def test_list_of_runs_follows_by_itself(page: Page, base: str, house: House) -> None:
    run = house.ask(Kind.TRAIN, 1)
    page.goto(base)
    expect(page.locator("#runs .state")).to_have_text("Waiting")
    house.begin(run, Stage.TRAIN, 0.5, fit="run-1-train-fit-1")
    expect(page.locator("#runs .state")).to_have_text("Running", timeout=15000)


def test_every_word_has_enough_contrast(page: Page, base: str, runs: dict[str, Run]) -> None:
    run = next(run for run in runs.values() if run.verdict == "FAIL")
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        for path in (*PATHS[:4], f"/runs/{run.id}"):
            page.goto(base + path)
            assert page.evaluate(CONTRAST) == [], (scheme, path)


# Every text's colour against the nearest background that is painted, by the formula of WCAG 2.2 (relative luminance).
CONTRAST = """() => {
  const parse = (text) => text.match(/[\\d.]+/g).map(Number);
  const light = ([r, g, b]) => [r, g, b].map((c) => c / 255)
    .map((c) => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)
    .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
  const ground = (one) => {
    for (let at = one; at; at = at.parentElement) {
      const colour = parse(getComputedStyle(at).backgroundColor);
      if (colour.length === 3 || colour[3] === 1) return colour;
    }
    return [255, 255, 255];
  };
  const poor = [];
  for (const one of document.querySelectorAll("body *")) {
    const said = [...one.childNodes].some((node) => node.nodeType === 3 && node.data.trim());
    if (!said || !one.getClientRects().length || one.closest("svg")) continue;
    const [a, b] = [light(parse(getComputedStyle(one).color)), light(ground(one))].sort((x, y) => y - x);
    if ((a + 0.05) / (b + 0.05) < 4.5) poor.push(`${one.className} ${one.textContent.slice(0, 40)}`);
  }
  return poor;
}"""
