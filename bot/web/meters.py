"""Counts the deliveries that come in, for Prometheus and for the temper of the log."""

import threading
import time

from prometheus_client import CollectorRegistry, Counter, Histogram

BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10)  # seconds
QUIET_SECONDS = 1.0


class Meters:
    """Deliveries by platform and outcome, and how long their senders waited."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._deliveries = Counter(
            "lifecycle_deliveries", "Webhook deliveries received", ("platform", "outcome"), registry=registry
        )
        self._seconds = Histogram(
            "lifecycle_delivery_seconds",
            "From a delivery's header to its answer",
            ("platform",),
            buckets=BUCKETS,
            registry=registry,
        )
        self._counters: dict[tuple[str, str], tuple[Counter, Histogram]] = {}
        self._logged: dict[str, float] = {}
        self._lock = threading.Lock()

    def count(self, platform: str, outcome: str, seconds: float) -> None:
        """One delivery was answered."""
        pair = self._counters.get((platform, outcome))
        if pair is None:  # kept, because finding a labelled child costs more than counting
            pair = self._deliveries.labels(platform, outcome), self._seconds.labels(platform)
            self._counters[platform, outcome] = pair
        pair[0].inc()
        pair[1].observe(seconds)

    def may_log(self, platform: str) -> bool:
        """Whether to log a refusal: one a second, so that strangers cannot fill the disk."""
        now = time.monotonic()
        with self._lock:
            if now - self._logged.get(platform, -QUIET_SECONDS) < QUIET_SECONDS:
                return False
            self._logged[platform] = now
            return True
