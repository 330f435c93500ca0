"""Personal tokens and GitHub Apps: which credential is used where, asked for how often, and never shown."""

import itertools
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import jwt
import pytest
import responses
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from github import Auth, Github

from bot.adapters.github import App, GitHub, Personal
from bot.adapters.github_line import Line
from bot.ports import Denied
from bot.refs import Ref
from tests.adapters.conftest import API, AT, issue, repository


@pytest.fixture(scope="module")
def key() -> str:
    made = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    plain = serialization.NoEncryption()
    return made.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain).decode()


@pytest.fixture
def web() -> Iterator[responses.RequestsMock]:
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        mock.get(f"{API}/app", json={"id": 99, "slug": "lifecycle"})
        for owner, number in (("octo", 1), ("acme", 2)):
            place = f"{API}/repos/{owner}/bikes"
            mock.get(place, json=repository(f"{owner}/bikes"))
            mock.get(f"{place}/installation", json={"id": number})
            mock.get(f"{place}/issues/12", json=issue(12))
            expires = datetime.now(UTC) + timedelta(hours=1)
            token = {"token": f"ghs_{owner}", "expires_at": f"{expires:%Y-%m-%dT%H:%M:%SZ}"}
            mock.post(f"{API}/app/installations/{number}/access_tokens", json=token, status=201)
        yield mock


def test_each_installation_is_found_once_and_has_one_token(web: responses.RequestsMock, key: str) -> None:
    github = GitHub("https://api.github.com", App(99, key), seconds_between_writes=0.0)
    for owner in ("octo", "acme", "octo"):
        github.thing(Ref("github", f"{owner}/bikes", 12))
    used = [call.request.headers["Authorization"] for call in web.calls if call.request.url.endswith("/12")]  # type: ignore[union-attr]
    assert used == ["Bearer ghs_octo", "Bearer ghs_acme", "Bearer ghs_octo"]
    assert len([call for call in web.calls if call.request.method == "POST"]) == 2
    asked = [call for call in web.calls if str(call.request.url).endswith("/installation")]
    assert len(asked) == 2
    told = jwt.decode(asked[0].request.headers["Authorization"].split()[1], options={"verify_signature": False})
    assert told["iss"] == "99"
    assert github.login == "lifecycle[bot]"
    assert github.source("acme/bikes").credential() == ("x-access-token", "ghs_acme")


def test_a_known_installation_is_not_searched(web: responses.RequestsMock, key: str) -> None:
    github = GitHub("https://api.github.com", App(99, key, installation=1), seconds_between_writes=0.0)
    github.thing(Ref("github", "octo/bikes", 12))
    assert not [call for call in web.calls if str(call.request.url).endswith("/installation")]


def test_an_app_that_is_not_installed_is_denied_with_what_to_do(web: responses.RequestsMock, key: str) -> None:
    web.get(f"{API}/repos/eve/bikes/installation", json={"message": "Not Found"}, status=404)
    with pytest.raises(Denied, match="not installed on eve/bikes"):
        GitHub("https://api.github.com", App(99, key)).thing(Ref("github", "eve/bikes", 12))


def test_an_app_that_was_installed_anew_is_found_again(web: responses.RequestsMock, key: str) -> None:
    github = GitHub("https://api.github.com", App(99, key), seconds_between_writes=0.0)
    web.replace("POST", f"{API}/app/installations/1/access_tokens", json={"message": "Not Found"}, status=404)
    with pytest.raises(Denied, match="/app/installations/1/access_tokens"):
        github.thing(Ref("github", "octo/bikes", 12))
    web.replace("GET", f"{API}/repos/octo/bikes/installation", json={"id": 2})
    assert github.thing(Ref("github", "octo/bikes", 12)).open


def test_a_broken_private_key_is_told_at_once() -> None:
    with pytest.raises(Denied, match="private key cannot be read") as told:
        GitHub("https://api.github.com", App(99, "-----BEGIN PRIVATE KEY-----\nhunter2"))
    assert "hunter2" not in str(told.value)


def test_credentials_do_not_show(key: str) -> None:
    assert "ghp_secret" not in repr(Personal("ghp_secret"))
    assert "PRIVATE" not in repr(App(99, key))


def test_enterprise_server_is_asked_under_its_prefix() -> None:
    with responses.RequestsMock() as web:
        place = "https://git.example.com:443/api/v3/repos/octo/bikes"
        web.get(place, json=repository())
        web.get(f"{place}/issues/12", json=issue(12, updated_at=AT))
        github = GitHub("https://git.example.com/api/v3/", Personal("x"))
        assert github.thing(Ref("github", "octo/bikes", 12)).title == "Retrain bike-demand"


def test_writes_are_kept_apart_across_threads() -> None:
    line, starts = Line(Auth.Token("x"), Github().requester, 0.05), list[float]()

    def write() -> None:
        with line.turn():
            starts.append(time.monotonic())

    threads = [threading.Thread(target=write) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    gaps = [later - earlier for earlier, later in itertools.pairwise(starts)]
    assert min(gaps) >= 0.05
