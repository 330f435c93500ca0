"""app.yaml, parsed and checked: every mistake at once, each with its line, none with a secret in it."""

import re
from collections.abc import Iterable, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, PlainValidator, StringConstraints

from bot.consistency import check
from bot.places import read_place
from bot.ports import Permission
from bot.secrets import Secret, from_context, resolve, resolve_url
from lifecycle.yamlfile import Mistake, Mistakes, parse

__all__ = ["Azure", "AzureWebhook", "Board", "GitHub", "GitHubApp", "Keep", "Limits", "Machines", "Mistake"]
__all__ += ["Mistakes", "Project", "Secret", "Settings", "read_settings"]

LISTEN = re.compile(r"(?:[A-Za-z0-9.-]*|\[[0-9A-Fa-f:.]+\]):([0-9]{1,5})|unix:.+")
SPAN = re.compile(r"([1-9][0-9]{0,5})([smhd])")
SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
LEVELS = {level.name.lower(): level for level in Permission if level is not Permission.NONE}


def _url(text: str) -> str:
    try:
        parts = urlsplit(text)
        good = parts.scheme in ("http", "https") and parts.hostname and not (parts.port == 0 or re.search(r"\s", text))
        plain = not (parts.query or parts.fragment)
    except ValueError:
        good, plain, parts = False, True, urlsplit("")
    if parts.username is not None or parts.password is not None:
        raise ValueError("expected an address without user and password; they have their own keys")
    if not good or not plain:
        raise ValueError("expected an address that begins with http:// or https:// and has no ? or #")
    return text.rstrip("/")


def _like(pattern: str, said: str) -> AfterValidator:
    """Text that matches the pattern as a whole; `said` completes "expected …"."""

    def check(text: str) -> str:
        if not re.fullmatch(pattern, text):
            raise ValueError(f"expected {said}")
        return text

    return AfterValidator(check)


def _listen(text: str) -> str:
    match = LISTEN.fullmatch(text)
    if match is None or int(match[1] or 0) > 65535:
        raise ValueError("expected HOST:PORT such as 127.0.0.1:8000, [::1]:8000 or :8000, or unix:/PATH")
    return text


def _span(given: object) -> timedelta:
    match = SPAN.fullmatch(given) if isinstance(given, str) else None
    if match is None:
        raise ValueError("expected a length of time such as 30s, 5m, 2h or 1d")
    return timedelta(seconds=int(match[1]) * SECONDS[match[2]])


def _level(given: object) -> Permission:
    if not isinstance(given, str) or given not in LEVELS:
        raise ValueError(f"expected {', '.join(LEVELS)}")
    return LEVELS[given]


def _folder(given: object, info: Any) -> Path:
    if not isinstance(given, str) or not given.strip() or given.startswith("~") or "\0" in given:
        raise ValueError("expected a folder, from the root or from where this file is; `~` is not understood")
    return Path((info.context or {}).get("folder", Path()), given).resolve()


def _pem(secret: Secret) -> Secret:
    text = secret.reveal()
    if "\n" not in text:  # as environment variables often hold it
        text = text.replace("\\n", "\n")
    if not text.startswith("-----BEGIN ") or "PRIVATE KEY-----" not in text:
        raise ValueError("expected the private key that GitHub made for the App, a PEM file")
    return Secret(text)


def _long_enough(secret: Secret) -> Secret:
    if len(secret.reveal()) < 16:
        raise ValueError("expected a secret of 16 or more characters, such as `openssl rand -hex 32` makes")
    return secret


def _one_or_more(given: object) -> object:
    return given if isinstance(given, list | tuple) else [given]


Hidden = Annotated[Secret, PlainValidator(from_context(resolve))]
Key = Annotated[Secret, PlainValidator(from_context(resolve, lines=True)), AfterValidator(_pem)]
Several = Annotated[tuple[Hidden, ...], Field(min_length=1), BeforeValidator(_one_or_more)]
Url = Annotated[str, AfterValidator(_url)]
Span = Annotated[timedelta, PlainValidator(_span)]
Text = Annotated[str, StringConstraints(min_length=1, max_length=256, strip_whitespace=True)]
Repository = Annotated[str, _like(r"[A-Za-z0-9_.-]{1,100}/[A-Za-z0-9_.-]{1,100}", "OWNER/NAME such as octo/bikes")]
CommandName = Annotated[str, _like(r"[a-z][a-z-]*", "a command's name such as train, without the slash")]
HeaderName = Annotated[str, _like(r"[A-Za-z][A-Za-z0-9-]{0,63}", "a header's name such as X-Lifecycle-Secret")]
Tracker = Literal["boards", "github"]


class Part(BaseModel):
    """A section of the file: unknown keys are mistakes, values never change."""

    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True)


class GitHubApp(Part):
    """Access as a GitHub App; without `installation` it is looked up for each repository."""

    id: int = Field(gt=0)
    private_key: Key
    installation: int | None = Field(default=None, gt=0)


