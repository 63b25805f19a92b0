"""What must not be written any more is not sent, and a process that tried it ends."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from spidercoordinator.api.objects import Object
from spidercoordinator.errors import LeadershipLostError
from spidercoordinator.kube.client import Client
from spidercoordinator.kube.crash import CrashHandler
from spidercoordinator.kube.login import Login
from spidercoordinator.kube.resource import CONFIG_MAPS, LEASES
from spidercoordinator.runtime.health import Health
from spidercoordinator.runtime.leaderelection.elector import LeaderElector
from spidercoordinator.runtime.settings import Settings
from tests.unit.kube.kubeconfig import write_kubeconfig

LEASE = LEASES.path("default", "operator")
NAMED = {"metadata": {"name": "a", "namespace": "default"}}


class Server:
    """Answers everything, keeps one Lease, and notes what it was asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.lease: Object = {"metadata": {"name": "operator", "resourceVersion": "1"}}
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self._answer)
        self.http = TestServer(app)

    async def _answer(self, request: web.Request) -> web.Response:
        if request.path != LEASE:
            self.asked.append(request.method)
            return web.json_response({"metadata": {"resourceVersion": "1"}, "items": []})
        if request.method == "PATCH":
            patch = await request.json()
            self.put(patch["spec"])
        return web.json_response(self.lease)

    def put(self, spec: Object) -> None:
        version = str(int(self.lease["metadata"]["resourceVersion"]) + 1)
        meta = {"name": "operator", "resourceVersion": version}
        self.lease = {"metadata": meta, "spec": spec}


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    made = Server()
    await made.http.start_server()
    yield made
    await made.http.close()


@pytest.fixture
async def api(server: Server, tmp_path: Path) -> AsyncIterator[Client]:
    path = write_kubeconfig(server.http, tmp_path)
    async with Client(await Login.find({"KUBECONFIG": str(path)})) as made:
        yield made


async def test_changes_wait_and_reads_do_not(server: Server, api: Client) -> None:
    gate = asyncio.Event()

    async def fence() -> None:
        await gate.wait()

    fenced = api.fenced(fence)
    changes = (
        fenced.create(CONFIG_MAPS, NAMED, "default"),
        fenced.apply(CONFIG_MAPS, NAMED),
        fenced.patch(CONFIG_MAPS, "a", "default", patch={}),
        fenced.delete(CONFIG_MAPS, "a", "default"),
    )
    waiting = asyncio.gather(*changes)
    for _ in range(3):
        await fenced.get(CONFIG_MAPS, "a", "default")
    assert server.asked == ["GET"] * 3
    await fenced.unfenced.delete(CONFIG_MAPS, "a", "default")
    assert server.asked.pop() == "DELETE"
    gate.set()
    await waiting
    assert sorted(server.asked[3:]) == ["DELETE", "PATCH", "PATCH", "POST"]


async def test_a_change_that_came_too_late_ends_the_leader_though_it_could_renew(
    api: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    elector = LeaderElector.for_pod(api, Settings(lease="operator"), Health(), CrashHandler())
    leading = asyncio.create_task(elector.run())
    await elector.started_leading.wait()
    await elector.fence()
    clock = time.clock_gettime
    monkeypatch.setattr(time, "clock_gettime", lambda which: clock(which) + 11)
    late = asyncio.create_task(elector.fence())
    with pytest.raises(LeadershipLostError, match="not renewed for 10 s"):
        async with asyncio.timeout(60):
            await leading
    monkeypatch.undo()
    assert not elector.is_leader
    assert not late.done()
    late.cancel()


async def test_a_released_lease_is_acquired_before_it_expires(
    server: Server, api: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    # No time passes for the election: what is held by another would never expire.
    monkeypatch.setattr(time, "clock_gettime", lambda _: 1.0)
    server.put({"holderIdentity": "other", "leaseDurationSeconds": 15, "acquireTime": "then"})
    elector = LeaderElector.for_pod(api, Settings(lease="operator"), Health(), CrashHandler())
    leading = asyncio.create_task(elector.run())
    async with asyncio.timeout(60):
        await elector.observed.wait()
        assert not elector.started_leading.is_set()
        server.put({"leaseDurationSeconds": 1, "acquireTime": "now"})
        await elector.started_leading.wait()
    assert elector.is_leader
    assert server.lease["spec"]["holderIdentity"] == elector.candidate.identity
    leading.cancel()


async def test_without_a_lease_it_leads_at_once(api: Client) -> None:
    elector = LeaderElector.for_pod(api, Settings(), Health(), CrashHandler())
    leading = asyncio.create_task(elector.run())
    await elector.fence()
    assert elector.is_leader
    leading.cancel()
