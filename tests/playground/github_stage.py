"""A GitHub that is really served on loopback, the real clients for it, and somebody who receives its webhooks."""

import hashlib
import hmac
import json
import subprocess
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest
import requests
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from github import Auth, Github, GithubIntegration
from github.Repository import Repository

from bot.playground.github import GitHub, Playground, start
from bot.playground.github.grants import App
from bot.playground.github.records import Repo
from bot.playground.server import Running, serve

REPOSITORY = "octo/bikes"
SECRET = "It's a Secret to Everybody"
QUICK: dict[str, Any] = {"seconds_between_requests": 0, "seconds_between_writes": 0, "retry": None}


@dataclass
class Heard:
    """One webhook as it arrived."""

    headers: dict[str, str]
    raw: bytes

    @property
    def name(self) -> str:
        action = self.body.get("action")
        return self.headers["X-GITHUB-EVENT"] + (f".{action}" if action else "")

    @property
    def body(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.raw)
        return found

    def signed(self, secret: str) -> bool:
        digest = hmac.new(secret.encode(), self.raw, hashlib.sha256).hexdigest()
        return hmac.compare_digest(self.headers["X-HUB-SIGNATURE-256"], f"sha256={digest}")


class Ear:
    """Receives webhooks, answers 202 or what it was told to."""

    def __init__(self) -> None:
        self.heard: list[Heard] = []
        self.answers: list[int] = []
        self.served: Running = serve(self)
        self.url = f"{self.served.url}/webhooks/github"

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        raw = environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"]))
        headers = {key.removeprefix("HTTP_").replace("_", "-"): str(value) for key, value in environ.items()}
        self.heard.append(Heard(headers, raw))
        start_response(f"{self.answers.pop(0) if self.answers else 202} X", [("Content-Length", "0")])
        return [b""]


@dataclass
class Stage:
    """octo/bikes with one commit; mira may write, jonas maintain, ada is admin, sam reads, stranger is nobody here."""

    playground: Playground
    folder: Path
    ear: Ear
    repo: Repo
    opened: list[Any] = field(default_factory=list)
    made: list[App] = field(default_factory=list)

    @property
    def world(self) -> GitHub:
        return self.playground.world

    def app(self, **options: Any) -> App:
        """The App, with its webhook at `ear`."""
        if not self.made:
            self.made.append(self.world.app(webhook_url=self.ear.url, secret=SECRET, private_key=_key(), **options))
        return self.made[0]

    def client(self, login: str) -> Github:
        return self._github(Auth.Token(self.world.personal_token(login)))

    def repository(self, login: str = "mira") -> Repository:
        return self.client(login).get_repo(REPOSITORY)

    def as_app(self) -> Repository:
        app = self.app()
        auth = Auth.AppAuth(app.id, app.private_key).get_installation_auth(app.installations[0].id)
        return self._github(auth).get_repo(REPOSITORY)

    def integration(self, private_key: str | None = None) -> GithubIntegration:
        app = self.app()
        auth = Auth.AppAuth(app.id, private_key or app.private_key)
        self.opened.append(GithubIntegration(auth=auth, base_url=self.playground.api, **QUICK))
        return self.opened[-1]

    def _github(self, auth: Auth.Auth) -> Github:
        self.opened.append(Github(auth=auth, base_url=self.playground.api, **QUICK))
        found: Github = self.opened[-1]
        return found

    def call(self, method: str, path: str, token: str | None = None, **options: Any) -> requests.Response:
        """A raw API call; `path` after /api/v3."""
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        url = self.playground.api + path
        return requests.request(method, url, headers=headers, timeout=10, allow_redirects=False, **options)

    def events(self) -> list[str]:
        """What the ear has heard so far, without the pings."""
        assert self.world.courier.drain()
        return [heard.name for heard in self.ear.heard if heard.name != "ping"]

    def address(self, login: str | None = None, repo: str = REPOSITORY) -> str:
        """A clone URL, with a token of this person."""
        host = self.playground.url.removeprefix("http://")
        who = f"x-access-token:{self.world.personal_token(login)}@" if login else ""
        return f"http://{who}{host}/{repo}.git"


@lru_cache
def _key() -> str:
    """One key for all tests: making one takes longer than most of them."""
    key = rsa.generate_private_key(public_exponent=65_537, key_size=2_048)
    form = serialization.PrivateFormat.TraditionalOpenSSL
    return key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption()).decode()


def git(*words: str, at: Path, fails: bool = False) -> str:
    """Run the real git; its output, both streams."""
    identity = ["-c", "user.name=Mira", "-c", "user.email=mira@example.com", "-c", "init.defaultBranch=main"]
    environment = {"PATH": "/usr/bin:/bin:/usr/local/bin", "HOME": str(at), "GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C"}
    command = ["git", *identity, *words]
    done = subprocess.run(command, cwd=at, env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode != 0) == fails, done.stderr
    return done.stdout + done.stderr


@pytest.fixture(name="stage")
def github_stage(tmp_path: Path) -> Iterator[Stage]:
    playground = start(tmp_path / "github")
    world = playground.world
    people = {"mira": "write", "jonas": "maintain", "ada": "admin", "sam": "read", "tess": "triage", "stranger": None}
    for login, permission in people.items():
        world.user(login, permission)
    files = {"README.md": "# Bikes\n", "train.py": "print(1)\n", "data/hours.csv": "hour,bikes\n1,2\n"}
    repo = world.create_repo(REPOSITORY, files, by="mira")
    stage = Stage(playground, tmp_path, Ear(), repo)
    yield stage
    for opened in stage.opened:
        opened.close()
    playground.close()
    stage.ear.served.close()
