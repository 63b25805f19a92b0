"""A node or a pod without IPv6: by the kernel's command line, or by sysctl."""

from pathlib import Path

import pytest

from tests.cni.topology import LAN_IPV6, NODE_IPV4, NODE_IPV6, PluginError, Pod, Segment
from tests.cni.traffic import ask, pings, server

DUAL = (4, 6)
WITHOUT_IPV6 = Path(__file__).with_name("without_ipv6.sh")


def hide(pod: Pod) -> None:
    """Let the plugin run where neither the node nor the pod has IPv6's sysctls."""
    segment = pod.segment
    segment.wrapper = [WITHOUT_IPV6, segment.node.path, pod.space.path, "--"]


@pytest.mark.parametrize("families", [(4,), DUAL])
def test_ipv4_works_where_the_kernel_has_no_ipv6(
    pod: Pod, segment: Segment, families: tuple[int, ...]
) -> None:
    pod.attach(families=families)
    hide(pod)
    answer = pod.coordinator(vethLinkAddress="169.254.100.1")
    assert ("no IPv6" in answer.get("warnings", "")) == (6 in families)
    assert pings(segment.node, pod.ipv4())
    assert pings(pod.space, NODE_IPV4)
    assert segment.node.routes(6, 500) == []
    pod.coordinator("CHECK", vethLinkAddress="169.254.100.1")
    pod.coordinator("DEL")
    assert segment.node.link(pod.host_veth) is None


def test_ipv6_alone_where_the_kernel_has_no_ipv6_is_refused(pod: Pod) -> None:
    pod.attach(families=(6,))
    hide(pod)
    with pytest.raises(PluginError, match="IPv6"):
        pod.coordinator()


def test_a_further_interface_where_the_kernel_has_no_ipv6(pod: Pod, segment: Segment) -> None:
    for dev, net in (("eth0", 6), ("net1", 7)):
        pod.attach(dev, net=net)
        hide(pod)
        pod.coordinator("ADD", dev)
        pod.coordinator("CHECK", dev)
        segment.wrapper = []
    hide(pod)
    pod.coordinator("DEL", "net1")
    pod.coordinator("CHECK")


@pytest.mark.parametrize("where", ["node", "pod", "both"])
def test_a_dual_stack_pod_where_new_links_have_ipv6_disabled(
    pod: Pod, segment: Segment, where: str
) -> None:
    pod.attach(families=DUAL)
    for name, space in (("node", segment.node), ("pod", pod.space)):
        if where in (name, "both"):
            space.run("sysctl -qw net.ipv6.conf.default.disable_ipv6=1")
    pod.coordinator()
    with server(pod.space, "::", 8080):
        assert ask(segment.node, pod.ipv6(), 8080) is not None
    assert pings(pod.space, NODE_IPV6)
    assert pings(segment.node, pod.ipv4())
    pod.coordinator("CHECK")


def test_a_dual_stack_pod_on_a_node_with_ipv6_disabled(pod: Pod, segment: Segment) -> None:
    pod.attach(families=DUAL)
    segment.node.run("sysctl -qw net.ipv6.conf.all.disable_ipv6=1")
    segment.node.run("sysctl -qw net.ipv6.conf.default.disable_ipv6=1")
    answer = pod.coordinator()
    assert "the node has no IPv6 address" in answer["warnings"]
    assert pings(segment.node, pod.ipv4())
    assert pings(pod.space, LAN_IPV6)
    pod.coordinator("CHECK")
