"""Where a version serves: what every endpoint promises, whatever is behind it."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Any, Protocol


class Serving(StrEnum):
    """Where a deployment stands."""

    UNKNOWN = "unknown"
    STARTING = "starting"
    READY = "ready"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class ServingStatus:
    """What an endpoint knows of a deployment; `reason` is one sentence for people, empty while all is well."""

    state: Serving
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """What scoring answered: an HTTP status, a JSON body, and the version that answered (empty if none did).

    `request` is the name under which labels may be sent later; row 0 is the first one asked about.
    """

    status: int
    body: bytes
    version: str = ""
    request: str = ""


class Endpoint(Protocol):
    """Serves versions of models. A deployment's name is natural (model and version); every method may be repeated."""

    def deploy(self, model: str, name: str, folder: Path) -> None:
        """Start serving the version in `folder` under `name`, without traffic; returns at once."""

    def status(self, name: str) -> ServingStatus:
        """Where the deployment stands now."""

    def route(self, model: str, shares: dict[str, int]) -> None:
        """Split the model's traffic among deployments by per cent (adding up to 100), at once and durably."""

    def routes(self, model: str) -> dict[str, int]:
        """The shares in force, empty when nothing serves."""

    def deployments(self, model: str) -> Collection[str]:
        """Everything that was deployed for the model and not retired."""

    def score(self, model: str, body: bytes) -> Answer:
        """Answer one scoring request (MLflow's JSON: dataframe_records, dataframe_split) and log both."""

    def retire(self, name: str) -> None:
        """Stop serving the deployment; no error when it has gone."""


class RequestLog(Protocol):
    """What the versions of a model were asked, and what they answered."""

    def pieces(self, model: str) -> dict[str, int]:
        """Names of the log's files, oldest first, and how long each is now; a file only grows."""

    def lines(self, model: str, piece: str, start: int) -> Iterator[tuple[list[Any], int]]:
        """Scored rows of a file from a byte on, many at a time, and the byte after them (predictions.Line)."""

    def read(self, model: str, since: datetime, until: datetime, time_column: str | None) -> Iterator[Any]:
        """Arrow record batches of the requests from `since` (inclusive) to `until`: features and `prediction`.

        When they happened is what the row's own `time_column` says, or when they arrived if none is named.
        """

    def latest(self, model: str, time_column: str | None) -> datetime | None:
        """When the last of them happened; None if there are none."""

    def ship(self, now: datetime) -> None:
        """Let other machines see what this one was asked, where they share a place."""
