"""The Prometheus metrics of the operator.

Names follow https://prometheus.io/docs/practices/naming/: base units, `_total` for counters,
`_info` for what never changes, and a moment rather than an age, so that a rule can tell how old
something is also when nothing is scraped any more.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib.metadata import version
from platform import python_version
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Info, generate_latest
from prometheus_client.gc_collector import GCCollector
from prometheus_client.platform_collector import PlatformCollector
from prometheus_client.process_collector import ProcessCollector

CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"

PREFIX: Final = "spidercoordinator_"
_SECONDS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)


class Metrics:
    """The operator's metrics, in a registry of their own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        for collector in (ProcessCollector, PlatformCollector, GCCollector):
            collector(registry=self.registry)
        self._reconciles = Counter(
            "spidercoordinator_reconciles",
            "Reconciliations, by kind and result (ok, failed).",
            ("kind", "result"),
            registry=self.registry,
        )
        self._seconds = Histogram(
            "spidercoordinator_reconcile_duration_seconds",
            "How long one reconciliation took.",
            ("kind",),
            buckets=_SECONDS,
            registry=self.registry,
        )
        self.events = Counter(
            "spidercoordinator_watch_events",
            "Watch events, by kind.",
            ("kind",),
            registry=self.registry,
        )
        self.repairs = Counter(
            "spidercoordinator_resync_repairs",
            "Objects of a store that a resync had to repair; more than zero is a bug, by kind.",
            ("kind",),
            registry=self.registry,
        )
        self.nad_writes = Counter(
            "spidercoordinator_nad_changes",
            "What became of NADs, by what happened (the reason of the Event about it).",
            ("reason",),
            registry=self.registry,
        )
        self.crashes = Counter(
            "spidercoordinator_unexpected_errors",
            "Exceptions that nobody expected, by where they were caught; more than zero is a bug.",
            ("place",),
            registry=self.registry,
        )
        self.reviews = Counter(
            "spidercoordinator_webhook_reviews",
            "Admission reviews, by kind and result (allowed, refused, failed: allowed unchecked).",
            ("kind", "result"),
            registry=self.registry,
        )
        self.webhook_up = Gauge(
            "spidercoordinator_webhook_up",
            "Whether this replica answers the webhook (1) or not (0).",
            registry=self.registry,
        )
        self.certificate_ends = Gauge(
            "spidercoordinator_webhook_certificate_expiration_timestamp_seconds",
            "When the webhook's certificate ends, in seconds since 1970; it is renewed before.",
            registry=self.registry,
        )
        self.ready = Gauge(
            "spidercoordinator_ready",
            "Whether the effective SpiderCoordinator lets pods be served (1) or not (0).",
            registry=self.registry,
        )
        self.nodes_lacking = Gauge(
            "spidercoordinator_network_nodes_lacking",
            "Nodes that lack what pods of a network need, by network and reason.",
            ("namespace", "network", "reason"),
            registry=self.registry,
        )
        self.review_seconds = Histogram(
            "spidercoordinator_webhook_review_duration_seconds",
            "How long the judgement of one admission review took, by kind.",
            ("kind",),
            buckets=_SECONDS,
            registry=self.registry,
        )
        self._requests = Counter(
            "spidercoordinator_api_requests",
            "Requests to the API server, by HTTP method and status code; no answer: <error>.",
            ("method", "code"),
            registry=self.registry,
        )
        Info(
            "spidercoordinator_build",
            "The version of the operator, and of Python.",
            registry=self.registry,
        ).info({"version": version("spidercoordinator"), "python_version": python_version()})

    def gauge(self, name: str, description: str, value: Callable[[], float]) -> None:
        """Add a gauge whose value is read at each scrape."""
        Gauge(PREFIX + name, description, registry=self.registry).set_function(value)

    def reconciled(self, key: tuple[str, ...], seconds: float, *, failed: bool) -> None:
        """Count one reconciliation of the work queue."""
        self._reconciles.labels(key[0], "failed" if failed else "ok").inc()
        self._seconds.labels(key[0]).observe(seconds)

    def requested(self, method: str, code: str) -> None:
        """Count one request to the API server."""
        self._requests.labels(method, code).inc()

    def render(self) -> bytes:
        """All metrics in Prometheus' text format."""
        return generate_latest(self.registry)
