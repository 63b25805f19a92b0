"""Faults that other data paths of this kind have had, each with a control that brings it back.

A test asks for traffic, not for rules: it passes with the plugin's rules, and fails with those
which the fault was made of.
"""

import pytest

from tests.cni.namespace import SLOWNESS
from tests.cni.topology import NODE_IPV4, Segment
from tests.istio.bed import OUTSIDE, Member, batch, open_outside, services
from tests.istio.cells import DROPPED, LINK_ADDRESS, MESHES, Family
from tests.istio.mesh import DROPPED_AFTER, Tools
from tests.istio.one import add, member, serving

V4: tuple[Family, ...] = (4,)
AMBIENT = MESHES["ambient"]
MARK_RULE = "fwmark 0x20000000/0x20000000"
VIRTUAL, NODE_PORT = "10.233.1.9", 30_080


@pytest.fixture
def ambient(segment: Segment, tools: Tools, missing: dict[str, str]) -> Member:
    """A pod of an ambient mesh."""
    if "ambient" in missing:
        pytest.skip(missing["ambient"])
    made = member(segment, families=V4)
    add(made)
    tools.join(made.space, AMBIENT, V4)
    return made


def test_tables_are_not_shared_with_the_mesh(
    ambient: Member, segment: Segment, tools: Tools
) -> None:
    space = ambient.space
    assert space.routes(4, 100) == ["local default dev lo scope host"]
    with serving(tools, ambient, "ambient"):
        assert tools.ask(segment.node, ambient.address[4]).way == "in"
        # Control: replies by table 100, whose only route the mesh has replaced.
        space.run("ip rule del pref 1000")
        space.run(f"ip rule add pref 1000 {MARK_RULE} lookup 100")
        answer = tools.ask(segment.node, ambient.address[4], seconds=DROPPED_AFTER)
        assert answer.way == DROPPED


def test_marks_of_the_proxy_survive(ambient: Member, segment: Segment, tools: Tools) -> None:
    backend = Member(segment.pod(), V4)
    backend.join_cluster()
    services(segment, [(4, VIRTUAL, 80, backend.address[4])])
    with (
        tools.application(backend.space, segment.state / "backend"),
        serving(tools, ambient, "ambient"),
    ):
        assert tools.ask(ambient.space, VIRTUAL, 80).way == "out"
        # Control: restore the whole mark, whatever the connection's is.
        ambient.space.run("iptables -t mangle -A OUTPUT -j CONNMARK --restore-mark")
        assert "loop at" in tools.ask(ambient.space, VIRTUAL, 80).way


def two_interfaces(segment: Segment) -> tuple[Member, list[str]]:
    """Make a pod with two underlay interfaces; the second is behind a NodePort."""
    pod, addresses = member(segment, families=V4), []
    for dev in ("eth0", "net1"):
        if dev != "eth0":
            pod.number += 100
            pod.join_underlay(dev)
        pod.pod.coordinator("ADD", dev, vethLinkAddress=LINK_ADDRESS)
        addresses.append(pod.underlay[4])
    open_outside(segment)
    services(segment, [(4, NODE_IPV4, NODE_PORT, addresses[1])])
    return pod, addresses


def by_node_port(segment: Segment, tools: Tools) -> str:
    return tools.ask(segment.lan, NODE_IPV4, NODE_PORT, OUTSIDE[4]).way


@pytest.mark.parametrize("mesh", MESHES)
def test_a_mesh_over_two_interfaces(
    segment: Segment, tools: Tools, missing: dict[str, str], mesh: str
) -> None:
    if mesh in missing:
        pytest.skip(missing[mesh])
    pod, addresses = two_interfaces(segment)
    tools.join(pod.space, MESHES[mesh], V4)
    with serving(tools, pod, mesh):
        for address in addresses:
            assert tools.ask(segment.node, address).way == "in"
            assert tools.ask(segment.lan, address, source=OUTSIDE[4]).way == "in"
        assert by_node_port(segment, tools) == "in"


