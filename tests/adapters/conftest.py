"""A GitHub adapter over written answers and their usual shapes; an Azure Boards adapter over the playground."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import responses

from bot.adapters.github import GitHub, Personal
from bot.refs import Ref
from tests.adapters.azure_world import World, served
from tests.adapters.github_world import Town, town_served

# PyGithub always names the port, so the answers must be registered with it.
API = "https://api.github.com:443"
REPO = f"{API}/repos/octo/bikes"
ISSUE = Ref("github", "octo/bikes", 12)
ME = {"login": "lifecycle-bot", "type": "User"}
SOMEBODY = {"login": "ada", "type": "User"}
AT = "2026-03-01T12:00:00Z"


@pytest.fixture
def web() -> Iterator[responses.RequestsMock]:
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        mock.get(f"{API}/user", json=ME)
        mock.get(REPO, json=repository())
        yield mock


@pytest.fixture
def github(web: responses.RequestsMock) -> GitHub:
    return GitHub("https://api.github.com", Personal("ghp_secret"), seconds_between_writes=0.0, timeout=5)


def repository(name: str = "octo/bikes") -> dict[str, Any]:
    return {"full_name": name, "default_branch": "main", "clone_url": f"https://github.com/{name}.git"}


def comment(number: int, body: str, user: dict[str, str] = ME, at: str = AT, updated: str = "") -> dict[str, Any]:
    url = f"https://github.com/octo/bikes/issues/12#issuecomment-{number}"
    stamps = {"created_at": at, "updated_at": updated or at}
    return {"id": number, "html_url": url, "body": body, "user": user, **stamps}


def issue(number: int, body: str = "", user: dict[str, str] = ME, **fields: Any) -> dict[str, Any]:
    usual = {"number": number, "title": "Retrain bike-demand", "state": "open", "updated_at": AT, "body": body}
    return {**usual, "user": user, "html_url": f"https://github.com/octo/bikes/issues/{number}", "labels": [], **fields}


def calls(web: responses.RequestsMock, method: str = "") -> list[str]:
    """What was asked, as "POST /repos/octo/bikes/issues", without the questions about names."""
    asked = [f"{call.request.method} {(call.request.url or '').removeprefix(API)}" for call in web.calls]
    return [line for line in asked if line.startswith(method) and line not in ("GET /user", "GET /repos/octo/bikes")]


@pytest.fixture(scope="session")
def azure_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("azure-devops")


@pytest.fixture
def fabrikam(azure_cache: Path) -> Iterator[World]:
    with served(azure_cache) as world:
        yield world


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    with town_served(tmp_path) as made:
        yield made
