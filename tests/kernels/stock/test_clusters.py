"""Overlay mode: an underlay interface beside cluster networks that only a stock kernel has."""

import platform
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cni.routing import own
from tests.cni.topology import Pod, Segment
from tests.cni.traffic import ask, pings, server
from tests.istio.bed import services
from tests.istio.cells import Family
from tests.kernels import clusters, links, ovs
from tests.kernels.proof import NODE, OTHER

NETKIT_SINCE = (6, 7)
known_fault = pytest.mark.xfail(
    strict=True,
    reason="the plugin sends a pod's answers to the node's MAC address, and netkit has none; with"
    " Open vSwitch services have to go by eth0's own next hop (docs/coordinator.md, Limits)",
)


def prove(cluster: clusters.Netkit | clusters.OpenVSwitch) -> None:
    """Give a pod net1 beside its eth0, and assert what flows through both."""
    segment = cluster.segment
    cluster.prepare()
    outside = links.router(segment, "eth0", 7)
    pod, other = segment.pod(), segment.pod()
    for each in (pod, other):
        cluster.join(each)
    pod.attach("net1", families=(4, 6), net=7)
    pod.coordinator("ADD", "net1")
    pod.coordinator("CHECK", "net1")
    entries = [(f, OTHER[f], 80, cluster.address(other, f)) for f in NODE]
    services(segment, entries)
    for family in NODE:
        _flows(cluster, pod, other, family, outside[family])
    pod.coordinator("DEL", "net1")
    for family in NODE:
        assert segment.node.routes(family, 500) == []
        assert ask_service(cluster, pod, other, family)


def _flows(
    cluster: clusters.Netkit | clusters.OpenVSwitch,
    pod: Pod,
    other: Pod,
    family: Family,
    outside: str,
) -> None:
    segment, mine = cluster.segment, own(pod, "net1", family)
    with server(pod.space, "::" if family == 6 else "0.0.0.0", 8080):
        assert ask(segment.node, mine, 8080) is not None
        assert ask(segment.node, cluster.address(pod, family), 8080) is not None
        assert ask(segment.lan, mine, 8080) == (outside, mine)
    assert pings(pod.space, NODE[family])
    with server(segment.node, NODE[family], 10250):
        answer = ask(pod.space, NODE[family], 10250)
        assert answer == (cluster.address(pod, family), NODE[family])
    assert ask_service(cluster, pod, other, family)


def ask_service(
    cluster: clusters.Netkit | clusters.OpenVSwitch, pod: Pod, other: Pod, family: Family
) -> bool:
    """Say whether the pod reaches the other one by its Service, with its own address."""
    theirs = cluster.address(other, family)
    with server(other.space, theirs, 8080):
        answer = ask(pod.space, OTHER[family], 80)
    return answer == (cluster.address(pod, family), theirs)


@known_fault
def test_netkit(segment: Segment) -> None:
    release = tuple(int(part) for part in platform.release().split(".")[:2])
    if release < NETKIT_SINCE:
        pytest.skip(f"Linux {platform.release()} has no netkit; make kernels runs it on 6.12")
    prove(clusters.Netkit(segment))


@pytest.fixture
def switch(segment: Segment, tmp_path: Path) -> Iterator[ovs.Switch]:
    """Open vSwitch on the node."""
    made = ovs.Switch(segment.node, tmp_path)
    with made.running():
        yield made


@known_fault
def test_open_vswitch(segment: Segment, switch: ovs.Switch) -> None:
    prove(clusters.OpenVSwitch(segment, switch=switch))
