"""The stand-in organisation itself: its people, tokens, projects, teams and trees, all in memory behind one lock."""

import secrets
import tempfile
import threading
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

from bot.playground.courier import Courier

from .errors import field_missing, item_missing, project_missing, team_missing
from .fields import STANDARD, Field, Kind
from .people import Person
from .processes import Process, process_named
from .throttle import Throttle

if TYPE_CHECKING:
    from .items import WorkItem
    from .repositories import Repository
    from .subscriptions import Subscription

# Seconds before each further try of a delivery, as Microsoft's page on troubleshooting service hooks tells them.
RETRY_SECONDS = (1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 60.0, 60.0)
TRANSIENT = frozenset({408, 502, 503, 504})


@dataclass(slots=True)
class Node:
    """A node of a project's area or iteration tree; start and finish are days, for iterations only."""

    id: int
    identifier: str
    name: str
    parent: "Node | None" = None
    children: list["Node"] = field(default_factory=list)
    start: datetime | None = None
    finish: datetime | None = None

    @property
    def path(self) -> str:
        """Backslash path from the project's name on, as System.AreaPath has it."""
        return self.name if self.parent is None else f"{self.parent.path}\\{self.name}"

    def find(self, path: str) -> "Node | None":
        """The node below (or at) this one with that full path, in any case."""
        if self.path.lower() == path.strip("\\").lower():
            return self
        return next((found for child in self.children if (found := child.find(path))), None)


@dataclass(slots=True)
class Team:
    id: str
    name: str
    members: dict[str, Person] = field(default_factory=dict)
    admins: set[str] = field(default_factory=set)


@dataclass(slots=True)
class Project:
    """A team project; `org` leads back to the organisation that owns it."""

    org: "Organisation"
    id: str
    name: str
    description: str
    process: Process
    areas: Node
    iterations: Node
    created: datetime
    teams: list[Team] = field(default_factory=list)
    repositories: list["Repository"] = field(default_factory=list)

    @property
    def team(self) -> Team:
        """The default team, `<project> Team`."""
        return self.teams[0]

    def join(self, person: Person, *, admin: bool = False, team: str | None = None) -> None:
        """Makes a person a member of a team (the default one), or its administrator."""
        with self.org.lock:
            wanted = self.team if team is None else self.find_team(team)
            wanted.members[person.id] = person
            (wanted.admins.add if admin else wanted.admins.discard)(person.id)

    def leave(self, person: Person) -> None:
        """Takes a person out of every team."""
        with self.org.lock:
            for team in self.teams:
                team.members.pop(person.id, None)
                team.admins.discard(person.id)

    def find_team(self, words: str) -> Team:
        for team in self.teams:
            if words.lower() in (team.id, team.name.lower()):
                return team
        raise team_missing(words)

    def add_area(self, path: str) -> Node:
        """Adds "Models" or "Models\\Bikes" below the project's own area, with what is missing between."""
        return self._grow(self.areas, path)

    def add_iteration(self, path: str, start: datetime | None = None, finish: datetime | None = None) -> Node:
        """Adds an iteration below the project's own; start and finish are its first and last day."""
        node = self._grow(self.iterations, path)
        node.start, node.finish = start, finish
        return node

    def _grow(self, root: Node, path: str) -> Node:
        with self.org.lock:
            node = root
            for name in filter(None, path.split("\\")):
                known = next((child for child in node.children if child.name.lower() == name.lower()), None)
                if known is None:
                    known = self.org.new_node(name, node)
                    node.children.append(known)
                node = known
            return node


