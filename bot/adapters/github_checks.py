"""Our checks on commits: check runs found by external id, or commit statuses where we may not write checks."""

import threading
from collections import OrderedDict
from dataclasses import dataclass
from typing import Any, assert_never

from bot.adapters import github_text as text_of
from bot.adapters.github_errors import Forbidden, Gone, Uncertain
from bot.adapters.github_session import Params, Session
from bot.adapters.github_shapes import CheckNote, CheckRun, CheckRuns, Status
from bot.doubts import Doubts
from bot.ports import Annotation, Check, Conclusion

SUMMARY = 65_535  # bytes
TITLE = 255
DESCRIPTION = 140
MESSAGE = 4_000  # of 64 KB: what is longer is on the run's page
AT_ONCE = 50  # annotations in a request
REMEMBERED = 2_000


@dataclass(frozen=True, slots=True)
class _Known:
    """What we last wrote, and the check run's id; 0 for a status."""

    id: int
    check: Check


class Checks:
    """Knows which check run it made for which check; what it forgets, it finds again by external id."""

    def __init__(self, session: Session, lag: float) -> None:
        self._session = session
        self._doubts = Doubts(lag)
        self._lock = threading.Lock()
        self._known: OrderedDict[tuple[str, str, str, str], _Known] = OrderedDict()
        self._statuses_only: set[str] = set()

    def put(self, place: str, check: Check) -> None:
        """Make the check read so."""
        if place in self._statuses_only:
            self._put_status(place, check)
            return
        try:
            self._put_run(place, check)
        except Forbidden:
            self._put_status(place, check)  # only a GitHub App may write checks; where this is denied too, it raises
            self._statuses_only.add(place)

    def _put_run(self, place: str, check: Check) -> None:
        known = self._recall(place, check)
        try:
            run = self._written(place, check, known)
            if check.annotations and (known is None or known.check.annotations != check.annotations):
                self._annotate(place, check, run.id)
        except Gone:
            self._forget(place, check)
            if known is None:
                raise
            run = self._written(place, check, None)  # somebody deleted it, or it was never there for good
        self._remember(place, check, run.id)

    def _written(self, place: str, check: Check, known: _Known | None) -> CheckRun:
        run = self._found(place, check, known)
        if run is None:
            return self._create(place, check)
        if not _reads(run, check) or known is None or known.check != check:
            return self._write(place, "PATCH", f"/check-runs/{run.id}", _body(check))
        return run

    def _annotate(self, place: str, check: Check, number: int) -> None:
        """Add the annotations that are not there yet: each request adds, none takes away."""
        there = self._session.pages(place, f"/check-runs/{number}/annotations", CheckNote)
        known = {(one.path, one.start_line, one.message) for one in there}
        fresh = [note for note in map(_note, check.annotations) if _key(note) not in known]
        for start in range(0, len(fresh), AT_ONCE):
            output = {**_output(check), "annotations": fresh[start : start + AT_ONCE]}
            self._write(place, "PATCH", f"/check-runs/{number}", {"output": output})

    def _found(self, place: str, check: Check, known: _Known | None) -> CheckRun | None:
        if known is None:
            return self._find(place, check)
        if known.check != check:
            return CheckRun(known.id)  # it must be written anyway
        # "Re-run" resets a check run behind our back, so the same words are no proof that it reads so.
        return self._session.get(place, f"/check-runs/{known.id}", CheckRun)

    def _create(self, place: str, check: Check) -> CheckRun:
        key = (place, check.commit, check.name, check.external)
        self._doubts.hold(key)  # a second one on the same commit would only hide the first
        try:
            return self._write(place, "POST", "/check-runs", {**_body(check), "head_sha": check.commit})
        except Uncertain:
            self._doubts.note(key)
            made = self._find(place, check)
            if made is None:
                raise
            return made

    def _find(self, place: str, check: Check) -> CheckRun | None:
        params: Params = {"check_name": check.name, "filter": "all", "per_page": 100}
        found = self._session.get(place, f"/commits/{check.commit}/check-runs", CheckRuns, params).check_runs
        ours = [run for run in found if run.external_id == check.external and self._is_ours(run)]
        return max(ours, key=lambda run: run.id, default=None)

    def _is_ours(self, run: CheckRun) -> bool:
        """Another App may copy our external id."""
        access = self._session.access
        return not access.is_app or run.app is None or f"{run.app.slug}[bot]".lower() == access.login.lower()

    def _write(self, place: str, verb: str, path: str, body: dict[str, Any]) -> CheckRun:
        return self._session.write(place, verb, path, body, CheckRun)

    def _put_status(self, place: str, check: Check) -> None:
        known = self._recall(place, check)
        wanted = _status(check)
        if known is None or known.check != check:
            now = self._session.pages(place, f"/commits/{check.commit}/statuses", Status) if known is None else ()
            latest = next((status for status in now if status.context == wanted.context), None)  # newest first
            if latest != wanted:
                body = {name: getattr(wanted, name) for name in wanted.__struct_fields__}
                self._session.write(place, "POST", f"/statuses/{check.commit}", body, Status)
        self._remember(place, check, 0)

    def _recall(self, place: str, check: Check) -> _Known | None:
        with self._lock:
            return self._known.get((place, check.commit, check.name, check.external))

    def _remember(self, place: str, check: Check, number: int) -> None:
        key = (place, check.commit, check.name, check.external)
        with self._lock:
            self._known[key] = _Known(number, check)
            self._known.move_to_end(key)
            if len(self._known) > REMEMBERED:
                self._known.popitem(last=False)

    def _forget(self, place: str, check: Check) -> None:
        with self._lock:
            self._known.pop((place, check.commit, check.name, check.external), None)


