"""What GitHub says when it will not: a status and GitHub's words, for the API and the pages alike."""

from collections.abc import Sequence
from typing import Any

DOCS = "https://docs.github.com/rest"


class Problem(Exception):
    """An answer that is no success: `status`, `message`, GitHub's `errors` of a 422, extra headers."""

    def __init__(
        self,
        status: int,
        message: str,
        errors: Sequence[dict[str, Any] | str] | None = None,
        headers: dict[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.errors = errors
        self.headers = headers or {}

    @property
    def body(self) -> dict[str, Any]:
        body: dict[str, Any] = {"message": self.message}
        if self.errors is not None:
            body["errors"] = list(self.errors)
        return {**body, "documentation_url": DOCS, "status": str(self.status)}


class Moved(Exception):
    """The repository has another name now: 301 for reads, 307 for writes, as GitHub answers."""

    def __init__(self, old: str, new: str) -> None:
        super().__init__(f"{old} is {new} now")
        self.old = old
        self.new = new


def not_found() -> Problem:
    return Problem(404, "Not Found")


def invalid(resource: str, field: str, code: str = "invalid", message: str | None = None) -> Problem:
    """A 422 about one field; codes are GitHub's: missing, missing_field, invalid, already_exists, custom."""
    error = {"resource": resource, "field": field, "code": "custom" if message else code}
    return Problem(422, "Validation Failed", [{**error, "message": message} if message else error])
