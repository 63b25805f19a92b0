"""Makes a simulated cluster on an API server, and has its nodes beat."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

from spidercoordinator.api.objects import Object
from spidercoordinator.kube.client import Client
from spidercoordinator.kube.resource import (
    CALICO_BLOCKS,
    CILIUM_NODES,
    LEASES,
    NODES,
    PODS,
    Resource,
)
from tests.apiserver.installers import installer_status
from tests.bench import simulated
from tests.bench.load import all_of
from tests.bench.simulated import Size

_REPORT_EVERY: Final = 300.0
"""Seconds between two statuses of a node (kubelet's nodeStatusReportFrequency)."""
_RENEW_EVERY: Final = 100.0
"""Seconds between two renewals of a node's Lease: ten times what kubelet takes, for the API server
of a small machine; the operator watches no Lease."""
_LEASES_IN: Final = "kube-node-lease"


async def create(api: Client, kind: Resource, things: list[Object], namespace: str = "") -> float:
    """Create objects, many at a time; gives the seconds it took."""

    async def one(thing: Object) -> None:
        await api.create(kind, thing, namespace)

    return await all_of(one, things)


async def populate(api: Client, size: Size) -> dict[str, float]:
    """Create everything but the networks; gives the seconds that each kind took."""
    took = {
        "nodes": await create(api, NODES, [simulated.node(each) for each in range(size.nodes)]),
        "Leases": await create(
            api, LEASES, [simulated.lease(each) for each in range(size.nodes)], _LEASES_IN
        ),
        "blocks": await create(
            api, CALICO_BLOCKS, [simulated.block(each) for each in range(size.blocks)]
        ),
        "CiliumNodes": await create(
            api, CILIUM_NODES, [simulated.cilium_node(each) for each in range(size.cilium_nodes)]
        ),
        "pods": await create(
            api, PODS, [simulated.pod(each, size.nodes) for each in range(size.pods)], "default"
        ),
    }

    async def report(number: int) -> None:
        name = f"pod-{number:05}"
        patch = installer_status("eth0", "eth1")
        await api.patch(PODS, name, "default", patch=patch, subresource="status")

    took["statuses of pods"] = await all_of(report, range(min(size.nodes, size.pods)))
    return took


@dataclass
class Beats:
    """How many heartbeats the API server has taken.

    Attributes:
        statuses: of nodes.
        leases: of nodes.
    """

    statuses: int = 0
    leases: int = 0


@asynccontextmanager
async def heartbeats(api: Client, nodes: int) -> AsyncIterator[Beats]:
    """Have all nodes report their status and renew their Leases, as kubelets do."""
    beats = Beats()

    async def report(number: int) -> None:
        now = f"2026-01-01T{beats.statuses // 3600 % 24:02}:{beats.statuses // 60 % 60:02}:00Z"
        patch = {
            "status": {"conditions": simulated.conditions(now[:-3] + f"{beats.statuses % 60:02}Z")}
        }
        await api.patch(NODES, f"node-{number:05}", patch=patch, subresource="status")
        beats.statuses += 1

    async def renew(number: int) -> None:
        name, patch = f"node-{number:05}", {"spec": {"leaseTransitions": beats.leases}}
        await api.patch(LEASES, name, _LEASES_IN, patch=patch)
        beats.leases += 1

    tasks = [
        asyncio.create_task(_in_turn(nodes, _REPORT_EVERY, report)),
        asyncio.create_task(_in_turn(nodes, _RENEW_EVERY, renew)),
    ]
    try:
        yield beats
    finally:
        for task in tasks:
            task.cancel()
        for outcome in await asyncio.gather(*tasks, return_exceptions=True):
            if isinstance(outcome, Exception):
                raise outcome


async def _in_turn(
    nodes: int, every: float, work: Callable[[int], Coroutine[None, None, None]]
) -> None:
    """Do the work for each node in turn, each one once in so many seconds."""
    loop = asyncio.get_running_loop()
    due = loop.time()
    for count in itertools.count():
        due += every / nodes
        await asyncio.sleep(due - loop.time())
        await work(count % nodes)
