"""Which networks are in each other's way, or in that of nodes: by addresses, or by a link.

It is decided anew as networks and nodes change.
"""

from __future__ import annotations

import asyncio
import time
from typing import Final

from spidercoordinator.api.multus import SpiderMultusConfig
from spidercoordinator.api.objects import Name
from spidercoordinator.reconcilers.context import Context

_LOOK_EVERY: Final = 1.0
"""Seconds between two looks whether networks changed."""


async def follow(context: Context) -> None:
    """Compare the networks after changes, and have those reconciled of which something else holds.

    Those that are reconciled meanwhile see to it themselves; this is for the last of many.
    """
    while True:
        await asyncio.sleep(_LOOK_EVERY)
        if context.decided.known:
            _compare(context)
            _follow_nodes(context)
            _follow_links(context)


def overlap(context: Context, network: Name) -> str | None:
    """Why pods of the network and of another get the same addresses; None when they do not."""
    _compare(context)
    return context.stores.ranges.overlap(network)


def node_address(context: Context, config: SpiderMultusConfig) -> str | None:
    """Which addresses of nodes pods of the network may get; None for none."""
    network = (config.metadata.namespace, config.metadata.name)
    pool = context.stores.ranges.pools.get(network)
    return context.stores.on_nodes.judge(network, pool, context.services.discovery.node_addresses())


def shared_link(context: Context, config: SpiderMultusConfig) -> str | None:
    """Why pods of the network and of another cannot share a node; None when they can."""
    return context.stores.links.judge((config.metadata.namespace, config.metadata.name))


def _follow_links(context: Context) -> None:
    """Have networks reconciled of which something else holds since others came, went or changed."""
    for name in context.stores.links.follow():
        context.enqueue_network(name, low_priority=True)


def _follow_nodes(context: Context) -> None:
    """Have networks reconciled of which something else holds since nodes came, went or changed."""
    stores, addresses = context.stores, context.services.discovery.node_addresses()
    for name in stores.on_nodes.follow(addresses, stores.ranges.pools):
        context.enqueue_network(name, low_priority=True)


def _compare(context: Context) -> None:
    """Compare the networks if it is time to."""
    index, now = context.stores.ranges, time.monotonic()
    index.follow(context.decided.default_ipam, context.stores.networks)
    if index.due(now):
        for name in index.compare(now):
            context.enqueue_network(name, low_priority=True)
