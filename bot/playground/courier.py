"""Carries webhooks: posts them from background threads, in order per lane, with retries and, if asked, with chaos."""

import contextlib
import http.client
import random
import ssl
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from urllib.parse import urlsplit


@dataclass(frozen=True, slots=True)
class Chaos:
    """What goes wrong on the way; each share is a probability from 0 to 1, decided per parcel.

    drop: it is never posted. delay: (least, most) seconds of waiting, which hold up the lane's later parcels too.
    repeat: it is posted a second time. reorder: it is held back so that up to `LATE` seconds of later ones overtake it.
    seed: the same seed and the same parcels give the same misfortune.
    """

    drop: float = 0.0
    delay: tuple[float, float] = (0.0, 0.0)
    repeat: float = 0.0
    reorder: float = 0.0
    seed: int = 0


LATE = 0.5
KEPT_ANSWER = 64 * 1024  # bytes of an answer's body that the log keeps


@dataclass(frozen=True, slots=True)
class Parcel:
    """One POST to make. `lane` is whose order is kept (a hook or subscription); `label` names it in the log."""

    lane: str
    url: str
    headers: Mapping[str, str]
    body: bytes
    label: str = ""


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try. `status` is None when there was no answer, and then `error` says why. `number` counts from 1.

    `final` is true when nothing further will be tried for this parcel.
    """

    parcel: Parcel
    number: int
    at: datetime
    seconds: float
    status: int | None
    error: str
    answer_headers: Mapping[str, str]
    answer: bytes
    final: bool

    @property
    def delivered(self) -> bool:
        return self.status is not None and 200 <= self.status < 300


Listener = Callable[[Attempt], None]


@dataclass(slots=True)
class _Job:
    parcel: Parcel
    listener: Listener | None
    due: float
    number: int = 1
    dropped: bool = False


@dataclass(slots=True)
class _Lane:
    jobs: deque[_Job] = field(default_factory=deque)
    busy: bool = False


class Courier:
    """Posts parcels in the background: one at a time per lane, in order; lanes side by side on `parallel` threads.

    retry: seconds to wait before the second, third, … try; () for a platform that never retries.
    transient: told the status (None: no answer); true when the platform would try again.
    A retried parcel leaves its lane, as on the real platforms: later ones do not wait for it.
    """

    def __init__(
        self,
        retry: Sequence[float] = (),
        transient: Callable[[int | None], bool] = lambda _: False,
        chaos: Chaos | None = None,
        *,
        timeout: float = 10.0,
        parallel: int = 4,
    ) -> None:
        self._retry = tuple(retry)
        self._transient = transient
        self._timeout = timeout
        self._change = threading.Condition()
        self._lanes: dict[str, _Lane] = {}
        self._loose: list[_Job] = []
        self._under_way = 0
        self._closed = False
        self._log: deque[Attempt] = deque(maxlen=10_000)
        self.chaos = chaos
        self._threads = [threading.Thread(target=self._work, daemon=True, name=f"courier-{n}") for n in range(parallel)]
        for thread in self._threads:
            thread.start()

    @property
    def chaos(self) -> Chaos | None:
        """The misfortune in force; assign another, or None, at any time."""
        return self._chaos

    @chaos.setter
    def chaos(self, chaos: Chaos | None) -> None:
        with self._change:
            self._chaos = chaos
            # Not for secrets: a seeded generator is what makes a bad day repeatable.
            self._random = random.Random(chaos.seed if chaos else 0)  # noqa: S311

    @property
    def log(self) -> list[Attempt]:
        """Every attempt so far, oldest first (the latest 10,000)."""
        with self._change:
            return list(self._log)

    def post(self, parcel: Parcel, listener: Listener | None = None) -> None:
        """Take a parcel and return at once. `listener` is called on a courier thread after every attempt."""
        with self._change:
            for job, loose in self._misfortune(parcel, listener):
                if loose:
                    self._loose.append(job)
                else:
                    self._lanes.setdefault(parcel.lane, _Lane()).jobs.append(job)
            self._change.notify_all()

    def drain(self, timeout: float = 10.0) -> bool:
        """Wait until nothing is queued, due for a retry or under way; false when `timeout` seconds were not enough."""
        with self._change:
            return self._change.wait_for(self._idle, timeout)

    def close(self) -> None:
        """Stop; what is queued is forgotten, what is under way ends by itself."""
        with self._change:
            self._closed = True
            self._change.notify_all()
        for thread in self._threads:
            thread.join(timeout=1)

    def _idle(self) -> bool:
        return not self._under_way and not self._loose and not any(lane.jobs for lane in self._lanes.values())

    def _misfortune(self, parcel: Parcel, listener: Listener | None) -> list[tuple[_Job, bool]]:
        now = time.monotonic()
        if (chaos := self._chaos) is None:
            return [(_Job(parcel, listener, now), False)]
        dice = self._random
        job = _Job(parcel, listener, now + dice.uniform(*chaos.delay), dropped=dice.random() < chaos.drop)
        late = dice.random() < chaos.reorder
        if late:
            job.due += dice.uniform(LATE / 5, LATE)
        jobs = [(job, late)]
        if dice.random() < chaos.repeat and not job.dropped:
            jobs.append((_Job(parcel, listener, job.due + dice.uniform(0, LATE)), True))
        return jobs

    def _work(self) -> None:
        while (taken := self._take()) is not None:
            job, lane = taken
            attempt = self._try(job)
            with self._change:
                self._log.append(attempt)
            if job.listener:
                with contextlib.suppress(Exception):  # a listener's mistake must not end the deliveries
                    job.listener(attempt)
            with self._change:
                if not attempt.final:
                    due = time.monotonic() + self._retry[job.number - 1]
                    self._loose.append(_Job(job.parcel, job.listener, due, job.number + 1))
                self._under_way -= 1
                if lane:
                    lane.busy = False
                self._change.notify_all()

    def _take(self) -> tuple[_Job, _Lane | None] | None:
        """The next job that is due, waiting for one; None once closed."""
        with self._change:
            while not self._closed:
                now = time.monotonic()
                waiting: list[tuple[float, _Job, _Lane | None]] = [(job.due, job, None) for job in self._loose]
                for lane in self._lanes.values():
                    if lane.jobs and not lane.busy:
                        waiting.append((lane.jobs[0].due, lane.jobs[0], lane))
                due, job, its_lane = min(waiting, key=lambda entry: entry[0], default=(None, None, None))
                if job is None or due is None:
                    self._change.wait()
                elif due > now:
                    self._change.wait(due - now)
                else:
                    self._under_way += 1
                    if its_lane is None:
                        self._loose.remove(job)
                    else:
                        its_lane.jobs.popleft()
                        its_lane.busy = True
                    return job, its_lane
            return None

    def _try(self, job: _Job) -> Attempt:
        at, started = datetime.now(UTC), time.monotonic()
        status: int | None = None
        error, answer = "", b""
        headers: dict[str, str] = {}
        if job.dropped:
            error = "dropped on the way"
        else:
            try:
                status, headers, answer = _send(job.parcel, self._timeout)
            except TimeoutError:
                error = "timed out"
            except (OSError, http.client.HTTPException) as problem:
                error = f"failed to connect to host: {problem}"
        again = not job.dropped and job.number <= len(self._retry) and self._transient(status)
        seconds = time.monotonic() - started
        return Attempt(job.parcel, job.number, at, seconds, status, error, headers, answer, final=not again)


def _send(parcel: Parcel, timeout: float) -> tuple[int, dict[str, str], bytes]:
    """POST without following redirects and without the environment's proxies, as a platform's own sender would."""
    url = urlsplit(parcel.url)
    connection = (
        http.client.HTTPSConnection(url.netloc, timeout=timeout, context=ssl.create_default_context())
        if url.scheme == "https"
        else http.client.HTTPConnection(url.netloc, timeout=timeout)
    )
    try:
        target = (url.path or "/") + (f"?{url.query}" if url.query else "")
        connection.request("POST", target, body=parcel.body, headers=dict(parcel.headers))
        response = connection.getresponse()
        return response.status, dict(response.getheaders()), response.read(KEPT_ANSWER)
    finally:
        connection.close()
