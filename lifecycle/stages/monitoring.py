"""Monitor: what the model was asked lately, compared with the profile of the data that it was trained on."""

import json
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from statistics import median

import pyarrow as pa

from lifecycle.drift import DriftReport, Profile, Signal, Standing, compare, profile, standing
from lifecycle.episodes import Decision, Size, Step, decide
from lifecycle.project import Model
from lifecycle.registry import Version
from lifecycle.runs import Run, StageRecord
from lifecycle.shop import Outcome, Shop, Trouble, serving_name
from lifecycle.usual import watch_of
from lifecycle.watching import Window
from lifecycle.windows import read_window

CAUSES = {Signal.METRIC: "performance", Signal.PREDICTIONS: "drift", Signal.COLUMNS: "drift"}
ENOUGH = 3  # earlier windows that say how many requests are usual
REMEMBERED = 40


def finish(shop: Shop, run: Run, record: StageRecord) -> Outcome:  # noqa: ARG001
    """Compare the window, keep it, and open, count down or close the episode of drift."""
    version = shop.registry.champion(run.spec.project, run.spec.model)
    if version is None:
        raise Trouble(f"No version of {run.spec.model} serves, so there is nothing to watch; /promote one first.")
    rules = shop.rules(run)
    since, until = window_of(shop, run, rules)
    earlier = _earlier(shop, run, version, since, until)
    report = _compared(shop, run, version, rules, (since, until), _usual_rows(earlier, until - since))
    now = _stands(earlier, report, rules)
    worst = max((column.psi_corrected or 0.0 for column in report.columns), default=0.0)
    window = Window(
        project=run.spec.project,
        model=run.spec.model,
        number=version.number,
        run=run.id,
        since=since,
        until=until,
        rows=report.rows,
        verdict=report.verdict,
        worst=worst,
        at=shop.now(),
        report=json.loads(report.to_json()),
        call=now.call,
        said=now.reason,
    )
    decision = _decided(shop, window, now, rules)
    episode = _done(shop, window, now, decision)
    facts = {"version": version.number, "rows": report.rows, "since": since.isoformat(), "until": until.isoformat()}
    facts |= {"report": window.report, "episode": episode, "call": now.call, "step": decision.step}
    return Outcome(report.sentence, {**facts, "because": decision.sentence or now.reason}, report.verdict)


def window_of(shop: Shop, run: Run, rules: Model) -> tuple[datetime, datetime]:
    """The window asked for (`30d`, `2011-04`, `2011-04-01..2011-05-01`), else the newest of the usual length."""
    asked = read_window(str(run.spec.options.get("window") or rules.monitor.window))
    if isinstance(asked, tuple):
        return asked
    latest = shop.requests.latest(serving_name(run.spec.project, run.spec.model), rules.time)
    if latest is None:
        raise Trouble(f"{run.spec.model} was not asked anything yet, so there is nothing to compare.")
    until = latest + timedelta(microseconds=1)
    return until - asked, until


def _compared(
    shop: Shop, run: Run, version: Version, rules: Model, span: tuple[datetime, datetime], usual_rows: float | None
) -> DriftReport:
    name, folder = serving_name(run.spec.project, run.spec.model), shop.registry.folder(version)
    reference = Profile.from_bytes((folder / "profile.bin").read_bytes())
    seen = profile(_without_time(shop.requests.read(name, *span, rules.time), rules), like=reference)
    if not seen.rows:
        raise Trouble(f"{run.spec.model} was asked nothing from {_minute(span[0])} to {_minute(span[1])} UTC.")
    return compare(reference, seen, watch_of(rules, folder, usual_rows))


def _minute(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M}"


def _without_time(batches: Iterator[pa.RecordBatch], rules: Model) -> Iterator[pa.RecordBatch]:
    for batch in batches:
        dropped = [name for name in (rules.time, *rules.monitor.ignore) if name in batch.schema.names]
        yield batch.drop_columns(dropped) if dropped else batch


def _earlier(shop: Shop, run: Run, version: Version, since: datetime, until: datetime) -> Sequence[Window]:
    """Other windows of the same version, oldest first; of those of the same time the last, for it has seen most."""
    found: dict[tuple[datetime, datetime], Window] = {}
    for window in reversed(shop.watching.windows(run.spec.project, run.spec.model, REMEMBERED)):
        span = window.since, window.until
        if window.number == version.number and window.run < run.id and span != (since, until):
            found.pop(span, None)
            found[span] = window
    return list(found.values())


def _usual_rows(earlier: Sequence[Window], length: timedelta) -> float | None:
    """How many rows a window of that length usually has; None before there were enough windows."""
    rates = [window.rows / ((window.until - window.since) / length) for window in earlier]
    return median(rates) if len(rates) >= ENOUGH else None


def _stands(earlier: Sequence[Window], report: DriftReport, rules: Model) -> Standing:
    needed, of = rules.monitor.needed
    reports = [found for window in earlier[-of:] if (found := _report_of(window))]
    return standing([*reports, report], needed=needed, of=of)


def _report_of(window: Window) -> DriftReport | None:
    try:
        return DriftReport.from_json(json.dumps(window.report))
    except (KeyError, TypeError, ValueError):
        return None  # of another version of ours


def _decided(shop: Shop, window: Window, now: Standing, rules: Model) -> Decision:
    watching = shop.watching
    known = watching.episode(window.project, window.model)
    closed = watching.closed_episodes(window.project, window.model)
    return decide(now, window, known, closed, rules.monitor, shop.now())


def _done(shop: Shop, window: Window, now: Standing, decision: Decision) -> int | None:
    """Carry the decision out; the number of the episode that the window belongs to."""
    watching, episode = shop.watching, decision.episode
    watching.note(window)
    size = Size.seen(window, now.signal)
    match decision.step:
        case Step.OPEN:
            return watching.open(window, CAUSES[now.signal or Signal.COLUMNS], size.plain()).id
        case Step.REOPEN if episode:
            watching.reopen(episode, size=size.plain(), run=window.run)
        case Step.KEEP if episode:
            watching.keep(episode, Size.of(episode.size).joined(size).plain(), window.run)
        case Step.COUNT | Step.CLOSE if episode:
            watching.clean(episode, window.run)
            if decision.step is Step.CLOSE:
                watching.close(episode, shop.now())
        case _ if decision.step is Step.REMARK:
            return None
    return episode.id if episode else None
