"""What `lifecycle-bot doctor` asks GitHub: who we are there, what we may do, and whether its webhooks lead to us."""

import base64
import binascii
from collections.abc import Iterator, Mapping
from functools import cached_property, partial
from typing import Any, TypeVar
from urllib.parse import quote

import msgspec
from github import Auth, Github

from bot.adapters.github_auth import HEADERS, App, Personal
from bot.adapters.github_errors import Gone, from_exception, from_status
from bot.adapters.github_hooks import KINDS
from bot.adapters.github_session import Session
from bot.doctor import Finding, Probe, fail, missing, ok, warn
from bot.ports import Denied
from bot.settings import GitHub, Project, Settings
from lifecycle import FILE, Mistakes, read_project

NEEDED = {"checks": "write", "contents": "read", "issues": "write", "metadata": "read", "pull_requests": "write"}
LEVELS = {"read": 1, "write": 2, "admin": 3}
READ_BY_TOKEN = {"/issues": "Issues", "/pulls": "Pull requests"}
OWN_HOOK = tuple(kind for kind in KINDS if kind != "check_run")  # re-run buttons are for Apps
T = TypeVar("T")


class _Repository(msgspec.Struct, frozen=True):
    full_name: str
    default_branch: str
    archived: bool = False
    has_issues: bool = True
    permissions: dict[str, bool] = {}


class _Installation(msgspec.Struct, frozen=True):
    permissions: dict[str, str] = {}
    events: list[str] = []
    suspended_at: str | None = None


class _Config(msgspec.Struct, frozen=True):
    url: str = ""
    content_type: str = "form"
    insecure_ssl: str | int = "0"
    secret: str = ""


class _Delivery(msgspec.Struct, frozen=True):
    event: str = ""
    status_code: int = 0


class _Answered(msgspec.Struct, frozen=True):
    code: int | None = None


class _Hook(msgspec.Struct, frozen=True):
    config: _Config
    active: bool = True
    events: list[str] = []
    last_response: _Answered = _Answered()


class _File(msgspec.Struct, frozen=True):
    content: str = ""


def probes(settings: Settings) -> list[tuple[str, Probe]]:
    """What can be asked of GitHub without changing anything; nothing where the settings name none."""
    if settings.github is None:
        return []
    look = _Look(settings.github, f"{settings.public_url}/webhooks/github")
    found: list[tuple[str, Probe]] = [("GitHub", look.ourselves)]
    for project in settings.projects:
        found.append((project.repository, partial(look.repository, project)))
        found.append((project.repository, partial(look.policy, project)))
        if settings.github.app is None:
            found.append((project.repository, partial(look.hook_of, project.repository)))
    return found


