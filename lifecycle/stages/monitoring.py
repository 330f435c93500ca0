"""Monitor: what the model was asked lately, compared with the profile of the data that it was trained on."""

import json
from collections.abc import Iterator
from datetime import datetime, timedelta

import pyarrow as pa

from lifecycle.drift import Alarm, Profile, compare, profile
from lifecycle.project import Model
from lifecycle.runs import Run, StageRecord
from lifecycle.shop import Outcome, Shop, Trouble, serving_name
from lifecycle.usual import watch_of
from lifecycle.watching import Window
from lifecycle.windows import read_window

CAUSE = "drift"


def finish(shop: Shop, run: Run, record: StageRecord) -> Outcome:  # noqa: ARG001
    """Compare the window, keep it, and open, count down or close the episode of drift."""
    version = shop.registry.champion(run.spec.project, run.spec.model)
    if version is None:
        raise Trouble(f"No version of {run.spec.model} serves, so there is nothing to watch; /promote one first.")
    rules, name = shop.rules(run), serving_name(run.spec.project, run.spec.model)
    since, until = window_of(shop, run, rules)
    reference = Profile.from_bytes((shop.registry.folder(version) / "profile.bin").read_bytes())
    rows = _without_time(shop.requests.read(name, since, until, rules.time), rules)
    seen = profile(rows, like=reference)
    if not seen.rows:
        raise Trouble(f"{run.spec.model} was asked nothing from {since:%Y-%m-%d %H:%M} to {until:%Y-%m-%d %H:%M} UTC.")
    report = compare(reference, seen, watch_of(rules, shop.registry.folder(version)))
    worst = max((column.psi_corrected or 0.0 for column in report.columns), default=0.0)
    window = Window(
        project=run.spec.project,
        model=run.spec.model,
        number=version.number,
        run=run.id,
        since=since,
        until=until,
        rows=seen.rows,
        verdict=report.verdict,
        worst=worst,
        at=shop.now(),
        report=json.loads(report.to_json()),
    )
    shop.watching.note(window)
    episode = _follow(shop, run, window, rules)
    facts = {"version": version.number, "rows": seen.rows, "since": since.isoformat(), "until": until.isoformat()}
    return Outcome(report.sentence, {**facts, "report": window.report, "episode": episode}, report.verdict)


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


def _without_time(batches: Iterator[pa.RecordBatch], rules: Model) -> Iterator[pa.RecordBatch]:
    for batch in batches:
        dropped = [name for name in (rules.time, *rules.monitor.ignore) if name in batch.schema.names]
        yield batch.drop_columns(dropped) if dropped else batch


def _follow(shop: Shop, run: Run, window: Window, rules: Model) -> int | None:
    """Open, count down or close the episode; the number of the one that this window belongs to."""
    if window.verdict == Alarm.ALARM:
        return shop.watching.open(window, CAUSE).id
    episode = shop.watching.episode(run.spec.project, run.spec.model, CAUSE)
    if episode is None or window.verdict != Alarm.CLEAN or run.id <= episode.opened_by:
        return episode.id if episode else None
    shop.watching.clean(episode, episode.clean + 1)
    served_since = episode.retrained is not None and window.number == episode.retrained
    if served_since and episode.clean + 1 >= rules.monitor.clean_windows:
        shop.watching.close(episode, shop.now())
    return episode.id
