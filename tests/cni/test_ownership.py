"""What belongs to another container: a DEL that comes late, and an address that is in use."""

from typing import Any

import pytest

from tests.cni import overlay
from tests.cni.bridge import Bridge
from tests.cni.conftest import wait_for
from tests.cni.routing import defaults
from tests.cni.test_idempotency import fail_at
from tests.cni.test_verbs import collect
from tests.cni.topology import LAN_IPV4, LAN_IPV6, NODE_IPV4, NODE_IPV6, PluginError, Pod, Segment
from tests.cni.traffic import pings

DUAL = (4, 6)


def same_addresses(pod: Pod, other: Pod, dev: str = "eth0") -> None:
    """Give an interface the addresses of another pod's, as an IPAM does that released them."""
    for address in other.results[dev]["ips"]:
        ip = str(address["address"])
        pod.space.run(f"ip addr add {ip} dev {dev} {'nodad' if ':' in ip else ''}")
    result = pod.results[dev]
    pod.results[dev] = result | {"ips": other.results[dev]["ips"]}


def assign(pod: Pod, dev: str, ip: str) -> None:
    """Make an interface with an address by hand, and the result of the plugin that did."""
    made, length = "scratch", 64 if ":" in ip else 16
    pod.segment.node.run(
        f"ip link add {made} link eth0 netns {pod.space.name} type macvlan mode bridge"
    )
    pod.space.run(f"ip link set {made} name {dev}")
    pod.space.run(f"ip addr add {ip}/{length} dev {dev} {'nodad' if ':' in ip else ''}")
    pod.space.run(f"ip link set {dev} up")
    pod.results[dev] = {
        "cniVersion": "1.0.0",
        "interfaces": [{"name": dev, "sandbox": str(pod.space.path)}],
        "ips": [{"address": f"{ip}/{length}", "interface": 0}],
    }


def entries(segment: Segment) -> list[str]:
    """Return the node's routes to pods and its permanent neighbours."""
    node = segment.node
    return sorted(
        line for family in DUAL for line in node.routes(family, 500) + node.neighbours(family)
    )


def replaced(segment: Segment, *, beside: bool, netns_lives: bool) -> tuple[Pod, Pod, str]:
    """Make a pod, end it without DEL, and make another one with its addresses."""
    old, new = segment.pod(), segment.pod()
    dev = "net1" if beside else "eth0"
    if beside:
        overlay.connect(old)
    old.attach(dev, families=DUAL, net=6)
    old.coordinator("ADD", dev)
    if netns_lives:
        leg = overlay.peer(old) if beside else old.host_veth
        segment.node.run(f"ip link del {leg}")
    else:
        # The kernel deletes its links a moment later. Until the last process and mount that know
        # the namespace are gone it lives, and so does its address.
        old.space.delete()
        wait_for(lambda: "link_netnsid" not in (segment.node.link(old.host_veth) or {}))
    if beside:
        wait_for(lambda: segment.node.link(overlay.peer(old)) is None)
        overlay.connect(new)
    new.attach(dev, families=DUAL, net=6)
    new.space.run(f"ip addr flush dev {dev} scope global")
    same_addresses(new, old, dev)
    new.coordinator("ADD", dev)
    wait_for(lambda: segment.node.link(old.host_veth) is None)
    return old, new, dev


@pytest.mark.parametrize("netns_lives", [False, True], ids=["netns gone", "netns lives"])
@pytest.mark.parametrize("beside", [False, True], ids=["underlay", "overlay"])
def test_a_late_del_leaves_the_pod_that_has_the_addresses_now(
    segment: Segment, beside: bool, netns_lives: bool
) -> None:
    old, new, dev = replaced(segment, beside=beside, netns_lives=netns_lives)
    before = entries(segment)
    assert before != []
    old.coordinator("DEL", dev)
    old.coordinator("DEL", dev, env={"CNI_NETNS": "/run/netns/missing"})
    assert entries(segment) == before
    new.coordinator("CHECK", dev)
    assert pings(segment.node, new.ipv4(dev))


