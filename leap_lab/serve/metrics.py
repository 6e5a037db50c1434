"""What Prometheus is told."""

from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST

from leap_lab.serve.groups import Group
from leap_lab.serve.pool import Pool

__all__ = ["CONTENT_TYPE_LATEST", "Metrics"]
SECONDS = (0.1, 0.5, 1, 5, 10, 30, 60, 120, 300, 600, 1800, 3600)


class Metrics:
    """Counts since the start, in a registry of their own: vLLM in this process has others."""

    def __init__(self, pool: Pool) -> None:
        self._registry = CollectorRegistry()
        own: Any = {"registry": self._registry}
        self.requests = Counter("leap_lab_requests", "Requests, by endpoint and status", ["endpoint", "status"], **own)
        self._tokens = Counter("leap_lab_tokens", "Tokens of decoded groups, by kind", ["kind"], **own)
        self._groups = Counter("leap_lab_groups", "Decoded groups", **own)
        self._seconds = Histogram("leap_lab_group_seconds", "Seconds of a group", buckets=SECONDS, **own)
        running = Gauge("leap_lab_groups_running", "Groups that are being decoded", **own)
        running.set_function(lambda: pool.running)
        waiting = Gauge("leap_lab_groups_waiting", "Groups that wait for a place", **own)
        waiting.set_function(lambda: pool.waiting)

    def group(self, group: Group, seconds: float) -> None:
        """Count a decoded group."""
        self._groups.inc()
        self._seconds.observe(seconds)
        self._tokens.labels("prompt").inc(group.prompt_tokens)
        self._tokens.labels("sampled").inc(group.sampled)

    def text(self) -> bytes:
        """What /metrics answers."""
        return generate_latest(self._registry)
