"""Both platforms and the real bot between them: people act, and what follows is read through the platforms' APIs."""

import re
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import jwt
import requests

from bot.playground.demo import stop_jobs
from bot.playground.stage import JONAS, Stage
from tests.stories.repository import MODEL, as_requests, files

PATIENCE = 120.0  # seconds until something must have come true; a loaded machine is slow, a wrong answer stays wrong
LOOK = 0.1
BOT = "lifecycle-bot[bot]"

Seen = TypeVar("Seen")


@dataclass(slots=True)
class World:
    """The running whole. Everything is read over HTTP, as anybody with a token could."""

    stage: Stage
    url: str
    folder: Path
    bot: "subprocess.Popen[bytes]"
    launch: "Callable[[], subprocess.Popen[bytes]]"
    me: str = BOT
    http: requests.Session = field(default_factory=requests.Session)
    token: str = ""

    def eventually(self, look: Callable[[], Seen | None], what: str = "", patience: float = PATIENCE) -> Seen:
        """What `look` finds as soon as it finds something true; fails when nothing comes."""
        until, problem = time.monotonic() + patience, ""
        while time.monotonic() < until:
            try:
                if found := look():
                    return found
            except requests.RequestException as error:
                problem = f" ({error})"
            time.sleep(LOOK)
        raise AssertionError(f"not within {patience:.0f} s: {what or look}{problem}; the bot's log ends:\n{self.log()}")

    def log(self) -> str:
        """The last lines of what the bot itself has noted."""
        return "\n".join((self.folder / "bot.log").read_text(errors="replace").splitlines()[-25:])

    def github(self, path: str) -> Any:
        """A GET of GitHub's API, as somebody who may read everything."""
        self.token = self.token or self.stage.github.world.personal_token(JONAS)
        headers = {"Authorization": f"Bearer {self.token}"}
        answer = self.http.get(f"{self.stage.github.api}/{path}", headers=headers, timeout=30)
        answer.raise_for_status()
        return answer.json()

    def azure(self, path: str, body: object = None, version: str = "7.1") -> Any:
        """A GET (or, with a body, a POST) of Azure DevOps' API, in the project."""
        azure = self.stage.azure
        token = azure.personal_token(azure.person("Jonas Berg", "jonas@example.com"))
        url = f"{azure.base_url}/Bikes/_apis/{path}{'&' if '?' in path else '?'}api-version={version}"
        answer = self.http.request("GET" if body is None else "POST", url, json=body, auth=("", token), timeout=30)
        answer.raise_for_status()
        return answer.json()

    def page(self, path: str) -> requests.Response:
        """A page of the bot."""
        return self.http.get(path if path.startswith("http") else f"{self.url}/{path}", timeout=30)

    def score(self, repo: str, given: list[dict[str, object]]) -> requests.Response:
        """Ask the scoring endpoint of a repository's model."""
        url = f"{self.url}/models/octo/{repo}/{MODEL}/invocations"
        return self.http.post(url, json={"dataframe_records": as_requests(given)}, timeout=60)

    def issue(self, repo: str, title: str = "A better line", body: str = "", by: str = "mira") -> "Thread":
        """A new issue of octo/REPO."""
        return Thread(self, f"octo/{repo}", self.stage.github.world.issue_open(by, f"octo/{repo}", title, body).number)

    def push(self, repo: str, branch: str, by: str = "mira", readme: str = "A line.\n", **changed: str | None) -> str:
        """Commit the repository's files with some changed, named as `repository.files` does; the commit."""
        whole = {**files(**changed), "README.md": readme}
        return self.stage.github.world.push(by, repo if "/" in repo else f"octo/{repo}", branch, whole, f"Try {branch}")

    def pull(self, repo: str, branch: str, by: str = "mira", body: str = "", draft: bool = False) -> "Thread":
        """A new pull request of octo/REPO from a branch, which is OWNER:BRANCH in a fork."""
        opened = self.stage.github.world.pull_open(by, f"octo/{repo}", f"Try {branch}", branch, body=body, draft=draft)
        return Thread(self, f"octo/{repo}", opened.number)

    def check(self, repo: str, commit: str) -> Mapping[str, Any]:
        """The bot's check on a commit; empty while there is none."""
        found = self.github(f"repos/octo/{repo}/commits/{commit}/check-runs")["check_runs"]
        assert len([one for one in found if one["name"] == f"lifecycle / {MODEL}"]) <= 1
        return next(iter(found), {})

    def checked(self, repo: str, commit: str) -> Mapping[str, Any]:
        """The check on a commit once it is completed."""

        def look() -> Mapping[str, Any] | None:
            check = self.check(repo, commit)
            return check if check.get("status") == "completed" else None

        return self.eventually(look, f"the check of {commit[:8]}")

    def items(self, tag: str) -> list[int]:
        """The numbers of the work items with a tag."""
        query = f"SELECT [System.Id] FROM WorkItems WHERE [System.Tags] CONTAINS '{tag}'"
        return [one["id"] for one in self.azure("wit/wiql", {"query": query})["workItems"]]

    def item(self, number: int) -> "Item":
        return Item(self, number)

    def new_item(self, title: str) -> "Item":
        """A work item that a person makes on the board."""
        azure = self.stage.azure
        mira = azure.person("Mira Holm", "mira@example.com")
        return Item(self, azure.create_item(self.stage.project, "User Story", mira, **{"System.Title": title}).id)

    def item_of(self, thread: "Thread") -> "Item":
        """The work item that is linked to an issue or pull request."""

        def look() -> Item | None:
            for number in self.items("lifecycle-bot"):
                if thread.url in Item(self, number).urls():
                    return Item(self, number)
            return None

        return self.eventually(look, f"a work item linked to {thread.url}")

    def deliveries(self, event: str, number: int) -> list[int]:
        """What GitHub has delivered of an event about an issue or pull request, oldest first."""
        found = self._as_app("GET", "app/hook/deliveries?per_page=100").json()
        kept = []
        for one in reversed(found):
            if one["event"] == event and not one["redelivery"]:
                payload = self._as_app("GET", f"app/hook/deliveries/{one['id']}").json()["request"]["payload"]
                about = payload.get("issue") or payload.get("pull_request")
                kept += [one["id"]] if about["number"] == number else []
        return kept

    def redeliver(self, number: int) -> None:
        """Press "Redeliver" on a webhook's delivery."""
        assert self._as_app("POST", f"app/hook/deliveries/{number}/attempts").status_code == 202

    def _as_app(self, method: str, path: str) -> requests.Response:
        told, now = self.stage.secrets, int(time.time())
        claims = {"iat": now - 30, "exp": now + 300, "iss": str(told.app_id)}
        headers = {"Authorization": f"Bearer {jwt.encode(claims, told.private_key, 'RS256')}"}
        answer = self.http.request(method, f"{self.stage.github.api}/{path}", headers=headers, timeout=30)
        answer.raise_for_status()
        return answer

    def stop(self) -> None:
        """The bot is stopped, as by whoever looks after its machine."""
        self.bot.terminate()
        try:
            self.bot.wait(timeout=20)
        except subprocess.TimeoutExpired:
            self.bot.kill()
            self.bot.wait()

    def start(self) -> None:
        """The bot is started again; returns when it answers."""
        self.bot = self.launch()
        self.eventually(lambda: self.bot.poll() is not None or self.page("healthz").ok, "the bot answers", 120)
        assert self.bot.poll() is None, self.log()

    def close(self) -> None:
        self.stop()
        stop_jobs(self.folder / "state")  # servers of models outlive the bot
        self.stage.close()
        self.http.close()