def test_a_late_del_leaves_a_netns_that_is_another_pods_now(segment: Segment) -> None:
    old, new = segment.pod(), segment.pod()
    for pod in (old, new):
        for dev, net in (("eth0", 6), ("net1", 7)):
            pod.attach(dev, families=DUAL, net=net)
            pod.coordinator("ADD", dev)
    before = [new.space.rules(family) + new.space.routes(family, "all") for family in DUAL]
    nodes = entries(segment)
    old.space.delete()
    old.coordinator("DEL", "net1", env={"CNI_NETNS": str(new.space.path)})
    after = [new.space.rules(family) + new.space.routes(family, "all") for family in DUAL]
    assert after == before
    assert set(entries(segment)) <= set(nodes)
    new.coordinator("CHECK", "net1")


@pytest.mark.parametrize(
    ("settings", "remedy"),
    [
        ({"hostRuleTable": 500}, "IPAM gave the address twice"),
        ({"hostRuleTable": 200}, "IPAM gave the address twice"),
        ({"name": "another"}, "keep the IPAM ranges of two networks apart"),
    ],
)
def test_an_address_of_a_living_container_is_refused(
    segment: Segment, settings: dict[str, Any], remedy: str
) -> None:
    first, second = segment.pod(), segment.pod()
    for pod in (first, second):
        pod.attach(families=DUAL)
    first.coordinator()
    second.space.run("ip addr flush dev eth0 scope global")
    same_addresses(second, first)
    before = entries(segment)
    with pytest.raises(PluginError) as error:
        second.coordinator(**settings)
    for word in (first.ipv4(), first.container, first.host_veth, "interface eth0", remedy):
        assert word in error.value.msg
    assert entries(segment) == before
    assert segment.node.link(second.host_veth) is None
    first.coordinator("CHECK")
    assert pings(segment.node, first.ipv4())


def test_an_address_of_a_living_overlay_pod_is_refused(segment: Segment) -> None:
    first, second = segment.pod(), segment.pod()
    overlay.connect(first)
    first.attach("net1", families=DUAL, net=7)
    first.coordinator("ADD", "net1")
    second.attach("eth0", families=DUAL, net=7)
    second.space.run("ip addr flush dev eth0 scope global")
    first.results["eth0"] = first.results["net1"]
    same_addresses(second, first)
    before = entries(segment)
    with pytest.raises(PluginError) as error:
        second.coordinator()
    for word in (first.ipv4("net1"), overlay.peer(first)):
        assert word in error.value.msg
    assert entries(segment) == before


def test_a_permanent_neighbour_of_a_living_container_is_kept(segment: Segment) -> None:
    first, second = segment.pod(), segment.pod()
    for pod in (first, second):
        pod.attach()
    first.coordinator()
    segment.node.run(f"ip route del {first.ipv4()} table 500")
    second.space.run("ip addr flush dev eth0 scope global")
    same_addresses(second, first)
    with pytest.raises(PluginError, match=first.container):
        second.coordinator()
    first.coordinator()
    first.coordinator("CHECK")


def test_gc_leaves_the_pod_that_has_the_addresses_now(segment: Segment) -> None:
    _, new, dev = replaced(segment, beside=False, netns_lives=False)
    collect(new, [{"containerID": new.container, "ifname": dev}])
    new.coordinator("CHECK", dev)


def test_gc_removes_routes_by_a_bridge_to_a_pod_that_is_gone(segment: Segment) -> None:
    """The bridge stays, and what has the address now, on another node say, would not be reached."""
    bridge, gone, stays = Bridge(segment), segment.pod(), segment.pod()
    for pod in (gone, stays):
        bridge.connect(pod)
        pod.attach("net1", families=DUAL, net=6)
        pod.coordinator("ADD", "net1")
    segment.node.run(f"ip link del {bridge.port(gone)}")
    assert any(line.startswith(gone.ipv4("net1")) for line in entries(segment))
    collect(stays, [{"containerID": stays.container, "ifname": "net1"}])
    lost = (gone.ipv4("net1"), gone.ipv6("net1"))
    assert not [line for line in entries(segment) if line.split()[0] in lost]
    stays.coordinator("CHECK", "net1")
    collect(stays, [])  # another network's list says nothing of living pods of this one
    stays.coordinator("CHECK", "net1")