class _Look:
    def __init__(self, said: GitHub, hook_url: str) -> None:
        self._said, self._hook_url = said, hook_url

    @cached_property
    def _session(self) -> Session:
        app, token = self._said.app, self._said.token
        auth = (
            App(app.id, app.private_key.reveal(), app.installation)
            if app
            else Personal(token.reveal() if token else "")
        )
        return Session(self._said.url, auth, 0.0, 15, None)

    def ourselves(self) -> Iterator[Finding]:
        """Whether our credentials are good; of an App also its events and its one webhook."""
        yield ok("GitHub", f"{self._said.url} knows us as {self._session.access.login}")
        if self._said.app is None:
            return
        name = "GitHub App"
        events = self._as_app("/app", _Installation).events
        todo = "Subscribe to them: the App's page, Permissions & events."
        yield from missing(name, "it is not told of", list(KINDS), events, todo)
        try:
            config = self._as_app("/app/hook/config", _Config)
        except Gone:
            yield fail("GitHub webhook", "the App has none", f"Make it active, with the URL {self._hook_url}")
            return
        yield from self._hook("GitHub webhook", config)
        answers = [one for one in self._as_app("/app/hook/deliveries?per_page=10", list[_Delivery]) if one.status_code]
        yield from _answers("GitHub webhook", [one.status_code for one in answers])

    def repository(self, project: Project) -> Iterator[Finding]:
        """Whether we reach a repository and may do there what we have to."""
        place = project.repository
        found = self._session.get(place, "", _Repository)
        if found.full_name.casefold() != place.casefold():
            yield warn(place, f"is called {found.full_name} now", "Write the new name into app.yaml.")
        if found.archived:
            yield fail(place, "is archived: nothing can be written there", "Take it out of app.yaml.")
        if not found.has_issues:
            yield warn(place, "has no issues", "Turn them on in the repository's settings, if they are wanted.")
        lacking = list(self._lacking(place, found))
        yield from lacking
        if not lacking and not found.archived:
            yield ok(place, "can be reached, with the permissions that are needed")

    def _lacking(self, place: str, found: _Repository) -> Iterator[Finding]:
        if self._said.app is not None:
            installation = self._as_app(f"/repos/{quote(found.full_name)}/installation", _Installation)
            if installation.suspended_at:
                yield fail(
                    place, "the App's installation is suspended", "Its owner can lift that, where it is installed."
                )
            given = installation.permissions
            short = [
                f"{name}: {level}"
                for name, level in NEEDED.items()
                if LEVELS.get(given.get(name, ""), 0) < LEVELS[level]
            ]
            yield from missing(
                place, "the App lacks", short, (), "Add it on the App's page, then accept it where installed."
            )
            return
        if not found.permissions.get("push"):
            yield fail(place, "our account may not write there", "Give it the role Write in the repository.")
        for path, what in READ_BY_TOKEN.items():
            try:
                self._session.get(place, path, list[Any], {"per_page": "1"})
            except Denied:
                yield fail(place, f"the token does not reach {what}", f"Give it {what}: Read and write.")

    def policy(self, project: Project) -> Iterator[Finding]:
        """Whether lifecycle.yaml is there and right, on the branch that counts."""
        place, branch = project.repository, project.branch
        where = f"{place} {FILE}"
        try:
            file = self._session.get(place, f"/contents/{FILE}", _File, {"ref": branch} if branch else None)
        except Gone:
            at = f"on branch {branch}" if branch else "on the default branch"
            yield warn(
                where,
                f"there is none {at}, or no such branch",
                "Describe the repository's models in it: docs/models.md.",
            )
            return
        try:
            models = read_project(base64.b64decode(file.content).decode()).models
        except Mistakes as wrong:
            more = f" (and {len(wrong.mistakes) - 1} more)" if len(wrong.mistakes) > 1 else ""
            yield warn(where, f"{wrong.mistakes[0]}{more}", "Mend it; nothing runs for this repository before.")
        except (UnicodeDecodeError, binascii.Error):
            yield warn(where, "is not text in UTF-8", "Mend it; nothing runs for this repository before.")
        else:
            yield ok(where, ", ".join(models))

    def hook_of(self, place: str) -> Iterator[Finding]:
        """Whether a repository's own webhook leads to us; a token of the least rights may not see that."""
        name = f"{place} webhook"
        try:
            hooks = self._session.get(place, "/hooks", list[_Hook])
        except Denied:
            yield warn(
                name, "our token may not look at webhooks", f"See for yourself that one leads to {self._hook_url}"
            )
            return
        ours = [hook for hook in hooks if hook.config.url.rstrip("/") == self._hook_url]
        if not ours:
            yield fail(
                name, "none leads to us", f"Add one in the repository's settings: {self._hook_url}, application/json."
            )
        for hook in ours:
            if not hook.active:
                yield fail(name, "it is switched off", "Make it active in the repository's settings.")
            if "*" not in hook.events:
                yield from missing(name, "it does not tell of", OWN_HOOK, hook.events, "Tick them at the webhook.")
            yield from self._hook(name, hook.config)
            yield from _answers(name, [hook.last_response.code] if hook.last_response.code else [])

    def _hook(self, name: str, config: _Config) -> Iterator[Finding]:
        right = True
        for wrong, found, todo in (
            (
                config.url.rstrip("/") != self._hook_url,
                f"leads to {config.url or 'nowhere'}",
                f"Enter {self._hook_url}",
            ),
            (not config.secret, "has no secret", "Enter there what webhook_secret names in app.yaml."),
            (config.content_type != "json", "sends forms", "Choose the content type application/json."),
        ):
            if wrong:
                right = False
                yield fail(name, found, todo)
        if str(config.insecure_ssl) == "1":
            yield warn(name, "does not look at our certificate", "Turn SSL verification on.")
        if right:
            yield ok(name, f"leads to {config.url}")

    def _as_app(self, path: str, shape: type[T]) -> T:
        """A GET with the App's own key."""
        app = self._said.app
        assert app is not None  # noqa: S101 (only asked for an App)
        auth = Auth.AppAuth(app.id, app.private_key.reveal())
        try:
            asker = Github(auth=auth, base_url=self._said.url, timeout=15, retry=None, user_agent="lifecycle-bot")
            status, headers, text = asker.requester.requestJson("GET", path, headers=dict(HEADERS))
            if status != 200:
                raise from_status(status, _lower(headers), text, f"GET {path}", writing=False)
            return msgspec.json.decode(text, type=shape)
        except Exception as problem:
            raise from_exception(problem, f"GET {path}", writing=False) from None


def _lower(headers: Mapping[str, Any]) -> dict[str, str]:
    return {name.lower(): str(value) for name, value in headers.items()}


def _answers(name: str, codes: list[int]) -> Iterator[Finding]:
    """What we answered last, as GitHub saw it."""
    bad = [code for code in codes if code >= 300]
    if not bad:
        return
    found = f"{len(bad)} of the last {len(codes)} deliveries failed, the newest with {bad[0]}"
    if 401 in bad:
        yield warn(name, found, "Compare the secret there with webhook_secret in app.yaml.")
    else:
        yield warn(name, found, "Look there at Recent Deliveries; the bot's sweep makes up for what was missed.")
