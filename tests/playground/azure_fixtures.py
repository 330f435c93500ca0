"""An organisation that is really served on loopback, the real client for it, and somebody who receives its hooks."""

import atexit
import base64
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread
from typing import Any

import pytest
import requests

# The client makes its cache folder while it is imported and keeps locations in it for hours: give it a fresh one.
if "AZURE_DEVOPS_CACHE_DIR" not in os.environ:
    os.environ["AZURE_DEVOPS_CACHE_DIR"] = tempfile.mkdtemp(prefix="azure-devops-cache-")
    atexit.register(shutil.rmtree, os.environ["AZURE_DEVOPS_CACHE_DIR"], ignore_errors=True)

from azure.devops.connection import Connection
from msrest.authentication import BasicAuthentication

from bot.playground.azure import AzureDevOps, Person, Project
from bot.playground.faults import Faults
from bot.playground.server import free_port, serve


def _read_out(response: requests.Response, *_: object, **__: object) -> None:
    """The client streams, and never reads answers without a body: their sockets would stay open until collected."""
    _ = response.content


@dataclass
class World:
    """One organisation with one project, Bikes; mira is a member of it and ada its administrator."""

    org: AzureDevOps
    project: Project
    mira: Person
    ada: Person
    bot: Person
    token: str
    faults: Faults

    @property
    def url(self) -> str:
        return self.org.base_url

    def connection(self, token: str | None = None) -> Connection:
        return Connection(base_url=self.url, creds=BasicAuthentication("", token or self.token))

    def client(self, name: str, token: str | None = None) -> Any:
        """The 7.1 client of that name, such as work_item_tracking."""
        client = getattr(self.connection(token).clients_v7_1, f"get_{name}_client")()
        client.config.hooks.append(_read_out)
        return client

    def wit(self, token: str | None = None) -> Any:
        return self.client("work_item_tracking", token)


@contextmanager
def served(process: str = "Agile", retry_scale: float = 0.01) -> Iterator[World]:
    port = free_port()
    org = AzureDevOps(f"http://127.0.0.1:{port}/Fabrikam", retry_scale=retry_scale)
    project = org.create_project("Bikes", process=process)
    mira, ada = org.person("Mira Holm", "mira@example.com"), org.person("Ada Berg", "ada@example.com")
    bot = org.person("Lifecycle Bot", "bot@example.com")
    project.join(mira)
    project.join(ada, admin=True)
    faults = Faults()
    running = serve(org.wsgi(faults=faults), port=port)
    try:
        yield World(org, project, mira, ada, bot, org.personal_token(bot), faults)
    finally:
        running.close()
        org.close()


@pytest.fixture(name="world")
def agile_world() -> Iterator[World]:
    with served() as made:
        yield made


@dataclass
class Delivery:
    headers: dict[str, str]
    body: bytes
    at: datetime

    @property
    def basic(self) -> str:
        return base64.b64decode(self.headers["Authorization"].removeprefix("Basic ")).decode()


@dataclass
class Receiver:
    """A loopback server that takes hooks; answers holds the statuses to give first, then 200 for ever."""

    url: str = ""
    answers: list[int] = field(default_factory=list)
    got: list[Delivery] = field(default_factory=list)
    arrived: Event = field(default_factory=Event)


@pytest.fixture(name="receiver")
def hook_receiver() -> Iterator[Receiver]:
    taken = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            taken.got.append(Delivery(dict(self.headers.items()), body, datetime.now(UTC)))
            self.send_response(taken.answers.pop(0) if taken.answers else 200)
            self.send_header("Content-Length", "0")
            self.end_headers()
            taken.arrived.set()

        def log_message(self, *_: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    taken.url = f"http://127.0.0.1:{server.server_address[1]}/hook"
    try:
        yield taken
    finally:
        server.shutdown()
        server.server_close()
        thread.join(timeout=5)


def auth(token: str) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f":{token}".encode()).decode()}


def op(path: str, value: Any = None, verb: str = "add") -> Any:
    """One JSON Patch operation, as the client's model."""
    from azure.devops.v7_1.work_item_tracking.models import JsonPatchOperation

    return JsonPatchOperation(op=verb, path=path, value=value)
