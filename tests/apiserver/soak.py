"""Objects that come and go, and what an operator still holds when they are gone."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import Callable, Coroutine, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from typing_extensions import override

from spidercoordinator.api.nad import CR_NAME
from spidercoordinator.api.objects import Object
from spidercoordinator.kube.client import Client
from spidercoordinator.kube.resource import (
    NETWORK_ATTACHMENT_DEFINITIONS,
    NODES,
    SPIDERCOORDINATORS,
    SPIDERMULTUSCONFIGS,
)
from tests.apiserver.harness import Cluster, Operator, condition, eventually

NAMESPACE = "default"
_AT_ONCE = 16
T = TypeVar("T")


@dataclass(frozen=True)
class Holdings:
    """What an operator holds.

    Attributes:
        types: how many objects, by type.
        lengths: of each container that can grow, by its type and identity.
    """

    types: dict[str, int]
    lengths: dict[str, int]

    def grown_since(self, before: Holdings, *, least: int) -> dict[str, int]:
        """Types with so many more objects, and containers of then with so many more entries."""
        types = {each: more - before.types.get(each, 0) for each, more in self.types.items()}
        lengths = {
            f"entries of {each}": self.lengths[each] - length
            for each, length in before.lengths.items()
            if each in self.lengths
        }
        return {each: more for each, more in (types | lengths).items() if more >= least}


class CountedOperator(Operator):
    """An operator that can be asked what it holds."""

    @property
    @override
    def command(self) -> list[str]:
        return [sys.executable, "-m", "tests.apiserver.counted", str(self._counts)]

    @property
    def _counts(self) -> Path:
        return self.log.with_name("counts.json")

    async def holds(self) -> Holdings:
        """Count what it holds now."""
        self._counts.unlink(missing_ok=True)
        os.kill(self.pid, signal.SIGUSR1)

        async def counted() -> bool:
            return self._counts.exists()

        await eventually("the operator has counted", counted)
        return Holdings(**json.loads(self._counts.read_text()))


async def each_of(items: Iterable[T], work: Callable[[T], Coroutine[Any, Any, Any]]) -> None:
    """Do the work for each item, some at a time."""
    queue = iter(list(items))

    async def worker() -> None:
        for item in queue:
            await work(item)

    await asyncio.gather(*(worker() for _ in range(_AT_ONCE)))


def network(number: int, name: str) -> Object:
    """A network of one of the sorts that end differently: ready, invalid, one of two rivals."""
    annotations, spec = {}, {"cniType": "macvlan", "macvlan": {"master": ["eth0"]}}
    if number % 5 == 1:
        spec = {"cniType": "custom", "customCNI": "{no JSON"}
    if number % 5 in (2, 3):
        annotations = {CR_NAME: f"rivals-{number // 5:06}"}
    meta = {"name": name, "namespace": NAMESPACE, "annotations": annotations}
    return {"metadata": meta, "spec": spec}


async def come_and_go(api: Client, operator: Operator, numbers: range) -> None:
    """Make networks, wait until each has its status, and remove all that was made.

    With them come other SpiderCoordinators, and nodes with ranges of their own.
    """

    async def make(number: int) -> None:
        body = network(number, f"soak-{number:06}")
        await api.create(SPIDERMULTUSCONFIGS, body, NAMESPACE)
        if number % 5 == 0:
            await api.create(SPIDERCOORDINATORS, {"metadata": {"name": f"other-{number}"}})
            spec = {"podCIDR": f"10.{number // 200 % 200}.{number % 200}.0/24"}
            node = {"metadata": {"name": f"soak-{number}"}, "spec": spec}
            await api.create(NODES, node)

    async def remove(number: int) -> None:
        await api.delete(SPIDERMULTUSCONFIGS, f"soak-{number:06}", NAMESPACE)
        if number % 5 == 0:
            await api.delete(SPIDERCOORDINATORS, f"other-{number}")
            await api.delete(NODES, f"soak-{number}")

    await each_of(numbers, make)
    await eventually("each network was looked at", lambda: _looked_at(api), seconds=600, every=0.5)
    await each_of(numbers, remove)
    # Nobody collects garbage on this API server.
    nads, _ = await api.list(NETWORK_ATTACHMENT_DEFINITIONS, keep=lambda nad: nad["metadata"])
    names = [meta["name"] for meta in nads]
    await each_of(names, lambda name: api.delete(NETWORK_ATTACHMENT_DEFINITIONS, name, NAMESPACE))

    async def idle() -> bool:
        left = operator.metric("spidercoordinator_networks")
        return not left and not operator.metric("spidercoordinator_workqueue_depth")

    await eventually("the operator has nothing to do", idle, seconds=120, every=0.2)


async def _looked_at(api: Client) -> bool:
    def ready(given: Object) -> bool:
        return bool(condition(given.get("status") or {}, "Ready"))

    seen, _ = await api.list(SPIDERMULTUSCONFIGS, keep=ready)
    return all(seen)


async def settled(cluster: Cluster) -> None:
    """Have the SpiderCoordinator that networks are rendered from."""
    await cluster.coordinator({"podCIDRType": "none", "serviceCIDR": ["10.96.0.0/16"]})

    async def synced() -> bool:
        return (await cluster.status()).get("phase") == "Synced"

    await eventually("the SpiderCoordinator is synced", synced)
