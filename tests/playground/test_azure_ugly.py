"""Whatever is sent to whatever route: the organisation refuses it in its own words and never breaks."""

import re
from typing import Any

import pytest
import requests

from bot.playground.azure.app import routing_table
from tests.playground.azure_fixtures import World, agile_world, auth  # noqa: F401 (a fixture)

BODIES: list[Any] = [
    *(None, "x", 1, [], {}, [1], [{}], [{"op": "add"}], [{"op": "test", "path": "/rev"}]),
    *([{"op": "add", "path": "/fields/System.Title", "value": value}] for value in ({"a": 1}, [1])),
    *([{"op": "add", "path": f"/fields/System.{name}", "value": [1]}] for name in ("AreaPath", "Tags", "AssignedTo")),
    *(
        [{"op": "add", "path": "/relations/-", "value": value}]
        for value in ({"rel": 1}, {"rel": "Hyperlink", "url": 5})
    ),
    *({"query": f"SELECT [System.Id] FROM WorkItems WHERE {where}"} for where in ("(" * 2000, "[System.Id] > ''")),
    *({"query": f"SELECT [System.Id] FROM WorkItems WHERE [System.ChangedDate] {how}"} for how in ("=5", ">@today-x")),
    {"query": 5, "text": 5, "ids": 5, "fields": 5, "types": 5, "name": 5, "attributes": 5, "status": 5, "vote": "x"},
    {"ids": ["a"], "fields": [5], "subscriptionIds": 5, "maxResults": "x", "comments": [5], "content": []},
    {"publisherId": "tfs", "consumerId": "webHooks", "consumerActionId": "httpRequest", "eventType": "git.push"}
    | {"publisherInputs": {}, "consumerInputs": {"url": "http://[::1"}},
    {"status": "completed", "lastMergeSourceCommit": 5, "completionOptions": 5, "context": 5, "reviewers": [5]},
]
QUERIES = [
    "$top=x&$skip=x&order=q&$expand=q&fields=q&asOf=q&ids=q&$depth=q&format=q&$timeframe=q&startDateTime=q",
    "$top=-1&continuationToken=x&searchCriteria.status=q&path=%00&versionDescriptor.version=--help&filter=%00",
]


@pytest.fixture(name="parts")
def something_of_everything(world: World) -> dict[str, str]:
    """A value for every named part of a path."""
    org, project = world.org, world.project
    repo = org.create_repository(project, "r")
    for branch in ("main", "x"):
        org.push(repo, branch, {"a": branch.encode()}, "m", world.ada)
    pull = org.open_pull_request(repo, "x", "main", "t", world.ada)
    thread = org.comment_on_pull_request(pull, "x", world.ada)
    item = org.create_item(project, "Task", world.mira, **{"System.Title": "t"})
    said = org.comment(item, "x", world.mira)
    hook = org.subscribe("workitem.deleted", "http://127.0.0.1:9/", world.ada)
    parts = {"project": "Bikes", "team": "Bikes Team", "type": "Task", "id": str(item.id), "number": "1"}
    parts |= {"label": "x"}
    parts |= {"comment": str(said.id), "group": "areas", "path": "x", "field": "System.Title", "category": "x"}
    parts |= {"subscription": hook.id, "publisher": "tfs", "repository": repo.id, "pull": "1", "area": "wit"}
    return parts | {"thread": str(thread.id), "sha": pull.source_commit, "reviewer": world.bot.id, "process": "x"}


def fill(pattern: str, parts: dict[str, str]) -> str:
    """A path that a route's pattern takes."""
    path = re.sub(r"\(\?P<(\w+)>(?:\(\?!_\)\[\^/\]\+|\\d\+|\.\+)\)", lambda found: parts[found[1]], pattern)
    return path.replace("(?:", "").replace(")?", "").replace("\\", "").removesuffix("/?")


def test_no_route_breaks(world: World, parts: dict[str, str]) -> None:
    broken = []
    with requests.Session() as session:
        session.headers.update(auth(world.token))
        for route in routing_table():
            path = fill(route.pattern.pattern, parts)
            assert route.pattern.fullmatch(path), path
            kind = "json-patch+json" if re.search(r"/workitems/[^/]+$", path) and route.method != "GET" else "json"
            headers = {"Content-Type": f"application/{kind}"}
            asked = [(body, "") for body in BODIES] if route.method in ("POST", "PUT", "PATCH") else []
            asked += [(None, query) for query in QUERIES if route.method != "DELETE"]
            for body, query in asked:
                url = f"{world.url}{path}?{query}"
                answer = session.request(route.method, url, json=body, headers=headers, timeout=10)
                told = answer.status_code == 204 or answer.headers["Content-Type"].startswith("application/json")
                if answer.status_code >= 500 or not told:
                    broken.append((route.method, path, body, query, answer.status_code))
    assert broken == []
