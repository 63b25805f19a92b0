"""Underlay pods behind the real kube-proxy, in both of its modes."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.cni.conftest import wait_for
from tests.cni.namespace import Json
from tests.cni.services import SERVICE_CIDR, api_server, proxied
from tests.cni.topology import NODE_IPV4, PLUGINS, Pod, Segment
from tests.cni.traffic import ask, pings, server

OWN, OTHER, ELSEWHERE = "10.96.0.80", "10.96.0.81", "10.96.0.82"
NODE_PORT, PORT_ELSEWHERE, HOST_PORT = 30080, 30082, 8088
CLIENT = "198.51.100.7"  # of another network: within one, the portmap plugin hides clients
RULES = {"iptables": "iptables-save -t nat", "nftables": "nft list table ip kube-proxy"}


@dataclass(frozen=True)
class Scene:
    """A node with kube-proxy, and two pods with a Service each."""

    segment: Segment
    pod: Pod
    other: Pod


@pytest.fixture(scope="module", params=["iptables", "nftables"])
def scene(
    request: pytest.FixtureRequest, binary: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Scene]:
    """Let kube-proxy program the node; the scene is there once its rules are."""
    state = tmp_path_factory.mktemp(request.param)
    segment = Segment(f"sc-kp-{request.param}", state, binary)
    try:
        segment.create()
        segment.lan.run(f"ip addr add {CLIENT}/32 dev lo")
        segment.lan.run(f"ip route add {NODE_IPV4} dev eth0 src {CLIENT}")
        pods = [segment.pod(), segment.pod()]
        for each in pods:
            each.attach()
            each.coordinator(serviceCIDR=[SERVICE_CIDR])
        with api_server(segment.node) as services:
            services.service("own", pods[0], OWN, NODE_PORT)
            services.service("other", pods[1], OTHER)
            services.service("elsewhere", pods[1], ELSEWHERE, PORT_ELSEWHERE, node="elsewhere")
            with proxied(segment.node, services, request.param, state / "log"):
                rules = RULES[request.param]
                wait_for(lambda: ELSEWHERE in segment.node.run(rules, check=False))
                wait_for(lambda: OTHER in segment.node.run(rules, check=False))
                yield Scene(segment, *pods)
    finally:
        segment.delete()


def test_pods_reach_services(scene: Scene) -> None:
    pod, other = scene.pod, scene.other
    with server(other.space, other.ipv4(), 8080), server(pod.space, pod.ipv4(), 8080):
        for client in (pod.space, scene.segment.node):
            answer = ask(client, OTHER, 80)
            assert answer is not None
            assert answer[1] == other.ipv4()
        # a pod behind its own Service sees the node, not itself
        assert ask(pod.space, OWN, 80) == (NODE_IPV4, pod.ipv4())


def test_a_node_port_keeps_the_clients_address(scene: Scene) -> None:
    pod, lan = scene.pod, scene.segment.lan
    with server(pod.space, pod.ipv4(), 8080):
        assert ask(lan, NODE_IPV4, NODE_PORT) == (CLIENT, pod.ipv4())
        # it is the mark that brings the answer back
        pod.space.run("nft flush chain ip spidercoordinator output")
        assert ask(lan, NODE_IPV4, NODE_PORT, deadline=1) is None
        pod.coordinator(serviceCIDR=[SERVICE_CIDR])
        assert ask(lan, NODE_IPV4, NODE_PORT) == (CLIENT, pod.ipv4())


def test_a_node_port_with_policy_local_and_no_pod_on_the_node(scene: Scene) -> None:
    """To kube-proxy an underlay pod is a client from outside: it goes by ranges of addresses."""
    pod, other, node = scene.pod, scene.other, scene.segment.node
    with server(other.space, other.ipv4(), 8080):
        assert ask(node, NODE_IPV4, PORT_ELSEWHERE) is not None
        assert ask(pod.space, NODE_IPV4, PORT_ELSEWHERE, deadline=1) is None
        assert ask(pod.space, ELSEWHERE, 80) is not None


def test_a_host_port_keeps_the_clients_address(scene: Scene) -> None:
    pod, lan = scene.other, scene.segment.lan
    mapping = {"hostPort": HOST_PORT, "containerPort": 8080, "protocol": "tcp"}
    conf: Json = {
        "cniVersion": "1.0.0",
        "name": "macvlan-conf",
        "type": "portmap",
        "capabilities": {"portMappings": True},
        "runtimeConfig": {"portMappings": [mapping]},
    }
    previous = pod.coordinator(serviceCIDR=[SERVICE_CIDR])
    pod.call(PLUGINS / "portmap", "ADD", "eth0", conf | {"prevResult": previous})
    try:
        with server(pod.space, pod.ipv4(), 8080):
            assert ask(lan, NODE_IPV4, HOST_PORT) == (CLIENT, pod.ipv4())
    finally:
        pod.call(PLUGINS / "portmap", "DEL", "eth0", conf)


def test_the_node_probes_its_pods(scene: Scene) -> None:
    for pod in (scene.pod, scene.other):
        with server(pod.space, pod.ipv4(), 8080):
            assert ask(scene.segment.node, pod.ipv4(), 8080) == (NODE_IPV4, pod.ipv4())
        assert pings(scene.segment.node, pod.ipv4())
