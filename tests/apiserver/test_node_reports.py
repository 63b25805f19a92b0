"""What nodes report in the logs of installers reaches the conditions of networks."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from spidercoordinator.api.objects import Object
from spidercoordinator.kube.client import Client
from spidercoordinator.kube.login import Login
from spidercoordinator.kube.resource import PODS
from testbed.apiserver import ApiServer
from tests.apiserver.conftest import serving_our_kinds
from tests.apiserver.harness import Cluster, Operator, condition, eventually
from tests.apiserver.installers import NAMESPACE, SELECTOR, Installers
from tests.apiserver.kubelet import Kubelet, kubelet
from tests.apiserver.networks import Networks

WITHIN = 90.0
"""Seconds: logs are read every 5, nodes are waited for 30, and the machine may be busy."""
HAS = ["coordinator", "dhcp", "loopback", "macvlan", "multus"]
LACKS = [each for each in HAS if each != "macvlan"]
RUNS: Object = {
    "status": {
        "containerStatuses": [
            {
                "name": "coordinator-install",
                "state": {"running": {"startedAt": "2026-01-01T00:00:00Z"}},
                "image": "",
                "imageID": "",
                "ready": True,
                "restartCount": 0,
            }
        ]
    }
}


@pytest.fixture(scope="module")
def own_server() -> Iterator[ApiServer]:
    """Nodes and pods of installers concern all networks."""
    with serving_our_kinds() as running:
        yield running


@pytest.fixture
async def api(own_server: ApiServer) -> AsyncIterator[Client]:
    login = await Login.find({"KUBECONFIG": str(own_server.kubeconfig)})
    async with Client(login) as client:
        yield client


@pytest.fixture
async def nodes(api: Client) -> AsyncIterator[Kubelet]:
    async with kubelet(api) as running:
        yield running
    pods, _ = await api.list(PODS, NAMESPACE)
    await Installers(api).end(*(each["metadata"]["name"] for each in pods))
    await Cluster(api).clean()


@pytest.fixture
def operator(own_server: ApiServer, tmp_path: Path) -> Iterator[Operator]:
    environ = {
        "SPIDERCOORDINATOR_INSTALLER_PODS": SELECTOR,
        "SPIDERCOORDINATOR_NAMESPACE": NAMESPACE,
    }
    made = Operator(own_server.kubeconfig, tmp_path / "log", environ)
    yield made
    made.stop()


async def installer(api: Client, nodes: Kubelet, name: str, plugins: list[str]) -> None:
    """A node whose installer runs and has reported."""
    await nodes.node(name)
    await Installers(api).start(name)
    nodes.report(name, interfaces=["eth0"], plugins=plugins)
    await api.patch(PODS, name, NAMESPACE, patch=RUNS, subresource="status")


async def shows(networks: Networks, name: str, kind: str, status: str, *texts: str) -> Object:
    """Wait for a condition with a text; gives it."""

    async def check() -> Object | None:
        found = condition((await networks.get(name)).get("status") or {}, kind)
        told = found and found["status"] == status
        return found if told and all(each in str(found) for each in texts) else None

    what = f"{name} is {kind}={status} with {texts}"
    found: Object = await eventually(what, check, seconds=WITHIN)
    return found


async def version(networks: Networks, name: str) -> str:
    return str((await networks.get(name))["metadata"]["resourceVersion"])


async def test_what_nodes_lack_is_told_and_what_changes_is_known(
    api: Client, nodes: Kubelet, operator: Operator
) -> None:
    networks, cluster = Networks(api), Cluster(api)
    await cluster.coordinator({"podCIDRType": "none"})
    await networks.make("net")
    await networks.make("other", {"cniType": "custom", "customCNI": '{"type":"dhcp"}'})
    for name in ("node-1", "node-2"):
        await installer(api, nodes, name, LACKS)
    operator.start()
    missing = 'CNI plugin "macvlan" is not on any of the 2 nodes that report (node-1, node-2)'
    await shows(networks, "net", "NodesReady", "False", "PluginMissing", missing, "5 minutes")
    await shows(networks, "net", "Ready", "False", "PluginMissing", missing)
    await shows(networks, "other", "NodesReady", "True", "AllNodes")
    lacking = 'network_nodes_lacking{namespace="default",network="net",reason="PluginMissing"}'
    assert operator.metric(f"spidercoordinator_{lacking}") == 2
    untouched = await version(networks, "other")

    # An update of a node, and the pod does not start again.
    nodes.report("node-1", interfaces=["eth0"], plugins=HAS)
    await shows(networks, "net", "NodesReady", "True", "SomeNodes", "on 1 of 2 nodes (node-2)")
    await shows(networks, "net", "Ready", "True")
    assert operator.metric(f"spidercoordinator_{lacking}") == 1

    # So that a restart is seen to keep what it told, and to write nothing.
    before = await version(networks, "net")
    operator.stop()
    operator.start()
    asked = dict(nodes.asked)

    async def read_again() -> bool:
        return all(nodes.asked[each] > asked[each] + 1 for each in ("node-1", "node-2"))

    await eventually("all logs were read twice", read_again, seconds=WITHIN)
    assert await version(networks, "net") == before

    async def known() -> bool:
        return operator.metric(f"spidercoordinator_{lacking}") == 1

    await eventually("what nodes report is taken over", known, seconds=WITHIN)
    reconciled = 'spidercoordinator_reconciles_total{kind="SpiderMultusConfig",result="ok"}'
    assert operator.metric(reconciled) == 2, "the networks were reconciled once more for nothing"

    nodes.report("node-2", interfaces=["eth0", "tun7"], plugins=HAS)
    await shows(networks, "net", "NodesReady", "True", "AllNodes")
    assert operator.metric(f"spidercoordinator_{lacking}") == 0
    assert await version(networks, "other") == untouched
    assert operator.metric("spidercoordinator_unexpected_errors_total") == 0


async def test_nodes_that_tell_nothing_are_named_apart_and_counted(
    api: Client, nodes: Kubelet, operator: Operator
) -> None:
    networks, cluster = Networks(api), Cluster(api)
    await cluster.coordinator({"podCIDRType": "none"})
    await networks.make("net")
    await installer(api, nodes, "node-3", LACKS)
    await installer(api, nodes, "node-4", HAS)
    nodes.broken.add("node-4")
    # One whose installer does not look any more: it would have repeated its report.
    await installer(api, nodes, "node-5", HAS)
    nodes.logs.pop("node-5")
    nodes.report("node-5", ago=7200, interfaces=["eth0"], plugins=HAS)
    operator.start()
    only, apart = "the only node that reports (node-3)", "of 2 it is not known (node-4, node-5)"
    await shows(networks, "net", "NodesReady", "False", only, apart)
    # It may start on one of those: that it is not ready is not known.
    await shows(networks, "net", "Ready", "True")
    assert operator.metric("spidercoordinator_nodes_silent") == 2
    oldest = operator.metric("spidercoordinator_node_report_oldest_timestamp_seconds")
    assert time.time() - 300 < oldest <= time.time()
    assert operator.text().count("what 1 of 3 nodes have is not known") == 1
    nodes.broken.clear()
    await shows(networks, "net", "NodesReady", "True", "SomeNodes", "on 1 of 2 nodes (node-3)")
