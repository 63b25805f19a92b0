"""Pods on a node whose kernel was booted with ipv6.disable=1."""

from tests.cni import overlay
from tests.cni.topology import LAN_IPV4, NODE_IPV4, Pod, Segment
from tests.cni.traffic import ask, server
from tests.kernels.proof import Scene, left_on_the_node, traffic


def test_underlay(segment: Segment) -> None:
    pods = (segment.pod(), segment.pod())
    for each in pods:
        each.attach()
        each.coordinator(vethLinkAddress="169.254.100.1")
    scene = Scene(*pods, {4: LAN_IPV4}, families=(4,))
    traffic(scene)
    for each in pods:
        each.coordinator("CHECK", vethLinkAddress="169.254.100.1")
        each.coordinator("DEL")
    assert left_on_the_node(scene) == []


def test_a_further_interface(pod: Pod, segment: Segment) -> None:
    segment.lan.run("ip addr add 10.7.0.1/16 dev eth0")
    for dev, net in (("eth0", 6), ("net1", 7)):
        pod.attach(dev, net=net)
        pod.coordinator("ADD", dev)
    for dev, lan in (("eth0", LAN_IPV4), ("net1", "10.7.0.1")):
        mine = pod.ipv4(dev)
        with server(pod.space, mine, 8080):
            assert ask(segment.node, mine, 8080) == (NODE_IPV4, mine)
            assert ask(segment.lan, mine, 8080) == (lan, mine)
        pod.coordinator("CHECK", dev)
    for dev in ("net1", "eth0"):
        pod.coordinator("DEL", dev)
    assert segment.node.routes(4, 500) == []


def test_overlay(pod: Pod, segment: Segment) -> None:
    segment.lan.run("ip addr add 10.7.0.1/16 dev eth0")
    overlay.connect(pod, families=(4,))
    pod.attach("net1", net=7)
    pod.coordinator("ADD", "net1")
    pod.coordinator("CHECK", "net1")
    mine = pod.ipv4("net1")
    with server(pod.space, mine, 8080):
        assert ask(segment.node, mine, 8080) is not None
        assert ask(segment.lan, mine, 8080) == ("10.7.0.1", mine)
    with server(segment.node, NODE_IPV4, 10250):
        assert ask(pod.space, NODE_IPV4, 10250) == (overlay.IPV4, NODE_IPV4)
    pod.coordinator("DEL", "net1")
    assert segment.node.routes(4, 500) == []
