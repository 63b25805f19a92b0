"""Pods on a node whose kernel has no nf_tables."""

from pathlib import Path

import pytest

from tests.cni import overlay
from tests.cni.topology import LAN_IPV4, LAN_IPV6, NODE_IPV4, PluginError, Pod, Segment
from tests.cni.traffic import ask, server


@pytest.fixture(autouse=True)
def no_nf_tables() -> None:
    """Assert that the kernel is the one that these tests are about."""
    assert "module_blacklist=nf_tables" in Path("/proc/cmdline").read_text()
    assert not Path("/sys/module/nf_tables").exists()


def test_overlay_needs_none(pod: Pod, segment: Segment) -> None:
    segment.lan.run("ip addr add 10.7.0.1/16 dev eth0")
    segment.lan.run("ip -6 addr add fd00:10:7::1/64 dev eth0 nodad")
    overlay.connect(pod)
    pod.attach("net1", families=(4, 6), net=7)
    pod.coordinator("ADD", "net1")
    pod.coordinator("CHECK", "net1")
    for mine, lan in ((pod.ipv4("net1"), "10.7.0.1"), (pod.ipv6("net1"), "fd00:10:7::1")):
        with server(pod.space, mine, 8080):
            assert ask(segment.node, mine, 8080) is not None
            assert ask(segment.lan, mine, 8080) == (lan, mine)
    pod.coordinator("DEL", "net1")
    assert segment.node.routes(4, 500) == []


def test_a_pod_that_is_left_alone_needs_none(pod: Pod, segment: Segment) -> None:
    pod.attach(families=(4, 6))
    pod.coordinator(mode="disabled")
    for mine, lan in ((pod.ipv4(), LAN_IPV4), (pod.ipv6(), LAN_IPV6)):
        with server(pod.space, mine, 8080):
            assert ask(segment.lan, mine, 8080) == (lan, mine)
    pod.coordinator("DEL", mode="disabled")


def test_a_pod_that_needs_the_mark_is_refused_and_leaves_nothing(
    pod: Pod, segment: Segment
) -> None:
    pod.attach()
    with pytest.raises(PluginError, match="nf_tables"):
        pod.coordinator()
    assert pod.space.link("veth0") is None
    assert segment.node.link(pod.host_veth) is None
    assert segment.node.routes(4, 500) == []
    assert ask(segment.node, pod.ipv4(), 8080, deadline=1) is None
    assert NODE_IPV4 not in "".join(pod.space.routes())
    pod.coordinator("DEL")
