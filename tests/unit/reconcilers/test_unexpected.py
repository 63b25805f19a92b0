"""A bug that one network meets is told in its status, and tried again."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from spidercoordinator.api.objects import Object
from spidercoordinator.core.coordinator.cluster import ClusterConfig
from spidercoordinator.reconcilers.context import network_key
from spidercoordinator.reconcilers.manager import Manager
from spidercoordinator.reconcilers.spidermultusconfig import reconcile
from spidercoordinator.runtime.settings import Settings
from tests.unit.kube.kubeconfig import write_kubeconfig

NETWORK = ("ns", "net")


async def test_the_status_tells_of_it_and_keeps_the_nad(tmp_path: Path) -> None:
    patches: list[Any] = []

    async def patched(request: web.Request) -> web.Response:
        patches.append(await request.json())
        meta = {"namespace": "ns", "name": "net", "uid": "1", "resourceVersion": "2"}
        return web.json_response({"metadata": meta, **patches[-1]})

    application = web.Application()
    application.router.add_patch("/{path:.*}/status", patched)
    server = TestServer(application)
    async with server:
        path = write_kubeconfig(server, tmp_path)
        manager = await Manager.create(Settings(), {"KUBECONFIG": str(path)})
        context = manager.context
        leading = asyncio.create_task(manager._elector.run())
        await manager._elector.started_leading.wait()
        context.stores.networks.observe(network())
        context.decided.nads_served = True
        # What no source gives: rendering it fails.
        context.decided.cluster = ClusterConfig(name="default", spec=object())  # type: ignore[arg-type]
        with pytest.raises(AttributeError):
            await reconcile(network_key(NETWORK), context)
        leading.cancel()
        await context.services.queue.shut_down()
        await manager.client.client.close()  # type: ignore[no-untyped-call]
    (status,) = (each["status"] for each in patches)
    ready = next(each for each in status["conditions"] if each["type"] == "Ready")
    assert ready["status"] == "False"
    assert ready["reason"] == "ReconcileFailed"
    assert "AttributeError" in ready["message"]


def network() -> Object:
    meta = {"namespace": "ns", "name": "net", "uid": "1", "resourceVersion": "1", "generation": 1}
    spec = {"cniType": "macvlan", "macvlan": {"master": ["eth0"]}}
    return {"metadata": meta, "spec": spec, "status": {"nad": "net", "configHash": "0" * 16}}