@pytest.mark.parametrize("family", DUAL)
def test_a_default_route_of_another_program_is_not_promoted(segment: Segment, family: int) -> None:
    pod = segment.pod()
    for dev, net in (("eth0", 6), ("net1", 7)):
        pod.attach(dev, families=DUAL, net=net, gateway=dev == "net1")
        pod.coordinator("ADD", dev)
    pod.space.run("ip link add wg0 type bridge")
    pod.space.run("ip link set wg0 up")
    pod.space.run(f"ip -{family} route add default dev wg0 table 51820")
    pod.coordinator("DEL", "net1")
    pod.detach("net1")
    assert "wg0" not in defaults(pod, family)
    assert defaults(pod, family, 51820) == ["wg0"]


def two_routers(pod: Pod, dev: str) -> None:
    """Give an interface two IPv6 default routes of the same metric."""
    pod.space.run(f"ip -6 route append default via fd00:10:7::2 dev {dev}")


def test_two_default_routes_of_one_metric_are_both_copied(segment: Segment) -> None:
    pod = segment.pod()
    pod.attach(families=DUAL)
    pod.coordinator()
    pod.attach("net1", families=DUAL, net=7)
    two_routers(pod, "net1")
    pod.coordinator("ADD", "net1")
    table = " ".join(pod.space.routes(6, 5001))
    assert "fd00:10:7::1" in table
    assert "fd00:10:7::2" in table
    pod.coordinator("CHECK", "net1")
    pod.space.run("ip -6 route del default via fd00:10:7::1 table 5001")
    pod.coordinator("ADD", "net1")
    assert "fd00:10:7::2" in " ".join(pod.space.routes(6, 5001))


def test_rollback_restores_two_default_routes_of_one_metric(segment: Segment) -> None:
    pod = segment.pod()
    pod.attach(families=DUAL)
    pod.coordinator()
    pod.attach("net1", families=DUAL, net=7)
    two_routers(pod, "net1")
    before = sorted(pod.space.routes(6, "all"))
    step = 0
    while "injected fault" in fail_at(pod, step, "net1"):
        assert sorted(pod.space.routes(6, "all")) == before, f"after step {step} failed"
        step += 1
    assert step > 5
    pod.coordinator("CHECK", "net1")


NODE_VIPS = ("10.6.0.77", "fd00:10:6::77")


@pytest.mark.parametrize("dev", ["eth0", "net1"])
@pytest.mark.parametrize(
    ("ip", "owner"),
    [
        (NODE_IPV4, "is the node's own, of its interface eth0"),
        (NODE_IPV6, "is the node's own, of its interface eth0"),
        (NODE_VIPS[0], "is the node's own, of its interface lo"),
        (NODE_VIPS[1], "is the node's own, of its interface lo"),
        (LAN_IPV4, "is the router of the node's default route"),
        (LAN_IPV6, "is the router of the node's default route"),
    ],
)
def test_an_address_that_the_node_needs_is_refused(
    segment: Segment, dev: str, ip: str, owner: str
) -> None:
    """A range that is not without it: the pod would have no traffic, or the node none."""
    for vip in NODE_VIPS:
        segment.node.run(f"ip addr add {vip} dev lo")
    pod = segment.pod()
    if dev != "eth0":
        pod.plug(9)
        pod.coordinator()
    assign(pod, dev, ip)
    before = entries(segment)
    with pytest.raises(PluginError, match=owner) as refused:
        pod.coordinator("ADD", dev)
    assert f"interface {dev}: address {ip} " in refused.value.msg
    assert entries(segment) == before
    pod.coordinator("DEL", dev)
    assert pings(segment.lan, NODE_IPV4)
    assert pings(segment.lan, NODE_IPV6)
