"""The real client finds its way in the playground: locations, areas, tokens, versions, and honest refusals."""

import pytest
import requests
from azure.devops.exceptions import AzureDevOpsServiceError
from msrest.authentication import BasicTokenAuthentication
from msrest.exceptions import DeserializationError

from bot.playground.azure import Throttle
from tests.playground.azure_fixtures import World, agile_world, auth  # noqa: F401 (a fixture)


@pytest.mark.parametrize("clients", ["clients", "clients_v7_1"])
def test_both_generations_of_clients_list_projects(world: World, clients: str) -> None:
    core = getattr(world.connection(), clients).get_core_client()
    assert [project.name for project in core.get_projects()] == ["Bikes"]
    full = core.get_project("bikes", include_capabilities=True)
    assert full.capabilities["processTemplate"]["templateName"] == "Agile"
    assert full.default_team.name == "Bikes Team"


def test_a_bearer_token_is_as_good_as_basic(world: World) -> None:
    from azure.devops.connection import Connection

    connection = Connection(base_url=world.url, creds=BasicTokenAuthentication({"access_token": world.token}))
    assert connection.clients_v7_1.get_core_client().get_project("Bikes").name == "Bikes"


def test_a_bad_token_gets_the_sign_in_page_with_203(world: World) -> None:
    answer = requests.get(f"{world.url}/_apis/projects", headers=auth("wrong"), timeout=5)
    assert answer.status_code == 203
    assert answer.headers["Content-Type"].startswith("text/html")
    with pytest.raises(DeserializationError):
        world.wit("wrong").get_work_item(1)


def test_a_revoked_token_is_bad(world: World) -> None:
    token = world.org.personal_token(world.mira)
    assert requests.get(f"{world.url}/_apis/projects", headers=auth(token), timeout=5).status_code == 200
    world.org.revoke(token)
    assert requests.get(f"{world.url}/_apis/projects", headers=auth(token), timeout=5).status_code == 203


def test_who_am_i(world: World) -> None:
    from azure.devops.v7_1.location.location_client import LocationClient
    from msrest.authentication import BasicAuthentication

    location = LocationClient(world.url, BasicAuthentication("", world.token))
    user = location.get_connection_data().authenticated_user
    assert (user.id, user.provider_display_name) == (world.bot.id, "Lifecycle Bot")


def test_team_members_and_their_administrator(world: World) -> None:
    core = world.client("core")
    members = core.get_team_members_with_extended_properties("Bikes", "Bikes Team")
    assert {(member.identity.unique_name, bool(member.is_team_admin)) for member in members} == {
        ("mira@example.com", False),
        ("ada@example.com", True),
    }
    world.project.leave(world.mira)
    assert len(core.get_team_members_with_extended_properties("Bikes", "Bikes Team")) == 1


def test_what_is_left_out_says_so(world: World) -> None:
    answer = requests.get(f"{world.url}/Bikes/_apis/build/builds", headers=auth(world.token), timeout=5)
    assert answer.status_code == 404
    assert "GET /Bikes/_apis/build/builds" in answer.json()["message"]
    build = world.client("build")
    with pytest.raises(AzureDevOpsServiceError, match="does not implement GET /Bikes/_apis/build/builds"):
        build.get_builds("Bikes")


def test_an_unknown_project(world: World) -> None:
    with pytest.raises(AzureDevOpsServiceError, match="TF200016") as refused:
        world.client("core").get_project("Cars")
    assert refused.value.type_key == "ProjectDoesNotExistWithNameException"


@pytest.mark.parametrize(
    ("version", "status", "key"),
    [
        ("7.1", 200, None),
        ("7.2-preview.3", 200, None),
        ("5.1", 200, None),
        ("9.0", 400, "VssVersionOutOfRangeException"),
        ("7.2", 400, "VssInvalidPreviewVersionException"),
        ("seven", 400, "VssInvalidApiResourceVersionException"),
    ],
)
def test_versions_in_the_query_and_in_accept(world: World, version: str, status: int, key: str | None) -> None:
    url = f"{world.url}/_apis/projects"
    asked = requests.get(url, params={"api-version": version}, headers=auth(world.token), timeout=5)
    accept = {"Accept": f"application/json;api-version={version}"}
    accepted = requests.get(url, headers=auth(world.token) | accept, timeout=5)
    assert asked.status_code == accepted.status_code == status
    assert asked.json().get("typeKey") == accepted.json().get("typeKey") == key


def test_comments_are_in_preview(world: World) -> None:
    url = f"{world.url}/Bikes/_apis/wit/workItems/1/comments"
    answer = requests.get(url, params={"api-version": "7.1"}, headers=auth(world.token), timeout=5)
    assert (answer.status_code, answer.json()["typeKey"]) == (400, "VssInvalidPreviewVersionException")


def test_paths_are_read_in_any_case(world: World) -> None:
    url = f"{world.url.lower()}/BIKES/_APIS/WIT/WorkItemTypes"
    assert requests.get(url, headers=auth(world.token), timeout=5).json()["count"] == 6


def test_long_lists_of_projects_come_in_pages(world: World) -> None:
    for name in ("Cars", "Boats"):
        world.org.create_project(name)
    url, seen, token = f"{world.url}/_apis/projects", [], None
    for _ in range(3):
        params = {"$top": "1"} | ({"continuationToken": token} if token else {})
        answer = requests.get(url, params=params, headers=auth(world.token), timeout=5)
        seen += [project["name"] for project in answer.json()["value"]]
        token = answer.headers.get("X-MS-ContinuationToken")
    assert (seen, token) == (["Bikes", "Boats", "Cars"], None)


def test_a_wait_can_come_with_a_good_answer_and_with_429(world: World) -> None:
    world.org.throttle = Throttle(seconds=3, times=1)
    url = f"{world.url}/_apis/projects"
    slowed = requests.get(url, headers=auth(world.token), timeout=5)
    assert (slowed.status_code, slowed.headers["Retry-After"], slowed.headers["X-RateLimit-Remaining"]) == (
        200,
        "3",
        "0",
    )
    assert "Retry-After" not in requests.get(url, headers=auth(world.token), timeout=5).headers
    world.org.throttle = Throttle(seconds=5, times=1, refusing=True)
    refused = requests.get(url, headers=auth(world.token), timeout=5)
    assert (refused.status_code, refused.headers["Retry-After"]) == (429, "5")
    assert "TF400733" in refused.json()["message"]
    assert requests.get(url, headers=auth(world.token), timeout=5).status_code == 200
