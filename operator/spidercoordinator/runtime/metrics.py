"""The Prometheus metrics of the operator."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.gc_collector import GCCollector
from prometheus_client.platform_collector import PlatformCollector
from prometheus_client.process_collector import ProcessCollector

CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"

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
            "spidercoordinator_reconcile_seconds",
            "How long one reconciliation took.",
            ("kind",),
            buckets=_SECONDS,
            registry=self.registry,
        )
        self.events = Counter(
            "spidercoordinator_events",
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
            "spidercoordinator_nads",
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
        self.source_up = Gauge(
            "spidercoordinator_source_up",
            "Whether a source of CIDRs has some (1), has or is none (0), or cannot be read (-1).",
            ("topic",),
            registry=self.registry,
        )

    def gauge(self, name: str, description: str, value: Callable[[], float]) -> None:
        """Add a gauge whose value is read at each scrape."""
        Gauge(f"spidercoordinator_{name}", description, registry=self.registry).set_function(value)

    def reconciled(self, key: tuple[str, ...], seconds: float, *, failed: bool) -> None:
        """Count one reconciliation of the work queue."""
        self._reconciles.labels(key[0], "failed" if failed else "ok").inc()
        self._seconds.labels(key[0]).observe(seconds)

    def render(self) -> bytes:
        """All metrics in Prometheus' text format."""
        return generate_latest(self.registry)
