"""What can happen, in our own words; an event's natural id is the same however often and from wherever it comes."""

import re
from dataclasses import dataclass
from datetime import datetime

import msgspec

from bot.refs import MARKS, Ref

# `github:octo/bikes#12/comment/99`, `github:octo/bikes#12@3f9d…/…`: the thing stands before what happened to it.
ABOUT = re.compile(rf"(?:{'|'.join(MARKS)}):\S+?[{''.join(MARKS.values())}][0-9]+(?=[/@])")


@dataclass(frozen=True, slots=True)
class CommentPosted:
    """A person wrote a new comment; `comment` is the platform's id of it, `author` the login or e-mail address."""

    ref: str
    comment: str
    author: str
    author_is_bot: bool
    body: str
    at: datetime
    on_pull: bool = False
    edited: bool = False  # when we first saw it: what it said as it was written is not known

    @property
    def id(self) -> str:
        return f"{self.ref}/comment/{self.comment}"


@dataclass(frozen=True, slots=True)
class WorkItemTouched:
    """A work item has a new revision: somebody commented or changed it. The hook does not say enough: look."""

    ref: str
    revision: int
    at: datetime

    @property
    def id(self) -> str:
        return f"{self.ref}/revision/{self.revision}"


@dataclass(frozen=True, slots=True)
class TextChanged:
    """An issue's or pull request's title or description is new: what it mentions is to be linked."""

    ref: str
    title: str
    body: str
    at: datetime
    on_pull: bool = False

    @property
    def id(self) -> str:
        return f"{self.ref}/text/{self.at:%Y-%m-%dT%H:%M:%S}"


@dataclass(frozen=True, slots=True)
class PullRequestChanged:
    """A pull request is open, ready for review, and its head is this commit; it may have been so before."""

    ref: str
    head: str
    at: datetime

    @property
    def id(self) -> str:
        return f"{self.ref}@{self.head}/{self.at:%Y-%m-%dT%H:%M:%S}"


@dataclass(frozen=True, slots=True)
class PullRequestClosed:
    """A pull request was closed, merged or not, or turned into a draft; it may have been opened again since."""

    ref: str
    at: datetime

    @property
    def id(self) -> str:
        return f"{self.ref}/closed/{self.at:%Y-%m-%dT%H:%M:%S}"


@dataclass(frozen=True, slots=True)
class IssueStateChanged:
    """An issue was closed or opened again by somebody."""

    ref: str
    open: bool
    at: datetime

    @property
    def id(self) -> str:
        return f"{self.ref}/{'open' if self.open else 'closed'}/{self.at:%Y-%m-%dT%H:%M:%S}"


@dataclass(frozen=True, slots=True)
class CheckRequested:
    """Somebody pressed "re-run" on one of our checks; `external` is the check's external id."""

    place: str
    head: str
    external: str
    author: str
    at: datetime

    @property
    def id(self) -> str:
        return f"{self.key}/{self.author}"

    @property
    def key(self) -> str:
        """What is asked for, whoever asks: pressed by two people, it is still one run."""
        return f"{self.place}@{self.head}/recheck/{self.external}/{self.at:%Y-%m-%dT%H:%M:%S}"


@dataclass(frozen=True, slots=True)
class AcceptanceAsked:
    """Somebody pressed "accept as is" on one of our checks; `external` is the check's external id."""

    place: str
    head: str
    external: str
    author: str
    at: datetime

    @property
    def id(self) -> str:
        return f"{self.place}@{self.head}/accept/{self.external}/{self.author}/{self.at:%Y-%m-%dT%H:%M:%S}"


@dataclass(frozen=True, slots=True)
class MonitorDue:
    """The clock says that a model is to be watched; `model` is `repository/name`, `tick` the scheduled time."""

    model: str
    tick: datetime

    @property
    def id(self) -> str:
        return f"monitor:{self.model}:{self.tick:%Y-%m-%dT%H:%M:%SZ}"


@dataclass(frozen=True, slots=True)
class RetentionDue:
    """It is time to forget what `keep:` of app.yaml no longer keeps; `tick` is the scheduled time."""

    tick: datetime

    @property
    def id(self) -> str:
        return f"retention:{self.tick:%Y-%m-%dT%H:%M:%SZ}"


@dataclass(frozen=True, slots=True)
class SweepDue:
    """The clock says that it is time to compare what is with what has been told."""

    tick: datetime

    @property
    def id(self) -> str:
        return f"sweep:{self.tick:%Y-%m-%dT%H:%M:%SZ}"


Happened = (  # on a platform, `at` a moment by its clock
    CommentPosted
    | WorkItemTouched
    | TextChanged
    | PullRequestChanged
    | PullRequestClosed
    | IssueStateChanged
    | CheckRequested
    | AcceptanceAsked
)
Event = Happened | MonitorDue | RetentionDue | SweepDue
KINDS: dict[str, type[Event]] = {kind.__name__: kind for kind in Event.__args__}


def pack(event: Event) -> tuple[str, str, bytes]:
    """An event's natural id, kind and JSON body, as the inbox keeps them."""
    return event.id, type(event).__name__, msgspec.json.encode(event)


def unpack(kind: str, body: bytes) -> Event:
    """The inverse of `pack`. Raises KeyError for a kind, msgspec.ValidationError for a body of another version."""
    return msgspec.json.decode(body, type=KINDS[kind])


def ref_of(event: Event) -> Ref | None:
    """What the event is about, where it is about one thing outside."""
    text = getattr(event, "ref", None)
    return Ref.parse(text) if text else None


def about(event_id: str) -> str:
    """The ref of the thing that an event is about, told from the event's id; empty where it is about none."""
    found = ABOUT.match(event_id)
    return found[0] if found else ""