def _body(check: Check) -> dict[str, Any]:
    ended = check.conclusion not in (Conclusion.QUEUED, Conclusion.RUNNING)
    body: dict[str, Any] = {
        "name": check.name,
        "external_id": check.external,
        "status": "completed" if ended else check.conclusion.value,
        "output": _output(check),
    }
    if ended:
        body["conclusion"] = check.conclusion.value
        body["actions"] = [
            {"label": one.label, "description": one.description, "identifier": one.identifier} for one in check.buttons
        ]
    if check.url:
        body["details_url"] = check.url
    return body


def _output(check: Check) -> dict[str, Any]:
    return {"title": check.title[:TITLE] or check.name, "summary": text_of.fit(check.summary, SUMMARY)}


def _note(one: Annotation) -> dict[str, Any]:
    line = max(1, one.line)
    where = {"path": one.path, "start_line": line, "end_line": line, "annotation_level": one.level}
    return {**where, "title": one.title[:TITLE], "message": one.message[:MESSAGE] or one.title}


def _key(note: dict[str, Any]) -> tuple[str, int, str]:
    return note["path"], note["start_line"], note["message"]


def _reads(run: CheckRun, check: Check) -> bool:
    return check.conclusion.value in (run.conclusion, run.status)


def _status(check: Check) -> Status:
    description = " ".join(check.title.split())
    if len(description) > DESCRIPTION:
        description = description[: DESCRIPTION - 1] + "…"
    return Status(check.name, _state(check.conclusion), description or None, check.url or None)


def _state(conclusion: Conclusion) -> str:
    """Statuses know four words; what waits for a person stays pending, so that it blocks a merge as a check would."""
    match conclusion:
        case Conclusion.QUEUED | Conclusion.RUNNING | Conclusion.ACTION_REQUIRED:
            return "pending"
        case Conclusion.SUCCESS | Conclusion.NEUTRAL:
            return "success"
        case Conclusion.FAILURE:
            return "failure"
        case Conclusion.CANCELLED:
            return "error"
        case _:
            assert_never(conclusion)
