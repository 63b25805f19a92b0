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
PODS: dict[Family, str] = {4: "10.233.70.0/24", 6: "fd85:ee78::/112"}


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
    services(segment, [(f, OTHER[f], 80, links.SEGMENT[f]) for f in NODE])
    for family, network in PODS.items():
        segment.lan.run(f"ip -{family} route add {network} via {NODE[family]}")
    for family in NODE:
        _flows(cluster, pod, other, family, outside[family])
    pod.coordinator("DEL", "net1")
    for family in NODE:
        assert segment.node.routes(family, 500) == []
        assert ask_service(cluster, pod, family)


def _flows(
    cluster: clusters.Netkit | clusters.OpenVSwitch,
    pod: Pod,
    other: Pod,
    family: Family,
    outside: str,
) -> None:
    segment, mine = cluster.segment, own(pod, "net1", family)
    inside = cluster.address(pod, family)
    with server(pod.space, "::" if family == 6 else "0.0.0.0", 8080):
        assert ask(segment.node, mine, 8080) is not None
        assert ask(segment.node, inside, 8080) is not None
        assert ask(segment.lan, mine, 8080) == (outside, mine)
        assert ask(other.space, inside, 8080) == (cluster.address(other, family), inside)
    assert pings(pod.space, NODE[family])
    with server(segment.node, NODE[family], 10250):
        answer = ask(pod.space, NODE[family], 10250)
        assert answer == (inside, NODE[family])
    assert ask_service(cluster, pod, family)


def ask_service(cluster: clusters.Netkit | clusters.OpenVSwitch, pod: Pod, family: Family) -> bool:
    """Say whether the pod reaches a Service whose endpoint is on another node, as itself."""
    theirs = links.SEGMENT[family]
    with server(cluster.segment.lan, theirs, 8080):
        answer = ask(pod.space, OTHER[family], 80)
    return answer == (cluster.address(pod, family), theirs)


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


def test_open_vswitch(segment: Segment, switch: ovs.Switch) -> None:
    prove(clusters.OpenVSwitch(segment, switch=switch))
