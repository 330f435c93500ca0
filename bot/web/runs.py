"""The list of runs, and what there is to see of one: its stages, its log, its report, what it is linked to."""

import json
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

import flask

from bot.arguments import asked_for
from bot.links import Link
from bot.web import logs, reports
from bot.web.drifting import report_of
from bot.web.evidence import evidence
from bot.web.scales import Stretch, stretch
from bot.web.views import Views
from lifecycle import (
    DriftReport,
    Filter,
    Judgement,
    NoSuchRun,
    OutOfReach,
    Run,
    Stage,
    StageRecord,
    StageState,
    State,
    report_document,
)

PAGE = 50
PLACES = ("github:", "repos:", "boards:")
LARGEST = 2**31 - 1  # what the database's integers hold
RUN = f"/runs/<int(max={LARGEST}):number>"


@dataclass(frozen=True, slots=True)
class Asked:
    """What the list is narrowed to; `model` is owner/repository/model, `ref` the place where runs were asked for."""

    model: str
    state: State | None
    ref: str
    before: int | None

    @property
    def filter(self) -> Filter:
        project, _, model = self.model.rpartition("/")
        return Filter(project=project, model=model, state=self.state, ref=self.ref)

    @property
    def narrowed(self) -> bool:
        """Whether anything is left out."""
        return bool(self.model or self.state or self.ref)

    def again(self, **changes: str | int | None) -> str:
        """The address of the same list, with changes."""
        values: dict[str, Any] = {name: getattr(self, name) for name in ("model", "state", "ref", "before")} | changes
        return flask.url_for("runs", **{name: value for name, value in values.items() if value})


def asked() -> Asked:
    """What the address asks for; nonsense narrows nothing."""
    model, state, ref, before = (_argument(name) for name in ("model", "state", "ref", "before"))
    return Asked(
        model=model if model.count("/") >= 2 else "",
        state=State(state) if state in set(State) else None,
        ref=ref,
        before=min(int(before), LARGEST) if before.isascii() and before.isdigit() and len(before) < 20 else None,
    )


def _argument(name: str) -> str:
    """What the address says, unless no query should see it."""
    text = flask.request.args.get(name, "")
    return text if text.isprintable() and len(text) < 300 else ""


def add_runs(app: flask.Flask, views: Views) -> None:
    """Register the pages of runs."""

    @app.get("/")
    def runs() -> str:
        return _list(views, asked())

    @app.get(RUN)
    def run(number: int) -> str:
        return _page(views, _run(views, number))

    @app.get(f"{RUN}.json")
    def run_json(number: int) -> flask.Response:
        return flask.jsonify(as_json(_run(views, number)))

    @app.get(f"{RUN}/report.json")
    def report(number: int) -> flask.Response:
        found = _report(_run(views, number))
        if found is None:
            flask.abort(404)
        return flask.jsonify(found)

    @app.get(f"{RUN}/log")
    def log(number: int) -> flask.Response:
        return _log(views, _run(views, number))


def _list(views: Views, which: Asked) -> str:
    found = views.runs.find(which.filter, limit=PAGE + 1, before=which.before)
    shown = found[:PAGE]
    known = {f"{project}/{model}" for project, model in views.registry.models()}
    known |= {f"{run.spec.project}/{run.spec.model}" for run in shown} | ({which.model} - {""})
    older = which.again(before=shown[-1].id) if len(found) > PAGE else ""
    moving = any(not run.state.ended for run in shown)
    return flask.render_template(
        "runs.html", runs=shown, which=which, older=older, models=sorted(known), states=list(State), moving=moving
    )


def _run(views: Views, number: int) -> Run:
    try:
        return views.runs.get(number)
    except NoSuchRun:
        flask.abort(404)