class Organisation:
    """An organisation (a collection) that answers the real client. `base_url` ends in its name: http://host:port/Name.

    retry_scale: factor on the seconds between deliveries of a service hook; 1 is the platform's own pace.
    folder: where git repositories are kept; by default a temporary one that `close` removes.
    now: the clock, aware and in UTC. courier: who carries the hooks; by default its own, at the platform's pace.
    """

    def __init__(
        self,
        base_url: str,
        *,
        retry_scale: float = 1.0,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        courier: Courier | None = None,
        folder: Path | None = None,
    ) -> None:
        self.base_url = base_url.rstrip("/")
        self.id = str(uuid.uuid4())
        self.account_id = str(uuid.uuid4())
        self.lock = threading.RLock()
        self.people: dict[str, Person] = {}
        self.projects: list[Project] = []
        self.items: dict[int, WorkItem] = {}
        self.subscriptions: dict[str, Subscription] = {}
        self.fields: dict[str, Field] = {known.reference.lower(): known for known in STANDARD}
        self.retry_scale = retry_scale
        self.throttle = Throttle()  # assign another to slow callers down
        self._temporary = None if folder else tempfile.TemporaryDirectory(prefix="playground-azure-")
        self.folder = folder or Path(self._temporary.name if self._temporary else "")
        self.courier = courier or Courier([wait * retry_scale for wait in RETRY_SECONDS], is_transient)
        self._now = now
        self._last = datetime.min.replace(tzinfo=UTC)
        self._tokens: dict[str, Person] = {}
        self._numbers = {name: count(1) for name in ("item", "comment", "node", "watermark", "pull", "thread", "push")}

    @property
    def name(self) -> str:
        """The last part of the address, such as Fabrikam."""
        return self.base_url.rsplit("/", 1)[1]

    def next(self, series: str) -> int:
        """The next number of an organisation-wide series: item, comment, node, watermark, pull, thread, push."""
        with self.lock:
            return next(self._numbers[series])

    def now(self) -> datetime:
        """The time to the millisecond, later than every time given out before: revisions never share one."""
        with self.lock:
            when = self._now()
            when = when.replace(microsecond=when.microsecond // 1000 * 1000)
            self._last = max(when, self._last + timedelta(milliseconds=1))
            return self._last

    def person(self, display_name: str, unique_name: str) -> Person:
        """The person with that sign-in name (an e-mail address), created when new."""
        with self.lock:
            key = unique_name.lower()
            if key not in self.people:
                number = uuid.uuid5(uuid.UUID(self.id), key)
                self.people[key] = Person(str(number), display_name, unique_name, f"aad.{number.hex}")
            return self.people[key]

    def find_person(self, words: str) -> Person | None:
        with self.lock:
            return next((person for person in self.people.values() if person.goes_by(words)), None)

    def personal_token(self, person: Person) -> str:
        """A new token that speaks for the person, as password of Basic authentication or as Bearer."""
        token = secrets.token_hex(26)
        with self.lock:
            self._tokens[token] = person
        return token

    def revoke(self, token: str) -> None:
        """From now on the token is answered with the sign-in page."""
        with self.lock:
            self._tokens.pop(token, None)

    def owner(self, token: str) -> Person | None:
        with self.lock:
            return self._tokens.get(token)

    def create_project(self, name: str, process: str = "Agile", description: str = "") -> Project:
        """A project with Agile, Scrum, Basic or CMMI, one area, one iteration and one team; ValueError if taken."""
        with self.lock:
            if any(project.name.lower() == name.lower() for project in self.projects):
                raise ValueError(f"there is a project {name!r} already")
            kind = process_named(process)
            areas, iterations = self.new_node(name), self.new_node(name)
            project = Project(self, str(uuid.uuid4()), name, description, kind, areas, iterations, self.now())
            project.teams.append(Team(str(uuid.uuid4()), f"{name} Team"))
            self.projects.append(project)
            return project

    def project(self, words: str) -> Project:
        """The project with that name or id; refuses as the service does."""
        with self.lock:
            for project in self.projects:
                if words.lower() in (project.name.lower(), project.id):
                    return project
        raise project_missing(words)

    def add_field(self, reference: str, name: str, kind: str = "string") -> Field:
        """A field of the organisation's own, such as Custom.ModelVersion; kind as in fields.Kind."""
        with self.lock:
            self.fields[reference.lower()] = Field(reference, name, Kind(kind))
            return self.fields[reference.lower()]

    def field(self, words: str) -> Field:
        """The field with that reference name or name, in any case; refuses as the service does."""
        wanted = words.lower()
        if (known := self.fields.get(wanted)) is not None:
            return known
        for other in self.fields.values():
            if other.name.lower() == wanted:
                return other
        raise field_missing(words)

    def item(self, number: int) -> "WorkItem":
        """The work item, unless it is in the recycle bin; refuses as the service does."""
        with self.lock:
            found = self.items.get(number)
            if found is None or found.deleted is not None:
                raise item_missing(number)
            return found

    def new_node(self, name: str, parent: Node | None = None) -> Node:
        return Node(self.next("node"), str(uuid.uuid4()), name, parent)

    def drain(self, timeout: float = 10.0) -> bool:
        """Waits until no delivery is queued or under way; False when timeout seconds were not enough."""
        return self.courier.drain(timeout)

    def close(self) -> None:
        """Stops the courier and removes what was temporary."""
        self.courier.close()
        if self._temporary is not None:
            self._temporary.cleanup()


def is_transient(status: int | None) -> bool:
    """Whether the platform tries a delivery again. That no answer at all counts as transient is our assumption."""
    return status is None or status in TRANSIENT
