"""What the stand-in GitHub remembers of people, code and conversation; plain data without behaviour."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING

from bot.playground.github.bare import Bare

if TYPE_CHECKING:
    from bot.playground.github.grants import App, CheckSuite, Hook, Status

LEVELS = ("none", "read", "triage", "write", "maintain", "admin")
REACTIONS = ("+1", "-1", "laugh", "confused", "heart", "hooray", "rocket", "eyes")


@dataclass(frozen=True, slots=True)
class Site:
    """Where this GitHub is, as GitHub Enterprise Server lays it out. `url` has no slash at the end."""

    url: str

    @property
    def api(self) -> str:
        return f"{self.url}/api/v3"


class Kind(StrEnum):
    """GitHub's `type` of an account."""

    USER = "User"
    ORGANIZATION = "Organization"
    BOT = "Bot"


@dataclass(slots=True, eq=False)
class User:
    """An account. `permission` is what it may do by default on its organisation's repositories, one of LEVELS."""

    site: Site
    id: int
    login: str
    kind: Kind
    created_at: datetime
    name: str = ""
    permission: str = "none"
    app: "App | None" = None

    @property
    def api(self) -> str:
        return f"{self.site.api}/users/{self.login}"

    @property
    def web(self) -> str:
        if self.app:
            return f"{self.site.url}/apps/{self.app.slug}"
        return f"{self.site.url}/{self.login}"

    @property
    def email(self) -> str:
        return f"{self.id}+{self.login}@users.noreply.playground.example"


@dataclass(slots=True, eq=False)
class Label:
    id: int
    name: str
    color: str = "ededed"
    description: str | None = None


@dataclass(slots=True, eq=False)
class Reaction:
    id: int
    user: User
    content: str
    created_at: datetime


@dataclass(slots=True, eq=False)
class Comment:
    id: int
    issue: "Issue"
    user: User
    body: str
    created_at: datetime
    updated_at: datetime
    reactions: list[Reaction] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Note:
    """Something that happened to an issue and is shown between its comments: "closed this as completed"."""

    at: datetime
    user: User
    text: str


@dataclass(slots=True, eq=False)
class Issue:
    """An issue, or a pull request's conversation when `pull` is set."""

    id: int
    number: int
    repo: "Repo"
    user: User
    title: str
    body: str | None
    created_at: datetime
    updated_at: datetime
    state: str = "open"
    state_reason: str | None = None
    closed_at: datetime | None = None
    closed_by: User | None = None
    labels: list[Label] = field(default_factory=list)
    assignees: list[User] = field(default_factory=list)
    comments: list[Comment] = field(default_factory=list)
    reactions: list[Reaction] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)
    pull: "Pull | None" = None

    @property
    def api(self) -> str:
        return f"{self.repo.api}/issues/{self.number}"

    @property
    def web(self) -> str:
        return f"{self.repo.web}/{'pull' if self.pull else 'issues'}/{self.number}"


@dataclass(slots=True, eq=False)
class Review:
    id: int
    user: User
    body: str
    state: str  # APPROVED, CHANGES_REQUESTED, COMMENTED
    commit_id: str
    submitted_at: datetime


@dataclass(slots=True, eq=False)
class Pull:
    """The code half of a pull request. `head_repo` is None once the fork is gone; `head_owner` stays in the label."""

    id: int
    issue: Issue
    head_repo: "Repo | None"
    head_owner: User
    head_ref: str
    head_sha: str
    base_ref: str
    base_sha: str
    draft: bool = False
    merged_at: datetime | None = None
    merged_by: User | None = None
    merge_commit_sha: str | None = None
    settled: tuple[str, str] | None = None  # the base and head for which `mergeable` was worked out
    mergeable: bool | None = None
    reviews: list[Review] = field(default_factory=list)

    @property
    def api(self) -> str:
        return f"{self.issue.repo.api}/pulls/{self.issue.number}"


@dataclass(slots=True, eq=False)
class Repo:
    """A repository: its settings, its conversation, and the bare git repository on disk behind it."""

    site: Site
    id: int
    owner: User
    name: str
    git: Bare
    created_at: datetime
    updated_at: datetime
    pushed_at: datetime
    private: bool = False
    description: str | None = None
    default_branch: str = "main"
    parent: "Repo | None" = None
    collaborators: dict[str, str] = field(default_factory=dict)
    labels: dict[str, Label] = field(default_factory=dict)
    issues: dict[int, Issue] = field(default_factory=dict)
    suites: "list[CheckSuite]" = field(default_factory=list)
    statuses: "list[Status]" = field(default_factory=list)
    hooks: "list[Hook]" = field(default_factory=list)

    @property
    def full_name(self) -> str:
        return f"{self.owner.login}/{self.name}"

    @property
    def api(self) -> str:
        return f"{self.site.api}/repos/{self.full_name}"

    @property
    def web(self) -> str:
        return f"{self.site.url}/{self.full_name}"
