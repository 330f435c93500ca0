"""Who we are on GitHub: a personal token, or a GitHub App with one installation, and one cached token, per owner."""

import re
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, unquote

import msgspec
from github import Auth, Github
from github.Requester import Requester
from jwt.exceptions import PyJWTError

from bot.adapters.github_errors import Gone, from_exception, from_status
from bot.adapters.github_shapes import App as AppShape
from bot.adapters.github_shapes import Delivery, Installation, User
from bot.ports import Denied

HEADERS = {"Accept": "application/vnd.github+json"}
NEW = 5.0  # seconds, for which a renewed token is not renewed again
CURSOR = re.compile(r'[?&]cursor=([^&>]+)[^>]*>;\s*rel="next"')
Connect = Callable[[Auth.Auth], Github]


@dataclass(frozen=True, slots=True)
class Personal:
    """A personal access token, fine-grained or classic, or the token of a workflow."""

    token: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class App:
    """A GitHub App; `key` is the private key in PEM. Without `installation` it is found for each repository."""

    id: int
    key: str = field(repr=False)
    installation: int | None = None


class InstallationToken(Auth.Auth):
    """The token of one installation, renewed by one thread at a time: PyGithub renews without a lock."""

    def __init__(
        self, app: Auth.AppAuth, installation: int, requester: Requester, failed: Callable[[int], None]
    ) -> None:
        self._app, self._installation, self._requester = app, installation, requester
        self._inner = app.get_installation_auth(installation, requester=requester)
        self._failed = failed
        self._call = f"POST /app/installations/{installation}/access_tokens"
        self._lock = threading.Lock()
        self._renewed = -NEW

    @property
    def token_type(self) -> str:
        return "Bearer"

    @property
    def token(self) -> str:
        try:
            with self._lock:
                return self._inner.token
        except Exception as problem:
            self._failed(self._installation)
            # Translated here: out there it would look like the answer to the call that needed the token.
            raise from_exception(problem, self._call, writing=False) from None

    def renew(self) -> None:
        """Ask for another token at the next use: this one was refused before its time."""
        with self._lock:
            if time.monotonic() - self._renewed >= NEW:  # else another thread did it for us
                self._renewed = time.monotonic()
                self._inner = self._app.get_installation_auth(self._installation, requester=self._requester)

    def authentication(self, headers: dict[str, Any]) -> None:
        headers["Authorization"] = f"Bearer {self.token}"

    def mask_authentication(self, headers: dict[str, Any]) -> None:
        headers["Authorization"] = "Bearer (removed)"


class Access:
    """Finds the credential for a repository, and our own login; safe to use from any thread.

    Raises Denied at once where the App's private key cannot be used.
    """

    def __init__(self, auth: Personal | App, connect: Connect, login: str | None = None) -> None:
        self._auth = auth
        self._lock = threading.RLock()
        self._login = login
        self._installations: dict[str, int] = {}
        self._tokens: dict[int, InstallationToken] = {}
        self._personal = Auth.Token(auth.token) if isinstance(auth, Personal) else None
        self._app = _app_auth(auth) if isinstance(auth, App) else None
        self._asker = connect(self._app or self._personal)  # type: ignore[arg-type]  # one of the two is there

    @property
    def is_app(self) -> bool:
        return self._app is not None

    def installation(self, place: str) -> int:
        """Which installation of the App has the repository; 0 for a personal token."""
        if not isinstance(self._auth, App):
            return 0
        with self._lock:
            if place not in self._installations:
                self._installations[place] = self._auth.installation or self.found(place).id
            return self._installations[place]

    def credential(self, place: str) -> Auth.Auth:
        """The one Auth object with which to speak about the repository."""
        if self._personal is not None:
            return self._personal
        assert self._app is not None  # noqa: S101 (for the type checker: __init__ sets one of the two)
        number = self.installation(place)
        with self._lock:
            if number not in self._tokens:
                self._tokens[number] = InstallationToken(self._app, number, self._asker.requester, self._forget)
            return self._tokens[number]

    def renew(self, place: str) -> bool:
        """Let the credential for the repository be a fresh one, where that is ours to make. Whether it will be."""
        credential = self.credential(place)
        if not isinstance(credential, InstallationToken):
            return False
        credential.renew()
        return True

    @property
    def login(self) -> str:
        """The login that our comments carry; an App's is its slug with "[bot]"."""
        with self._lock:
            if self._login is None:
                if self.is_app:
                    self._login = msgspec.convert(self._ask("/app")[0], AppShape).slug + "[bot]"
                else:
                    self._login = msgspec.convert(self._ask("/user")[0], User).login
            return self._login

    def _forget(self, number: int) -> None:
        """The App may have been installed anew, under another number: look again next time."""
        with self._lock:
            self._installations = {place: known for place, known in self._installations.items() if known != number}

    def found(self, place: str) -> Installation:
        """The App's installation that has the repository, as it is now. Raises Denied where there is none."""
        try:
            return msgspec.convert(self._ask(f"/repos/{quote(place)}/installation")[0], Installation)
        except Gone:
            raise Denied(f"The GitHub App is not installed on {place}: install it there, or take it out.") from None

    def deliveries(self, cursor: str = "") -> tuple[list[Delivery], str]:
        """A page of what the App was sent, newest first, and the cursor of the next, empty after the last."""
        answer, headers = self._ask("/app/hook/deliveries", {"per_page": 100, **({"cursor": cursor} if cursor else {})})
        following = CURSOR.search(headers.get("link", ""))
        return msgspec.convert(answer, list[Delivery]), unquote(following[1]) if following else ""

    def redeliver(self, number: int) -> None:
        """Have a delivery sent again. Raises Denied where it is too old for that."""
        self._ask(f"/app/hook/deliveries/{number}/attempts", verb="POST")

    def _ask(self, path: str, params: dict[str, Any] | None = None, verb: str = "GET") -> tuple[Any, dict[str, str]]:
        call, writing = f"{verb} {path}", verb != "GET"
        try:
            with self._lock:
                status, headers, text = self._asker.requester.requestJson(verb, path, params or {}, dict(HEADERS))
            if not 200 <= status < 300:
                raise from_status(status, headers, text, call, writing)
            return msgspec.json.decode(text or "null"), headers
        except Exception as problem:
            raise from_exception(problem, call, writing) from None


def _app_auth(auth: App) -> Auth.AppAuth:
    made = Auth.AppAuth(auth.id, auth.key)
    try:
        made.create_jwt()
    except (PyJWTError, ValueError, TypeError):
        raise Denied(
            "The GitHub App's private key cannot be read: it must be the whole .pem file, lines and all."
        ) from None
    return made