def test_the_rule_for_marks_is_before_those_for_addresses(segment: Segment, tools: Tools) -> None:
    pod, _ = two_interfaces(segment)
    with tools.application(pod.space, segment.state / "app"):
        assert by_node_port(segment, tools) == "app"
        # Control: the same rule behind the others.
        pod.space.run("ip rule del pref 1000")
        pod.space.run(f"ip rule add pref 32765 {MARK_RULE} lookup 5000")
        assert by_node_port(segment, tools) == DROPPED


def test_the_rules_for_addresses_are_behind_that_of_the_mesh(
    segment: Segment, tools: Tools, missing: dict[str, str]
) -> None:
    if "ambient" in missing:
        pytest.skip(missing["ambient"])
    pod = member(segment, "overlay", V4)
    add(pod, "overlay")
    tools.join(pod.space, AMBIENT, V4)
    with serving(tools, pod, "ambient"):
        assert tools.ask(segment.node, pod.address[4]).way == "in"
        # Control: the application's reply to the proxy leaves by the interface of its address.
        table = next(rule.split()[-3] for rule in pod.space.rules() if pod.address[4] in rule)
        pod.space.run(f"ip rule add pref 1101 from {pod.address[4]} lookup {table}")
        answer = tools.ask(segment.node, pod.address[4], seconds=DROPPED_AFTER)
        assert answer.way == DROPPED


@pytest.mark.parametrize("mesh", MESHES)
def test_no_ipv4_address_in_a_pod_of_ipv6_only(
    segment: Segment, tools: Tools, missing: dict[str, str], mesh: str
) -> None:
    if mesh in missing:
        pytest.skip(missing[mesh])
    pod = member(segment, families=(6,))
    add(pod)
    assert pod.space.run("ip -4 -o addr show scope link") == ""
    tools.join(pod.space, MESHES[mesh], (6,))
    with serving(tools, pod, mesh):
        assert tools.ask(segment.node, pod.address[6]).way == "in"


def narrow_path(segment: Segment) -> Member:
    """Put a server behind a path of 1450 bytes, on which nobody hears that packets are too big."""
    router, far = Member(segment.pod(), V4), Member(segment.pod(), V4)
    node = segment.node
    node.run(f"ip link add tun0 mtu 1450 type veth peer name tun0 netns {router.space.name}")
    router.space.run(f"ip link add far0 type veth peer name eth0 netns {far.space.name}")
    batch(node, ["addr add 192.0.2.1/30 dev tun0", "link set tun0 up"])
    batch(
        router.space,
        [
            *("addr add 192.0.2.2/30 dev tun0", "link set tun0 mtu 1450 up"),
            *("addr add 10.233.71.1/24 dev far0", "link set far0 up"),
            "route add default via 192.0.2.1",
        ],
    )
    batch(
        far.space,
        [
            *("addr add 10.233.71.2/24 dev eth0", "link set eth0 up"),
            "route add default via 10.233.71.1",
        ],
    )
    node.run("ip route add 10.233.71.0/24 via 192.0.2.2")
    router.space.run("sysctl -qw net.ipv4.ip_forward=1")
    for space in (node, router.space):
        space.run("iptables -A OUTPUT -p icmp --icmp-type fragmentation-needed -j DROP")
    return far


@pytest.mark.parametrize(("mtu", "way"), [(None, "out"), (1500, DROPPED)])
def test_a_narrow_path_behind_the_node(
    segment: Segment, tools: Tools, mtu: int | None, way: str
) -> None:
    far, pod = narrow_path(segment), member(segment, families=V4)
    pod.pod.coordinator(vethLinkAddress=LINK_ADDRESS, vethMTU=mtu)
    tools.join(pod.space, MESHES["redirect"], V4)
    with (
        tools.application(far.space, segment.state / "far"),
        serving(tools, pod, "redirect"),
    ):
        # Not longer than the proxy waits for its own connection, which ends the client's.
        seconds = DROPPED_AFTER * (1 if way == DROPPED else SLOWNESS)
        assert tools.ask(pod.space, "10.233.71.2", seconds=seconds).way == way
