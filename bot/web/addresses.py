"""Where a thing is found on the web, and what it is called there: runs and versions here, refs outside."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import flask
from werkzeug.routing import BuildError

from bot.refs import Ref


@dataclass(frozen=True, slots=True)
class Place:
    """A thing by name; `url` is empty where there is nothing to open."""

    label: str
    url: str
    kind: str


@dataclass(frozen=True, slots=True)
class Addresses:
    """Turns the ends of links into places; what the world outside calls an address is checked before it is one."""

    url_of: Callable[[str], str]
    commit_url: Callable[[str, str], str]

    def of(self, end: str) -> Place:
        """The place of one end of a link: `run:41`, `version:octo/bikes/bike-demand/3`, or a ref."""
        kind, _, rest = end.partition(":")
        match kind:
            case "run" if rest.isascii() and rest.isdigit():
                return Place(f"Run {rest}", flask.url_for("run", number=int(rest)), kind)
            case "version":
                return _version(rest)
            case "github" | "boards":
                return Place(_short(end), safe(self.url_of(end)), kind)
            case _:
                return Place(rest or end, safe(self.url_of(end)), kind)

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
    return f"{ref.place}{ref.short}" if ref.system == "github" else ref.short
