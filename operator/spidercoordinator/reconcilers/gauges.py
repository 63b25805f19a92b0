"""Gauges of what the operator knows and does, read at each scrape."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector
from typing_extensions import override

from spidercoordinator.api.objects import Name, Object
from spidercoordinator.core.network.status import readiness
from spidercoordinator.discovery.nodelogs import NodeReports
from spidercoordinator.discovery.readings import Reading
from spidercoordinator.reconcilers.context import Context
from spidercoordinator.runtime.leaderelection.elector import LeaderElector
from spidercoordinator.runtime.metrics import PREFIX, Metrics

_MEASURE_EVERY: Final = 5.0
"""Seconds between two measurements for the probes."""


async def measure(context: Context) -> None:
    """Tell the probes how long the longest reconciliation has been running."""
    services = context.services
    while True:
        services.health.longest_reconcile = services.queue.longest_running()
        await asyncio.sleep(_MEASURE_EVERY)


def register(
    context: Context,
    elector: LeaderElector,
    readings: Callable[[], Iterable[Reading]],
    nodes: NodeReports | None,
) -> None:
    """Add the gauges to the operator's metrics."""
    services, stores = context.services, context.stores
    queue, gauge = services.queue, services.metrics.gauge
    gauge("leader", "Whether this replica leads (1) or not (0).", lambda: elector.is_leader)
    gauge(
        "workqueue_depth",
        "Objects that wait to be reconciled.",
        lambda: queue.length if elector.is_leader else 0,
    )
    gauge("workqueue_retrying", "Objects whose last reconciliation failed.", lambda: queue.retrying)
    gauge(
        "workqueue_longest_running_seconds",
        "How long the longest reconciliation that runs now has been running.",
        queue.longest_running,
    )
    gauge(
        "writes_blocked",
        "Writes that the API server keeps refusing, or that others keep undoing.",
        lambda: len(context.problems),
    )
    gauge(
        "networks_in_sync",
        "SpiderMultusConfigs whose NAD is rendered from the settings of now.",
        lambda: _in_sync(context),
    )
    gauge(
        "last_event_timestamp_seconds",
        "When the last watch event or list came, in seconds since 1970.",
        lambda: services.health.last_event_at,
    )
    if nodes is not None:
        _of_nodes(services.metrics, nodes)
    registry = services.metrics.registry
    states = NetworkStates()
    stores.networks.add_indexer(states.update)
    registry.register(states)
    registry.register(SourceReadings(readings))


def _of_nodes(metrics: Metrics, nodes: NodeReports) -> None:
    metrics.gauge(
        "nodes_silent",
        "Nodes that run an installer and report nothing, or nothing fresh.",
        lambda: len(nodes.fleet().silent),
    )
    metrics.gauge(
        "node_report_oldest_timestamp_seconds",
        "When the oldest fresh report of a node was read, in seconds since 1970.",
        lambda: time.time() - nodes.fleet().age,
    )


def _in_sync(context: Context) -> int:
    cluster = context.decided.cluster
    return sum(
        cluster is not None and context.progress.in_sync(name, cluster.revision)
        for name in context.stores.networks
    )


class NetworkStates(Collector):
    """SpiderMultusConfigs by what their condition Ready says, counted as they change."""

    def __init__(self) -> None:
        self._counts: Counter[tuple[str, str]] = Counter()

    def update(self, _: Name, before: Object | None, after: Object | None) -> None:
        """Take in a change of one network; an indexer of their store."""
        if before is not None:
            self._counts[readiness(before)] -= 1
        if after is not None:
            self._counts[readiness(after)] += 1

    @override
    def collect(self) -> Iterator[GaugeMetricFamily]:
        family = GaugeMetricFamily(
            PREFIX + "networks",
            "SpiderMultusConfigs, by status and reason of their condition Ready.",
            labels=("ready", "reason"),
        )
        for labels, count in sorted(self._counts.items()):
            if count:
                family.add_metric(labels, count)
        yield family


@dataclass(frozen=True)
class SourceReadings(Collector):
    """What is read to find the cluster's CIDRs: whether it can be, how much, and when it was.

    Attributes:
        readings: gives them.
    """

    readings: Callable[[], Iterable[Reading]]

    @override
    def collect(self) -> Iterator[GaugeMetricFamily]:
        labels = ("resource", "namespace", "selector")
        readable = GaugeMetricFamily(
            PREFIX + "source_readable",
            "Whether objects that tell of CIDRs can be read (1) or not (0).",
            labels=labels,
        )
        entries = GaugeMetricFamily(
            PREFIX + "source_entries",
            "Objects that tell of CIDRs, as last read; of a kind that is not served, none.",
            labels=labels,
        )
        read = GaugeMetricFamily(
            PREFIX + "source_last_read_timestamp_seconds",
            "When they were last read, in seconds since 1970; 0 for never.",
            labels=labels,
        )
        for each in self.readings():
            values = (each.resource, each.namespace, each.selector)
            readable.add_metric(values, each.readable)
            entries.add_metric(values, each.entries)
            read.add_metric(values, each.last_read)
        yield from (readable, entries, read)
