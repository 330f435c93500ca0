"""The demo: starts the stand-in platforms and the real bot, lets the story happen, and tells it."""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import requests

from bot.playground.stage import MODEL, REPOSITORY, Stage, set_stage
from bot.playground.story import Story, Stuck

SETTINGS = """\
# Written by `make demo`: what app.yaml says for the real platforms, with the playground's addresses.
public_url: {url}
listen: 127.0.0.1:{port}
state: state
github:
  url: {github}
  app: {{id: {app}, private_key: "${{env:DEMO_GITHUB_KEY}}"}}
  webhook_secret: ${{env:DEMO_GITHUB_SECRET}}
  seconds_between_writes: 0.1   # on GitHub itself leave this at 1: it limits who writes faster
azure_devops:
  url: {azure}
  token: ${{env:DEMO_AZURE_TOKEN}}
  webhook: {{username: lifecycle-bot, password: "${{env:DEMO_AZURE_SECRET}}"}}
figures: {{show: pictures}}   # nobody needs https to reach this bot from this machine
projects:
  - repository: {repository}
    board: {{project: Bikes, area: 'Bikes\\Models'}}
"""


def run(folder: Path, *, once: bool, port: int = 8000, record: Path = Path("demo.json")) -> int:
    """The whole demo in `folder`, which is emptied first; 0 if every step came true."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    begun, url = time.monotonic(), f"http://127.0.0.1:{port}"
    github_port, azure_port = (0, 0) if once else (port + 1, port + 2)
    stage = set_stage(folder, url, github_port, azure_port)
    bot = start_bot(folder, stage, url, port)
    story = Story(stage, url, _say)
    try:
        _say("1. The playground and the bot start.")
        true = _wait_until_up(story, bot, url) and story.tell()
        _keep(story, record)
        _say(f"\n{'All of it came true' if true else 'NOT all of it came true'} in {time.monotonic() - begun:.0f} s.")
        if not once:
            _leave_running(story, url)
        return 0 if true else 1
    except KeyboardInterrupt:
        return 130
    finally:
        stop_bot(bot)
        stop_jobs(folder / "state")
        stage.close()
        if once and story.steps and all(step.came_true for step in story.steps) and sys.exc_info()[0] is None:
            shutil.rmtree(folder, ignore_errors=True)


def start_bot(folder: Path, stage: Stage, url: str, port: int) -> "subprocess.Popen[bytes]":
    """The bot as a user starts it, told only addresses and secrets."""
    settings = folder / "app.yaml"
    told = stage.secrets
    settings.write_text(
        SETTINGS.format(
            url=url,
            port=port,
            github=stage.github.api,
            app=told.app_id,
            azure=stage.azure.base_url,
            repository=REPOSITORY,
        ),
        encoding="utf-8",
    )
    secrets = {
        "DEMO_GITHUB_KEY": told.private_key.replace("\n", "\\n"),
        "DEMO_GITHUB_SECRET": told.github_webhook,
        "DEMO_AZURE_TOKEN": told.azure_token,
        "DEMO_AZURE_SECRET": told.azure_webhook,
    }
    with (folder / "bot.log").open("wb") as log:
        return subprocess.Popen(
            [sys.executable, "-m", "bot", "serve", "--settings", str(settings)],
            env={**os.environ, **secrets},
            stdout=log,
            stderr=subprocess.STDOUT,
        )


def _wait_until_up(story: Story, bot: "subprocess.Popen[bytes]", url: str) -> bool:
    def look() -> str | None:
        if bot.poll() is not None:
            raise SystemExit(f"The bot ended with exit code {bot.returncode}; its log is bot.log in the demo's folder.")
        answer = requests.get(f"{url}/healthz", timeout=5)
        return str(answer.json()["status"]) if answer.ok else None

    try:
        story.expect("start", f"the bot answers at {url}", look)
    except Stuck:
        return False
    stage = story.stage
    _say(f"   GitHub:       {stage.github.url}/{REPOSITORY}")
    _say(f"   Azure DevOps: {stage.azure.base_url}/Bikes/_boards")
    return True


def _leave_running(story: Story, url: str) -> None:
    stage = story.stage
    _say(f"""
Everything is still running:
   the bot       {url}
   its model     {url}/models/{REPOSITORY}/{MODEL}
   GitHub        {stage.github.url}/{REPOSITORY}/issues/{story.issue}
   Azure Boards  {stage.azure.base_url}/Bikes/_boards
Open the issue, comment `/train {MODEL} max_depth=3`, and watch it happen. Ctrl-C ends the demo.""")
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    while not stop.wait(3600):
        continue


def _keep(story: Story, record: Path) -> None:
    fields = ("step", "expected", "observed", "seconds")
    steps = [{name: getattr(step, name) for name in fields} for step in story.steps]
    record.write_text(json.dumps(steps, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def stop_bot(bot: "subprocess.Popen[bytes]") -> None:
    """Ask the bot to end, and see to it."""
    bot.terminate()
    try:
        bot.wait(timeout=20)
    except subprocess.TimeoutExpired:
        bot.kill()


def stop_jobs(state: Path) -> None:
    """End what outlives the bot on purpose: trainings and servers of models, each kept by a process of its own."""
    for note in (state / "jobs").glob("*/pid.json"):
        if not (note.parent / "exit.json").exists():
            with contextlib.suppress(OSError, ValueError, KeyError):
                os.kill(int(json.loads(note.read_text(encoding="utf-8"))["pid"]), signal.SIGTERM)


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()
