"""Underlay pods on links that only a stock kernel has: what flows, and what is left afterwards."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cni.namespace import run
from tests.cni.topology import Pod, Segment
from tests.kernels import links, ovs, sriov
from tests.kernels.proof import Scene, left_on_the_node, traffic

KINDS = [links.ipvlan_l2, links.ipvlan_l3, links.vlan, links.macvlan_on_vlan, links.bond]


def prove(segment: Segment, link: links.Link, *, wired: bool = True) -> None:
    """Attach two pods, assert what flows, and that nothing is left of them."""
    pods = (segment.pod(), segment.pod())
    for number, each in enumerate(pods):
        link.attach(each, number)
        each.coordinator()
    scene = Scene(*pods, link.outside, wired=wired)
    traffic(scene)
    for each in pods:
        each.coordinator("CHECK")
        each.coordinator("DEL")
        assert each.space.link("veth0") is None
    assert left_on_the_node(scene) == []


@pytest.mark.parametrize("make", KINDS, ids=[make.__name__ for make in KINDS])
def test_links_of_the_nodes_uplink(segment: Segment, make: links.Maker) -> None:
    prove(segment, make(segment))


@pytest.fixture
def switch(segment: Segment, tmp_path: Path) -> Iterator[ovs.Switch]:
    """Open vSwitch on the node, whose bridge has an uplink of its own."""
    made = ovs.Switch(segment.node, tmp_path)
    with made.running():
        segment.plug(segment.node, "eth1", "", "")
        made.control("add-br", "br-uplink", "--", "add-port", "br-uplink", "eth1")
        yield made


def test_ports_of_open_vswitch(segment: Segment, switch: ovs.Switch) -> None:
    """The interface is a veth whose other end is a port, as ovs-cni makes it."""
    outside = links.router(segment, "eth0", 7)

    def attach(pod: Pod, number: int) -> None:
        port = f"port{number}"
        segment.node.run(f"ip link add {port} type veth peer name eth0 netns {pod.space.name}")
        segment.node.run(f"ip link set {port} up")
        switch.control("add-port", "br-uplink", port)
        links.address_by_hand(pod, 7, number)

    prove(segment, links.Link(attach, outside))


@pytest.fixture
def functions() -> Iterator[list[str]]:
    """Two virtual functions of the guest's card."""
    with sriov.functions(2) as names:
        yield names


def test_virtual_functions_that_host_device_moves(functions: list[str], segment: Segment) -> None:
    for function in functions:
        # The plugin looks for it where it runs: in the node's network.
        run("ip", "link", "set", function, "netns", segment.node.name)

    def attach(pod: Pod, number: int) -> None:
        links.plug(pod, links.conf(pod, "host-device", 7, device=functions[number]))

    # Functions of the emulated card get no carrier. What the plugin is there for goes by the node.
    prove(segment, links.Link(attach, links.SEGMENT), wired=False)
