"""No route breaks, whatever nonsense is asked of it: a refusal has a status below 500 and a message."""

import random
import re
import time
from typing import Any

import jwt

from bot.playground.github.wsgi import _flask
from tests.playground.github_stage import (
    REPOSITORY,
    Stage,
    github_stage,  # noqa: F401 (a fixture)
)

CALLS = 500
NONSENSE: list[Any] = [
    None,
    1,
    -1,
    1.5,
    True,
    "",
    "..",
    "-x",
    "a\0b",
    "é",
    "x" * 70_000,
    [],
    [None],
    [[]],
    {},
    {"a": 1},
]
FIELDS = (
    "title body labels assignees state state_reason content head base draft name head_sha status conclusion output "
    "actions started_at details_url ref sha force message branch color context target_url event config events "
    "permissions repositories merge_method permission"
)
PLACES = {
    "ref": ["main", "deeper", "..", "-x", "a%00b", "x~1", "@{-1}", "HEAD^{tree}"],
    "path": ["train.py", "nope", "a%00b", "..%2f..", "-x", ".git/config", "%0a"],
    "branch": ["deeper", "-x"],
    "sha": ["zz", "0" * 40, "-x", "HEAD"],
    "span": ["main...deeper", "main..deeper", "...", "-x...main", "octo:deeper...main"],
    "owner": ["octo"],
    "name": ["bikes"],
}
QUERIES = ["", "per_page=0&page=-1", "since=x", "per_page=99999999999999", "ref=-x", "ref=a%00", "sha=zz&path=-x"]


def test_nonsense_is_refused_and_breaks_nothing(stage: Stage) -> None:
    world, dice = stage.world, random.Random(7)
    world.rate_limit = 10 * CALLS
    app = stage.app()
    tip = world.push("mira", stage.repo, "deeper", {"train.py": "print(2)\n"}, "Go deeper")
    world.issue_open("mira", stage.repo, "Predict")
    comment = world.comment("mira", stage.repo, 1, "hello")
    world.pull_open("mira", stage.repo, "Deeper", "deeper")
    run = world.check_create(app, REPOSITORY, {"name": "a", "head_sha": tip})
    numbers = ["1", "2", str(comment.id), str(run.id), str(app.installations[0].id)]
    now = int(time.time())
    word = jwt.encode({"iat": now - 60, "exp": now + 300, "iss": str(app.id)}, app.private_key, "RS256")
    tokens = [world.personal_token("ada"), world.installation_token(app.installations[0]).secret]
    rules = [rule for rule in _flask(world).url_map.iter_rules() if rule.rule.startswith("/api/v3/")]

    def place(found: re.Match[str]) -> str:
        return dice.choice([*PLACES.get(found[2], ["mira", "octo"]), tip] if not found[1] else numbers)

    for _ in range(CALLS):
        rule = dice.choice(rules)
        method = dice.choice(sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}))
        if method == "DELETE" and rule.rule.endswith("/<name>"):
            continue  # this one works
        path = re.sub(r"<(int:)?(?:path:)?(\w+)>", place, rule.rule.removeprefix("/api/v3"))
        path = re.sub(r"^/repos/[^/]+/[^/]+", f"/repos/{REPOSITORY}", path)
        body = {field: dice.choice(NONSENSE) for field in dice.sample(FIELDS.split(), 8)}
        if rule.rule.endswith("<name>"):
            body.pop("name", None)  # renaming works too
        body |= {"head_sha": tip} if dice.random() < 0.5 else {}
        token = word if rule.rule.startswith("/api/v3/app") else dice.choice(tokens)
        answer = stage.call(method, f"{path}?{dice.choice(QUERIES)}", token, json=None if method == "GET" else body)
        assert answer.status_code < 500, f"{method} {path} {str(body)[:500]}"
        if answer.status_code >= 400:
            assert answer.json()["message"]
