"""What is concluded of nodes' reports over time, also while the API server is not reached."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from spidercoordinator.discovery.nodelogs import NodeReports
from spidercoordinator.discovery.nodereports import InstallerPod
from spidercoordinator.discovery.source import ReadState
from spidercoordinator.kube.client import Client
from spidercoordinator.kube.crash import CrashHandler
from spidercoordinator.kube.login import Login
from tests.unit.kube.kubeconfig import write_kubeconfig

PODS = {f"ns/{name}": InstallerPod(f"node-of-{name}", runs=True) for name in ("p1", "p2")}


async def log(request: web.Request) -> web.Response:
    report = json.dumps({"interfaces": ["eth0"], "plugins": [request.match_info["pod"]]})
    time = datetime.now(UTC).isoformat()
    return web.Response(text=f"{time} coordinator-install: node report {report}\n")


def settled(reports: NodeReports) -> bool:
    return reports.settled


@pytest.fixture
async def server() -> AsyncIterator[TestServer]:
    """An API server that has the logs of installers."""
    app = web.Application()
    app.router.add_get("/api/v1/namespaces/ns/pods/{pod}/log", log)
    server = TestServer(app)
    await server.start_server()
    yield server
    await server.close()


@pytest.fixture
async def reports(server: TestServer, tmp_path: Path) -> AsyncIterator[NodeReports]:
    login = await Login.find({"KUBECONFIG": str(write_kubeconfig(server, tmp_path))})
    async with Client(login) as client:
        made = NodeReports(client, "ns", "a=b", CrashHandler())
        made.observation.entries.update(PODS)
        yield made


async def test_nothing_is_concluded_while_the_api_server_is_not_reached(
    server: TestServer, reports: NodeReports
) -> None:
    reports.observation.succeed(ReadState.READ)
    assert not settled(reports)
    reports._synced_at = 0.0
    await reports._read_all(list(PODS.items()))
    assert settled(reports)
    known = reports.fleet()
    assert {node: each.plugins for node, each in known.reports.items()} == {
        "node-of-p1": frozenset({"p1"}),
        "node-of-p2": frozenset({"p2"}),
    }
    assert known.silent == frozenset()
    await server.close()
    await reports._read_all(list(PODS.items()))
    assert not settled(reports)
    # What was known is fresh for a while, and no age is told that is none.
    assert reports.fleet() is known
    assert known.age < 60


async def test_a_pod_that_is_replaced_leaves_what_it_told(reports: NodeReports) -> None:
    await reports._read_all(list(PODS.items()))
    del reports.observation.entries["ns/p1"]
    reports._fleets.clear()
    assert set(reports.fleet().reports) == {"node-of-p1", "node-of-p2"}
    # The age makes it unknown: the node that has a pod is silent, the other is not there.
    reports._read = {
        node: type(each)(each.report, each.at - 301) for node, each in reports._read.items()
    }
    reports._seen = dict.fromkeys(reports._seen, 0.0)
    reports._fleets.clear()
    assert reports.fleet().reports == {}
    assert reports.fleet().silent == {"node-of-p2"}
    assert set(reports.fleet(fresh=1000).reports) == {"node-of-p2"}
