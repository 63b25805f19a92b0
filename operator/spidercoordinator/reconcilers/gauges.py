"""Gauges of what the operator knows and does, read at each scrape."""

from __future__ import annotations

from spidercoordinator.reconcilers.context import Context
from spidercoordinator.runtime.leaderelection.elector import LeaderElector


def register(context: Context, elector: LeaderElector) -> None:
    """Add the gauges to the operator's metrics."""
    services, stores = context.services, context.stores
    queue, gauge = services.queue, services.metrics.gauge
    gauge("leader", "Whether this replica leads (1) or not (0).", lambda: elector.is_leader)
    gauge(
        "queue_depth",
        "Objects that wait to be reconciled.",
        lambda: queue.length if elector.is_leader else 0,
    )
    gauge("queue_retrying", "Objects whose last reconciliation failed.", lambda: queue.retrying)
    gauge(
        "writes_blocked",
        "Writes that the API server keeps refusing, or that others keep undoing.",
        lambda: len(context.problems),
    )
    gauge("networks", "SpiderMultusConfigs.", lambda: len(stores.networks))
    gauge(
        "last_heard_seconds",
        "Seconds since the last event or list.",
        services.health.seconds_since_last_event,
    )
