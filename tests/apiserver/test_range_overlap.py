"""Networks that give out the same addresses are told so, both of them, until one is mended."""

from __future__ import annotations

import pytest

from spidercoordinator.api.objects import Object
from spidercoordinator.kube.client import Client
from tests.apiserver.harness import Cluster, Operator, condition, eventually
from tests.apiserver.networks import Networks


def host_local(first: int, last: int) -> Object:
    ranges = [
        [{"subnet": "10.6.0.0/24", "rangeStart": f"10.6.0.{first}", "rangeEnd": f"10.6.0.{last}"}]
    ]
    return {"type": "host-local", "ranges": ranges}


def spec(ipam: Object) -> Object:
    return {"cniType": "macvlan", "macvlan": {"master": ["eth0"]}, "ipam": ipam}


@pytest.fixture
async def networks(api: Client, operator: Operator, cluster: Cluster) -> Networks:
    assert operator.running()
    await cluster.coordinator({"podCIDRType": "none", "serviceCIDR": ["10.96.0.0/12"]})
    return Networks(api)


async def told(networks: Networks, name: str, other: str) -> None:
    """Wait until a network says that it overlaps another one, or with "" that it does with none."""

    async def look() -> bool:
        status = (await networks.get(name)).get("status") or {}
        degraded = condition(status, "Degraded")
        ready = condition(status, "Ready").get("status") == "True"
        overlaps = degraded.get("reason") == "RangeOverlap"
        named = f"SpiderMultusConfig default/{other} " in degraded.get("message", "")
        return ready and (overlaps and named if other else not overlaps)

    await eventually(f"{name} is told of {other or 'nobody'}", look)


async def test_both_say_so_until_one_is_mended(networks: Networks) -> None:
    await networks.make("one", spec(host_local(10, 99)))
    await told(networks, "one", "")
    await networks.make("two", spec(host_local(90, 120)))
    await told(networks, "two", "one")
    await told(networks, "one", "two")
    await networks.change("two", {"spec": {"ipam": host_local(100, 120)}})
    await told(networks, "two", "")
    await told(networks, "one", "")


async def test_it_ends_with_the_other_network_and_is_known_after_a_restart(
    networks: Networks, operator: Operator
) -> None:
    await networks.make("one", spec(host_local(10, 99)))
    await networks.make("two", spec({"type": "whereabouts", "range": "10.6.0.0/24"}))
    await told(networks, "one", "two")
    await told(networks, "two", "one")
    before = [(await networks.get(name))["status"] for name in ("one", "two")]
    operator.stop()
    operator.start()
    await networks.make("three", spec(host_local(200, 220)))
    await told(networks, "three", "two")
    assert [(await networks.get(name))["status"] for name in ("one", "two")] == before
    await networks.delete("two")
    await told(networks, "one", "")
    await told(networks, "three", "")
