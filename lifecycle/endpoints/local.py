"""Serves versions on this machine: one scoring process per deployment, behind the executor's wall, on a Unix socket.

A deployment is a file (`root/deployments/<name>.json`) and, for each time it had to be started, a job of the executor.
Who serves how much of a model's traffic is in `root/routes.json`; any process that opens the same root sees the same.
"""

import hashlib
import logging
import re
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from uuid import uuid4

import msgspec

from lifecycle.endpoints import Answer, Serving, ServingStatus
from lifecycle.endpoints.asked import NotUnderstood, Row, chances_of, predictions_of, rows_of
from lifecycle.endpoints.asking import Caller, TookTooLong, Unreachable
from lifecycle.endpoints.kept import Json, KeptJson
from lifecycle.endpoints.predictions import PredictionLog
from lifecycle.executors import Executor, JobState, JobStatus, Limits
from lifecycle.jobs import serve_job

NAME = re.compile(r"^[A-Za-z0-9][A-Za-z0-9._-]{0,179}$")
SOCKET = "serve.sock"
MOST_BYTES = 25 << 20
MOST_ROWS = 10_000
ANSWER_SECONDS = 30.0
PING_SECONDS = 2.0
ENDLESS = Limits(seconds=0)
RESTARTS, WITHIN = 5, timedelta(minutes=10)
PAUSE = timedelta(seconds=30)  # between two starts of one that has died so often
log = logging.getLogger(__name__)


