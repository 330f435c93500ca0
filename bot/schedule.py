"""The clock: turns cron schedules into events, each tick once, whatever the number of replicas."""

import logging
import threading
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from apscheduler.executors.base import BaseExecutor
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.cron import CronTrigger
from apscheduler.triggers.interval import IntervalTrigger

from bot.events import Event, MonitorDue, RetentionDue, SweepDue

log = logging.getLogger(__name__)
EPOCH = datetime(2020, 1, 1, tzinfo=UTC)  # interval ticks fall on the same moments in every replica
LOOK, BACK = 15.0, timedelta(seconds=60)  # how often we look at the wall clock, and how far back is a jump
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
    """Ticks the sweep, and the monitors that the repositories' default branches ask for.

    Ticks that a jump forward or a sleeping machine skips are made up, as one. After a jump back, ticks would be those
    that were, and nothing would happen until the clock is where it was: so the sweep then goes by another rhythm.
    """

    def __init__(
        self, put: Callable[[Event], object], sweep_seconds: int, now: Callable[[], datetime], look: float = LOOK
    ) -> None:
        self._put, self._sweep_seconds, self._now, self._look = put, sweep_seconds, now, look
        self._closed = threading.Event()
        self._scheduler = BackgroundScheduler(
            executors={"default": EnqueueExecutor(put)},
            timezone="UTC",
            job_defaults={"coalesce": True, "misfire_grace_time": None},
        )
        self._monitors: dict[str, str] = {}
        self._sweep_from(EPOCH)
        self._scheduler.add_job(_nothing, CronTrigger(minute=17, timezone="UTC"), id=RETENTION)

    def start(self) -> None:
        """Begin to tick."""
        self._scheduler.start()
        threading.Thread(target=self._mind, name="clock", daemon=True).start()

    def close(self) -> None:
        """Stop ticking."""
        self._closed.set()
        self._scheduler.shutdown(wait=False)

    def _sweep_from(self, start: datetime) -> None:
        trigger = IntervalTrigger(seconds=self._sweep_seconds, start_date=start, timezone="UTC")
        self._scheduler.add_job(_nothing, trigger, id=SWEEP, replace_existing=True)

    def _mind(self) -> None:
        """Notice when the clock is set back."""
        last = self._now()
        while not self._closed.wait(self._look):
            now = self._now()
            if now < last - BACK:
                log.warning("the clock was set back by %.0f s", (last - now).total_seconds())
                try:
                    self._put(SweepDue(now))
                    self._sweep_from(now)
                    self._again()
                except Exception:
                    log.exception("the schedules could not be set anew")
            last = now

    def _again(self) -> None:
        """Have the monitors tick when their time comes by the new clock; what has ticked then is known."""
        schedules, self._monitors = self._monitors, {}
        self.watch(schedules)

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
