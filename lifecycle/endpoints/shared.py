"""The prediction logs of all machines as one: each ships its own, and fetches the others' when somebody asks."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from lifecycle.artifacts import Artifacts
from lifecycle.endpoints.predictions import PredictionLog
from lifecycle.shipping import Copies, Shipping, more_of

PLACE = "predictions"


class SharedLog:
    """Fulfils `endpoints.RequestLog`. `own` is this machine's log; copies of the others' are kept below `copies`."""

    def __init__(self, own: PredictionLog, copies: Path, artifacts: Artifacts, me: str) -> None:
        self.own, self.copies, self.artifacts, self.me = own, copies, artifacts, me
        self._shipping = Shipping(artifacts)
        self._others: dict[str, PredictionLog] = {}
        self._copied = Copies(artifacts, copies, PLACE, me)

    def ship(self, now: datetime) -> None:
        """Ship what was added to this machine's log; the files of days that are over as a whole."""
        today = f"{now.astimezone(UTC):%Y-%m-%d}"
        for path in sorted((self.own.root / PLACE).glob("*/????-??-??.jsonl")):
            place = f"{PLACE}/{self.me}/{path.parent.name}/{path.stem}"
            if path.stem == today:
                self._shipping.ship(place, partial(more_of, path))
            else:
                self._shipping.finish(place, partial(self.artifacts.put, path))

    def pieces(self, model: str) -> dict[str, int]:
        """This machine's files, then those of others under their machine's name, brought up to date."""
        found = dict(self.own.pieces(model))
        for host, log in self._fetched(model).items():
            found |= {f"{host}/{name}": size for name, size in log.pieces(model).items()}
        return found

    def lines(self, model: str, piece: str, start: int) -> Iterator[tuple[list[Any], int]]:
        """As every log; of another machine's file as much as was fetched."""
        host, _, name = piece.rpartition("/")
        log = self._others.setdefault(host, PredictionLog(self.copies / host)) if host else self.own
        yield from log.lines(model, name, start)

    def read(self, model: str, since: datetime, until: datetime, time_column: str | None) -> Iterator[Any]:
        """As every log: this machine's rows first, then each other's."""
        for log in (self.own, *self._fetched(model).values()):
            yield from log.read(model, since, until, time_column)

    def latest(self, model: str, time_column: str | None) -> datetime | None:
        """When the last row happened on any machine, as far as it was shipped."""
        found = (log.latest(model, time_column) for log in (self.own, *self._fetched(model).values()))
        return max((moment for moment in found if moment is not None), default=None)

    def _fetched(self, model: str) -> Mapping[str, PredictionLog]:
        """The other machines' logs, brought up to date for one model."""
        for host in self._copied.of(model):
            self._others.setdefault(host, PredictionLog(self.copies / host))
        return self._others
