"""Underlay pods behind the real kube-proxy in IPVS mode."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.cni.conftest import wait_for
from tests.cni.services import SERVICE_CIDR, api_server, proxied
from tests.cni.topology import LAN_IPV4, NODE_IPV4, Pod, Segment
from tests.cni.traffic import ask, pings, server

OWN, OTHER = "10.96.0.80", "10.96.0.81"
NODE_PORT = 30080


@dataclass(frozen=True)
class Scene:
    """A node behind whose Services two pods are, and a third pod that came after kube-proxy."""

    segment: Segment
    pod: Pod
    other: Pod
    late: Pod


def added(segment: Segment) -> Pod:
    """Return an underlay pod that is set up."""
    pod = segment.pod()
    pod.attach()
    pod.coordinator(serviceCIDR=[SERVICE_CIDR])
    return pod


@pytest.fixture
def scene(segment: Segment, tmp_path: Path) -> Iterator[Scene]:
    """Let kube-proxy program the node."""
    pod, other = added(segment), added(segment)
    node = segment.node
    with api_server(node) as services:
        services.service("own", pod, OWN, NODE_PORT)
        services.service("other", other, OTHER)
        with proxied(node, services, "ipvs", tmp_path / "log"):
            wait_for(lambda: other.ipv4() in node.run("ipvsadm --list --numeric", check=False))
            yield Scene(segment, pod, other, added(segment))


def test_services_probes_and_node_ports(scene: Scene) -> None:
    pod, other, node = scene.pod, scene.other, scene.segment.node
    assert f"{OWN}/32" in node.addresses("kube-ipvs0")
    with server(other.space, other.ipv4(), 8080), server(pod.space, pod.ipv4(), 8080):
        for client in (pod.space, scene.late.space, node):
            answer = ask(client, OTHER, 80)
            assert answer is not None
            assert answer[1] == other.ipv4()
        # A pod behind its own Service sees the node, not itself.
        assert ask(pod.space, OWN, 80) == (NODE_IPV4, pod.ipv4())
        assert ask(scene.segment.lan, NODE_IPV4, NODE_PORT) == (LAN_IPV4, pod.ipv4())
    for each in (pod, other, scene.late):
        with server(each.space, each.ipv4(), 8080):
            assert ask(node, each.ipv4(), 8080) == (NODE_IPV4, each.ipv4())
        assert pings(each.space, NODE_IPV4)
        # The Services' addresses, which are now the node's own, change nothing.
        each.coordinator("CHECK", serviceCIDR=[SERVICE_CIDR])
