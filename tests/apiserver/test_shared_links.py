"""Networks that cannot share a link of a node say so, both of them, until one is mended."""

from __future__ import annotations

import pytest

from spidercoordinator.api.objects import Object
from spidercoordinator.kube.client import Client
from tests.apiserver.harness import Cluster, Operator, condition, eventually
from tests.apiserver.networks import Networks


def spec(cni_type: str, master: str) -> Object:
    return {"cniType": cni_type, cni_type: {"master": [master]}, "ipam": {"type": "dhcp-relay"}}


@pytest.fixture
async def networks(api: Client, operator: Operator, cluster: Cluster) -> Networks:
    assert operator.running()
    await cluster.coordinator({"podCIDRType": "none", "serviceCIDR": ["10.96.0.0/12"]})
    return Networks(api)


async def told(networks: Networks, name: str, other: str) -> None:
    """Wait until a network names another one, or with "" until it names none."""

    async def look() -> bool:
        status = (await networks.get(name)).get("status") or {}
        shared = condition(status, "LinkShared")
        named = f"SpiderMultusConfig default/{other}:" in shared.get("message", "")
        ready = condition(status, "Ready").get("status") == "True"
        return ready and (named if other else not shared)

    await eventually(f"{name} is told of {other or 'nobody'}", look)


async def test_both_say_so_until_one_is_mended(networks: Networks) -> None:
    await networks.make("one", spec("macvlan", "eth1"))
    await networks.make("two", spec("macvlan", "eth1"))
    await told(networks, "one", "")
    await networks.make("three", spec("ipvlan", "eth1"))
    await told(networks, "three", "one")
    await told(networks, "one", "three")
    await told(networks, "two", "three")
    await networks.change("three", {"spec": {"ipvlan": {"master": ["eth2"]}}})
    for name in ("one", "two", "three"):
        await told(networks, name, "")
    await networks.change("three", {"spec": {"ipvlan": {"master": ["eth1"]}}})
    await told(networks, "one", "three")
    await networks.delete("three")
    await told(networks, "one", "")
