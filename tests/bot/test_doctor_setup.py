"""What doctor finds where app.yaml leads, the database and the platforms; nothing there changes."""

import os
import sqlite3
from collections.abc import Iterator, MutableMapping
from pathlib import Path

import pytest

from bot import checkup
from bot.adapters import azure_checkup, github_checkup
from bot.doctor import Finding, Health, examine
from bot.playground.stage import MIRA, REPOSITORY, Stage, set_stage
from bot.settings import Settings, read_settings
from tests.bot.doctor_findings import health, one

URL = "https://bot.example.org"
SETTINGS = """\
public_url: {url}
listen: 127.0.0.1:{port}
state: state
github:
  url: {github}
  {access}
  webhook_secret: ${{env:HOOK}}
azure_devops:
  url: {azure}
  token: ${{env:AZURE}}
  webhook: {{username: u, password: "${{env:HOOK}}"}}
projects:
  - repository: octo/bikes
    {branch}
    board: {board}
"""


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    made = set_stage(tmp_path_factory.mktemp("stage"), URL)
    yield made
    made.close()


def settings_for(stage: Stage, folder: Path, *, more: str = "", **changes: str) -> Settings:
    told = stage.secrets
    environ = {"HOOK": told.github_webhook, "AZURE": told.azure_token, "KEY": told.private_key, "BAD": "nonsense"}
    environ["TOKEN"] = stage.github.world.personal_token(MIRA)
    said = {
        "url": URL,
        "port": "0",
        "github": stage.github.api,
        "access": f'app: {{id: {told.app_id}, private_key: "${{env:KEY}}"}}',
        "azure": stage.azure.base_url,
        "branch": "branch: main",
        "board": "{project: Bikes, area: 'Bikes\\Models'}",
    }
    (folder / "app.yaml").write_text(SETTINGS.format(**said | changes) + more)
    return read_settings(folder / "app.yaml", environ)


def platforms(settings: Settings) -> dict[str, list[Finding]]:
    environ: MutableMapping[str, str] = os.environ
    found: dict[str, list[Finding]] = {}
    for finding in examine([*github_checkup.probes(settings), *azure_checkup.probes(settings, environ)]):
        found.setdefault(finding.name, []).append(finding)
    return found


def test_the_database_is_read_and_not_touched(stage: Stage, tmp_path: Path) -> None:
    settings = settings_for(stage, tmp_path)
    assert "made at the first start" in one(checkup.database(settings)).found
    assert not settings.state.exists()
    settings.state.mkdir()
    file = settings.state / "lifecycle.db"
    for version, said in (("0001", "version 0001"), ("9999", "a newer lifecycle-bot")):
        with sqlite3.connect(file) as connection:
            connection.execute("CREATE TABLE IF NOT EXISTS lifecycle_version (version_num TEXT)")
            connection.execute("DELETE FROM lifecycle_version")
            connection.execute("INSERT INTO lifecycle_version VALUES (?)", (version,))
        connection.close()
        assert said in one(checkup.database(settings)).found
    file.write_bytes(b"x" * 4096)
    assert "does not open" in one(checkup.database(settings)).found
    unreachable = settings_for(stage, tmp_path, more="database: postgresql://u@127.0.0.1:1/db\n")
    assert one(checkup.database(unreachable)).health is Health.FAIL


def test_platforms_that_are_set_up_right_are_right(stage: Stage, tmp_path: Path) -> None:
    items = len(stage.azure.items)
    found = platforms(settings_for(stage, tmp_path))
    wrong = [it for its in found.values() for it in its if it.health is Health.FAIL]
    assert not wrong
    assert "lifecycle-bot[bot]" in found["GitHub"][0].found
    assert found[f"{REPOSITORY} lifecycle.yaml"][0].found == "bike-demand"
    assert found["board Bikes"][0].found == "takes User Story and Bug"
    assert len(found["Azure DevOps hooks"]) == 2
    assert len(stage.azure.items) == items, "doctor must not leave work items behind"


@pytest.mark.parametrize(
    ("changes", "name", "said"),
    [
        ({"url": "https://other.example.org"}, "GitHub webhook", f"leads to {URL}/webhooks/github"),
        ({"url": "https://other.example.org"}, "Azure DevOps hooks", "nothing tells us of workitem.commented"),
        ({"branch": "branch: none"}, f"{REPOSITORY} lifecycle.yaml", "there is none on branch none"),
        ({"board": "{project: Nowhere}"}, "board Nowhere", "Nowhere"),
        ({"board": "{project: Bikes, team: Nobody}"}, "board Bikes", "Nobody"),
        ({"board": "{project: Bikes, area: 'Bikes\\Nowhere'}"}, "board Bikes", "User Story"),
        ({"board": "{project: Bikes, item_type: Saga}"}, "board Bikes", "Saga"),
        ({"access": "token: ${env:BAD}"}, "GitHub", "does not accept our credentials"),
    ],
)
def test_what_is_set_up_wrong_is_named(
    stage: Stage, tmp_path: Path, changes: dict[str, str], name: str, said: str
) -> None:
    found = platforms(settings_for(stage, tmp_path, **changes))[name]
    assert any(said in it.found and it.health is not Health.OK for it in found), found


def test_an_app_that_may_too_little_is_told_what_it_lacks(stage: Stage, tmp_path: Path) -> None:
    (app,) = stage.github.world.apps.values()
    kept, events = dict(app.permissions), list(app.events)
    try:
        app.permissions["checks"] = "read"
        app.events.remove("check_run")
        found = platforms(settings_for(stage, tmp_path))
    finally:
        app.permissions.update(kept)
        app.events[:] = events
    assert [it.found for it in found[REPOSITORY]] == ["the App lacks checks: write"]
    assert [it.found for it in found["GitHub App"]] == ["it is not told of check_run"]


def test_a_personal_token_is_tried_on_what_it_must_reach(stage: Stage, tmp_path: Path) -> None:
    found = platforms(settings_for(stage, tmp_path, access="token: ${env:TOKEN}"))
    assert health(found[REPOSITORY]) == ["ok"]
    assert found["GitHub"][0].found.endswith(f"knows us as {MIRA}")
    assert found[f"{REPOSITORY} webhook"][0].health in (Health.WARN, Health.FAIL)
