"""The few fields of GitHub's JSON that we read; the same shapes come from webhooks and from REST answers."""

from datetime import datetime

import msgspec

GHOST = "ghost"  # what GitHub itself shows where an account is gone


class User(msgspec.Struct, frozen=True):
    login: str
    type: str = "User"

    @property
    def is_bot(self) -> bool:
        return self.type == "Bot" or self.login.endswith("[bot]")


class Label(msgspec.Struct, frozen=True):
    name: str


class Repository(msgspec.Struct, frozen=True):
    full_name: str
    default_branch: str = "main"
    clone_url: str = ""


class Comment(msgspec.Struct, frozen=True):
    id: int
    created_at: datetime
    updated_at: datetime
    html_url: str = ""
    issue_url: str = ""
    body: str | None = None
    user: User | None = None

    @property
    def edited(self) -> bool:
        return self.updated_at > self.created_at


class Issue(msgspec.Struct, frozen=True):
    number: int
    title: str
    state: str
    updated_at: datetime
    html_url: str = ""
    body: str | None = None
    user: User | None = None
    state_reason: str | None = None
    closed_at: datetime | None = None
    pull_request: dict[str, object] | None = None
    labels: list[Label] = []


class Side(msgspec.Struct, frozen=True):
    """One side of a pull request; `repo` is null when the fork was deleted."""

    ref: str
    sha: str
    repo: Repository | None = None


class Pull(msgspec.Struct, frozen=True):
    number: int
    title: str
    state: str
    head: Side
    base: Side
    updated_at: datetime
    html_url: str = ""
    body: str | None = None
    user: User | None = None
    draft: bool = False
    merged: bool = False
    merged_at: datetime | None = None
    merge_commit_sha: str | None = None
    closed_at: datetime | None = None

    @property
    def merged_as(self) -> str | None:
        # Lists have no `merged`; and `merge_commit_sha` of an open one is only GitHub's test merge.
        return self.merge_commit_sha if self.merged or self.merged_at else None

    @property
    def from_fork(self) -> bool:
        return self.head.repo is None or self.base.repo is None or self.head.repo.full_name != self.base.repo.full_name


class App(msgspec.Struct, frozen=True):
    slug: str = ""


class CheckRun(msgspec.Struct, frozen=True):
    id: int
    head_sha: str = ""
    status: str = ""
    conclusion: str | None = None
    external_id: str | None = None
    app: App | None = None


class CheckNote(msgspec.Struct, frozen=True):
    """An annotation; `message` is null where somebody else's has none."""

    path: str
    start_line: int
    message: str | None = None


class CheckRuns(msgspec.Struct, frozen=True):
    check_runs: list[CheckRun]


class Status(msgspec.Struct, frozen=True):
    context: str
    state: str
    description: str | None = None
    target_url: str | None = None


class Delivery(msgspec.Struct, frozen=True):
    """A webhook's delivery, as lists have it; `status_code` is 0 while it is under way."""

    id: int
    guid: str
    delivered_at: datetime
    event: str
    status_code: int
    redelivery: bool = False
    action: str | None = None

    @property
    def arrived(self) -> bool:
        return 200 <= self.status_code < 300


class Commit(msgspec.Struct, frozen=True):
    sha: str


class Branch(msgspec.Struct, frozen=True):
    name: str
    commit: Commit


class Role(msgspec.Struct, frozen=True):
    """`permission` knows four words (maintain reads as write); `role_name` all, and an organisation's own."""

    permission: str
    role_name: str = ""


class Installation(msgspec.Struct, frozen=True):
    id: int
    permissions: dict[str, str] = {}
    events: list[str] = []


def login_of(user: User | None) -> str:
    """The login, also of an account that is gone."""
    return user.login if user else GHOST
