"""Destinations inside a network of the pod with its router, and equal ones of two interfaces."""

import pytest

from tests.cni.bridge import GATEWAY, Bridge
from tests.cni.namespace import Json
from tests.cni.topology import Pod, Segment
from tests.istio.cells import Family

ROUTER = {4: "10.{}.0.1", 6: "fd00:10:{}::1"}
OWN = {
    "router": {4: "10.{}.0.1/32", 6: "fd00:10:{}::1/128"},
    "part": {4: "10.{}.0.0/30", 6: "fd00:10:{}::/126"},
    "whole": {4: "10.{}.0.0/16", 6: "fd00:10:{}::/64"},
}
FAR = {4: ["198.18.0.0/15", "198.19.0.0/16"], 6: ["2001:2::/48", "2001:2:0:7::/64"]}
DUAL: tuple[Family, ...] = (4, 6)
both = pytest.mark.parametrize("family", DUAL)


def entries(family: int, kind: str) -> list[Json]:
    """Return policy routes by both routers, to their own networks and to equal ones."""
    made = []
    for net in (6, 7):
        router = ROUTER[family].format(net)
        targets = [OWN[kind][family].format(net), *FAR[family]]
        made += [{"dst": target, "gw": router} for target in targets]
    return made


@both
@pytest.mark.parametrize("kind", OWN)
@pytest.mark.parametrize("nic", [None, "eth0", "net1"])
def test_policy_routes_by_both_interfaces(
    pod: Pod, family: int, kind: str, nic: str | None
) -> None:
    section: Json = {"policyRoutes": entries(family, kind), "podDefaultRouteNIC": nic}
    pod.attach(families=DUAL)
    pod.coordinator(**section)
    pod.attach("net1", families=DUAL, net=7)
    pod.coordinator("ADD", "net1", **section)
    for dev in ("eth0", "net1", "eth0"):
        pod.coordinator("CHECK", dev, **section)
        pod.coordinator("ADD", dev, **section)
    router = ROUTER[family].format(6)
    [route] = [each for each in pod.space.routes(family) if each.startswith(FAR[family][0])]
    assert f"via {router} dev eth0" in route, "the first one wins"
    assert pod.space.ok(f"ip -{family} route get {router}")


@both
def test_a_cidr_with_the_cluster_networks_router(
    segment: Segment, pod: Pod, family: Family
) -> None:
    Bridge(segment).connect(pod)
    pod.attach("net1", families=DUAL, net=7)
    part = {4: "10.233.70.0/30", 6: "fd85:ee78::/126"}[family]
    answer = pod.coordinator("ADD", "net1", hijackCIDR=[part, FAR[family][0]])
    pod.coordinator("CHECK", "net1", hijackCIDR=[part, FAR[family][0]])
    [route] = [each for each in pod.space.routes(family) if each.startswith(FAR[family][0])]
    assert f"via {GATEWAY[family]} dev eth0" in route
    if family == 6:
        assert f"CIDR {part} is not routed" in answer["warnings"]
