"""Starts the world of the stories: the stand-in platforms, the repositories, and the bot as a user starts it."""

import os
import subprocess
import sys
from pathlib import Path

from bot.playground.server import free_port
from bot.playground.stage import Stage, set_stage
from tests.stories.drifting import REPOSITORIES
from tests.stories.repository import files
from tests.stories.world import World

BOARDED = ("trains", "talks", "linked", "drifts", "reports", "lives", "hands", "clocks")  # a board belongs to these
ALONE = ("pulls", "merges", "cancels", "serves", "broken", "crashes", "lines", "remarks")
ALONE += ("judged", "sorted", "lots")

SETTINGS = """\
public_url: {url}
listen: 127.0.0.1:{port}
state: state
sweep: 5s
figures: {{show: pictures}}
github:
  url: {github}
  app: {{id: {app}, private_key: "${{env:STORY_GITHUB_KEY}}"}}
  webhook_secret: ${{env:STORY_GITHUB_SECRET}}
  seconds_between_writes: 0
azure_devops:
  url: {azure}
  token: ${{env:STORY_AZURE_TOKEN}}
  webhook: {{username: lifecycle-bot, password: "${{env:STORY_AZURE_SECRET}}"}}
projects:
{projects}
"""


def begin(folder: Path) -> World:
    """Start everything; returns when the bot answers."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    stage = set_stage(folder, url)
    for name in (*BOARDED, *ALONE):
        stage.github.world.create_repo(f"octo/{name}", REPOSITORIES.get(name, files()), by="mira")
    world = World(stage, url, folder, _serve(folder, stage, url, port))
    try:
        world.eventually(lambda: world.bot.poll() is not None or world.page("healthz").ok, "the bot answers", 120)
        assert world.bot.poll() is None, world.log()
    except AssertionError:
        world.close()
        raise
    return world


def _serve(folder: Path, stage: Stage, url: str, port: int) -> "subprocess.Popen[bytes]":
    """The bot as a user starts it, told only addresses and secrets."""
    told = stage.secrets
    lines = [f"  - {{repository: octo/{name}, board: {{project: Bikes}}}}" for name in BOARDED]
    lines += [f"  - {{repository: octo/{name}}}" for name in ALONE]
    text = SETTINGS.format(url=url, port=port, github=stage.github.api, app=told.app_id, azure=stage.azure.base_url,
                           projects="\n".join(lines))  # fmt: skip
    (folder / "app.yaml").write_text(text, encoding="utf-8")
    secrets = {
        "STORY_GITHUB_KEY": told.private_key.replace("\n", "\\n"),
        "STORY_GITHUB_SECRET": told.github_webhook,
        "STORY_AZURE_TOKEN": told.azure_token,
        "STORY_AZURE_SECRET": told.azure_webhook,
    }
    with (folder / "bot.log").open("wb") as log:
        return subprocess.Popen(
            [sys.executable, "-m", "bot", "serve", "--settings", str(folder / "app.yaml")],
            env={**os.environ, **secrets},
            stdout=log,
            stderr=subprocess.STDOUT,
        )
