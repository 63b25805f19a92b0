"""Which networks give out the same addresses as others, decided anew as networks change."""

from __future__ import annotations

import asyncio
import time
from typing import Final

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


def overlap(context: Context, network: Name) -> str | None:
    """Why pods of the network and of another get the same addresses; None when they do not."""
    _compare(context)
    return context.stores.ranges.overlap(network)


def _compare(context: Context) -> None:
    """Compare the networks if it is time to."""
    index, now = context.stores.ranges, time.monotonic()
    index.follow(context.decided.default_ipam, context.stores.networks)
    if index.due(now):
        for name in index.compare(now):
            context.enqueue_network(name, low_priority=True)
