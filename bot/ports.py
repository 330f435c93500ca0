"""What the bot needs of the world outside: Protocols of a few methods, each with its promises.

Every writing method looks before it writes and may be repeated: the same marker, check or relation is never there
twice. Each raises Unavailable when the platform did not answer or limits us (try again), Denied when our credentials
do not suffice or the thing is gone (a person must act); both messages are one sentence for people, without secrets.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum, StrEnum
from typing import Protocol

from bot.events import Happened
from bot.refs import Ref
from lifecycle import Source


class Unavailable(Exception):
    """The platform did not do it, or did not say; trying again is right. `after` is in seconds, None if not said."""

    def __init__(self, what: str, after: float | None = None) -> None:
        super().__init__(what)
        self.after = after


class SignedOut(Unavailable):
    """Our credentials are not accepted: everything there waits until somebody renews them."""


class Denied(Exception):
    """The platform refuses, and will refuse again; a person must act."""


class Permission(IntEnum):
    """What somebody may do where a thing lives."""

    NONE = 0
    READ = 1
    WRITE = 2
    MAINTAIN = 3
    ADMIN = 4


class Mark(StrEnum):
    """How we acknowledge a comment at once."""

    SEEN = "eyes"
    DONE = "rocket"
    REFUSED = "confused"


@dataclass(frozen=True, slots=True)
class Comment:
    """A comment as the platform has it now; `author` is a login or e-mail address."""

    id: str
    author: str
    author_is_bot: bool
    body: str
    created: datetime
    edited: bool


@dataclass(frozen=True, slots=True)
class Thing:
    """An issue, pull request or work item as it is now."""

    ref: Ref
    title: str
    body: str
    url: str
    open: bool
    is_pull: bool
    author: str


@dataclass(frozen=True, slots=True)
class PullRequest:
    """A pull request as it is now; `from_fork` also when the source repository is gone."""

    ref: Ref
    head: str
    base: str
    base_branch: str
    author: str
    from_fork: bool
    draft: bool
    open: bool
    merged_as: str | None
    title: str
    body: str
    url: str


@dataclass(frozen=True, slots=True)
class Head:
    """A branch and the commit that it is at."""

    branch: str
    commit: str


class Conclusion(StrEnum):
    """How a check ended; QUEUED and RUNNING have not."""

    QUEUED = "queued"
    RUNNING = "in_progress"
    SUCCESS = "success"
    FAILURE = "failure"
    NEUTRAL = "neutral"
    CANCELLED = "cancelled"
    ACTION_REQUIRED = "action_required"


@dataclass(frozen=True, slots=True)
class Annotation:
    """A finding about a line of a file, counted from 1; `level` is notice, warning or failure, `message` plain text."""

    path: str
    line: int
    level: str
    title: str
    message: str


class Pressed(StrEnum):
    """What our buttons ask for, as a check carries it."""

    AGAIN = "rerun"
    ACCEPT = "accept"


@dataclass(frozen=True, slots=True)
class Button:
    """Something that can be asked for at a check: at most 20, 40 and 20 characters."""

    label: str
    description: str
    identifier: str


@dataclass(frozen=True, slots=True)
class Check:
    """A check on a commit as it should read now; `external` is its natural key, `summary` Markdown.

    Annotations and buttons (three at most) are shown where the platform has them.
    """

    commit: str
    name: str
    external: str
    conclusion: Conclusion
    title: str
    summary: str
    url: str
    annotations: tuple[Annotation, ...] = ()
    buttons: tuple[Button, ...] = ()


class Category(StrEnum):
    """The state categories of Azure Boards; on GitHub, Completed and Removed are closed."""

    PROPOSED = "Proposed"
    IN_PROGRESS = "InProgress"
    RESOLVED = "Resolved"
    COMPLETED = "Completed"
    REMOVED = "Removed"


@dataclass(frozen=True, slots=True)
class Draft:
    """What a work item or issue of ours should read; `text` is Markdown, `kind` task or problem.

    `severity` is 1 to 4, 1 the worst; None leaves an item as urgent as people have made it.
    """

    title: str
    text: str
    tags: tuple[str, ...] = ()
    kind: str = "task"
    severity: int | None = 3


@dataclass(frozen=True, slots=True)
class Missed:
    """Events in the order in which they happened, and the newest moment that was seen, by the platform's clock."""

    events: tuple[Happened, ...]
    until: datetime | None = None


class Talk(Protocol):
    """Any place where people write and we answer."""

    def permission(self, ref: Ref, login: str) -> Permission:
        """What the person may do there, read from the platform at this moment."""

    def thing(self, ref: Ref) -> Thing:
        """The issue, pull request or work item as it is now."""

    def comments(self, ref: Ref, since: datetime | None = None) -> Sequence[Comment]:
        """The comments, oldest first, created at `since` or later, at most the newest 200."""

    def say(self, ref: Ref, marker: str, text: str, urgent: bool = True) -> str:
        """Make the one comment that carries our `marker` read `text` (Markdown); create it if missing. Its URL.

        What is not urgent is Unavailable as soon as writes are short.
        """

    def acknowledge(self, ref: Ref, comment: str, mark: Mark) -> None:
        """React to a comment, where the platform can."""


class Forge(Protocol):
    """Where code and pull requests live. `place` is a repository such as octo/bikes."""

    def pull(self, ref: Ref) -> PullRequest:
        """The pull request as it is now."""

    def head(self, place: str, branch: str | None = None) -> Head:
        """The branch's commit now; the default branch when none is named."""

    def open_pulls(self, place: str) -> Sequence[PullRequest]:
        """The open pull requests."""

    def check(self, place: str, check: Check, urgent: bool = True) -> None:
        """Make the commit's check of that name and external key read so; a commit status where checks are denied."""

    def label(self, ref: Ref, name: str, present: bool) -> None:
        """Put a label on a pull request or issue, or take it off."""

    def source(self, place: str) -> Source:
        """Where git finds the repository, and how we may read it."""


class Tracker(Protocol):
    """Where work is planned. `place` is a repository (GitHub issues) or a project (`Fabrikam/Bikes`, Azure Boards)."""

    def find(self, place: str, marker: str) -> Ref | None:
        """The item of ours that carries `marker`, open or closed, however old; never by title."""

    def open(self, place: str, marker: str, draft: Draft) -> Ref:
        """The item that carries `marker`, created from `draft` if there is none."""

    def revise(self, ref: Ref, draft: Draft) -> None:
        """Make an item of ours read as `draft` says; tags and text of people stay."""

    def move(self, ref: Ref, category: Category) -> None:
        """Move the item to the first state of that category, unless it is in one; no Resolved there: InProgress."""

    def relate(self, ref: Ref, url: str, title: str) -> None:
        """Make a hyperlink from the item to `url`."""

    def category(self, ref: Ref) -> Category:
        """Which category the item's state is in now."""


class History(Protocol):
    """What a platform remembers, for when it could not tell us. What is told twice is the same event by its id."""

    def since(self, place: str, since: datetime) -> Missed:
        """What happened in a repository or project since then, as a webhook would have told it."""

    def undelivered(self, since: datetime) -> Missed:
        """What the platform tried to tell us since then and could not; what it can send again comes by webhook."""
