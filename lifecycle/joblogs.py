"""What jobs have written: on the machine where they run, and on others as far as it was shipped."""

import logging
from collections.abc import Iterable
from functools import partial

from lifecycle.artifacts import Artifacts
from lifecycle.executors import Executor
from lifecycle.shipping import MOST, Shipping, read

PLACE = "logs"
log = logging.getLogger(__name__)


class JobLogs:
    """The logs of all jobs by name; without `artifacts` only those of this machine."""

    def __init__(self, executor: Executor, artifacts: Artifacts | None) -> None:
        self.executor, self.artifacts = executor, artifacts
        self._shipping = Shipping(artifacts) if artifacts else None

    def read(self, job: str, here: bool, offset: int) -> tuple[bytes, int]:
        """Bytes from `offset` on, and the offset to ask for next; `here` if the job ran on this machine."""
        found: tuple[bytes, int] = (b"", offset)
        if here:
            found = self.executor.log(job, offset)
        if found[0] or self.artifacts is None or (here and offset):
            return found
        return read(self.artifacts, f"{PLACE}/{job}", offset)

    def ship(self, jobs: Iterable[str]) -> None:
        """Ship what jobs of this machine have written since."""
        for job in jobs:
            if self._shipping is not None:
                self._shipping.ship(f"{PLACE}/{job}", partial(self._more, job))

    def keep(self, jobs: Iterable[str]) -> None:
        """The jobs have ended: ship the whole of what they wrote. A log that cannot be shipped costs no run."""
        try:
            for job in jobs:
                if self._shipping is not None:
                    self._shipping.finish(f"{PLACE}/{job}", partial(self._put, job))
        except OSError as problem:
            log.warning("a log could not be kept: %s", problem)

    def _more(self, job: str, start: int) -> bytes:
        return self.executor.log(job, start, MOST)[0]

    def _put(self, job: str, name: str) -> None:
        whole = b""
        while data := self._more(job, len(whole)):
            whole += data
        if self.artifacts is not None:
            self.artifacts.write(name, whole)
