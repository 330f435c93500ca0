"""The clock: turns cron schedules into events, each tick once, whatever the number of replicas."""

import logging
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from apscheduler.executors.base import BaseExecutor
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.cron import CronTrigger
from apscheduler.triggers.interval import IntervalTrigger

from bot.events import Event, MonitorDue, RetentionDue, SweepDue

log = logging.getLogger(__name__)
EPOCH = datetime(2020, 1, 1, tzinfo=UTC)  # interval ticks fall on the same moments in every replica
LATE = 300  # seconds within which a tick that was missed is made up
SWEEP, RETENTION = "sweep", "retention"


class EnqueueExecutor(BaseExecutor):  # type: ignore[misc]
    """Puts an event for the scheduled time of each tick into the inbox, where a second one changes nothing.

    A job function of APScheduler 3 does not learn its scheduled time, its executor does; so this one does the work.
    """

    def __init__(self, put: Callable[[Event], object]) -> None:
        super().__init__()
        self._put = put

    def _do_submit_job(self, job: Any, run_times: list[datetime]) -> None:
        try:
            for tick in run_times:
                self._put(_event(job.id, tick.astimezone(UTC)))
        except Exception as error:
            log.exception("the tick of %s could not be put into the inbox", job.id)
            self._run_job_error(job.id, error, error.__traceback__)
        else:
            self._run_job_success(job.id, [])


class Clock:
    """Ticks the sweep, and the monitors that the repositories' default branches ask for."""

    def __init__(self, put: Callable[[Event], object], sweep_seconds: int) -> None:
        self._scheduler = BackgroundScheduler(
            executors={"default": EnqueueExecutor(put)},
            timezone="UTC",
            job_defaults={"coalesce": True, "misfire_grace_time": LATE},
        )
        self._monitors: dict[str, str] = {}
        trigger = IntervalTrigger(seconds=sweep_seconds, start_date=EPOCH, timezone="UTC")
        self._scheduler.add_job(_nothing, trigger, id=SWEEP)
        self._scheduler.add_job(_nothing, CronTrigger(minute=17, timezone="UTC"), id=RETENTION)

    def start(self) -> None:
        """Begin to tick."""
        self._scheduler.start()

    def close(self) -> None:
        """Stop ticking."""
        self._scheduler.shutdown(wait=False)

    def watch(self, schedules: Mapping[str, str]) -> None:
        """Tick for these models (`repository/name`), each by its cron schedule, and for no others."""
        for model in self._monitors.keys() - schedules.keys():
            self._scheduler.remove_job(model)
            del self._monitors[model]
        for model, cron in schedules.items():
            if self._monitors.get(model) == cron:
                continue
            try:
                trigger = CronTrigger.from_crontab(cron, timezone="UTC")
            except ValueError as error:
                log.warning("the schedule %r of %s cannot be read: %s", cron, model, error)
                continue
            self._scheduler.add_job(_nothing, trigger, id=model, replace_existing=True)
            self._monitors[model] = cron


def _event(job: str, tick: datetime) -> Event:
    if job == SWEEP:
        return SweepDue(tick)
    return RetentionDue(tick) if job == RETENTION else MonitorDue(job, tick)


def _nothing() -> None:
    """What APScheduler is told to run: the executor does the work instead."""
