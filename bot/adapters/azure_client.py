"""Makes azure-devops' clients as we want them; heavy to import (0.7 s), so only `azure_session` does, when needed."""

import threading
from collections.abc import Callable
from functools import cached_property
from typing import Any
from urllib.parse import unquote, urlsplit

import requests
from azure.devops.exceptions import AzureDevOpsClientError
from azure.devops.v7_1.core.core_client import CoreClient
from azure.devops.v7_1.location.location_client import LocationClient
from azure.devops.v7_1.service_hooks.models import NotificationsQuery
from azure.devops.v7_1.service_hooks.service_hooks_client import ServiceHooksClient
from azure.devops.v7_1.work_item_tracking import models
from azure.devops.v7_1.work_item_tracking.work_item_tracking_client import WorkItemTrackingClient
from msrest.authentication import Authentication
from msrest.exceptions import (  # type: ignore[attr-defined]  # a package without types or __all__
    ClientException,
    DeserializationError,
    SerializationError,
)
from requests.adapters import HTTPAdapter
from urllib3.util import Retry

from bot.adapters.azure_errors import Uncertain, Unsupported, from_answer
from bot.ports import Denied, Unavailable

__all__ = ["Clients", "NotificationsQuery", "models", "translated"]

IMPORTING = threading.Lock()
Token = str | Callable[[], str]
# Reads are repeated twice within a second. The library's own policy sleeps for as long as a server likes.
CALM = Retry(
    total=2,
    allowed_methods={"GET", "OPTIONS"},
    status_forcelist=(502, 503, 504),
    backoff_factor=0.3,
    respect_retry_after_header=False,
    raise_on_status=False,
)


class Signed(Authentication):
    """Signs every request: a personal access token as Basic, a callable's as Bearer, asked for each time.

    As every request's session passes here, it is also where the library's own retries are taken away from it.
    """

    def __init__(self, token: Token) -> None:
        self._token = token

    def signed_session(self, session: requests.Session | None = None) -> requests.Session:
        made: requests.Session = super().signed_session(session)
        for adapter in made.adapters.values():
            if isinstance(adapter, HTTPAdapter):
                adapter.max_retries = CALM
        # As `auth` and not as a header, because requests lets a .netrc file overwrite the header.
        made.auth = ("", self._token) if isinstance(self._token, str) else self._bearer
        return made

    def _bearer(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        assert not isinstance(self._token, str)  # noqa: S101 (for the type checker)
        request.headers["Authorization"] = f"Bearer {self._token()}"
        return request


class Clients:
    """The clients that we use, straight on the organisation's URL; `seen` gets every answer's headers.

    azure-devops' own Connection would first ask for resource areas through a client that no hook can watch.
    """

    def __init__(self, url: str, token: Token, timeout: int, seen: Callable[[Any], None]) -> None:
        def check(response: requests.Response, *_: object, **__: object) -> requests.Response:
            seen(response.headers)
            method, path = response.request.method or "", unquote(urlsplit(response.url).path)
            text = response.text  # read whatever it is: the library leaves what it needs not, and its connection, open
            problem = from_answer(method, path, response.status_code, response.headers, text)
            if problem is not None:
                raise problem
            return response

        def made(kind: Callable[[str, Signed], Any]) -> Any:
            client = kind(url, Signed(token))
            client.config.hooks.append(check)
            client.config.connection.timeout = timeout
            return client

        self._made = made
        self.wit = made(WorkItemTrackingClient)
        self.core = made(CoreClient)
        self.location = made(LocationClient)
        self.hooks = made(ServiceHooksClient)

    @cached_property
    def git(self) -> Any:
        """The client for repositories, which is large, and which most do without."""
        return self._made(git_library()[0])


def git_library() -> tuple[Any, Any]:
    """The kind of client for repositories, and its models; two threads that first import them fall over each other."""
    with IMPORTING:
        from azure.devops.v7_1.git import models as git_models
        from azure.devops.v7_1.git.git_client import GitClient

        return GitClient, git_models


def translated(problem: Exception, what: str, writing: bool) -> Exception:
    """What to raise for an exception of the library; `what` such as "read work item 12"."""
    kind = Uncertain if writing else Unavailable
    match problem:
        case Unavailable() | Denied():
            return problem
        case DeserializationError():
            return kind(f"Azure DevOps' answer makes no sense, when we wanted to {what}.")
        case SerializationError() | AzureDevOpsClientError():
            return Denied(f"The request to {what} cannot be sent to Azure DevOps: {problem}")
        case ClientException():
            return kind(f"Azure DevOps did not answer in time, or the connection broke, when we wanted to {what}.")
        case ValueError() if "is not registered" in str(problem):
            return Unsupported(f"This Azure DevOps is too old to {what}, or its URL is not that of an organisation.")
    return problem
