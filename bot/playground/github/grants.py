"""What the stand-in GitHub remembers of Apps and what they may do: tokens, webhooks, checks; plain data."""

from dataclasses import dataclass, field
from datetime import datetime

from bot.playground.github.records import Repo, Site, User


@dataclass(slots=True, eq=False)
class App:
    """A GitHub App. `permissions` such as {"issues": "write"}; its webhook is a Hook like any other."""

    site: Site
    id: int
    slug: str
    name: str
    owner: User
    private_key: str = field(repr=False)
    public_key: str = field(repr=False)
    permissions: dict[str, str]
    events: list[str]
    created_at: datetime
    installations: list["Installation"] = field(default_factory=list)
    hook: "Hook | None" = None

    @property
    def client_id(self) -> str:
        return f"Iv23{self.id:016d}"


@dataclass(slots=True, eq=False)
class Installation:
    """An App on an account; `repos` None means all of the account's repositories."""

    id: int
    app: App
    account: User
    created_at: datetime
    repos: list[Repo] | None = None

    def covers(self, repo: Repo) -> bool:
        return repo.owner is self.account and (self.repos is None or repo in self.repos)


@dataclass(frozen=True, slots=True)
class Token:
    """What an Authorization header stands for: a person's token with `scopes`, or an installation's."""

    secret: str = field(repr=False)
    user: User
    scopes: tuple[str, ...] = ()
    installation: Installation | None = None
    permissions: dict[str, str] = field(default_factory=dict)
    repos: tuple[Repo, ...] | None = None
    expires_at: datetime | None = None


@dataclass(slots=True, eq=False)
class Hook:
    """A webhook of a repository, or of an App. `events` may be ("*",)."""

    id: int
    url: str
    secret: str = field(repr=False)
    events: tuple[str, ...]
    created_at: datetime
    updated_at: datetime
    app: App | None = None
    active: bool = True
    content_type: str = "json"
    deliveries: list["Delivery"] = field(default_factory=list)


@dataclass(slots=True, eq=False)
class Delivery:
    """One delivery; `status_code` is 0 while it is under way, and what GitHub shows for no answer otherwise."""

    id: int
    guid: str
    hook: Hook
    event: str
    action: str | None
    delivered_at: datetime
    redelivery: bool
    request_headers: dict[str, str]
    body: bytes
    installation_id: int | None
    repository_id: int | None
    status: str = "pending"
    status_code: int = 0
    duration: float = 0.0
    response_headers: dict[str, str] = field(default_factory=dict)
    response_body: str = ""


@dataclass(slots=True, eq=False)
class CheckRun:
    """A check of one App on one commit. `output` holds title, summary, text as given; `annotations` only grow."""

    id: int
    repo: "Repo"
    app: "App"
    suite: "CheckSuite"
    name: str
    head_sha: str
    status: str = "queued"
    conclusion: str | None = None
    external_id: str = ""
    details_url: str | None = None
    started_at: datetime | None = None
    completed_at: datetime | None = None
    title: str | None = None
    summary: str | None = None
    text: str | None = None
    annotations: list[dict[str, object]] = field(default_factory=list)
    images: list[dict[str, str]] = field(default_factory=list)
    actions: list[dict[str, str]] = field(default_factory=list)


@dataclass(slots=True, eq=False)
class CheckSuite:
    id: int
    repo: "Repo"
    app: "App"
    head_sha: str
    head_branch: str | None
    created_at: datetime
    updated_at: datetime
    runs: list[CheckRun] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Status:
    id: int
    sha: str
    state: str
    context: str
    description: str | None
    target_url: str | None
    creator: User
    created_at: datetime
