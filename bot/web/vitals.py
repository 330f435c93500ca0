"""Whether we are well, for load balancers, and how much, for Prometheus; both read a bounded number of rows."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

import flask
from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeHistogramMetricFamily, GaugeMetricFamily, InfoMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from bot.web.models import crowned
from bot.web.views import Views
from lifecycle import Filter, Run, State

RECENT = 100  # runs that the recent numbers are made from
OPEN = 200  # runs of one state; more than that are counted as that many
MODELS = 200  # more would make every look at us slow
SECONDS = (0.1, 0.5, 1, 5, 15, 60, 300, 900, 3600, 4 * 3600, 24 * 3600)


def add_vitals(app: flask.Flask, views: Views) -> None:
    """Register /healthz and /metrics."""

    @app.get("/healthz")
    def healthz() -> flask.Response:
        try:
            parts = dict(views.health())
        except Exception as error:  # whatever breaks, the answer is that we are not well
            parts = {"health": f"The check itself failed: {type(error).__name__}."}
        ill = {name: words for name, words in parts.items() if words != "ok"}
        response = flask.jsonify(
            status="ill" if ill else "ok", version=views.version, role="web", host=views.host, parts=parts
        )
        response.status_code = 503 if ill else 200
        response.headers["Cache-Control"] = "no-store"
        return response

    @app.get("/metrics")
    def metrics() -> flask.Response:
        return flask.Response(generate_latest(Numbers(views)), content_type=CONTENT_TYPE_LATEST)


class Numbers(Collector):
    """What this process counts itself, and what the database says at this moment."""

    def __init__(self, views: Views) -> None:
        self.views = views

    def collect(self) -> Iterable[Metric]:
        """All metrics, read now."""
        yield from REGISTRY.collect()
        yield from self._runs()
        yield from self._models()
        waiting = self.views.inbox_depth()
        yield GaugeMetricFamily("lifecycle_inbox_depth", "Events that wait to be handled.", value=waiting)
        about = {"version": self.views.version, "role": "web", "host": self.views.host}
        yield InfoMetricFamily("lifecycle_bot", "What is running here.", value=about)
        yield self._workers()
        if (swept := self.views.swept()) is not None:
            ago = (self.views.now() - swept).total_seconds()
            yield GaugeMetricFamily("lifecycle_sweep_age_seconds", "How long ago the last sweep began.", value=ago)

    def _runs(self) -> Iterator[Metric]:
        recent = self.views.runs.find(Filter(), limit=RECENT)
        states = (State.WAITING, State.RUNNING)  # by state, because that has an index for the newest
        unfinished = [run for state in states for run in self.views.runs.find(Filter(state=state), limit=OPEN)]
        # Runs are numbered one by one and never deleted, so the newest number counts them all.
        total = CounterMetricFamily("lifecycle_runs_asked", "Runs ever asked for.")
        total.add_metric([], recent[0].id if recent else 0)
        yield total
        yield _by_kind("lifecycle_runs_open", "Runs that have not ended, by kind and state.", unfinished)
        yield _by_kind("lifecycle_runs_recent", f"The newest {RECENT} runs, by kind and state.", recent)
        yield _durations(recent)

    def _workers(self) -> Metric:
        labels = ["executor", "host", "machine"]
        seen = GaugeMetricFamily(
            "lifecycle_worker_seen_seconds", "How long ago each living worker said so.", labels=labels
        )
        for one in self.views.workers():
            seen.add_metric([one.executor, one.host, one.name], one.ago)
        return seen

    def _models(self) -> Iterator[Metric]:
        labels = ["project", "model"]
        champion = GaugeMetricFamily("lifecycle_champion_version", "The version in production.", labels=labels)
        drift = GaugeMetricFamily("lifecycle_drift_worst_psi", "Worst corrected PSI, last window.", labels=labels)
        for model in self.views.registry.models()[:MODELS]:
            crown, seen = crowned(self.views.registry.reign(*model)), self.views.watching.windows(*model, limit=1)
            if crown:
                champion.add_metric(model, crown.number)
            if seen:
                drift.add_metric(model, seen[0].worst)
        episodes = Counter((one.project, one.model) for one in self.views.watching.open_episodes())
        drifting = GaugeMetricFamily("lifecycle_drift_episodes_open", "Open episodes of drift.", labels=labels)
        for model, count in episodes.items():
            drifting.add_metric(model, count)
        yield from (champion, drift, drifting)


def _by_kind(name: str, words: str, runs: Sequence[Run]) -> Metric:
    metric = GaugeMetricFamily(name, words, labels=["kind", "state"])
    for (kind, state), count in sorted(Counter((run.spec.kind, run.state) for run in runs).items()):
        metric.add_metric([kind, state], count)
    return metric


def _durations(runs: Sequence[Run]) -> Metric:
    took: dict[str, list[float]] = {}
    for record in (record for run in runs for record in run.stages):
        if record.started and record.ended:
            length = (record.ended - record.started).total_seconds()
            took.setdefault(record.stage, []).append(max(0.0, length))  # the clock may have been set back
    # A gauge, not a counter: it tells of the newest runs only, so its buckets also go down.
    metric = GaugeHistogramMetricFamily(
        "lifecycle_stage_seconds", f"How long stages took, newest {RECENT} runs.", labels=["stage"]
    )
    for stage, seconds in sorted(took.items()):
        buckets = [(str(float(most)), float(sum(one <= most for one in seconds))) for most in SECONDS]
        metric.add_metric([stage], [*buckets, ("+Inf", float(len(seconds)))], sum(seconds))
    return metric
