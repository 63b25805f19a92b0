"""Many networks at once: pods need NADs, so these are written before what statuses say."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from aiohttp import web
from aiohttp.test_utils import TestServer

from spidercoordinator.api.coordinator import SpiderCoordinatorSpec
from spidercoordinator.api.objects import Object
from spidercoordinator.core.coordinator.cluster import ClusterConfig
from spidercoordinator.core.network.ipam import ClusterIPAM
from spidercoordinator.core.nodes.fleet import Fleet
from spidercoordinator.kube.client import Client
from spidercoordinator.kube.login import Login
from spidercoordinator.reconcilers import spidermultusconfig, triggers
from spidercoordinator.reconcilers.context import NETWORK, Context, network_key
from spidercoordinator.reconcilers.manager import Manager
from spidercoordinator.runtime.settings import Settings
from spidercoordinator.runtime.workqueue import Key, WorkQueue
from tests.unit.kube.kubeconfig import write_kubeconfig

MANY = 120
AT_ONCE = 32
"""What the work queue processes at the same time."""


class ApiServer:
    """Takes NADs and statuses, and remembers in which order."""

    def __init__(self) -> None:
        self.taken: list[tuple[str, str]] = []
        self._version = 1000
        self._news = asyncio.Event()

    async def all_taken(self, count: int) -> None:
        """Wait until so much was written."""
        async with asyncio.timeout(60):
            while len(self.taken) < count:
                self._news.clear()
                await self._news.wait()

    async def nad(self, request: web.Request) -> web.Response:
        return await self._take("NAD", request)

    async def status(self, request: web.Request) -> web.Response:
        return await self._take("status", request)

    async def none(self, request: web.Request) -> web.Response:
        status = {"kind": "Status", "details": {"name": request.match_info["name"]}}
        return web.json_response(status, status=404)

    async def _take(self, what: str, request: web.Request) -> web.Response:
        body: Any = await request.json()
        self.taken.append((what, request.match_info["name"]))
        self._version += 1
        self._news.set()
        meta = {
            "namespace": "ns",
            "name": request.match_info["name"],
            "uid": "1",
            **body.get("metadata", {}),
            "resourceVersion": str(self._version),
        }
        return web.json_response({**body, "metadata": meta})


@asynccontextmanager
async def deciding(tmp_path: Path) -> AsyncIterator[tuple[Context, ApiServer]]:
    """What reconcilers of networks share once the cluster was decided on, and the API server."""
    server, application = ApiServer(), web.Application()
    application.router.add_patch("/apis/k8s.cni.cncf.io/{rest:.*}/{name}", server.nad)
    application.router.add_get("/apis/{rest:.*}/{name}", server.none)
    application.router.add_patch("/apis/{rest:.*}/{name}/status", server.status)
    running = TestServer(application)
    async with running:
        login = await Login.find({"KUBECONFIG": str(write_kubeconfig(running, tmp_path))})
        async with Client(login) as client:

            async def reconcile(key: Key) -> None:
                if key[0] == NETWORK:
                    await spidermultusconfig.reconcile(key, context)

            services = Manager(Settings(), client).context.services
            context = Context(replace(services, client=client, queue=WorkQueue(reconcile)))
            triggers.register(context)
            decided = context.decided
            decided.nads_served = decided.known = True
            decided.cluster = ClusterConfig(name="default", spec=SpiderCoordinatorSpec())
            decided.ipam = ClusterIPAM({"type": "dhcp"}, spiderpool=False)
            decided.fleet = Fleet()
            yield context, server
            await context.services.queue.shut_down()


async def test_nads_go_before_statuses(tmp_path: Path) -> None:
    async with deciding(tmp_path) as (context, server):
        for number in range(MANY):
            context.stores.networks.observe(network(f"net-{number}"))
        context.services.queue.start()
        await server.all_taken(2 * MANY)
    first = [what for what, _ in server.taken].index("status")
    assert first >= MANY - AT_ONCE
    assert sorted(server.taken) == sorted(
        (what, f"net-{number}") for what in ("NAD", "status") for number in range(MANY)
    )


async def test_a_new_network_does_not_wait_for_all_others(tmp_path: Path) -> None:
    async with deciding(tmp_path) as (context, server):
        context.decided.known = False
        for number in range(MANY):
            context.stores.networks.observe(network(f"net-{number}"))
        context.decided.known = True
        context.enqueue_all_networks()
        context.stores.networks.observe(network("single"))
        context.services.queue.start()
        await server.all_taken(2 * MANY + 2)
    assert server.taken.index(("status", "single")) < AT_ONCE


async def test_a_nad_that_goes_before_the_status_is_not_made_again_for_a_network_that_goes(
    tmp_path: Path,
) -> None:
    async with deciding(tmp_path) as (context, server):
        context.stores.networks.observe(network("net"))
        context.stores.networks.observe(network("urgent"))
        await spidermultusconfig.reconcile(network_key(("ns", "net")), context)
        assert server.taken == [("NAD", "net")]
        # The garbage collector was quicker than the watch of networks; the server has none.
        gone = {"metadata": {"namespace": "ns", "name": "net", "resourceVersion": "2000"}}
        context.stores.nads.observe_deletion(gone)
        await spidermultusconfig.reconcile(network_key(("ns", "net")), context)
    assert ("NAD", "net") not in server.taken[1:]


def network(name: str) -> Object:
    meta = {"namespace": "ns", "name": name, "uid": name, "resourceVersion": "1", "generation": 1}
    return {"metadata": meta, "spec": {"cniType": "macvlan", "macvlan": {"master": ["eth0"]}}}
