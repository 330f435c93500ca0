"""The bot's web process with nothing but its intake: real decoder, real inbox, real server.

python -m tests.bench.intake_server DATABASE_URL FOLDER READY_FILE SECRET
"""

import sys
from pathlib import Path
from typing import Any

from flask import Flask

from bot.adapters.github_hooks import decode
from bot.inbox import open_inbox
from bot.web.bridge import Bridge
from bot.web.hooks import Hook, Intake
from bot.web.senders import github_signature
from bot.web.server import Listen, serve


def main(url: str, folder: str, ready: str, secret: str) -> None:
    """Serve until SIGTERM."""
    inbox = open_inbox(url, Path(folder))
    hook = Hook("github", "/webhooks/github", github_signature([secret]), decode, "x-github-event")
    app: Any = Intake([hook], inbox, Bridge(_pages()))
    serve(app, Listen.parse("127.0.0.1:0").open(), Path(ready))
    inbox.close()


def _pages() -> Any:
    pages = Flask("pages")

    @pages.get("/healthz")
    def healthz() -> str:
        return "ok\n"

    return pages


if __name__ == "__main__":
    main(*sys.argv[1:])
