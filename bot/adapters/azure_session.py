"""Speaks to one Azure DevOps organisation through azure-devops: loaded late, watched by a hook, slowed when it asks."""

import threading
import time
from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlsplit

from bot.adapters.azure_errors import Limited, retry_after
from bot.ports import Unavailable
from bot.retrying import PATIENCE

if TYPE_CHECKING:
    from bot.adapters.azure_client import Clients, Token

T = TypeVar("T")
Prepare = Callable[[], None]


class Me:
    """Who our token belongs to: an id that comments carry, and the name that people see."""

    __slots__ = ("id", "login")

    def __init__(self, number: str, login: str) -> None:
        self.id, self.login = number.lower(), login


class Session:
    """One organisation; `ask` and `write` run a call of its clients. Safe to use from any thread.

    Raises Unavailable and Denied, in finer kinds: Uncertain, Changed, Gone, Rejected.
    """

    def __init__(self, url: str, token: "Token", timeout: int, organisation: str | None, prepare: Prepare) -> None:
        self.url = url.rstrip("/")
        self.organisation = organisation or organisation_of(url)
        self._token, self._timeout, self._prepare = token, timeout, prepare
        self._lock = threading.Lock()
        self._clients: Clients | None = None
        self._free_at = 0.0

    def ask(self, what: str, call: Callable[["Clients"], T]) -> T:
        """A read; `what` as in "read work item 12"."""
        return self._run(what, call, writing=False)

    def write(self, what: str, call: Callable[["Clients"], T]) -> T:
        """A write, sent once."""
        return self._run(what, call, writing=True)

    @cached_property
    def models(self) -> Any:
        """The library's models of requests."""
        self._connected()
        from bot.adapters.azure_client import models

        return models

    def notifications_query(self, **given: Any) -> Any:
        """A question about service hooks' notifications, as the library words it."""
        self._connected()
        from bot.adapters.azure_client import NotificationsQuery

        return NotificationsQuery(**given)

    @cached_property
    def git_models(self) -> Any:
        """The library's models of requests about repositories."""
        self._connected()
        from bot.adapters.azure_client import git_library

        return git_library()[1]

    @cached_property
    def me(self) -> Me:
        """Ourselves, asked for once."""
        user = self.ask("learn who we are", lambda clients: clients.location.get_connection_data()).authenticated_user
        account = ((user.properties or {}).get("Account") or {}).get("$value")
        return Me(user.id or "", account or user.custom_display_name or user.provider_display_name or "")

    def _run(self, what: str, call: Callable[["Clients"], T], writing: bool) -> T:
        clients = self._connected()
        from bot.adapters.azure_client import translated

        self._pause()
        try:
            return call(clients)
        except Exception as problem:
            raised = translated(problem, what, writing)
            if isinstance(raised, Limited):
                self._quiet(raised.after)
            raise raised from None

    def _connected(self) -> "Clients":
        with self._lock:
            if self._clients is None:
                self._prepare()
                from bot.adapters.azure_client import Clients

                self._clients = Clients(self.url, self._token, self._timeout, self._heard)
            return self._clients

    def _heard(self, headers: Any) -> None:
        self._quiet(retry_after(headers))

    def _quiet(self, seconds: float | None) -> None:
        if seconds:
            self._free_at = max(self._free_at, time.monotonic() + seconds)

    def _pause(self) -> None:
        """Wait as we were asked to, where it is a moment; where it is more, whoever called is told."""
        wait = self._free_at - time.monotonic()
        if wait > PATIENCE:
            raise Unavailable("Azure DevOps asked us to slow down.", after=wait)
        time.sleep(max(0.0, wait))


def organisation_of(url: str) -> str:
    """The name in https://dev.azure.com/Fabrikam, https://fabrikam.visualstudio.com or .../tfs/Collection."""
    parts = urlsplit(url)
    path = parts.path.strip("/")
    if (parts.hostname or "").endswith(".visualstudio.com"):
        return (parts.hostname or "").split(".")[0]
    return path.rsplit("/", 1)[-1]
