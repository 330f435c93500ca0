"""What becomes of GitHub's bad answers: who must act, and when to try again."""

import pytest
import requests
import responses
from github import Auth, Github

from bot.adapters.github import GitHub
from bot.adapters.github_errors import Limited
from bot.adapters.github_line import Line
from bot.ports import Denied, SignedOut, Unavailable
from tests.adapters.conftest import ISSUE, REPO

PRIMARY = {"message": "API rate limit exceeded for installation ID 1."}
SECONDARY = {"message": "You have exceeded a secondary rate limit. Please wait a few minutes before you try again."}


@pytest.mark.parametrize(
    ("status", "headers", "body", "after"),
    [
        (429, {}, {}, 60.0),
        (429, {"Retry-After": "7"}, {}, 7.0),
        (403, {}, SECONDARY, 60.0),
        (403, {"Retry-After": "30"}, SECONDARY, 30.0),
        (
            403,
            {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "1772366700", "Date": "Sun, 01 Mar 2026 12:00:00 GMT"},
            PRIMARY,
            301.0,
        ),
        (403, {"X-RateLimit-Remaining": "0"}, {}, 60.0),
        (422, {}, {"message": "Validation Failed", "errors": [{"message": "was submitted too quickly"}]}, 60.0),
        (409, {}, {}, 1.0),
        (500, {}, {}, None),
        (503, {"Retry-After": "x"}, {}, None),
    ],
)
def test_try_again(
    web: responses.RequestsMock, github: GitHub, status: int, headers: dict[str, str], body: object, after: float | None
) -> None:
    web.get(f"{REPO}/issues/12", status=status, headers=headers, json=body)
    with pytest.raises(Unavailable) as told:
        github.thing(ISSUE)
    assert told.value.after == after


@pytest.mark.parametrize(
    ("status", "body", "sentence"),
    [
        (401, {"message": "Bad credentials"}, "does not accept our credentials"),
        (403, {"message": "Resource not accessible by integration"}, "not let us do this .*not accessible by integr"),
        (404, {"message": "Not Found"}, "no such thing"),
        (451, {}, "no such thing"),
        (422, {"message": "Validation Failed", "errors": [{"code": "too_long"}]}, "Validation Failed too_long"),
        (418, ["teapot"], "answered 418 .*no reason was given"),
    ],
)
def test_a_person_must_act(
    web: responses.RequestsMock, github: GitHub, status: int, body: object, sentence: str
) -> None:
    web.get(f"{REPO}/issues/12", status=status, json=body)
    with pytest.raises((Denied, SignedOut), match=sentence) as told:
        github.thing(ISSUE)
    assert "\n" not in str(told.value)


@pytest.mark.parametrize(
    ("failure", "sentence"),
    [
        (requests.ConnectTimeout("ghp_secret"), "did not answer GET /repos/octo/bikes/issues/12 in time"),
        (requests.exceptions.SSLError("ghp_secret"), "No trusted TLS"),
        (requests.ConnectionError("ghp_secret"), "connection to GitHub broke"),
        (requests.exceptions.RetryError("ghp_secret"), "connection to GitHub broke"),
    ],
)
def test_a_broken_line_is_told_without_what_the_exception_says(
    web: responses.RequestsMock, github: GitHub, failure: Exception, sentence: str
) -> None:
    web.get(f"{REPO}/issues/12", body=failure)
    with pytest.raises(Unavailable, match=sentence) as told:
        github.thing(ISSUE)
    assert "ghp_secret" not in str(told.value)


def test_a_redirect_to_another_host_names_the_setting(web: responses.RequestsMock, github: GitHub) -> None:
    web.get(f"{REPO}/issues/12", status=301, headers={"Location": "https://evil.example/"})
    with pytest.raises(Denied, match="configured URL"):
        github.thing(ISSUE)


def test_a_read_is_repeated_on_a_bad_gateway(web: responses.RequestsMock, github: GitHub) -> None:
    web.get(f"{REPO}/collaborators/ada/permission", status=502)
    web.get(f"{REPO}/collaborators/ada/permission", json={"permission": "read"})
    assert github.permission(ISSUE, "ada").name == "READ"


def test_a_limit_is_kept_to_by_everybody_and_one_without_a_time_counts_longer_each_time(
    web: responses.RequestsMock, github: GitHub
) -> None:
    line = Line(Auth.Token("x"), Github().requester, 0.0)
    line.listen()
    waits = []
    for _ in range(6):
        limited = Limited("slow down", after=60.0)
        limited.named = False
        line.heard(limited)
        waits.append(limited.after)
    assert waits == [60.0, 120.0, 240.0, 480.0, 900.0, 900.0]
    with pytest.raises(Unavailable, match="until it lets us again") as told:
        line.listen()
    assert 890 < (told.value.after or 0) <= 900

    web.get(f"{REPO}/issues/12", status=429, headers={"Retry-After": "600"})
    asked = 0
    for _ in range(3):
        with pytest.raises(Unavailable):
            github.thing(ISSUE)
        asked = asked or len(web.calls)
    assert len(web.calls) == asked
