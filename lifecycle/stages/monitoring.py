"""Monitor: what the model was asked lately, compared with the profile of the data that it was trained on."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from statistics import median
from typing import Any

from lifecycle.drift import Alarm, DriftReport, Signal, Standing, compare, standing
from lifecycle.episodes import Decision, Size, Step, decide
from lifecycle.performance import performance
from lifecycle.project import Model
from lifecycle.registry import Version
from lifecycle.runs import Run, StageRecord
from lifecycle.shop import Outcome, Shop, Trouble
from lifecycle.traffic import Traffic
from lifecycle.usual import watch_of
from lifecycle.watching import Window

CAUSES = {Signal.METRIC: "performance", Signal.PREDICTIONS: "drift", Signal.ESTIMATE: "drift", Signal.COLUMNS: "drift"}
ENOUGH = 3  # earlier windows that say how many requests are usual
REMEMBERED = 40


def finish(shop: Shop, run: Run, record: StageRecord) -> Outcome:  # noqa: ARG001
    """Compare the window, keep it, and open, count down or close the episode of drift."""
    version = shop.registry.champion(run.spec.project, run.spec.model)
    if version is None:
        raise Trouble(f"No version of {run.spec.model} serves, so there is nothing to watch; /promote one first.")
    rules = shop.rules(run)
    traffic = Traffic.of(shop, run, rules, version)
    since, until = traffic.window(str(run.spec.options.get("window") or rules.monitor.window))
    seen, earlier = traffic.seen(since, until), _earlier(shop, run, version, since, until)
    watch = watch_of(rules, shop.registry.folder(version), _usual_rows(earlier, until - since))
    report = compare(traffic.comparable(seen), seen.profile, watch)
    moved = report.verdict != Alarm.CLEAN
    found = performance(shop, run, rules, version, traffic, (since, until), seen, moved)
    now = _stands(earlier, report, found, rules)
    window = _window(shop, run, version, (since, until), report, found, now)
    decision = _decided(shop, window, now, rules)
    episode = _done(shop, window, now, decision)
    facts = {"version": version.number, "rows": report.rows, "since": since.isoformat(), "until": until.isoformat()}
    facts |= {"report": window.report, "episode": episode, "call": now.call, "step": decision.step}
    facts |= {"performance": found}
    note = " ".join(part for part in (report.sentence, str(found.get("sentence", ""))) if part)
    return Outcome(note, {**facts, "because": decision.sentence or now.reason}, report.verdict)


def _window(
    shop: Shop,
    run: Run,
    version: Version,
    span: tuple[datetime, datetime],
    report: DriftReport,
    found: Mapping[str, Any],
    now: Standing,
) -> Window:
    return Window(
        project=run.spec.project,
        model=run.spec.model,
        number=version.number,
        run=run.id,
        since=span[0],
        until=span[1],
        rows=report.rows,
        verdict=report.verdict,
        worst=max((column.psi_corrected or 0.0 for column in report.columns), default=0.0),
        at=shop.now(),
        report=json.loads(report.to_json()),
        call=now.call,
        said=now.reason,
        performance=found,
    )


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


def _stands(earlier: Sequence[Window], report: DriftReport, found: Mapping[str, Any], rules: Model) -> Standing:
    needed, of = rules.monitor.needed
    failed = found.get("verdict") == "FAIL"
    worse, probably = failed and found["how"] == "realised", failed and found["how"] == "estimated"
    reports = [known for window in earlier[-of:] if (known := _report_of(window))]
    return standing([*reports, report], worse=worse, probably_worse=probably, needed=needed, of=of)


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
