"""A stand-in for the kubelet of nodes: it serves the logs of containers, as the API server asks."""

from __future__ import annotations

import json
import ssl
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from aiohttp import web

from spidercoordinator.kube.client import Client
from spidercoordinator.kube.resource import NODES
from spidercoordinator.runtime.certificates import self_signed

ADDRESS = "127.0.0.1"


@dataclass
class Kubelet:
    """One for all nodes.

    Attributes:
        api: where nodes are made known.
        port: where it listens.
        logs: by the pod's name; other pods have none.
        broken: pods whose logs cannot be read.
        asked: how often each pod's log was read.
        told: by the pod's name, the whole log of another container than the installer's.
    """

    api: Client
    port: int = 0
    logs: dict[str, str] = field(default_factory=dict)
    broken: set[str] = field(default_factory=set)
    asked: dict[str, int] = field(default_factory=dict)
    told: dict[str, str] = field(default_factory=dict)

    async def node(self, name: str) -> None:
        """Make a node known to the API server."""
        await self.api.create(NODES, {"metadata": {"name": name}})
        status = {
            "addresses": [{"type": "InternalIP", "address": ADDRESS}],
            "daemonEndpoints": {"kubeletEndpoint": {"Port": self.port}},
        }
        await self.api.patch(NODES, name, patch={"status": status}, subresource="status")

    def log(self, pod: str, line: str, *, ago: float = 0.0) -> None:
        """Have a container write a line, so many seconds ago."""
        time = (datetime.now(UTC) - timedelta(seconds=ago)).isoformat()
        self.logs[pod] = f"{self.logs.get(pod, '')}{time} {line}\n"

    def report(self, pod: str, *, ago: float = 0.0, **told: Any) -> None:
        """Have an installer write what its node has."""
        text = json.dumps({"unlisted": ["veth"], **told})
        self.log(pod, f"coordinator-install: node report {text}", ago=ago)

    async def _serve(self, request: web.Request) -> web.Response:
        pod, query = request.match_info["pod"], request.query
        if pod in self.told:
            return web.Response(text=self.told[pod])
        assert request.match_info["container"] == "coordinator-install"
        assert query["timestamps"] == "true"
        self.asked[pod] = self.asked.get(pod, 0) + 1
        if pod in self.broken:
            return web.Response(status=500, text="the log is broken")
        lines = self.logs.get(pod, "").splitlines(keepends=True)
        return web.Response(text="".join(lines[-int(query["tailLines"]) :]))


@asynccontextmanager
async def kubelet(api: Client) -> AsyncIterator[Kubelet]:
    """Run one; its nodes are removed at the end."""
    made = Kubelet(api)
    app = web.Application()
    app.router.add_get("/containerLogs/{namespace}/{pod}/{container}", made._serve)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, ADDRESS, 0, ssl_context=_certificate())
    await site.start()
    made.port = runner.addresses[0][1]
    try:
        yield made
    finally:
        nodes, _ = await api.list(NODES)
        for each in nodes:
            await api.delete(NODES, each["metadata"]["name"])
        await runner.cleanup()


def _certificate() -> ssl.SSLContext:
    pair = self_signed([ADDRESS], datetime.now(UTC))
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    with tempfile.TemporaryDirectory() as folder:
        for name, text in (("crt", pair.certificate), ("key", pair.private_key)):
            Path(folder, name).write_text(text)
        context.load_cert_chain(f"{folder}/crt", f"{folder}/key")
    return context