class GitHub(Part):
    """One GitHub, by `token` or as `app`; `webhook_secret` holds several while they are changed, the newest first."""

    url: Url = "https://api.github.com"
    token: Hidden | None = None
    app: GitHubApp | None = None
    webhook_secret: Several
    seconds_between_writes: float = Field(default=1.0, ge=0, le=60)
    commands_an_hour: int = Field(default=100, ge=0)


class AzureWebhook(Part):
    """What service hooks show: user name and password, or a header with a secret, or either."""

    username: Text | None = None
    password: Several | None = None
    header: HeaderName | None = None
    secret: Several | None = None


class Azure(Part):
    """One organisation of Azure DevOps."""

    url: Url
    token: Hidden
    webhook: AzureWebhook


class Board(Part):
    """Where a project's work items go; what is left out, Azure DevOps decides."""

    project: Text
    team: Text | None = None
    area: Text | None = None
    iteration: Text | None = None
    item_type: Text | None = None
    problem_type: Text | None = None
    severity_areas: dict[Annotated[int, Field(ge=1, le=4)], Text] = Field(default_factory=dict)


class Project(Part):
    """A repository with models, where it is kept, and the board that belongs to it."""

    repository: Repository
    forge: Literal["github", "azure-repos"] = "github"
    branch: Text | None = None
    board: Board | None = None
    retrain_items: tuple[Tracker, ...] | None = None

    @property
    def opens(self) -> tuple[Tracker, ...]:
        """Where retrain items are opened: as said, else on the board if there is one, and on GitHub if it is there."""
        if self.retrain_items is not None:
            return self.retrain_items
        boards: tuple[Tracker, ...] = ("boards",) if self.board else ()
        return (*boards, "github") if self.forge == "github" else boards


class Limits(Part):
    """What jobs on this machine may use, each at most."""

    jobs_at_once: int = Field(default=2, ge=1, le=1000)
    memory_mb: int = Field(default=4096, ge=64)
    minutes: int = Field(default=60, ge=1)


class Figures(Part):
    """Whether reports show pictures that this bot serves, or diagrams that the platform draws."""

    show: Literal["auto", "pictures", "diagrams"] = "auto"
    key: Annotated[Hidden, AfterValidator(_long_enough)] | None = None


class Machines(Part):
    """How workers that share the work know of each other."""

    lease: Span = timedelta(seconds=15)
    absence: Span = timedelta(minutes=5)


class Keep(Part):
    """How long things are kept that nobody needs any longer; history and versions stay."""

    workspaces: Span = timedelta(days=7)
    logs: Span = timedelta(days=90)
    caches: Span = timedelta(days=30)
    predictions: Span = timedelta(days=400)
    workflows: Span = timedelta(days=14)
    events: Span = timedelta(days=30)
    told: Span = timedelta(days=400)


class Settings(Part):
    """The whole file. `database` is None for SQLite in the state folder, else an address for SQLAlchemy."""

    public_url: Url
    listen: Annotated[str, AfterValidator(_listen)] = "127.0.0.1:8000"
    state: Annotated[Path, PlainValidator(_folder)]
    database: Annotated[Secret | None, PlainValidator(from_context(resolve_url))] = None
    artifacts: Annotated[str, AfterValidator(read_place)] = ""
    github: GitHub | None = None
    azure_devops: Azure | None = None
    projects: tuple[Project, ...] = Field(min_length=1)
    permissions: dict[CommandName, Annotated[Permission, PlainValidator(_level)]] = Field(default_factory=dict)
    two_people: bool = True
    people: dict[Text, Text] = Field(default_factory=dict)
    sandbox: Literal["auto", "require", "off"] = "auto"
    limits: Limits = Limits()
    figures: Figures = Figures()
    machines: Machines = Machines()
    keep: Keep = Keep()
    sweep: Span = timedelta(minutes=5)


def read_settings(path: Path, environ: Mapping[str, str], commands: Iterable[str] = ()) -> Settings:
    """The settings in the file at `path`, with secrets from `environ` and from files. Raises Mistakes, all at once.

    Relative paths in it start where the file is. With `commands`, permissions for others are mistakes too.
    """
    where = str(path)
    known = frozenset(commands)
    context = {"environ": environ, "folder": path.absolute().parent}
    return parse(_read(path), Settings, where, context=context, check=lambda data: check(data, known), echo=False)


def _read(path: Path) -> str:
    where = str(path)
    try:
        return path.read_text("utf-8-sig")
    except FileNotFoundError:
        what = (
            "there is no such file; copy lifecycle-bot's app.yaml, which explains itself, or name yours with --settings"
        )
    except UnicodeDecodeError:
        what = "this is not text in UTF-8"
    except (OSError, ValueError) as error:
        what = f"this file cannot be read: {getattr(error, 'strerror', None) or 'its name is none'}"
    raise Mistakes([Mistake(where, 1, what)]) from None
