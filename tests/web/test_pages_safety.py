"""No text from outside becomes markup, no page needs more than its policy allows, every refusal looks like ours."""

import re

import pytest
from flask.testing import FlaskClient

from bot.web.pages import create_pages
from lifecycle import Run
from tests.web.house import HOSTILE, MODEL, PROJECT, House
from tests.web.reader import Text, read

MODEL_PAGE = f"/models/{PROJECT}/{MODEL}"
SCRIPT = "/static/pages.js"
RUN_PAGES = [f"/runs/{number}" for number in range(1, 15)]


def test_text_from_outside_is_never_markup(client: FlaskClient, runs: dict[str, Run], house: House) -> None:
    run = runs["hostile"]
    for path in ("/", f"/runs/{run.id}", "/models", f"/models/octo/bikes/{run.spec.model}"):
        page = Text(client.get(path).text)
        assert all("onerror" not in attrs for _, attrs in page.tags)
        assert not [
            attrs for tag, attrs in page.tags if tag == "script" and not (attrs.get("src") or "").startswith("/static/")
        ]
        assert not [link for link in page.links() if not link.startswith(("/", "#", "https://"))]
        assert "\u202e" not in page.text
    shown = " ".join(HOSTILE.replace("\u202e", "").split())
    assert shown in read(client, f"/runs/{run.id}").text


def test_no_page_carries_scripts_styles_or_handlers_of_its_own(client: FlaskClient, runs: dict[str, Run]) -> None:
    for path in (
        "/",
        "/models",
        MODEL_PAGE,
        f"{MODEL_PAGE}/versions/1",
        "/nothing",
        *(f"/runs/{n}" for n in range(1, 15)),
    ):
        page = Text(client.get(path).text)
        for tag, attrs in page.tags:
            assert tag != "style"
            assert tag != "script" or attrs["src"]
            assert not [name for name in attrs if name == "style" or name.startswith("on")]


def test_every_answer_is_guarded(client: FlaskClient, runs: dict[str, Run]) -> None:
    for path in ("/", "/nothing", "/runs/1.json", "/healthz", "/metrics", MODEL_PAGE):
        headers = client.get(path).headers
        assert "default-src 'none'" in headers["Content-Security-Policy"]
        assert "unsafe" not in headers["Content-Security-Policy"]
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Referrer-Policy"] == "same-origin"


def test_pages_use_nothing_from_elsewhere(client: FlaskClient, runs: dict[str, Run]) -> None:
    page = Text(client.get("/").text)
    loaded = [attrs.get("src") or attrs.get("href") for tag, attrs in page.tags if tag in ("script", "link", "img")]
    assert loaded
    for address in loaded:
        assert address is not None
        with client.get(address) as answer:
            assert answer.status_code == 200
        assert address.startswith("/static/")


@pytest.mark.parametrize(
    "path",
    [
        "/runs/999",
        "/runs/99999999999999999999",
        "/runs/x",
        "/runs/11/report.json",
        "/models/a/b/c",
        "/models/a/b/%00",
        f"{MODEL_PAGE}/versions/9",
    ],
)
def test_what_is_not_there(client: FlaskClient, runs: dict[str, Run], path: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 404
    assert "nothing at this address" in answer.text


def test_wrong_method(client: FlaskClient) -> None:
    answer = client.post("/")
    assert answer.status_code == 405
    assert "GET" in answer.headers["Allow"]
    assert "To the runs" in answer.text
    assert client.get(f"{MODEL_PAGE}/invocations").status_code == 405


def test_our_own_mistake_is_admitted_with_a_number(house: House, caplog: pytest.LogCaptureFixture) -> None:
    client = create_pages(house.views()).test_client()
    house.engine.dispose()
    (house.root / "bot.db").write_bytes(b"this is no database" * 100)
    answer = client.get("/")
    assert answer.status_code == 500
    number = re.search(r'<p class="mono">([0-9a-f]{8})</p>', answer.text)
    assert number is not None
    assert number[1] in caplog.text
    assert "database" not in Text(answer.text).text