@dataclass(frozen=True, slots=True)
class Thread:
    """An issue or pull request, and the conversation on it."""

    world: World
    repo: str
    number: int

    @property
    def url(self) -> str:
        return str(self.world.github(f"repos/{self.repo}/issues/{self.number}")["html_url"])

    def comment(self, text: str, by: str = "mira") -> int:
        """Somebody comments; the comment's id."""
        return self.world.stage.github.world.comment(by, self.repo, self.number, text).id

    def comments(self) -> Sequence[Mapping[str, Any]]:
        """The bot's comments, oldest first."""
        found = self.world.github(f"repos/{self.repo}/issues/{self.number}/comments?per_page=100")
        return [one for one in found if one["user"]["login"] == self.world.me]

    def said(self) -> list[str]:
        """What the bot has said, oldest first."""
        return [one["body"] for one in self.comments()]

    def says(self, *words: str, patience: float = PATIENCE) -> str:
        """A comment of the bot that has all these words, as soon as there is one."""

        def look() -> str | None:
            return next((one for one in self.said() if all(word in one for word in words)), None)

        try:
            return self.world.eventually(look, f"{words} on {self.repo}#{self.number}", patience)
        except AssertionError as error:
            raise AssertionError(f"{error}; said was {self.said()}") from None

    def ask(self, text: str, *words: str, by: str = "mira") -> str:
        """Comment, and wait for a new comment of the bot that has all these words."""
        before = len(self.comments())
        self.comment(text, by)

        def look() -> str | None:
            return next((one for one in self.said()[before:] if all(word in one for word in words)), None)

        try:
            return self.world.eventually(look, f"{words} after {text} on {self.repo}#{self.number}")
        except AssertionError as error:
            raise AssertionError(f"{error}; said was {self.said()[before:]}") from None

    def reactions(self, comment: int) -> list[str]:
        """Who reacted how to a comment, as the bot."""
        found = self.world.github(f"repos/{self.repo}/issues/comments/{comment}/reactions")
        return [one["content"] for one in found if one["user"]["login"] == self.world.me]


def version_in(said: str) -> int:
    """The number of the version that a comment tells of."""
    found = re.search(r"`line` v(\d+)", said)
    assert found, said
    return int(found[1])


@dataclass(frozen=True, slots=True)
class Item:
    """A work item."""

    world: World
    number: int

    def read(self) -> Mapping[str, Any]:
        found: Mapping[str, Any] = self.world.azure(f"wit/workitems/{self.number}?$expand=Relations")
        return found

    def urls(self) -> set[str]:
        """Where its relations lead."""
        return {one["url"] for one in self.read().get("relations") or []}

    def state(self) -> str:
        return str(self.read()["fields"]["System.State"])

    def move(self, state: str) -> None:
        """Somebody drags the item to another column."""
        azure = self.world.stage.azure
        mira = azure.person("Mira Holm", "mira@example.com")
        azure.change_item(azure.items[self.number], mira, **{"System.State": state})

    def comment(self, text: str, name: str = "Mira Holm", address: str = "mira@example.com") -> None:
        azure = self.world.stage.azure
        azure.comment(azure.items[self.number], text, azure.person(name, address))

    def said(self) -> list[str]:
        """What the bot has said on it, oldest first."""
        found = self.world.azure(f"wit/workItems/{self.number}/comments?$top=200", version="7.1-preview.4")["comments"]
        found.sort(key=lambda one: one["id"])
        return [one["text"] for one in found if one["createdBy"]["displayName"] == "lifecycle-bot"]

    def says(self, *words: str) -> str:
        """A comment of the bot that has all these words, as soon as there is one."""

        def look() -> str | None:
            return next((one for one in self.said() if all(word in one for word in words)), None)

        try:
            return self.world.eventually(look, f"{words} on AB#{self.number}")
        except AssertionError as error:
            raise AssertionError(f"{error}; said was {self.said()}") from None
