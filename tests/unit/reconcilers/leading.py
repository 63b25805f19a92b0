"""A manager that leads, whose reconcilers a test calls one by one against a server of its own."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from aiohttp import web
from aiohttp.test_utils import TestServer

from spidercoordinator.api.objects import Object
from spidercoordinator.reconcilers.context import Context
from spidercoordinator.reconcilers.manager import Manager
from spidercoordinator.runtime.settings import Settings
from tests.unit.kube.kubeconfig import write_kubeconfig

NETWORK = ("ns", "net")


@asynccontextmanager
async def leading_context(application: web.Application, folder: Path) -> AsyncIterator[Context]:
    """What reconcilers share, of a manager whose API server is `application`."""
    server = TestServer(application)
    async with server:
        path = write_kubeconfig(server, folder)
        manager = await Manager.create(Settings(), {"KUBECONFIG": str(path)})
        leading = asyncio.create_task(manager._elector.run())
        await manager._elector.started_leading.wait()
        yield manager.context
        leading.cancel()
        await manager.context.services.queue.shut_down()
        await manager.client.client.close()  # type: ignore[no-untyped-call]


def network() -> Object:
    """A network of type macvlan, reconciled once."""
    meta = {"namespace": "ns", "name": "net", "uid": "1", "resourceVersion": "1", "generation": 1}
    spec = {"cniType": "macvlan", "macvlan": {"master": ["eth0"]}}
    return {"metadata": meta, "spec": spec, "status": {"nad": "net", "configHash": "0" * 16}}
