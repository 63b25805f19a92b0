"""Overlay mode beside a cluster network whose pods are ports of a bridge, as with flannel."""

import pytest

from tests.cni.bridge import GATEWAY, Bridge
from tests.cni.conftest import wait_for
from tests.cni.routing import from_rules, own
from tests.cni.topology import (
    LAN_IPV4,
    LAN_IPV6,
    NODE_IPV4,
    NODE_IPV6,
    POD_CIDRS,
    SERVICE_CIDRS,
    PluginError,
    Pod,
    Segment,
)
from tests.cni.traffic import ask, pings, server
from tests.istio.bed import services
from tests.istio.cells import Family

DUAL: tuple[Family, ...] = (4, 6)
NODE: dict[Family, str] = {4: NODE_IPV4, 6: NODE_IPV6}
LAN: dict[Family, str] = {4: LAN_IPV4, 6: LAN_IPV6}
SERVICE: dict[Family, str] = {4: "10.233.0.8", 6: "fd85:ee79::8"}
both = pytest.mark.parametrize("family", DUAL)


@pytest.fixture
def bridge(segment: Segment) -> Bridge:
    """The node's bridge."""
    return Bridge(segment)


def attach(bridge: Bridge, pod: Pod, *, default: bool = True) -> None:
    """Give a pod eth0 on the bridge and net1 on the segment."""
    bridge.connect(pod, default=default)
    pod.attach("net1", families=DUAL, net=7)
    pod.coordinator("ADD", "net1")
    pod.coordinator("CHECK", "net1")


def filters(segment: Segment, value: int) -> None:
    """Set the reverse path filter of all that the node has."""
    keys = segment.node.run("sysctl -Na -r 'ipv4.conf.*.rp_filter'").split()
    for key in keys:
        segment.node.run(f"sysctl -qw {key}={value}")


@pytest.mark.parametrize(
    ("family", "rp_filter", "default"),
    [(4, 0, True), (4, 1, True), (4, 2, True), (4, 1, False), (6, 0, True), (6, 0, False)],
    ids=lambda value: {True: "default route", False: "deleted by Multus"}.get(value, str(value)),
)
def test_traffic(bridge: Bridge, family: Family, rp_filter: int, default: bool) -> None:
    segment = bridge.segment
    pod, other = segment.pod(), segment.pod()
    bridge.connect(other)
    attach(bridge, pod, default=default)
    filters(segment, rp_filter)
    services(segment, [(family, SERVICE[family], 80, LAN[family])])
    segment.lan.run(f"ip -{family} route add {POD_CIDRS[family == 6]} via {NODE[family]}")
    mine, inside = own(pod, "net1", family), bridge.address(pod, family)
    with server(pod.space, "::" if family == 6 else "0.0.0.0", 8080):
        assert ask(segment.node, mine, 8080) == (NODE[family], mine)
        assert ask(segment.node, inside, 8080) is not None
        assert ask(other.space, inside, 8080) == (bridge.address(other, family), inside)
    assert pings(pod.space, NODE[family])
    with server(segment.node, NODE[family], 10250):
        assert ask(pod.space, NODE[family], 10250) == (inside, NODE[family])
    with server(segment.lan, LAN[family], 8080):
        assert ask(pod.space, SERVICE[family], 80) == (inside, LAN[family])


@both
def test_the_way_to_the_node_is_that_of_eth0(bridge: Bridge, pod: Pod, family: Family) -> None:
    attach(bridge, pod)
    mine, way = own(pod, "net1", family), f"via {GATEWAY[family]} dev eth0"
    table = from_rules(pod, family)[mine]
    cidr = POD_CIDRS[family == 6]
    for target in (NODE[family], SERVICE_CIDRS[family == 6], cidr):
        assert f"{target} {way}" in to(pod, target, family, table)
    assert f"{NODE[family]} {way} proto 92" in to(pod, NODE[family], family)
    # The network's own route to its range stays as it is.
    assert "proto 92" not in to(pod, cidr, family)
    assert not [line for line in pod.space.neighbours(family) if "PERMANENT" in line]


def to(pod: Pod, target: str, family: Family, table: str = "main") -> str:
    """Return the pod's only route to exactly a destination."""
    (route,) = [r for r in pod.space.routes(family, table) if r.split()[0] == target]
    return route


@both
def test_the_way_to_the_pod_is_that_to_its_eth0(bridge: Bridge, pod: Pod, family: Family) -> None:
    attach(bridge, pod)
    node, mine = bridge.segment.node, own(pod, "net1", family)
    (route,) = node.routes(family, 500)
    assert route.startswith(f"{mine} via {bridge.address(pod, family)} dev cni0")
    # A bridge takes the least hardware address of its ports, and forgets its neighbours then.
    node.run("ip link add last type veth peer name lone")
    node.run("ip link set last address 02:00:00:00:00:01 master cni0 up")
    pod.coordinator("CHECK", "net1")
    assert pings(node, mine)
    pod.coordinator("DEL", "net1")
    assert node.routes(family, 500) == []
    assert not [line for line in node.neighbours(family) if "PERMANENT" in line]


def twins(bridge: Bridge) -> tuple[Pod, Pod]:
    """Return a pod with net1, and another one that its IPAM gave the same addresses."""
    first, second = bridge.segment.pod(), bridge.segment.pod()
    attach(bridge, first)
    bridge.connect(second)
    second.attach("net1", families=DUAL, net=7)
    second.space.run("ip addr flush dev net1 scope global")
    for address in first.results["net1"]["ips"]:
        ip = str(address["address"])
        second.space.run(f"ip addr add {ip} dev net1 {'nodad' if ':' in ip else ''}")
    second.results["net1"] = second.results["net1"] | {"ips": first.results["net1"]["ips"]}
    return first, second


def test_an_address_of_a_living_pod_is_refused(bridge: Bridge) -> None:
    first, second = twins(bridge)
    with pytest.raises(PluginError) as error:
        second.coordinator("ADD", "net1")
    for word in (first.ipv4("net1"), bridge.port(first)):
        assert word in error.value.msg
    first.coordinator("CHECK", "net1")


def test_a_late_del_leaves_the_pod_that_has_the_address_now(bridge: Bridge) -> None:
    first, second = twins(bridge)
    node = bridge.segment.node
    first.space.delete()
    wait_for(lambda: node.link(bridge.port(first)) is None)
    second.coordinator("ADD", "net1")
    first.coordinator("DEL", "net1")
    second.coordinator("CHECK", "net1")
    for family in DUAL:
        assert pings(node, own(second, "net1", family))
    second.coordinator("DEL", "net1")
    for family in DUAL:
        assert node.routes(family, 500) == []
