"""Starts the world of the stories: the stand-in platforms, the repositories, and the bot as a user starts it."""

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

from bot.playground.server import free_port
from bot.playground.stage import Stage, set_stage
from tests import environments
from tests.stories.drifting import REPOSITORIES
from tests.stories.repository import files
from tests.stories.world import BOT, World

BOARDED = ("trains", "talks", "linked", "drifts", "reports", "lives", "hands", "clocks")  # a board belongs to these
ALONE = ("pulls", "merges", "cancels", "serves", "broken", "crashes", "lines", "remarks", "truths", "truths-sent")
ALONE += ("judged", "sorted", "lots", "unlabelled")
ON_AZURE = ("model",)  # repositories of Azure Repos, in the project Bikes

SETTINGS = """\
public_url: {url}
listen: 127.0.0.1:{port}
state: state
sweep: {sweep}
figures: {{show: pictures}}
github:
  url: {github}
  {credential}
  webhook_secret: ${{env:STORY_GITHUB_SECRET}}
  seconds_between_writes: {between}
  commands_an_hour: {share}
azure_devops:
  url: {azure}
  token: ${{env:STORY_AZURE_TOKEN}}
  webhook: {{username: lifecycle-bot, password: "${{env:STORY_AZURE_SECRET}}"}}
projects:
{projects}
"""
APP = 'app: {{id: {app}, private_key: "${{env:STORY_GITHUB_KEY}}"}}'
PERSONAL = "token: ${env:STORY_GITHUB_TOKEN}"
ROBOT = "lifecycle-robot"  # whose personal token it is where there is no App


def begin(
    folder: Path,
    boarded: Sequence[str] = BOARDED,
    alone: Sequence[str] = ALONE,
    azure: Sequence[str] = ON_AZURE,
    sweep: str = "15s",
    personal: bool = False,
    boards: Mapping[str, str] | None = None,
    between_writes: float = 0,
    share: int = 1000,
) -> World:
    """Start everything; returns when the bot answers. `boards` names the projects of boards other than Bikes."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    stage = _stage(folder, url, [*boarded, *alone], azure)
    token = _person(stage, url, [*boarded, *alone]) if personal else ""
    credential = PERSONAL if personal else APP.format(app=stage.secrets.app_id)
    for name in (boards or {}).values():
        _create_board(stage, name, url)
    projects = _projects(boarded, alone, azure, boards or {})
    text = SETTINGS.format(url=url, port=port, sweep=sweep, between=between_writes, share=share,
                           github=stage.github.api, credential=credential,
                           azure=stage.azure.base_url, projects=projects)  # fmt: skip
    (folder / "app.yaml").write_text(text, encoding="utf-8")
    environments.share(folder / "state")
    launch = partial(_launch, folder, stage, token)
    world = World(stage, url, folder, launch(), launch, ROBOT if personal else BOT)
    try:
        world.eventually(lambda: world.bot.poll() is not None or world.page("healthz").ok, "the bot answers", 120)
        assert world.bot.poll() is None, world.log()
    except AssertionError:
        world.close()
        raise
    return world


def _stage(folder: Path, url: str, github: Sequence[str], azure: Sequence[str]) -> Stage:
    """The stand-in platforms, with the repositories of each."""
    stage = set_stage(folder, url)
    stage.github.world.rate_limit = 1_000_000  # a bot that sweeps so many repositories so often would use it up
    for name in github:
        stage.github.world.create_repo(f"octo/{name}", REPOSITORIES.get(name, files()), by="mira")
    for name in azure:
        _create_on_azure(stage, name)
    return stage


def _projects(boarded: Sequence[str], alone: Sequence[str], azure: Sequence[str], boards: Mapping[str, str]) -> str:
    """The lines of the settings that name the repositories, and the board of each that has one."""
    lines = [f"  - {{repository: octo/{name}, board: {{project: {boards.get(name, 'Bikes')}}}}}" for name in boarded]
    lines += [f"  - {{repository: octo/{name}}}" for name in alone]
    lines += [f"  - {{repository: Bikes/{name}, forge: azure-repos, board: {{project: Bikes}}}}" for name in azure]
    return "\n".join(lines)


def _create_on_azure(stage: Stage, name: str) -> None:
    azure = stage.azure
    repository = azure.create_repository(stage.project, name)
    content = {path: text.encode() if isinstance(text, str) else text for path, text in files().items()}
    azure.push(repository, "main", content, "Start", azure.person("Mira Holm", "mira@example.com"))


def _create_board(stage: Stage, name: str, url: str) -> None:
    """One more project with a board, which tells the bot as the first one does."""
    azure, secret = stage.azure, stage.secrets.azure_webhook
    project = azure.create_project(name, process="Agile")
    mira, jonas = azure.person("Mira Holm", "mira@example.com"), azure.person("Jonas Berg", "jonas@example.com")
    for person in (mira, jonas, azure.person("lifecycle-bot", "lifecycle-bot@example.com")):
        project.join(person, admin=person is jonas)
    for event in ("workitem.commented", "workitem.updated"):
        hook = f"{url}/webhooks/azure-devops"
        azure.subscribe(event, hook, jonas, project=project, username="lifecycle-bot", password=secret)


def _person(stage: Stage, url: str, repositories: Sequence[str]) -> str:
    """No App: a robot's personal token, and a webhook on each repository."""
    github = stage.github.world
    github.user(ROBOT, "write")
    for app in github.apps.values():
        assert app.hook
        app.hook.active = False
    for name in repositories:
        events = ("issues", "issue_comment", "pull_request", "check_run")
        github.add_webhook(f"octo/{name}", f"{url}/webhooks/github", stage.secrets.github_webhook, events)
    return github.personal_token(ROBOT)


def environment(stage: Stage, token: str = "") -> Mapping[str, str]:
    """What the bot's settings refer to."""
    told = stage.secrets
    return {
        **os.environ,
        "STORY_GITHUB_KEY": told.private_key.replace("\n", "\\n"),
        "STORY_GITHUB_TOKEN": token,
        "STORY_GITHUB_SECRET": told.github_webhook,
        "STORY_AZURE_TOKEN": told.azure_token,
        "STORY_AZURE_SECRET": told.azure_webhook,
    }


def _launch(folder: Path, stage: Stage, token: str) -> "subprocess.Popen[bytes]":
    """The bot as a user starts it, told only addresses and secrets."""
    with (folder / "bot.log").open("ab") as log:
        return subprocess.Popen(
            [sys.executable, "-m", "bot", "serve", "--settings", str(folder / "app.yaml")],
            env=environment(stage, token),
            stdout=log,
            stderr=subprocess.STDOUT,
        )
