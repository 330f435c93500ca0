"""What monitoring has seen: windows, and the episodes of drift that they open and close."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Engine, Row, insert, select, update
from sqlalchemy.exc import IntegrityError

from lifecycle.schema import episodes, windows


@dataclass(frozen=True, slots=True)
class Window:
    """One look at what the model was asked: from `since` to `until`, compared with version `number`'s profile.

    `verdict` is CLEAN, WARN or ALARM; `worst` the largest corrected PSI of a column; `report` a DriftReport as JSON.
    """

    project: str
    model: str
    number: int
    run: int
    since: datetime
    until: datetime
    rows: int
    verdict: str
    worst: float
    at: datetime
    report: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Episode:
    """A time of drift, from the alarm until it is over: at most one is open for each model and cause.

    `champion` is the version that drifted away from its data, `retrained` the one promoted since, if any; `clean`
    counts the clean windows in a row.
    """

    id: int
    project: str
    model: str
    cause: str
    opened: datetime
    opened_by: int
    champion: int
    retrained: int | None
    clean: int
    closed: datetime | None


class Watching:
    """Reads and writes windows and episodes."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    def note(self, window: Window) -> None:
        """Keep the window; the same run twice is once."""
        values = {name: getattr(window, name) for name in Window.__dataclass_fields__}
        try:
            with self.engine.begin() as connection:
                connection.execute(insert(windows).values(**values))
        except IntegrityError:
            return

    def windows(self, project: str, model: str, limit: int = 60) -> Sequence[Window]:
        """The newest windows, newest first."""
        query = select(windows).where(windows.c.project == project, windows.c.model == model)
        with self._reading() as connection:
            rows = connection.execute(query.order_by(windows.c.id.desc()).limit(limit)).all()
        return [Window(*(getattr(row, name) for name in Window.__dataclass_fields__)) for row in rows]

    def open(self, window: Window, cause: str) -> Episode:
        """The open episode of that cause, opened by this window if there was none; an alarm ends its clean count."""
        values = {"project": window.project, "model": window.model, "cause": cause, "opened": window.at}
        try:
            with self.engine.begin() as connection:
                connection.execute(
                    insert(episodes).values(**values, opened_by=window.run, champion=window.number, clean=0)
                )
        except IntegrityError:
            self._change(window.project, window.model, cause, clean=0)
        found = self.episode(window.project, window.model, cause)
        if found is None:
            raise RuntimeError(f"the episode of {window.model} was neither opened nor found")
        return found

    def episode(self, project: str, model: str, cause: str) -> Episode | None:
        """The open episode of that cause."""
        mine = (episodes.c.project == project, episodes.c.model == model, episodes.c.cause == cause)
        return self._one(*mine, episodes.c.closed.is_(None))

    def by_id(self, number: int) -> Episode | None:
        """The episode of that number, open or closed."""
        return self._one(episodes.c.id == number)

    def open_episodes(self, project: str = "", model: str = "") -> Sequence[Episode]:
        """Every open episode, of one model or of all."""
        query = select(episodes).where(episodes.c.closed.is_(None))
        if project:
            query = query.where(episodes.c.project == project, episodes.c.model == model)
        with self._reading() as connection:
            found = [_episode(row) for row in connection.execute(query).all()]
        return sorted(found, key=lambda one: one.id)  # here: for the order's sake SQLite would read all that are closed

    def retrained(self, project: str, model: str, number: int) -> None:
        """Note that version `number` was promoted while episodes of the model are open."""
        with self.engine.begin() as connection:
            connection.execute(
                update(episodes)
                .where(episodes.c.project == project, episodes.c.model == model, episodes.c.closed.is_(None))
                .where(episodes.c.champion != number)
                .values(retrained=number, clean=0)
            )

    def clean(self, episode: Episode, count: int) -> None:
        """Set how many clean windows in a row the episode has seen."""
        self._change(episode.project, episode.model, episode.cause, clean=count)

    def close(self, episode: Episode, now: datetime) -> None:
        """End the episode, once."""
        self._change(episode.project, episode.model, episode.cause, closed=now)

    def _change(self, project: str, model: str, cause: str, **values: Any) -> None:
        mine = (episodes.c.project == project, episodes.c.model == model, episodes.c.cause == cause)
        with self.engine.begin() as connection:
            connection.execute(update(episodes).where(*mine, episodes.c.closed.is_(None)).values(**values))

    def _reading(self) -> Connection:
        return self.engine.connect().execution_options(read_only=True)

    def _one(self, *conditions: Any) -> Episode | None:
        with self._reading() as connection:
            row = connection.execute(select(episodes).where(*conditions)).one_or_none()
            return _episode(row) if row else None


def _episode(row: Row[Any]) -> Episode:
    return Episode(*(getattr(row, name) for name in Episode.__dataclass_fields__))