def _page(views: Views, run: Run) -> str:
    record = _logged(run, flask.request.args.get("stage", ""))
    validated = run.stage(Stage.VALIDATE)
    judgement = judgement_of(validated) if validated else None
    log, unread = _tail(views, run, record) if record else (None, "")
    return flask.render_template(
        "run.html",
        run=run,
        values={**run.spec.params, **asked_for(run.spec.options)},
        ahead=views.runs.ahead(run) if run.state is State.WAITING else (),
        stretches={one.stage: _stretch(run, one, views.now()) for one in run.stages},
        record=record,
        log=log,
        unread=unread,
        log_gone=views.logs_kept.days if run.ended and views.now() - run.ended > views.logs_kept else None,
        logs=_with_logs(run),
        away=views.away(run),
        judgement=judgement,
        metrics=reports.metrics(judgement) if judgement else None,
        slices=reports.slices(judgement) if judgement else None,
        accepted=views.acceptances.of(run.id),
        evidence=evidence(judgement, validated.result) if validated and judgement else None,
        edges=_nearby(views, f"run:{run.id}"),
        drift=_drift(run),
    )


def _nearby(views: Views, here: str) -> Sequence[Link]:
    """What the run is linked to, and what that is linked to, but not the other runs of the same issue."""
    edges = views.links.around(here)
    mine = {end for edge in edges for end in (edge.a, edge.b) if here in (edge.a, edge.b)}
    return [edge for edge in edges if here in (edge.a, edge.b) or not _elsewhere(edge, mine)]


def _elsewhere(edge: Link, mine: set[str]) -> bool:
    """Whether the edge only leads from a place of ours to another run that was asked for there."""
    ends = {edge.a, edge.b}
    return any(end.startswith("run:") for end in ends) and any(end.startswith(PLACES) for end in ends & mine)


def judgement_of(record: StageRecord) -> Judgement | None:
    """The stage's judgement, if it made one that this version can read."""
    try:
        return Judgement.from_json(json.dumps(record.result["judgement"]))
    except (KeyError, TypeError, ValueError):
        return None


def _drift(run: Run) -> DriftReport | None:
    watched = run.stage(Stage.MONITOR)
    return report_of(watched.result["report"]) if watched and "report" in watched.result else None


def _report(run: Run) -> Any | None:
    """What validation (docs/report.schema.json) or monitoring found; None where nothing was."""
    watched = run.stage(Stage.MONITOR)
    return report_document(run) or (watched.result.get("report") if watched else None)


def _stretch(run: Run, record: StageRecord, now: datetime) -> Stretch | None:
    last = run.ended or now
    return stretch(record.started, record.ended or last, run.created, last)


def _logged(run: Run, wanted: str) -> StageRecord | None:
    """The stage whose log is shown: the one asked for, the one that runs or went wrong, or else the first."""
    have = _with_logs(run)
    usual = [one for one in have if one.state is not StageState.DONE] or (have if run.state.ended else have[-1:])
    return next((one for one in have if one.stage == wanted), usual[0] if usual else None)


def _with_logs(run: Run) -> Sequence[StageRecord]:
    """The stages that ran a job; a deployed server's output stays with the endpoint."""
    return [one for one in run.stages if one.jobs and one.stage is not Stage.DEPLOY]


def _ended(record: StageRecord) -> bool:
    return record.state not in (StageState.PLANNED, StageState.RUNNING)


def _tail(views: Views, run: Run, record: StageRecord) -> tuple[logs.Piece, str]:
    """The log's end, and why it cannot be shown just now; empty where it can."""
    try:
        return logs.tail(lambda offset: views.log(run, record.stage, offset), _ended(record)), ""
    except OutOfReach as trouble:
        return logs.Piece("", 0, 0), f"The output cannot be shown just now: {trouble}."
    except (OSError, LookupError):
        return logs.Piece("", 0, 0), ""  # jobs are forgotten after a while, and their output with them


def _log(views: Views, run: Run) -> flask.Response:
    record = _logged(run, flask.request.args.get("stage", ""))
    offset = flask.request.args.get("offset", default=0, type=int)
    found = logs.Piece("", 0, min(max(0, offset), 2**53))
    if record is not None:
        with suppress(OSError, LookupError):
            found = logs.piece(lambda place: views.log(run, record.stage, place), found.offset, _ended(record))
    return flask.jsonify(
        text=found.text,
        offset=found.offset,
        stage=record.stage if record else None,
        revision=run.revision,
        ended=run.state.ended,
    )


def as_json(run: Run) -> dict[str, Any]:
    """Everything stored of the run, times as ISO 8601."""
    return {name: _plain(value) for name, value in asdict(run).items()}


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, dict):
        return {name: _plain(one) for name, one in value.items()}
    return [_plain(one) for one in value] if isinstance(value, list | tuple) else value
