"""Decodes what Azure DevOps' service hooks say of pull requests into events (pure, and light)."""

from collections.abc import Mapping
from datetime import UTC, datetime
from urllib.parse import urlsplit

import msgspec

from bot.events import CommentPosted, Event, PullRequestChanged, PullRequestClosed, TextChanged
from bot.refs import Ref

COMMENTED = "ms.vss-code.git-pullrequest-comment-event"
CREATED, UPDATED = "git.pullrequest.created", "git.pullrequest.updated"
KINDS = frozenset({COMMENTED, CREATED, UPDATED})
SERVICES = ("svc.", "s2s.", "aadsp.")  # descriptors of build services, services of Microsoft, service principals


class _Named(msgspec.Struct, frozen=True):
    id: str
    name: str


class _Repository(_Named, frozen=True, kw_only=True):
    project: _Named


class _Person(msgspec.Struct, frozen=True, rename="camel"):
    unique_name: str = ""
    display_name: str = ""
    descriptor: str = ""

    @property
    def name(self) -> str:
        return self.unique_name or self.display_name


class _Commit(msgspec.Struct, frozen=True, rename="camel"):
    commit_id: str


class _Pull(msgspec.Struct, frozen=True, rename="camel"):
    repository: _Repository
    pull_request_id: int
    status: str
    title: str = ""
    description: str | None = None
    is_draft: bool = False
    closed_date: datetime | None = None
    last_merge_source_commit: _Commit | None = None


class _Link(msgspec.Struct, frozen=True):
    href: str


class _Comment(msgspec.Struct, frozen=True, rename="camel"):
    id: int
    author: _Person
    published_date: datetime
    last_content_updated_date: datetime | None = None
    content: str | None = None
    comment_type: str = "text"
    is_deleted: bool = False
    links: Mapping[str, _Link] = msgspec.field(default_factory=dict, name="_links")


class _Said(msgspec.Struct, frozen=True, rename="camel"):
    comment: _Comment
    pull_request: _Pull


class _CommentDelivery(msgspec.Struct, frozen=True):
    resource: _Said | msgspec.UnsetType = msgspec.UNSET


class _PullDelivery(msgspec.Struct, frozen=True, rename="camel"):
    resource: _Pull
    created_date: datetime


class _Version(msgspec.Struct, frozen=True, rename="camel"):
    resource_version: str = ""


def decode(kind: str, body: bytes, repositories: Mapping[str, str]) -> tuple[Event, ...]:
    """The events in a delivery; none where it is nothing to us. Raises msgspec.DecodeError for what is misshapen."""
    if kind == COMMENTED:
        # Version 1.0 does not say which pull request the comment is on.
        if msgspec.json.decode(body, type=_Version).resource_version == "1.0":
            return ()
        said = msgspec.json.decode(body, type=_CommentDelivery).resource
        return () if said is msgspec.UNSET else _commented(said, repositories)
    it = msgspec.json.decode(body, type=_PullDelivery)
    return _pull(it.resource, it.created_date, repositories)


def _commented(said: _Said, repositories: Mapping[str, str]) -> tuple[Event, ...]:
    """Edits and deletions arrive under the same name; they are nothing new."""
    comment, edited = said.comment, said.comment.last_content_updated_date
    thread = _number(comment.links["threads"].href) if "threads" in comment.links else None
    fresh = edited is None or edited <= comment.published_date
    if comment.is_deleted or not comment.content or comment.comment_type != "text" or thread is None or not fresh:
        return ()
    return (
        CommentPosted(
            ref=_ref(said.pull_request, repositories),
            comment=f"{thread}.{comment.id}",
            author=comment.author.name,
            author_is_bot=comment.author.descriptor.startswith(SERVICES),
            body=comment.content,
            at=_utc(comment.published_date),
            on_pull=True,
        ),
    )


def _pull(pull: _Pull, at: datetime, repositories: Mapping[str, str]) -> tuple[Event, ...]:
    ref, source = _ref(pull, repositories), pull.last_merge_source_commit
    if pull.status != "active" or pull.is_draft:
        return (PullRequestClosed(ref=ref, at=_utc(pull.closed_date or at)),)
    found: list[Event] = []
    if "#" in f"{pull.title}{pull.description}":
        text = TextChanged(ref=ref, title=pull.title, body=pull.description or "", at=_utc(at), on_pull=True)
        found.append(text)
    if source is not None:
        found.append(PullRequestChanged(ref=ref, head=source.commit_id, at=_utc(at)))
    return tuple(found)


def _ref(pull: _Pull, repositories: Mapping[str, str]) -> str:
    """By the name that the settings have for the repository, else by its own."""
    repository, project = pull.repository, pull.repository.project
    ways = [f"{one}/{other}" for one in (project.name, project.id) for other in (repository.name, repository.id)]
    place = next((repositories[way.lower()] for way in ways if way.lower() in repositories), ways[0])
    return str(Ref("repos", place.replace(" ", "%20"), pull.pull_request_id))


def _number(href: str) -> int | None:
    last = urlsplit(href).path.rpartition("/")[2]
    return int(last) if last.isascii() and last.isdigit() else None


def _utc(when: datetime) -> datetime:
    return when.replace(tzinfo=UTC) if when.tzinfo is None else when.astimezone(UTC)