class LocalEndpoint:
    """Deployments, routes and the prediction log below `root`; see `endpoints.Endpoint`."""

    def __init__(
        self,
        root: Path,
        executor: Executor,
        now: Callable[[], datetime],
        limits: Limits = ENDLESS,
    ) -> None:
        self.root = root.absolute()
        self.executor = executor
        self.limits = limits
        self.now = now
        self.requests = PredictionLog(self.root)
        self._routes = KeptJson(self.root / "routes.json")
        self._records: dict[str, KeptJson] = {}
        self._caller = Caller()

    def deploy(self, model: str, name: str, folder: Path) -> None:
        """As every endpoint; a deployment that had failed is tried again. Raises executors.Refusal."""
        kept = self._kept(name)
        with kept.alone():
            record = kept.read()
            if record is not None and not self._job(name, record).state.ended:
                self._submit(name, record)
                return
            attempt = record["attempt"] + 1 if record else 1
            fresh: Json = {"model": model, "folder": str(folder.absolute()), "attempt": attempt, "restarts": []}
            while self._job(name, fresh).state is not JobState.UNKNOWN:  # left by one that was retired
                fresh["attempt"] += 1
            kept.write(fresh)
            self._submit(name, fresh)

    def _kept(self, name: str) -> KeptJson:
        if not NAME.match(name):
            raise ValueError(f"{name!r} is not the name of a deployment")
        if name not in self._records:
            self._records[name] = KeptJson(self.root / "deployments" / f"{name}.json")
        return self._records[name]

    def _submit(self, name: str, record: Json) -> None:
        folder = Path(record["folder"])
        listed = folder / "requirements.txt"
        requirements = listed.read_text(encoding="utf-8") if listed.is_file() else ""
        self.executor.submit(serve_job(_job_name(name, record), folder, requirements, self.limits))

    def _job(self, name: str, record: Json) -> JobStatus:
        return self.executor.status(_job_name(name, record))

    def _socket(self, name: str, record: Json) -> Path:
        return self.executor.output(_job_name(name, record)) / SOCKET

    def status(self, name: str) -> ServingStatus:
        """As every endpoint; a server that has died is started again."""
        record = self._kept(name).read()
        if record is None:
            return ServingStatus(Serving.UNKNOWN)
        if self._answers(name, record):
            return ServingStatus(Serving.READY)
        job = self._job(name, record)
        if job.state is JobState.RUNNING:
            return ServingStatus(Serving.STARTING)
        return self._revive(name)

    def _answers(self, name: str, record: Json) -> bool:
        try:
            return self._caller.ask(self._socket(name, record), "GET", "/ping", None, PING_SECONDS)[0] == 200
        except (Unreachable, TookTooLong):
            return False

    def _revive(self, name: str) -> ServingStatus:
        """Start a server that has died once more, unless it never got ready or dies again and again."""
        kept = self._kept(name)
        with kept.alone():
            record = kept.read()
            if record is None:
                return ServingStatus(Serving.UNKNOWN)
            job, socket = self._job(name, record), self._socket(name, record)
            if not job.state.ended:
                self._submit(name, record)  # once ever; for a record whose job was not submitted before a crash
                return ServingStatus(Serving.STARTING)
            now = self.now()
            recent = [at for at in record["restarts"] if now - datetime.fromisoformat(at) < WITHIN]
            if job.state is not JobState.LOST and not socket.exists():
                return ServingStatus(Serving.FAILED, f"it did not start: {job.reason or 'it ended at once'}")
            if len(recent) >= RESTARTS and now - datetime.fromisoformat(recent[-1]) < PAUSE:
                return ServingStatus(Serving.FAILED, f"it died {len(recent)} times within ten minutes: {job.reason}")
            fresh = record | {"attempt": record["attempt"] + 1, "restarts": [*recent, now.isoformat()]}
            kept.write(fresh)
            self._submit(name, fresh)
            self._caller.forget(socket)
            self.executor.forget(_job_name(name, record))
            log.warning("deployment %s died and was started again: %s", name, job.reason)
            return ServingStatus(Serving.STARTING)

    def route(self, model: str, shares: dict[str, int]) -> None:
        """As every endpoint; no shares end the model's serving. Raises ValueError for shares that cannot be."""
        if shares and (sum(shares.values()) != 100 or min(shares.values()) < 0):
            raise ValueError(f"the shares of {model} add up to {sum(shares.values())}, not 100")
        for name in shares:
            if self._kept(name).read() is None:
                raise ValueError(f"there is no deployment {name}")
        with self._routes.alone():
            routes = dict(self._routes.read() or {})
            routes[model] = {name: share for name, share in shares.items() if share}
            self._routes.write({model: shares for model, shares in routes.items() if shares})

    def routes(self, model: str) -> dict[str, int]:
        return dict((self._routes.read() or {}).get(model, {}))

    def deployments(self, model: str) -> frozenset[str]:
        names = (path.stem for path in (self.root / "deployments").glob("*.json"))
        records = {name: self._kept(name).read() for name in names if NAME.match(name)}
        return frozenset(name for name, record in records.items() if record and record["model"] == model)

    def score(self, model: str, body: bytes) -> Answer:
        """As every endpoint: 400 for what is no request, 404 where nothing serves, 413, 503 while starting, 504.

        Equal requests go to the same deployment. One that does not answer is replaced by another that serves.
        """
        if len(body) > MOST_BYTES:
            return _sorry(413, f"the request is larger than {MOST_BYTES >> 20} MB")
        try:
            rows = rows_of(body)
        except NotUnderstood as trouble:
            return _sorry(400, str(trouble))
        if not rows:
            return _sorry(400, "the request has no rows")
        if len(rows) > MOST_ROWS:
            return _sorry(413, f"the request has {len(rows):,} rows; at most {MOST_ROWS:,} are answered at once")
        shares = self.routes(model)
        if not shares:
            return _sorry(404, f"no version of {model} serves")
        sorry = None
        for name in _order(shares, body):
            answer = self._ask(model, name, body, rows)
            if answer.status not in (502, 503):
                return answer
            sorry = sorry or answer
        return sorry or _sorry(503, f"no version of {model} answers")

    def _ask(self, model: str, name: str, body: bytes, rows: list[Row]) -> Answer:
        record = self._kept(name).read()
        if record is None:
            return _sorry(503, f"{name} is gone")
        try:
            status, content = self._caller.ask(self._socket(name, record), "POST", "/invocations", body, ANSWER_SECONDS)
        except TookTooLong:
            return _sorry(504, f"{name} did not answer within {ANSWER_SECONDS:g} seconds")
        except Unreachable:
            return self._unreachable(name)
        if status != 200:
            return Answer(status, content, name)
        predictions = predictions_of(content, len(rows))
        if predictions is None:
            return _sorry(502, f"{name} gave an answer that is none")
        request = uuid4().hex
        try:
            self.requests.append(model, self.now(), request, name, rows, predictions, chances_of(content, len(rows)))
        except OSError as trouble:  # a full disk costs the record, not the answer
            log.error("a scored request of %s could not be logged: %s", name, trouble)
        return Answer(200, content, name, request)

    def _unreachable(self, name: str) -> Answer:
        now = self.status(name)  # which starts it again where that is called for
        return _sorry(503, f"{name} has failed: {now.reason}" if now.reason else f"{name} is starting")

    def retire(self, name: str) -> None:
        """As every endpoint; its share of the traffic, if it has one, is somebody else's to give away first."""
        kept = self._kept(name)
        with kept.alone():
            record = kept.read()
            if record is None:
                return
            job = _job_name(name, record)
            self.executor.cancel(job)
            self._caller.forget(self._socket(name, record))
            kept.delete()
            self.executor.forget(job)


def _job_name(name: str, record: Json) -> str:
    return f"{name}.{record['attempt']}"


def _order(shares: dict[str, int], body: bytes) -> list[str]:
    """The deployments, the one that the request falls to first; growing a later one's share moves few requests."""
    point = int.from_bytes(hashlib.blake2b(body, digest_size=8).digest(), "big") % 100
    names = sorted(shares)
    chosen, below = names[-1], 0
    for name in names:
        below += shares[name]
        if point < below:
            chosen = name
            break
    return [chosen, *(name for name in names if name != chosen)]


def _sorry(status: int, sentence: str) -> Answer:
    return Answer(status, msgspec.json.encode({"error": sentence}))
