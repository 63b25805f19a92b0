"""Decides anew on networks when what the nodes have changed, and keeps the metric about it."""

from __future__ import annotations

import asyncio
from typing import Final

from spidercoordinator.api.multus import SpiderMultusConfig
from spidercoordinator.api.objects import Name
from spidercoordinator.core.network.desired import list_version
from spidercoordinator.core.network.validation import parse
from spidercoordinator.core.nodes.findings import Finding, Served, findings, kept, served
from spidercoordinator.core.nodes.fleet import Fleet
from spidercoordinator.core.nodes.needs import needs_of
from spidercoordinator.discovery.nodelogs import NodeReports
from spidercoordinator.errors import InvalidObjectError
from spidercoordinator.reconcilers.context import Context, Decided

_LOOK_EVERY: Final = 2.0
"""Seconds between two looks at what was read of the nodes."""


async def follow(context: Context, reports: NodeReports) -> None:
    """Take over what the nodes report once it is settled, and at every change."""
    while True:
        if reports.settled:
            await update(context, reports.fleet())
        await asyncio.sleep(_LOOK_EVERY)


async def update(context: Context, fleet: Fleet) -> None:
    """Take over what the nodes report; networks are reconciled if it concerns any."""
    before, context.decided.fleet = context.decided.fleet, fleet
    if fleet is before:
        return
    if before is None:
        await _compare_statuses(context, fleet)
    elif fleet.changes(before):
        context.enqueue_all_networks()


async def _compare_statuses(context: Context, fleet: Fleet) -> None:
    """Enqueue the networks whose status does not tell what the nodes report.

    After a restart these are few, and all of them have just been reconciled.
    """
    for network in list(context.stores.networks):
        if not _is_told(context, network, fleet):
            context.enqueue_network(network, low_priority=True)
        await asyncio.sleep(0)  # thousands of networks would keep the probes waiting


def _is_told(context: Context, network: Name, fleet: Fleet) -> bool:
    """Whether the status of a network says of nodes what it should; its metric is set then."""
    observed = context.stores.networks.get(network) or {}
    told = kept(observed.get("status") or {})
    if not fleet.reports:
        return told == Served()
    try:
        config = parse(observed)
    except InvalidObjectError:
        return True  # it says that, and nothing of nodes
    found = _lacking(context.decided, config, fleet)
    if told != served(found, fleet):
        return False
    measure(context, network, found)
    return True


def lacking(decided: Decided, config: SpiderMultusConfig) -> list[Finding] | None:
    """What nodes lack that pods of the network need; None while nothing is known of the nodes."""
    return None if decided.fleet is None else _lacking(decided, config, decided.fleet)


def _lacking(decided: Decided, config: SpiderMultusConfig, fleet: Fleet) -> list[Finding]:
    version = list_version(config.metadata.annotations)
    ipam = decided.ipam.default if decided.ipam else None
    needs = needs_of(config.spec, ipam, cni_version=version)
    return findings(needs, fleet)


def measure(context: Context, network: Name, found: list[Finding]) -> None:
    """Set the network's series of the metric, and remove those that hold no more."""
    gauge, told = context.services.metrics.nodes_lacking, context.lacking.pop(network, frozenset())
    counts: dict[str, int] = {}
    for each in found:
        reason = each.need.reason
        counts[reason] = max(counts.get(reason, 0), each.answer.lacking.count)
    for reason in told - counts.keys():
        gauge.remove(*network, reason)
    for reason, count in counts.items():
        gauge.labels(*network, reason).set(count)
    if counts:
        context.lacking[network] = frozenset(counts)
