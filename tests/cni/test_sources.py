"""The source address of what pod and node send to each other, whatever else has an address."""

from collections.abc import Callable

import pytest

from tests.cni import overlay
from tests.cni.conftest import wait_for
from tests.cni.routing import DUAL, own
from tests.cni.test_router_advertisements import advertise
from tests.cni.topology import NODE_IPV4, NODE_IPV6, Pod, Segment
from tests.cni.traffic import ask, server

NODE = {4: NODE_IPV4, 6: NODE_IPV6}
SERVICE = {4: "10.233.0.1", 6: "fd85:ee79::1"}


def learned(pod: Pod, prefix: str, dev: str = "eth0") -> bool:
    return any(address.startswith(prefix) for address in pod.space.addresses(dev))


def learn(pod: Pod, segment: Segment, prefix: str) -> None:
    """Let eth0 learn an address."""
    pod.space.run("sysctl -qw net.ipv6.conf.eth0.accept_ra=1 net.ipv6.conf.eth0.accept_dad=0")

    def arrived() -> bool:
        advertise(segment.lan, f"{prefix}::")
        return learned(pod, prefix)

    wait_for(arrived)


def asks_as(pod: Pod, segment: Segment, family: int) -> str:
    """Return the address under which the node sees the pod."""
    with server(segment.node, NODE[family], 10250):
        seen = ask(pod.space, NODE[family], 10250)
    assert seen is not None
    return seen[0]


def test_an_address_learned_after_add_is_not_the_source(pod: Pod, segment: Segment) -> None:
    pod.attach(families=DUAL)
    pod.coordinator()
    learn(pod, segment, "2001:db8:7")
    assert asks_as(pod, segment, 6) == pod.ipv6()
    assert f"src {pod.ipv6()} " in pod.space.route_get(SERVICE[6], 6)
    pod.coordinator("CHECK")
    learn(pod, segment, "2001:db8:6")
    pod.coordinator("CHECK")


def test_learned_addresses_alone_keep_their_source(pod: Pod, segment: Segment) -> None:
    pod.attach()
    learn(pod, segment, "2001:db8:7")
    pod.coordinator()
    source = asks_as(pod, segment, 6)
    learn(pod, segment, "2001:db8:6")
    assert asks_as(pod, segment, 6) == source
    pod.coordinator("CHECK")


@pytest.mark.parametrize(
    ("family", "address"), [(4, "198.51.100.9"), (6, "2001:db8:99::9"), (6, "fd00:10:6::99")]
)
def test_a_global_link_address_is_not_the_source(
    pod: Pod, segment: Segment, family: int, address: str
) -> None:
    pod.attach(families=DUAL)
    pod.coordinator(vethLinkAddress=address)
    assert asks_as(pod, segment, family) == own(pod, "eth0", family)
    assert f"src {own(pod, 'eth0', family)} " in pod.space.route_get(SERVICE[family], family)


@pytest.mark.parametrize("dev", ["lo", "first"])
@pytest.mark.parametrize("family", DUAL)
def test_a_virtual_address_of_the_node_is_not_its_source(
    pod: Pod, segment: Segment, family: int, dev: str
) -> None:
    vip = "203.0.113.5/32" if family == 4 else "2001:db8:5::5/128"
    if dev != "lo":
        segment.node.run(f"ip link add {dev} index 99 type bridge")
        segment.node.run(f"ip link set {dev} up")
    segment.node.run(f"ip -{family} addr add {vip} dev {dev}")
    pod.attach(families=DUAL)
    pod.coordinator()
    with server(pod.space, own(pod, "eth0", family), 8080):
        seen = ask(segment.node, own(pod, "eth0", family), 8080)
    assert seen is not None
    assert seen[0] == NODE[family]
    pod.coordinator("CHECK")


@pytest.mark.parametrize("beside", [False, True], ids=["underlay", "overlay"])
def test_every_route_names_its_source(pod: Pod, segment: Segment, beside: bool) -> None:
    policy = [
        {"dst": "198.18.0.0/15", "gw": "10.7.0.1"},
        {"dst": "2001:2::/48", "gw": "fd00:10:7::1"},
    ]
    if beside:
        overlay.connect(pod)
    else:
        pod.attach(families=DUAL)
        pod.coordinator(policyRoutes=policy)
    pod.attach("net1", families=DUAL, net=7)
    pod.coordinator("ADD", "net1", policyRoutes=policy)
    for space in (pod.space, segment.node):
        for family in DUAL:
            routes = space.ip(f"-{family} route show table all proto 92")
            assert routes != []
            assert [route for route in routes if "prefsrc" not in route] == []


def test_a_family_of_two_further_interfaces_alone(
    segment: Segment, grow: Callable[..., Pod]
) -> None:
    pod = grow(families=(6,))
    for dev, net in (("net1", 7), ("net2", 8)):
        pod.attach(dev, families=(4,), net=net)
        pod.coordinator("ADD", dev)
    for dev in ("eth0", "net1", "net2"):
        pod.coordinator("CHECK", dev)
    assert asks_as(pod, segment, 4) == pod.ipv4("net1")
    pod.coordinator("DEL", "net1")
    pod.detach("net1")
    assert asks_as(pod, segment, 4) == pod.ipv4("net2")
    assert "dev veth0" in pod.space.route_get(SERVICE[4])
    for dev in ("eth0", "net2"):
        pod.coordinator("CHECK", dev)


def test_a_source_that_is_still_tentative_is_waited_for(pod: Pod, segment: Segment) -> None:
    pod.plug(77)
    pod.space.run("ip -6 addr flush dev eth0 scope global")
    pod.space.run("sysctl -qw net.ipv6.conf.eth0.accept_dad=1")
    pod.space.run("ip -6 addr add fd00:10:6::2:77/64 dev eth0")
    assert "tentative" in pod.space.run("ip -6 addr show dev eth0")
    pod.coordinator()
    assert "src fd00:10:6::2:77" in " ".join(pod.space.routes(6, 5000))
    assert asks_as(pod, segment, 6) == "fd00:10:6::2:77"
    pod.coordinator("CHECK")


@pytest.mark.parametrize("family", DUAL)
@pytest.mark.parametrize("dev", ["eth0", "net1"])
def test_of_several_addresses_the_first_of_ipam_is_the_source(
    pod: Pod, family: int, dev: str
) -> None:
    """It is the pod's address in Kubernetes; the kernel lists an IPv6 link's last one first."""
    if dev == "net1":
        pod.attach(families=DUAL)
        pod.coordinator()
    pod.attach(dev, families=DUAL, net=7)
    second, length = ("10.7.9.9", 16) if family == 4 else ("fd00:10:7::9:9", 64)
    nodad = "nodad" if family == 6 else ""
    pod.space.run(f"ip -{family} addr add {second}/{length} dev {dev} {nodad}")
    pod.results[dev]["ips"].append({"address": f"{second}/{length}", "interface": 0})
    pod.coordinator("ADD", dev)
    table = "main" if dev == "eth0" else "5001"
    [route] = [each for each in pod.space.routes(family, table) if each.startswith(NODE[family])]
    assert f"src {own(pod, dev, family)}" in route
    for each in {dev, "eth0"}:
        pod.coordinator("CHECK", each)
