"""When the stores that kopf's handlers fill can be trusted, and what repairs them if they cannot.

kopf lists and watches but reports neither when its first list is complete nor what vanished while
a watch was broken. Both are found by a list of metadata (`kube.resync`).
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Coroutine
from dataclasses import dataclass, field
from typing import Final

from spidercoordinator.api.objects import Name
from spidercoordinator.errors import ApiError
from spidercoordinator.kube.backoff import Backoff
from spidercoordinator.kube.client import Client
from spidercoordinator.kube.resource import Resource
from spidercoordinator.kube.resync import compare, repair
from spidercoordinator.kube.store import Store
from spidercoordinator.runtime.health import Health
from spidercoordinator.runtime.logging import StateLogger
from spidercoordinator.runtime.metrics import Metrics

logger = logging.getLogger(__name__)

_RELIST_AFTER: Final = 2.0
"""Seconds without an awaited object after which the list is made anew."""
_POLL: Final = 0.02
_BACKOFF: Final = Backoff(first=0.5, cap=15.0)


async def wait_for_cache_sync(client: Client, resource: Resource, store: Store) -> None:
    """Return once the store has all that a list shows; an API server that is away is waited for."""
    failures, state = 0, StateLogger(logger)
    while True:
        try:
            found = await compare(client, resource, store)
        except ApiError as error:
            failures += 1
            state.log(logging.WARNING, f"caches are not synced yet, trying again: {error}")
            await asyncio.sleep(max(_BACKOFF.delay(failures), error.retry_after))
            continue
        found.drop_vanished(store)
        if await _arrive(store, {name: store.version(name) for name in found.outdated}):
            return


async def _arrive(store: Store, outdated: dict[Name, str]) -> bool:
    """Wait until the store has other versions of these objects; False when no more of them come."""
    # In the order in which a list delivers them, so that of thousands one is looked at.
    awaited = sorted(outdated, reverse=True)
    polls = most = int(_RELIST_AFTER / _POLL)
    while awaited:
        if store.version(awaited[-1]) != outdated[awaited[-1]]:
            awaited.pop()
            polls = most
        elif polls:
            await asyncio.sleep(_POLL)
            polls -= 1
        else:
            return False
    return True


@dataclass(slots=True)
class Resync:
    """Compares all stores with lists, slowly, and those that kopf fills as soon as it lists anew.

    Attributes:
        client: how to ask.
        stores: the store of each kind.
        health: gets which watch is stale.
        metrics: counts what a resync had to repair; nothing, unless there is a bug somewhere.
        period: seconds between two resyncs, before jitter.
        events_arrive_within: seconds after which a difference is no event that is on its way.
    """

    client: Client
    stores: dict[Resource, Store]
    health: Health
    metrics: Metrics
    period: float
    events_arrive_within: float = 20.0
    _relisted: set[Resource] = field(default_factory=set)
    _wake: asyncio.Event = field(default_factory=asyncio.Event)

    def relist(self, resource: Resource) -> None:
        """Ask for a list of this kind soon: kopf lists anew, which does not show what vanished."""
        self._relisted.add(resource)
        self._wake.set()

    async def run(self) -> None:
        """Resync, without end."""
        loop = asyncio.get_running_loop()
        due = loop.time() + _jittered(self.period)
        while True:
            try:
                async with asyncio.timeout_at(due):
                    await self._wake.wait()
                # kopf is still delivering its list; one more moment and all of it is in the store.
                await asyncio.sleep(1.0)
                self._wake.clear()
                kinds, self._relisted = self._relisted, set()
                for resource in kinds:
                    await self._reported(self._drop_vanished(resource))
            except TimeoutError:
                for resource in self.stores:
                    await self._reported(self.resync(resource))
                due = loop.time() + _jittered(self.period)

    async def resync(self, resource: Resource) -> None:
        """Compare one store with a list, and repair what differs for longer than events take.

        Raises:
            ApiError: the API server refused or was not reached.
        """
        store = self.stores[resource]
        found = await compare(self.client, resource, store)
        suspects = {name: store.version(name) for name in found.vanished | found.outdated}
        if not suspects:
            return
        await asyncio.sleep(self.events_arrive_within)
        again = await compare(self.client, resource, store)
        for name in sorted(suspects.keys() & (again.vanished | again.outdated)):
            if store.version(name) == suspects[name]:
                await repair(self.client, resource, store, name)
                self.health.mark_stale(resource.kind)
                self.metrics.repairs.labels(resource.kind).inc()
                what = resource.describe(*name)
                text = "resync: %s was not in sync with the API server"
                logger.error(text, what, extra={"object": what})

    async def _drop_vanished(self, resource: Resource) -> None:
        store = self.stores[resource]
        found = await compare(self.client, resource, store)
        found.drop_vanished(store)
        for name in found.vanished:
            what = resource.describe(*name)
            logger.info("%s was deleted while its watch was broken", what, extra={"object": what})

    async def _reported(self, work: Coroutine[None, None, None]) -> None:
        try:
            await work
        except ApiError as error:
            logger.warning("the resync is put off: %s", error)


def _jittered(seconds: float) -> float:
    return seconds * random.uniform(0.9, 1.1)  # noqa: S311 - spreads load
