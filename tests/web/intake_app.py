"""The intake on a real server, for tests: both platforms, a real inbox, and pages of a few lines.

    python -m tests.web.intake_app LISTEN FOLDER

While FOLDER/broken exists, the inbox refuses everything.
"""

import sys
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import flask
import msgspec
from prometheus_client import generate_latest

from bot.events import Event, SweepDue
from bot.inbox import Inbox, InboxUnavailable, open_inbox
from bot.web.bridge import Bridge
from bot.web.gathering import Done
from bot.web.hooks import Hook, Intake
from bot.web.senders import azure_credentials, github_signature
from bot.web.server import Listen, serve

OLD, NEW = "the old secret", "the new sécret 🔑"
BASIC = [("bot", "pässword:with colon")]
HEADER, VALUE = "X-Lifecycle-Secret", "a header's secret"


class Breakable:
    """An inbox that can be told to fail."""

    def __init__(self, inbox: Inbox, switch: Path) -> None:
        self._inbox = inbox
        self._switch = switch

    def put_soon(self, many: Sequence[Sequence[Event]], done: Done) -> None:
        if self._switch.exists():
            raise InboxUnavailable("told to be")
        self._inbox.put_soon(many, done)


class Ticks(msgspec.Struct):
    """What the test's deliveries say."""

    ticks: list[int]


def decode(kind: str, body: bytes) -> tuple[Event, ...]:
    """{"ticks": [seconds, ...]} becomes so many events; kind `crash` shows a decoder with a bug."""
    if kind == "crash":
        return (1 / 0,)  # type: ignore[return-value]
    if kind in ("", "ping"):
        return ()
    return tuple(SweepDue(datetime.fromtimestamp(tick, UTC)) for tick in msgspec.json.decode(body, type=Ticks).ticks)


def pages() -> flask.Flask:
    """What is not a webhook."""
    app = flask.Flask("pages")

    @app.get("/")
    def home() -> str:
        return "home"

    @app.put("/echo/<path:path>")
    def echo(path: str) -> dict[str, object]:
        del path
        asked = flask.request
        return {
            "method": asked.method,
            "path": asked.path,
            "query": asked.args.getlist("q"),
            "body": asked.get_data(as_text=True),
            "twice": asked.headers["X-Twice"],
            "type": asked.mimetype,
            "url": asked.host_url,
        }

    @app.get("/slow")
    def slow() -> str:
        time.sleep(1.5)
        return "done"

    @app.get("/metrics")
    def metrics() -> flask.Response:
        return flask.Response(generate_latest(), mimetype="text/plain")

    @app.get("/boom")
    def boom() -> str:
        raise RuntimeError("boom")

    return app


def main(listen: str, folder: str) -> None:
    """Serve until SIGTERM."""
    inbox = open_inbox(f"sqlite:///{folder}/inbox.db", Path(folder))
    app: Any = Intake(
        [
            Hook("github", "/webhooks/github", github_signature([OLD, NEW]), decode, "x-github-event"),
            Hook("azure-devops", "/webhooks/azure-devops", azure_credentials(BASIC, HEADER, [VALUE]), _azure),
        ],
        Breakable(inbox, Path(folder, "broken")),
        Bridge(pages()),
    )
    serve(app, Listen.parse(listen).open(), Path(folder, "ready"))
    inbox.close()


def _azure(kind: str, body: bytes) -> tuple[Event, ...]:
    assert kind == ""
    return decode("sweep", body)


if __name__ == "__main__":
    main(*sys.argv[1:])
