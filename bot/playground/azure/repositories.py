"""Azure Repos: git repositories on disk, pull requests with their iterations, statuses and threads, and pushes."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from bot.playground.github.bare import Bare, Commit, Signature

from .errors import repository_missing
from .people import Person
from .state import Organisation, Project

ZERO = "0" * 40


class PullStatus(StrEnum):
    ACTIVE = "active"
    COMPLETED = "completed"
    ABANDONED = "abandoned"


@dataclass(slots=True)
class Status:
    """What somebody says about a commit or pull request; state as in GitStatusState."""

    id: int
    state: str
    description: str
    genre: str
    name: str
    target_url: str | None
    by: Person
    created: datetime
    iteration: int | None = None


@dataclass(slots=True)
class PullComment:
    id: int
    parent: int
    text: str
    kind: str
    by: Person
    published: datetime
    updated: datetime
    deleted: bool = False
    likes: list[Person] = field(default_factory=list)


@dataclass(slots=True)
class Thread:
    id: int
    status: str | None
    created: datetime
    comments: list[PullComment] = field(default_factory=list)
    properties: dict[str, object] = field(default_factory=dict)
    context: Mapping[str, object] | None = None


@dataclass(frozen=True, slots=True)
class Iteration:
    id: int
    source: str
    target: str
    by: Person
    at: datetime


@dataclass(slots=True)
class PullRequest:
    """A pull request between two branches of one repository; refs are full names, commits full shas."""

    id: int
    repository: "Repository"
    title: str
    description: str
    source: str
    target: str
    by: Person
    created: datetime
    draft: bool = False
    status: PullStatus = PullStatus.ACTIVE
    merge_status: str = "queued"
    source_commit: str = ""
    target_commit: str = ""
    merge_commit: str | None = None
    closed: datetime | None = None
    closed_by: Person | None = None
    merge_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    votes: dict[str, tuple[Person, int]] = field(default_factory=dict)
    statuses: list[Status] = field(default_factory=list)
    threads: list[Thread] = field(default_factory=list)
    iterations: list[Iteration] = field(default_factory=list)
    labels: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Repository:
    """A git repository of a project, bare on disk."""

    id: str
    name: str
    project: Project
    git: Bare
    default_branch: str
    pulls: dict[int, PullRequest] = field(default_factory=dict)
    statuses: dict[str, list[Status]] = field(default_factory=dict)

    def url(self, org: Organisation) -> str:
        return f"{org.base_url}/{self.project.id}/_apis/git/repositories/{self.id}"

    def remote_url(self, org: Organisation) -> str:
        """Where git clones it from."""
        return f"{org.base_url}/{self.project.name.replace(' ', '%20')}/_git/{self.name.replace(' ', '%20')}"


def create_repository(org: Organisation, project: Project, name: str, branch: str = "main") -> Repository:
    """An empty repository below the organisation's folder; ValueError if the project has one of that name."""
    with org.lock:
        if any(other.name.lower() == name.lower() for other in project.repositories):
            raise ValueError(f"{project.name} has a repository {name!r} already")
        number = str(uuid.uuid4())
        git = Bare(org.folder / f"{number}.git")
        git.create(branch)
        project.repositories.append(Repository(number, name, project, git, f"refs/heads/{branch}"))
        return project.repositories[-1]


def find_repository(org: Organisation, project: Project | None, words: str) -> Repository:
    """By id, or by name within a project; refuses as the service does."""
    for owner in org.projects if project is None else [project]:
        for repository in owner.repositories:
            if words.lower() == repository.id or (project is not None and words.lower() == repository.name.lower()):
                return repository
    raise repository_missing(words)


def signature(person: Person, at: datetime) -> Signature:
    return Signature(person.display_name, person.unique_name, at)


@dataclass(frozen=True, slots=True)
class Moved:
    """A ref that a push moved; ZERO stands for a ref that was not, or no longer is, there."""

    name: str
    old: str
    new: str


def moved(before: Mapping[str, str], after: Mapping[str, str]) -> list[Moved]:
    names = sorted(before.keys() | after.keys())
    moves = [Moved(name, before.get(name, ZERO), after.get(name, ZERO)) for name in names]
    return [move for move in moves if move.old != move.new]


def commits_of(repository: Repository, move: Moved, most: int = 25) -> list[Commit]:
    """What a move brought, newest first; for a new branch what the default branch does not have."""
    if move.new == ZERO:
        return []
    known = move.old if move.old != ZERO else repository.git.refs().get(repository.default_branch, "")
    return repository.git.log(move.new, limit=most, exclude="" if known == move.new else known)
