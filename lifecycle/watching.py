"""What monitoring has seen: windows, and the episodes of drift that they open and close."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, Engine, Row, insert, select, update
from sqlalchemy.exc import IntegrityError

from lifecycle.numbering import fresh
from lifecycle.schema import episodes, windows


@dataclass(frozen=True, slots=True)
class Window:
    """One look at what the model was asked: from `since` to `until`, compared with version `number`'s profile.

    `verdict` is CLEAN, WARN or ALARM; `worst` the largest corrected PSI of a column; `report` a DriftReport as JSON.
    `call` is what it asked for (NOTHING, COMMENT, RETRAIN), `said` why; `performance` how well the model did or
    probably did, as far as that is known (a Comparison as JSON, with `how`: realised or estimated).
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
    call: str = ""
    said: str = ""
    performance: Mapping[str, Any] = field(default_factory=dict)


class Outcome(StrEnum):
    """How an episode ended: by itself, closed on a platform by hand, or said not to be mended; empty while open."""

    OPEN = ""
    OVER = "over"
    HAND = "hand"
    WONTFIX = "wontfix"


@dataclass(frozen=True, slots=True)
class Episode:
    """A time of drift, from the alarm until it is over: at most one is open for each model and cause.

    `champion` is the version that drifted away from its data, `retrained` the one promoted since, if any; `clean`
    counts the clean windows in a row, up to that of run `counted`. `size` is how far it went (episodes.Size as JSON).
    `by` and `note` are who ended it and why; until `snoozed` nothing is said; `reopened` counts how often it came back.
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
    outcome: Outcome = Outcome.OPEN
    by: str = ""
    note: str = ""
    size: Mapping[str, Any] = field(default_factory=dict)
    snoozed: datetime | None = None
    autoclose: bool = True
    reopened: int = 0
    counted: int = 0


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

    def open(self, window: Window, cause: str, size: Mapping[str, Any] | None = None) -> Episode:
        """The model's open episode, opened by this window if there was none; an alarm ends its clean count."""
        values = {"project": window.project, "model": window.model, "cause": cause, "opened": window.at}
        known = {"opened_by": window.run, "champion": window.number, "counted": window.run}
        try:
            with self.engine.begin() as connection:
                mine = {**values, **known, **fresh(connection, episodes.c.id)}
                connection.execute(insert(episodes).values(**mine, clean=0, size=dict(size or {})))
        except IntegrityError:
            pass  # somebody was quicker
        found = self.episode(window.project, window.model)
        if found is None:
            raise RuntimeError(f"the episode of {window.model} was neither opened nor found")
        self.keep(found, size or found.size, window.run)
        return found

    def keep(self, episode: Episode, size: Mapping[str, Any], run: int) -> None:
        """It goes on, and went as far as `size`."""
        self._set(episode, clean=0, size=dict(size), counted=run)

    def reopen(self, episode: Episode, by: str = "", size: Mapping[str, Any] | None = None, run: int = 0) -> bool:
        """It is back, or somebody says so; harmless to repeat. False where a newer episode is open instead."""
        values: dict[str, Any] = {"size": dict(size)} if size is not None else {}
        values |= {"closed": None, "outcome": Outcome.OPEN, "by": by, "note": "", "clean": 0, "snoozed": None}
        values |= {"champion": episode.retrained or episode.champion, "retrained": None}
        again = {"counted": max(run, episode.counted), "reopened": episodes.c.reopened + 1}
        mine = (episodes.c.id == episode.id, episodes.c.closed.is_not(None))
        if any(one.id != episode.id for one in self.open_episodes(episode.project, episode.model)):
            return False
        try:
            with self.engine.begin() as connection:
                connection.execute(update(episodes).where(*mine).values(**values, **again))
        except IntegrityError:
            return False
        return True

    def episode(self, project: str, model: str) -> Episode | None:
        """The model's open episode: while there is one, whatever else happens is part of it."""
        return next(iter(self.open_episodes(project, model)), None)

    def closed_episodes(self, project: str, model: str, limit: int = 10) -> Sequence[Episode]:
        """The model's ended episodes, the one that ended last first."""
        query = select(episodes).where(episodes.c.project == project, episodes.c.model == model)
        query = query.where(episodes.c.closed.is_not(None)).order_by(episodes.c.closed.desc()).limit(limit)
        with self._reading() as connection:
            return [_episode(row) for row in connection.execute(query).all()]

    def closed_since(self, moment: datetime) -> Sequence[Episode]:
        """Episodes of any model that ended since then."""
        query = select(episodes).where(episodes.c.closed >= moment).order_by(episodes.c.closed).limit(200)
        with self._reading() as connection:
            return [_episode(row) for row in connection.execute(query).all()]

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

    def clean(self, episode: Episode, run: int) -> None:
        """Count the clean window of that run, once."""
        with self.engine.begin() as connection:
            connection.execute(
                update(episodes)
                .where(episodes.c.id == episode.id, episodes.c.closed.is_(None), episodes.c.counted < run)
                .values(clean=episodes.c.clean + 1, counted=run)
            )

    def close(
        self, episode: Episode, now: datetime, outcome: Outcome = Outcome.OVER, by: str = "", note: str = ""
    ) -> None:
        """End the episode, once."""
        self._set(episode, closed=now, outcome=outcome, by=by[:200], note=note[:2000])

    def snooze(self, episode: Episode, until: datetime | None, by: str) -> None:
        """Say nothing until then."""
        self._set(episode, snoozed=until, by=by[:200])

    def leave_open(self, episode: Episode, autoclose: bool) -> None:
        """Whether the episode's items may close themselves."""
        self._set(episode, autoclose=autoclose)

    def _set(self, episode: Episode, **values: Any) -> None:
        with self.engine.begin() as connection:
            connection.execute(
                update(episodes).where(episodes.c.id == episode.id, episodes.c.closed.is_(None)).values(**values)
            )

    def _reading(self) -> Connection:
        return self.engine.connect().execution_options(read_only=True)

    def _one(self, *conditions: Any) -> Episode | None:
        with self._reading() as connection:
            row = connection.execute(select(episodes).where(*conditions)).one_or_none()
            return _episode(row) if row else None


def _episode(row: Row[Any]) -> Episode:
    values = {name: getattr(row, name) for name in Episode.__dataclass_fields__}
    return Episode(**{**values, "outcome": Outcome(row.outcome)})
