"""Versions: packaged models as folders addressed by their content, and which of them is in production."""

import hashlib
import json
import os
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, Row, func, insert, select
from sqlalchemy.exc import IntegrityError

from lifecycle.artifacts import Artifacts
from lifecycle.fencing import hold
from lifecycle.making import clear, making
from lifecycle.runs import Run
from lifecycle.schema import FIRST, WHOLE, champions, versions
from lifecycle.stored_versions import MANIFEST, fetch, publish


@dataclass(frozen=True, slots=True)
class Version:
    """A packaged model. `number` is what people say (v7), `digest` the sha256 of its manifest, `run` what made it."""

    project: str
    model: str
    number: int
    digest: str
    run: int
    commit: str
    created: datetime
    verdict: str
    metrics: Mapping[str, Any] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return f"v{self.number}"


@dataclass(frozen=True, slots=True)
class Champion:
    """The version in production since `at`, put there by a person and a run; `share` is its per cent of the traffic."""

    project: str
    model: str
    number: int
    deployment: str
    share: int
    by: str
    run: int
    at: datetime


class BrokenVersion(Exception):
    """A version's files are not what its manifest says; the message names the file."""


class Registry:
    """Keeps versions under `root`/<project>/<model>/<digest>/ and their numbers in the database.

    With `artifacts` every version is published there too, and fetched from there when it is not below `root`.
    """

    def __init__(self, engine: Engine, root: Path, artifacts: Artifacts | None = None) -> None:
        self.engine = engine
        self.root = root
        self.artifacts = artifacts

    def seal(self, package: Path, facts: Mapping[str, Any]) -> str:
        """Write the package's manifest: `facts` and every file's sha256. The manifest's own sha256 is the digest."""
        files = {str(path.relative_to(package)): sha256(path) for path in sorted(package.rglob("*")) if path.is_file()}
        files.pop(MANIFEST, None)
        text = json.dumps({"schema": 1, **facts, "files": files}, indent=1, sort_keys=True) + "\n"
        (package / MANIFEST).write_text(text, encoding="utf-8")
        return hashlib.sha256(text.encode()).hexdigest()

    def add(self, version: Version, package: Path, run: Run) -> Version:
        """Keep the sealed package and give it the model's next number; the same run gets the same version again.

        Raises Overtaken, and then registers nothing, when another machine got the run since it was read.
        """
        self._keep(version, package)
        if self.artifacts is not None:
            publish(self.artifacts, _place(version), self._local(version))
        for _ in range(20):  # two runs of one model that end together want the same number: the later asks again
            known = self.of_run(version.run)
            if known is not None:
                return known
            try:
                with self.engine.begin() as connection:
                    hold(connection, run)
                    number = self._next(connection, version)
                    connection.execute(insert(versions).values(**_values(version), number=number))
            except IntegrityError:
                continue
        raise RuntimeError(f"no number could be had for a version of {version.model}")

    def publish_all(self) -> None:
        """Publish what this machine has and nobody published: versions from before there was a place for them."""
        if self.artifacts is None:
            return
        for names in self.models():
            for version in self.of_model(*names, limit=10_000):
                if self._local(version).is_dir():
                    publish(self.artifacts, _place(version), self._local(version))

    def tidy(self) -> None:
        """Clear away what was being kept when its process was killed."""
        for folder in self.root.glob("*/*/"):
            clear(folder)

    def folder(self, version: Version) -> Path:
        """Where the version's files are on this machine, fetched if need be."""
        folder = self._local(version)
        if self.artifacts is not None and not folder.exists():
            fetch(self.artifacts, _place(version), version.digest, folder)
        return folder

    def read(self, version: Version, name: str) -> bytes:
        """One of the version's files, wherever it is. Raises OSError."""
        path = self._local(version) / name
        if self.artifacts is not None and not path.parent.exists():
            return self.artifacts.read(f"{_place(version)}/{name}")
        return path.read_bytes()

    def manifest(self, version: Version) -> Mapping[str, Any]:
        """The version's manifest. Raises OSError."""
        found: dict[str, Any] = json.loads(self.read(version, MANIFEST))
        return found

    def verify(self, version: Version) -> None:
        """Compare every file with the manifest, and the manifest with the digest. Raises BrokenVersion."""
        folder = self.folder(version)
        if not (folder / MANIFEST).is_file() or sha256(folder / MANIFEST) != version.digest:
            raise BrokenVersion(f"The manifest of {version.model} {version.name} is missing or was changed.")
        for name, digest in self.manifest(version)["files"].items():
            if not (folder / name).is_file() or sha256(folder / name) != digest:
                raise BrokenVersion(f"The file {name} of {version.model} {version.name} is missing or was changed.")

    def get(self, project: str, model: str, number: int) -> Version | None:
        """The version of that number."""
        return self._one(versions.c.project == project, versions.c.model == model, versions.c.number == number)

    def of_run(self, run: int) -> Version | None:
        """The version that the run made."""
        return self._one(versions.c.run == run)

    def of_model(self, project: str, model: str, limit: int = 50) -> Sequence[Version]:
        """The model's versions, newest first."""
        query = select(versions).where(versions.c.project == project, versions.c.model == model)
        return self._many(query.order_by(versions.c.number.desc()).limit(limit))

    def models(self) -> Sequence[tuple[str, str]]:
        """Every (project, model) that has a version."""
        query = select(versions.c.project, versions.c.model).where(
            FIRST
        )  # sorted here: SQLite would take another index
        with self._reading() as connection:
            return sorted((row.project, row.model) for row in connection.execute(query))

    def crown(self, champion: Champion, run: Run) -> None:
        """Note that the version is in production; the same run twice is once. Raises Overtaken."""
        values = {name: getattr(champion, name) for name in Champion.__dataclass_fields__}
        try:
            with self.engine.begin() as connection:
                hold(connection, run)
                connection.execute(insert(champions).values(**values))
        except IntegrityError:
            return

    def reign(self, project: str, model: str, limit: int = 20) -> Sequence[Champion]:
        """Who was in production, newest first: the first is who serves now."""
        query = select(champions).where(champions.c.project == project, champions.c.model == model)
        with self._reading() as connection:
            rows = connection.execute(query.order_by(champions.c.id.desc()).limit(limit)).all()
        return [Champion(*(getattr(row, name) for name in Champion.__dataclass_fields__)) for row in rows]

    def serving(self, project: str, model: str) -> Mapping[Champion, int]:
        """Who should serve now, each with its per cent of the traffic; what a machine does, it makes true by itself."""
        reign = self.reign(project, model)
        if not reign:
            return {}
        newest = reign[0]
        if newest.share == 100:
            return {newest: 100}
        rest = next((one for one in reign if one.share == 100), None)
        return {rest: 100 - newest.share, newest: newest.share} if rest else {newest: 100}

    def champion(self, project: str, model: str) -> Version | None:
        """The version in production: the newest with all of the traffic."""
        mine = (champions.c.project == project, champions.c.model == model, WHOLE)
        with self._reading() as connection:
            query = select(champions.c.number).where(*mine).order_by(champions.c.id.desc()).limit(1)
            number = connection.execute(query).scalar()
        return None if number is None else self.get(project, model, number)

    def _local(self, version: Version) -> Path:
        return self.root / version.project.replace("/", "__") / version.model / version.digest

    def _keep(self, version: Version, package: Path) -> None:
        folder = self._local(version)
        if folder.exists():
            return
        with making(folder.parent) as fresh:
            shutil.copytree(package, fresh / "it")
            for path in sorted(fresh.rglob("*")):
                if path.is_file():
                    _flush(path)
            try:
                os.rename(fresh / "it", folder)
            except OSError:
                if not folder.exists():
                    raise

    def _next(self, connection: Connection, version: Version) -> int:
        query = select(func.max(versions.c.number)).where(
            versions.c.project == version.project, versions.c.model == version.model
        )
        return int(connection.execute(query).scalar() or 0) + 1

    def _reading(self) -> Connection:
        return self.engine.connect().execution_options(read_only=True)

    def _one(self, *conditions: Any) -> Version | None:
        return next(iter(self._many(select(versions).where(*conditions))), None)

    def _many(self, query: Any) -> Sequence[Version]:
        with self._reading() as connection:
            return [_version(row) for row in connection.execute(query).all()]


def _place(version: Version) -> str:
    return f"versions/{version.project}/{version.model}/{version.digest}"


def sha256(path: Path) -> str:
    """The file's sha256, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _flush(path: Path) -> None:
    with path.open("rb") as file:
        os.fsync(file.fileno())


def _values(version: Version) -> dict[str, Any]:
    return {name: getattr(version, name) for name in Version.__dataclass_fields__ if name != "number"}


def _version(row: Row[Any]) -> Version:
    return Version(*(getattr(row, name) for name in Version.__dataclass_fields__))
