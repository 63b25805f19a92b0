"""Networks whose range has addresses of nodes say so, and follow the nodes."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from spidercoordinator.api.objects import Object
from spidercoordinator.kube.client import Client
from spidercoordinator.kube.resource import NODES
from tests.apiserver.harness import Cluster, Operator, condition, eventually
from tests.apiserver.networks import Networks

RANGE: Object = {"type": "whereabouts", "range": "10.66.0.0/24", "exclude": ["10.66.0.0/28"]}


def spec(**ipam: object) -> Object:
    return {"cniType": "macvlan", "macvlan": {"master": ["eth0"]}, "ipam": {**RANGE, **ipam}}


@pytest.fixture
async def networks(api: Client, operator: Operator, cluster: Cluster) -> AsyncIterator[Networks]:
    assert operator.running()
    await cluster.coordinator({"podCIDRType": "none", "serviceCIDR": ["10.96.0.0/12"]})
    yield Networks(api)
    for name in ("near", "far", "nearer"):
        await api.delete(NODES, name)


async def node(api: Client, name: str, *addresses: str) -> None:
    if await api.find(NODES, name) is None:
        await api.create(NODES, {"metadata": {"name": name}})
    given = [{"type": "InternalIP", "address": each} for each in addresses]
    status = {"addresses": [*given, {"type": "Hostname", "address": name}]}
    await api.patch(NODES, name, patch={"status": status}, subresource="status")


async def told(networks: Networks, name: str, text: str) -> None:
    """Wait until a network names this, or with "" until it says nothing of nodes."""

    async def look() -> bool:
        status = (await networks.get(name)).get("status") or {}
        message = condition(status, "Degraded").get("message", "")
        says = "NodeAddressInRange" in str(condition(status, "Degraded").get("reason"))
        ready = condition(status, "Ready").get("status") == "True"
        return ready and (says and text in message if text else not says)

    await eventually(f"{name} says {text or 'nothing'}", look)


async def test_it_follows_nodes_that_come_move_and_go(api: Client, networks: Networks) -> None:
    await node(api, "far", "10.66.0.5", "192.0.2.8")
    await networks.make("pods", spec())
    await told(networks, "pods", "")
    await node(api, "near", "10.66.0.77")
    await told(networks, "pods", "10.66.0.77 of node near")
    await node(api, "near", "10.66.0.78")
    await told(networks, "pods", "10.66.0.78 of node near")
    await networks.change("pods", {"spec": {"ipam": {"exclude": ["10.66.0.78/32"]}}})
    await told(networks, "pods", "10.66.0.5 of node far")
    await api.delete(NODES, "far")
    await told(networks, "pods", "")


async def test_nodes_that_change_nothing_write_nothing(api: Client, networks: Networks) -> None:
    await node(api, "near", "10.66.0.77")
    await networks.make("pods", spec())
    await networks.make("other", spec(range="10.67.0.0/24"))
    await told(networks, "pods", "of node near")
    await told(networks, "other", "")
    before = [(await networks.get(each))["metadata"] for each in ("pods", "other")]
    beat: Object = {"conditions": [{"type": "Ready", "status": "True", "reason": "Beat"}]}
    await api.patch(NODES, "near", patch={"status": beat}, subresource="status")
    await node(api, "far", "192.0.2.9")
    # What is said of this one tells that the operator has seen both.
    await networks.make("last", spec(range="192.0.2.0/24", exclude=[]))
    await told(networks, "last", "192.0.2.9 of node far")
    assert [(await networks.get(each))["metadata"] for each in ("pods", "other")] == before
