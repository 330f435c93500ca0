"""Secrets in settings: named where they are kept, never written down, never shown."""

import hmac
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NoReturn
from urllib.parse import parse_qs, quote, urlsplit

REFERENCE = re.compile(r"\$\{(env|file):([^{}]*)\}")
NAME = re.compile(r"[A-Z][A-Z0-9_]{0,63}")
LONGEST = 65_536  # bytes of a secret's file
WANTED = "expected ${env:NAME} or ${file:PATH}"
INSTEAD = "a secret does not belong into this file: keep it elsewhere and write ${env:NAME} or ${file:PATH}"


class Secret:
    """Text that shows itself only to who calls `reveal`; repr, str, format, pickle and JSON do not get it."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """The secret itself: hand it on, do not keep it."""
        return self._text

    def __repr__(self) -> str:
        return "***"

    def __format__(self, _spec: str) -> str:
        return "***"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and hmac.compare_digest(self._text.encode(), other._text.encode())

    __hash__ = None  # type: ignore[assignment]

    def __copy__(self) -> "Secret":
        return self

    def __deepcopy__(self, _memo: object) -> "Secret":
        return self

    def __reduce_ex__(self, _protocol: object) -> NoReturn:
        raise TypeError("a secret is not to be stored")


def resolve(given: object, environ: Mapping[str, str], folder: Path, lines: bool = False) -> Secret:
    """The secret that `given`, a whole ${env:NAME} or ${file:PATH}, names; paths are relative to `folder`.

    Line breaks at its end are dropped; others are refused but for `lines`. Raises ValueError, never with the secret.
    """
    match = REFERENCE.fullmatch(given.strip()) if isinstance(given, str) else None
    if match is None:
        raise ValueError(INSTEAD if given and isinstance(given, str) else WANTED)
    text = _read(match, environ, folder)
    if not lines and re.search(r"[\x00-\x1f\x7f]", text):
        raise ValueError(f"{_place(match)} holds a line break or another control character; a secret is one line")
    return Secret(text)


def resolve_url(given: object, environ: Mapping[str, str], folder: Path) -> Secret | None:
    """A PostgreSQL address with ${…} filled in, as SQLAlchemy wants it with psycopg; None for an empty one.

    What fills a part is quoted as addresses need it. Raises ValueError for another kind of database, for a password
    that is written out, and as `resolve` does.
    """
    if given in (None, ""):
        return None
    if not isinstance(given, str):
        raise ValueError('expected postgresql://… or "" for SQLite')
    if REFERENCE.fullmatch(given.strip()):
        url = resolve(given, environ, folder).reveal()
    else:
        if _has_password(REFERENCE.sub("", given)):
            raise ValueError(f"{INSTEAD}, as in postgresql://bot:${{env:DATABASE_PASSWORD}}@db.example.org/lifecycle")
        url = REFERENCE.sub(lambda match: quote(_read(match, environ, folder), safe=""), given.strip())
    scheme, separator, rest = url.partition("://")
    if not separator or scheme not in ("postgresql", "postgres", "postgresql+psycopg"):
        raise ValueError('expected postgresql://USER@HOST/NAME, or "" for SQLite in the state folder')
    if not _is_address(url):
        raise ValueError("expected an address that names a database, as in postgresql://USER@HOST/NAME")
    return Secret(f"postgresql+psycopg://{rest}")


def _is_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        return False
    return len(parts.path) > 1


def _has_password(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return bool(parts.password) or any(parse_qs(parts.query).get("password", []))
    except ValueError:
        return True


def _read(match: re.Match[str], environ: Mapping[str, str], folder: Path) -> str:
    kind, name = match.groups()
    text = _variable(name, environ) if kind == "env" else _file(name, folder)
    text = text.rstrip("\r\n")
    if not text.strip():
        raise ValueError(f"{_place(match)} is empty")
    return text


def _variable(name: str, environ: Mapping[str, str]) -> str:
    if not NAME.fullmatch(name):
        raise ValueError("expected ${env:NAME} with the name of an environment variable, in capitals")
    if name not in environ:
        raise ValueError(f"the environment variable {name} is not set")
    return environ[name]


def _file(name: str, folder: Path) -> str:
    try:
        with (folder / name).open("rb") as file:
            content = file.read(LONGEST + 1)
        if len(content) > LONGEST:
            raise ValueError(f"the file {name} is longer than {LONGEST} bytes; no secret is")
        return content.decode()
    except UnicodeDecodeError:
        raise ValueError(f"the file {name} is not text in UTF-8") from None
    except OSError as error:
        raise ValueError(f"the file {name} cannot be read: {error.strerror}") from None


def _place(match: re.Match[str]) -> str:
    return f"the environment variable {match[2]}" if match[1] == "env" else f"the file {match[2]}"


Reader = Callable[[object, Any], Any]


def from_context(read: Callable[..., Any], **options: Any) -> Reader:
    """A pydantic validator that calls `read` with the value and the validation context's environ and folder."""

    def validate(given: object, info: Any) -> Any:
        context = info.context or {}
        return read(given, context.get("environ", {}), context.get("folder", Path()), **options)

    return validate
