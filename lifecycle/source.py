"""Where git finds a model repository, and how it may be read."""

from collections.abc import Callable
from dataclasses import dataclass, field

Credential = Callable[[], tuple[str, str] | None]


def anonymous() -> None:
    """No credential: the repository is public or local."""
    return


@dataclass(frozen=True, slots=True)
class Source:
    """A repository: its name here (`octo/bikes`), the URL to clone, and a call that yields user name and secret."""

    name: str
    url: str
    credential: Credential = field(default=anonymous, repr=False)
