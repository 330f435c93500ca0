"""Starts the real bot on a folder without any platform behind it, sends it signed webhooks, and stops it."""

import hashlib
import hmac
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import requests

from bot.playground.server import free_port

SECRET = "a secret of the operations' tests"
SETTINGS = """\
public_url: http://127.0.0.1:{port}
listen: 127.0.0.1:{port}
state: {state}
sandbox: "off"
sweep: 1h
github: {{url: http://127.0.0.1:9, token: "${{env:OPERATIONS_TOKEN}}", webhook_secret: "${{env:OPERATIONS_SECRET}}"}}
projects: [{{repository: octo/bikes}}]
"""
ENVIRON = {"OPERATIONS_TOKEN": "none", "OPERATIONS_SECRET": SECRET}


@dataclass(slots=True)
class Bot:
    """A bot on this machine; its commands end by themselves, `serving` keeps it running."""

    folder: Path
    state: Path
    port: int = field(default_factory=free_port)
    more: str = ""

    @property
    def settings(self) -> Path:
        path = self.folder / "app.yaml"
        path.write_text(SETTINGS.format(port=self.port, state=self.state) + self.more, encoding="utf-8")
        return path

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def run(self, *arguments: str | Path, seconds: float = 60) -> "subprocess.CompletedProcess[str]":
        """A command of `lifecycle-bot` to its end."""
        argv = [sys.executable, "-m", "bot", *map(str, arguments), "--settings", str(self.settings)]
        return subprocess.run(argv, env=os.environ | ENVIRON, capture_output=True, text=True, timeout=seconds)

    @contextmanager
    def serving(
        self, command: str = "serve", before: Callable[[], None] | None = None, wrap: Sequence[str] = ()
    ) -> Iterator["subprocess.Popen[bytes]"]:
        """The bot while it runs; `before` is called in the new process first, `wrap` stands before its command."""
        argv = [*wrap, sys.executable, "-m", "bot", command, "--settings", str(self.settings)]
        with (self.folder / "bot.log").open("ab") as log:
            process = subprocess.Popen(argv, env=os.environ | ENVIRON, stdout=log, stderr=log, preexec_fn=before)
        try:
            yield process
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(40)

    def deliver(self, number: int, text: str = "/help") -> requests.Response:
        """A comment as GitHub tells of it."""
        body = json.dumps(comment(number, text)).encode()
        headers = {
            "X-GitHub-Event": "issue_comment",
            "X-GitHub-Delivery": f"delivery-{number}",
            "Content-Type": "application/json",
            "X-Hub-Signature-256": "sha256=" + hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest(),
        }
        return requests.post(f"{self.url}/webhooks/github", data=body, headers=headers, timeout=30)

    def log(self) -> str:
        return (self.folder / "bot.log").read_text(errors="replace")


def comment(number: int, text: str) -> dict[str, Any]:
    """What GitHub says of a new comment."""
    person = {"login": "mira", "id": 7, "type": "User"}
    now = "2026-03-01T12:00:00Z"
    return {
        "action": "created",
        "issue": {"number": 1, "title": "One", "state": "open", "user": person, "updated_at": now,
                  "html_url": "https://x/1"},
        "comment": {"id": number, "body": text, "user": person, "created_at": now, "updated_at": now,
                    "html_url": "https://x/1#c"},
        "repository": {"full_name": "octo/bikes", "name": "bikes", "owner": person},
        "sender": person,
    }  # fmt: skip


def eventually(look: Callable[[], object], what: str, seconds: float = 60) -> None:
    """Wait until it is true."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        try:
            if look():
                return
        except (requests.RequestException, OSError):
            pass
        time.sleep(0.1)
    raise AssertionError(f"not within {seconds} s: {what}")


def answers(bot: Bot, path: str = "healthz", status: int = 200) -> Callable[[], bool]:
    """Whether a page of the bot answers so."""
    return lambda: requests.get(f"{bot.url}/{path}", timeout=5).status_code == status
