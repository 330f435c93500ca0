"""Azure Repos: the bare git repositories of a project and the pull requests in them."""

from dataclasses import dataclass, field
from pathlib import Path


@dataclass(slots=True)
class Repository:
    """A git repository of a project; path is a bare repository on disk."""

    id: str
    name: str
    path: Path
    default_branch: str = "refs/heads/main"
    pulls: dict[int, object] = field(default_factory=dict)
