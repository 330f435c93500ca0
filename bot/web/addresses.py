"""Where a thing is found on the web, and what it is called there: runs and versions here, refs outside."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import flask
from werkzeug.routing import BuildError

from bot.links import Link
from bot.refs import Ref
from lifecycle import Episode


@dataclass(frozen=True, slots=True)
class Place:
    """A thing by name; `url` is empty where there is nothing to open."""

    label: str
    url: str
    kind: str


# How a link reads from its one end, and from its other.
PHRASES = {
    "asked": ("asked for", "asked for in"),
    "made": ("made", "made by"),
    "deployed": ("deployed", "deployed by"),
    "tracked": ("tracked in", "tracks"),
    "about": ("about", "drifted in"),
    "seen by": ("first seen by", "first saw"),
    "planned": ("planned together with", "planned together with"),
    "linked": ("linked with", "linked with"),
}


@dataclass(frozen=True, slots=True)
class Phrase:
    """A link in words: `subject` (None when it is the thing itself), how, and the other thing."""

    subject: Place | None
    how: str
    other: Place


@dataclass(frozen=True, slots=True)
class Addresses:
    """Turns the ends of links into places; what the world outside calls an address is checked before it is one."""

    url_of: Callable[[str], str]
    commit_url: Callable[[str, str], str]
    episode: Callable[[int], Episode | None]

    def say(self, edge: Link, here: str) -> Phrase:
        """The link as it reads on the page of `here`."""
        forward, backward = PHRASES.get(edge.how, (edge.how, edge.how))
        if edge.b == here:
            return Phrase(None, backward, self.of(edge.a))
        return Phrase(None if edge.a == here else self.of(edge.a), forward, self.of(edge.b))

    def of(self, end: str) -> Place:
        """The place of one end of a link: `run:41`, `version:octo/bikes/bike-demand/3`, or a ref."""
        kind, _, rest = end.partition(":")
        match kind:
            case "run" if rest.isascii() and rest.isdigit():
                return Place(f"Run {rest}", flask.url_for("run", number=int(rest)), kind)
            case "version":
                return _version(rest)
            case "episode" if rest.isascii() and rest.isdigit():
                return self._drift(int(rest))
            case "github" | "repos" | "boards":
                return Place(_short(end), safe(self.url_of(end)), kind)
            case _:
                return Place(rest or end, safe(self.url_of(end)), kind)

    def _drift(self, number: int) -> Place:
        found = self.episode(number)
        if found is None:
            return Place(f"Drift {number}", "", "episode")
        page = model_url(found.project, found.model)
        return Place(f"{found.cause} of {found.model}", page and f"{page}#episode-{number}", "episode")

    def commit(self, project: str, sha: str) -> str:
        """Where the commit can be read, or empty."""
        return safe(self.commit_url(project, sha))


def safe(url: str) -> str:
    """The address if a browser may follow it: text from outside must not become a script."""
    return url if url.startswith(("https://", "http://", "/")) else ""


def model_url(project: str, model: str, endpoint: str = "model", **more: Any) -> str:
    """The address of a model's page, or empty for a project that is no owner/repository."""
    owner, _, repo = project.partition("/")
    try:
        return flask.url_for(endpoint, owner=owner, repo=repo, model=model, **more)
    except BuildError:
        return ""


def _version(rest: str) -> Place:
    path, _, number = rest.rpartition("/")
    project, _, model = path.rpartition("/")
    whole = number.isascii() and number.isdigit() and project.count("/") == 1
    url = model_url(project, model, "version", number=int(number)) if whole else ""
    return Place(f"{model} v{number}", url, "version")


def _short(end: str) -> str:
    try:
        ref = Ref.parse(end)
    except ValueError:
        return end
    return f"{ref.place}{ref.short}" if ref.system != "boards" else ref.short
