"""A tour through every route, held to GitHub's published description: where they disagree, the playground is wrong."""

import base64
import time
from typing import Any

import jwt
import pytest

from tests.playground.github_schema import DESCRIPTION, problems
from tests.playground.github_stage import (
    REPOSITORY,
    Stage,
    github_stage,  # noqa: F401 (a fixture)
)

R = "/repos/{owner}/{repo}"
# What GitHub really sends against its own description: a pull request whose fork is gone, labels without a description,
# and an installation's account, described as a person and an enterprise at once.
KNOWN = {
    ".head.repo: None is no object",
    "[].labels[].description: None is no string",
    *(f"[].account.{name} is missing" for name in ("created_at", "name", "slug", "updated_at")),
}
ALL = dict.fromkeys(("contents", "issues", "pull_requests", "checks", "statuses", "administration"), "write")
EVENTS = ["issues", "issue_comment", "pull_request", "push", "check_run", "create", "delete", "pull_request_review"]


class Tour:
    """Asks for "METHOD /template STATUS" as somebody and checks the answer's shape; remembers what it asked."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        app = stage.app(permissions={**ALL, "members": "read"}, events=EVENTS)
        self.tokens = {login: stage.world.personal_token(login) for login in ("mira", "ada", "stranger")}
        self.tokens["bot"] = stage.world.installation_token(app.installations[0]).secret
        now = int(time.time())
        word = {"iat": now - 60, "exp": now + 300, "iss": str(app.id)}
        self.tokens["jwt"] = jwt.encode(word, app.private_key, "RS256")
        self.names: dict[str, Any] = {"owner": "octo", "repo": "bikes", "org": "octo", "username": "mira"}
        self.names["installation_id"] = app.installations[0].id
        self.asked: set[str] = set()

    def __call__(self, what: str, who: str = "mira", body: Any = None, **names: Any) -> Any:
        method, template, status = what.split()
        path = template.format(**{**self.names, **names})
        answer = self.stage.call(method, path, self.tokens[who], json=body)
        assert answer.status_code == int(status), f"{what}: {answer.status_code} {answer.text}"
        self.asked.add(what)
        schema = DESCRIPTION["answers"][what]
        if schema is None:
            assert status != "200" or not answer.content
            return None
        found = answer.json()
        wrong = [one for one in problems(found, schema) if one not in KNOWN]
        assert wrong == [], f"{what}: {wrong[:5]}"
        return found


@pytest.fixture(name="tour")
def github_tour(stage: Stage) -> Tour:
    return Tour(stage)


def test_every_answer_has_githubs_shape(tour: Tour) -> None:
    people_and_repositories(tour)
    code(tour)
    issues(tour)
    comments(tour)
    pull_requests(tour)
    checks(tour)
    merging(tour)
    apps_and_hooks(tour)
    assert set(DESCRIPTION["answers"]) - tour.asked == set()


def people_and_repositories(tour: Tour) -> None:
    for path in ("/user", "/users/{username}", "/rate_limit", "/meta", "/user/repos", "/orgs/{org}/repos"):
        tour(f"GET {path} 200")
    tour("GET /users/{username}/repos 200", username="octo")
    tour("GET /orgs/{org}/members/{username} 204")
    tour(f"GET {R} 200")
    tour(f"PATCH {R} 200", "ada", {"description": "Bikes"})
    tour(f"GET {R}/branches 200")
    tour(f"GET {R}/branches/{{branch}} 200", branch="main")
    tour(f"GET {R}/collaborators 200")
    tour(f"GET {R}/collaborators/{{username}}/permission 200", username="jonas")
    tour(f"POST {R}/labels 201", body={"name": "ml", "color": "ff0000"})
    tour(f"GET {R}/labels 200")
    tour(f"GET {R}/labels/{{name}} 200", name="ml")
    tour(f"PATCH {R}/labels/{{name}} 200", body={"description": "Learning"}, name="ml")


def code(tour: Tour) -> None:
    sha = tour(f"GET {R}/commits/{{ref}} 200", ref="main")["sha"]
    tour(f"GET {R}/commits 200")
    tour(f"GET {R}/git/commits/{{commit_sha}} 200", commit_sha=sha)
    tour(f"GET {R}/git/trees/{{tree_sha}} 200", tree_sha=f"{sha}?recursive=1")
    tour(f"GET {R}/git/ref/{{ref}} 200", ref="heads/main")
    tour(f"GET {R}/git/matching-refs/{{ref}} 200", ref="heads/")
    tour(f"GET {R}/contents/{{path}} 200", path="data")
    tour(f"GET {R}/readme 200")
    blob = tour(f"GET {R}/contents/{{path}} 200", path="train.py")["sha"]
    tour(f"GET {R}/git/blobs/{{file_sha}} 200", file_sha=blob)
    tour(f"POST {R}/git/refs 201", body={"ref": "refs/heads/deeper", "sha": sha})
    text = base64.b64encode(b"print(2)\n").decode()
    write = f"PUT {R}/contents/{{path}}"
    new = {"message": "Add", "content": text, "branch": "deeper"}
    made = tour(f"{write} 201", body=new, path="new.py")
    tour(f"{write} 200", body={**new, "sha": made["content"]["sha"], "content": "aGk="}, path="new.py")
    tour(f"GET {R}/compare/{{basehead}} 200", basehead="main...deeper")


def issues(tour: Tour) -> None:
    wanted = {"title": "Predict", "body": "Hourly", "labels": ["ml"], "assignees": ["mira"]}
    tour.names["issue_number"] = tour(f"POST {R}/issues 201", body=wanted)["number"]
    one = f"{R}/issues/{{issue_number}}"
    tour(f"GET {one} 200")
    tour(f"GET {R}/issues 200")
    for change in ({"title": "Predict it"}, {"body": "Daily"}, {"state": "closed"}, {"state": "open"}):
        tour(f"PATCH {one} 200", body=change)
    tour(f"POST {one}/labels 200", body={"labels": ["a"]})
    tour(f"PUT {one}/labels 200", body={"labels": ["b", "c"]})
    tour(f"GET {one}/labels 200")
    tour(f"DELETE {one}/labels/{{name}} 200", name="b")
    tour(f"DELETE {one}/labels 204")
    tour(f"POST {one}/assignees 201", body={"assignees": ["jonas"]})
    tour(f"DELETE {one}/assignees 200", body={"assignees": ["mira"]})


def comments(tour: Tour) -> None:
    one = f"{R}/issues/{{issue_number}}"
    tour.names["comment_id"] = tour(f"POST {one}/comments 201", "bot", {"body": "Training"})["id"]
    tour(f"GET {one}/comments 200")
    tour(f"GET {R}/issues/comments 200")
    tour(f"GET {R}/issues/comments/{{comment_id}} 200")
    tour(f"PATCH {R}/issues/comments/{{comment_id}} 200", "bot", {"body": "Trained"})
    for place in (one, f"{R}/issues/comments/{{comment_id}}"):
        made = tour(f"POST {place}/reactions 201", body={"content": "eyes"})
        tour(f"POST {place}/reactions 200", body={"content": "eyes"})
        tour(f"GET {place}/reactions 200")
        tour(f"DELETE {place}/reactions/{{reaction_id}} 204", reaction_id=made["id"])
    tour(f"DELETE {R}/issues/comments/{{comment_id}} 204")


def pull_requests(tour: Tour) -> None:
    made = tour(f"POST {R}/pulls 201", body={"title": "Deeper", "head": "deeper", "base": "main", "draft": True})
    tour.names |= {"pull_number": made["number"], "sha": made["head"]["sha"]}
    one = f"{R}/pulls/{{pull_number}}"
    tour(f"GET {R}/pulls 200")
    tour(f"GET {one} 200")
    tour(f"PATCH {one} 200", body={"title": "Much deeper"})
    tour(f"GET {one}/files 200")
    tour(f"GET {one}/commits 200")
    tour(f"POST {R}/issues/{{issue_number}}/labels 200", body={"labels": ["a"]}, issue_number=made["number"])
    tour.stage.world.set_draft("mira", REPOSITORY, made["number"], draft=False)
    tour(f"POST {one}/reviews 200", "ada", {"event": "APPROVE", "body": "Good"})
    tour(f"GET {one}/reviews 200")


def checks(tour: Tour) -> None:
    annotation = {"path": "new.py", "start_line": 1, "end_line": 1, "annotation_level": "notice", "message": "m"}
    output = {"title": "t", "summary": "s", "annotations": [annotation]}
    actions = [{"label": "l", "description": "d", "identifier": "i"}]
    fields = {"name": "lifecycle", "head_sha": tour.names["sha"], "output": output, "actions": actions}
    made = tour(f"POST {R}/check-runs 201", "bot", fields)
    tour.names |= {"check_run_id": made["id"], "check_suite_id": made["check_suite"]["id"], "ref": tour.names["sha"]}
    one = f"{R}/check-runs/{{check_run_id}}"
    tour(f"GET {one} 200")
    tour(f"PATCH {one} 200", "bot", {"conclusion": "failure"})
    tour(f"GET {one}/annotations 200")
    tour(f"POST {one}/rerequest 201", "bot")
    tour.stage.world.check_action("mira", tour.stage.world.check_run(REPOSITORY, made["id"]), "i")
    for path in ("check-runs", "check-suites"):
        tour(f"GET {R}/commits/{{ref}}/{path} 200")
    tour(f"GET {R}/check-suites/{{check_suite_id}} 200")
    tour(f"GET {R}/check-suites/{{check_suite_id}}/check-runs 200")
    tour(f"POST {R}/statuses/{{sha}} 201", body={"state": "success", "context": "ci", "target_url": "http://x"})
    tour(f"GET {R}/commits/{{ref}}/status 200")
    tour(f"GET {R}/commits/{{ref}}/statuses 200")


def merging(tour: Tour) -> None:
    tour(f"PUT {R}/pulls/{{pull_number}}/merge 200", body={})
    tour(f"GET {R}/pulls/{{pull_number}}/merge 204")
    tour(f"GET {R}/commits/{{commit_sha}}/pulls 200", commit_sha=tour.names["sha"])
    tour(f"DELETE {R}/git/refs/{{ref}} 204", ref="heads/deeper")
    tour(f"POST {R}/forks 202", "stranger")
    tour(f"GET {R}/forks 200")
    world = tour.stage.world
    world.push("stranger", "stranger/bikes", "patch", {"a.txt": "1"}, "Patch")
    body = {"title": "Patch", "head": "stranger:patch", "base": "main"}
    number = tour(f"POST {R}/pulls 201", "stranger", body)["number"]
    world.push("stranger", "stranger/bikes", "patch", {"a.txt": "2"}, "Again")
    world.delete_repo("stranger/bikes")
    assert tour(f"GET {R}/pulls/{{pull_number}} 200", pull_number=number)["head"]["repo"] is None


def apps_and_hooks(tour: Tour) -> None:
    for path in ("", "/installations", "/installations/{installation_id}", "/hook/config", "/hook/deliveries"):
        tour(f"GET /app{path} 200", "jwt")
    for path in (R, "/orgs/{org}"):
        tour(f"GET {path}/installation 200", "jwt")
    wanted = {"permissions": {"issues": "read"}, "repositories": ["bikes"]}
    tour("POST /app/installations/{installation_id}/access_tokens 201", "jwt", wanted)
    tour("GET /installation/repositories 200", "bot")
    tour.stage.events()
    newest = tour("GET /app/hook/deliveries 200", "jwt")[0]["id"]
    tour("GET /app/hook/deliveries/{delivery_id} 200", "jwt", delivery_id=newest)
    tour("POST /app/hook/deliveries/{delivery_id}/attempts 202", "jwt", delivery_id=newest)
    config = {"url": tour.stage.ear.url, "content_type": "json", "secret": "k"}
    tour.names["hook_id"] = tour(f"POST {R}/hooks 201", "ada", {"config": config})["id"]
    tour(f"POST {R}/hooks/{{hook_id}}/pings 204", "ada")
    tour.stage.events()
    for path in ("", "/{hook_id}", "/{hook_id}/deliveries"):
        tour(f"GET {R}/hooks{path} 200", "ada")
    tour(f"PATCH {R}/hooks/{{hook_id}} 200", "ada", {"active": False})
    tour(f"DELETE {R}/hooks/{{hook_id}} 204", "ada")


def test_every_webhook_has_githubs_shape(tour: Tour) -> None:
    for part in (people_and_repositories, code, issues, comments, pull_requests, checks, merging):
        part(tour)
    tour.stage.events()
    heard = [
        one for one in tour.stage.ear.heard if one.name.replace("_", "-").replace(".", "-") in DESCRIPTION["webhooks"]
    ]
    names = {one.name.replace("_", "-").replace(".", "-") for one in heard}
    for one in heard:
        schema = DESCRIPTION["webhooks"][one.name.replace("_", "-").replace(".", "-")]
        assert problems(one.body, schema, "webhook_schemas") == [], one.name
    missing = set(DESCRIPTION["webhooks"]) - names
    # Seen in their own tests: these need another order of things, or another subscription.
    assert missing <= {"status", "pull-request-converted-to-draft"}, missing


def test_the_checker_can_fail() -> None:
    good = {"id": 1, "node_id": "x", "user": None, "content": "eyes", "created_at": "2026-01-01T00:00:00Z"}
    schema = {"$ref": "reaction"}
    assert problems(good, schema) == []
    assert problems({**good, "content": "thumbs"}, schema)
    assert problems({**good, "id": True}, schema)
    assert problems({**good, "id": None}, schema)
    assert problems({key: value for key, value in good.items() if key != "node_id"}, schema)
    assert problems([{**good, "user": {"login": "mira"}}], {"type": "array", "items": schema})
