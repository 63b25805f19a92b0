"""What is in the way of services: a fault is made, told by the doctor, and seen in traffic."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.cni.doctor import Doctor
from tests.cni.services import SERVICE_CIDR
from tests.cni.topology import LAN_IPV4, NODE_IPV4, Pod, Segment
from tests.cni.traffic import ask, server

CLIENT = "198.51.100.7"
VIP = "203.0.113.80"
LOCAL_PORT, CLUSTER_PORT, PORT = 30080, 30081, 8080
BACKEND = "10.244.7.7"  # an overlay pod of another node

# As kube-proxy in iptables mode does for NodePorts of both policies and a LoadBalancer address.
KUBE_PROXY = f"""
*nat
:KUBE-SERVICES - [0:0]
:KUBE-MARK-MASQ - [0:0]
:KUBE-POSTROUTING - [0:0]
-A PREROUTING -j KUBE-SERVICES
-A OUTPUT -j KUBE-SERVICES
-A POSTROUTING -j KUBE-POSTROUTING
-A KUBE-MARK-MASQ -j MARK --set-xmark 0x4000/0x4000
-A KUBE-SERVICES -d {NODE_IPV4} -p tcp --dport {LOCAL_PORT} -j DNAT --to {{pod}}:{PORT}
-A KUBE-SERVICES -d {NODE_IPV4} -p tcp --dport {CLUSTER_PORT} -j KUBE-MARK-MASQ
-A KUBE-SERVICES -d {NODE_IPV4} -p tcp --dport {CLUSTER_PORT} -j DNAT --to {BACKEND}:{PORT}
-A KUBE-SERVICES -d {VIP} -p tcp --dport 80 -j DNAT --to {{pod}}:{PORT}
-A KUBE-POSTROUTING -m mark --mark 0x4000/0x4000 -j MASQUERADE
COMMIT
*filter
:KUBE-FORWARD - [0:0]
-A FORWARD -j KUBE-FORWARD
-A KUBE-FORWARD -m mark --mark 0x4000/0x4000 -j ACCEPT
-A KUBE-FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
COMMIT
"""


@dataclass(frozen=True)
class Scene:
    """A node with a pod and rules of kube-proxy; the machine beside it is client and router."""

    segment: Segment
    pod: Pod
    doctor: Doctor


@pytest.fixture
def scene(segment: Segment, programs: Path, tmp_path: Path) -> Iterator[Scene]:
    segment.lan.run(f"ip addr add {CLIENT}/32 dev lo")
    segment.lan.run(f"ip route add {NODE_IPV4} dev eth0 src {CLIENT}")
    segment.lan.run(f"ip route add {VIP} via {NODE_IPV4}")
    segment.lan.run(
        "sysctl -qw net.ipv4.conf.all.send_redirects=0 net.ipv4.conf.eth0.send_redirects=0"
    )
    segment.lan.run(f"ip addr add {BACKEND}/32 dev lo")
    segment.node.run(f"ip route add {BACKEND} via {LAN_IPV4}")
    pod = segment.pod()
    pod.attach()
    pod.coordinator(serviceCIDR=[SERVICE_CIDR])
    segment.node.run("iptables-nft-restore", stdin=KUBE_PROXY.format(pod=pod.ipv4()))
    with server(pod.space, pod.ipv4(), PORT):
        yield Scene(segment, pod, Doctor(segment, programs, tmp_path))


def told_and_cured(
    scene: Scene, start: str, answered: Callable[[], bool], fault: str, cure: str
) -> None:
    """Make a fault and cure it: the finding comes and goes as the traffic goes and comes."""
    assert answered()
    assert scene.doctor.starting(start) == []
    scene.segment.node.run(fault)
    assert not answered()
    assert len(scene.doctor.starting(start)) == 1
    scene.segment.node.run(cure)
    assert answered()
    assert scene.doctor.starting(start) == []


@pytest.mark.parametrize(
    "cure",
    ["iptables-nft -P FORWARD ACCEPT", "iptables-nft -I FORWARD -o veth+ -j ACCEPT"],
)
def test_forward_drop(scene: Scene, cure: str) -> None:
    def answered() -> bool:
        answer = ask(scene.segment.lan, NODE_IPV4, LOCAL_PORT, deadline=1)
        return answer == (CLIENT, scene.pod.ipv4())

    start = "WARNING chain FORWARD of table filter: has the policy DROP"
    told_and_cured(scene, start, answered, "iptables-nft -P FORWARD DROP", cure)


def test_masquerade_missing(scene: Scene) -> None:
    """A backend on another machine knows no way back but to the node."""
    lan = scene.segment.lan
    lan.run(f"ip rule add from {BACKEND} lookup 77")
    lan.run(f"ip route add {NODE_IPV4} dev eth0 table 77")
    lan.run("ip route add unreachable default table 77")

    def answered() -> bool:
        answer = ask(scene.pod.space, NODE_IPV4, CLUSTER_PORT, deadline=1)
        return answer == (NODE_IPV4, BACKEND)

    rule = "KUBE-POSTROUTING -m mark --mark 0x4000/0x4000 -j MASQUERADE"
    with server(lan, BACKEND, PORT):
        told_and_cured(
            scene,
            "WARNING kube-proxy's IPv4 rules: masquerade nothing",
            answered,
            f"iptables-nft -t nat -D {rule}",
            f"iptables-nft -t nat -A {rule}",
        )


def test_a_strict_uplink(scene: Scene) -> None:
    """A VIP that no CIDR routes through the node comes back to the node by the segment's router."""
    node, other = scene.segment.node, scene.segment.pod()
    other.attach()
    other.coordinator(serviceCIDR=[SERVICE_CIDR])

    def answered() -> bool:
        return ask(other.space, VIP, 80, deadline=1) is not None

    key = "net.ipv4.conf.eth0.rp_filter"
    node.run(f"sysctl -qw {key}=0")
    start = "NOTE sysctl net/ipv4/conf/eth0/rp_filter: 1"
    told_and_cured(scene, start, answered, f"sysctl -qw {key}=1", f"sysctl -qw {key}=2")
    node.run(f"sysctl -qw {key}=1")
    other.coordinator(serviceCIDR=[SERVICE_CIDR], hijackCIDR=[f"{VIP}/32"])
    assert answered(), "what is routed through the node does not come back by the router"


def test_an_address_that_moves(scene: Scene) -> None:
    """A VIP leaves this node for the machine beside it; where clients find it, it is served."""
    node, lan = scene.segment.node, scene.segment.lan
    assert ask(lan, VIP, 80) == (LAN_IPV4, scene.pod.ipv4())
    other = scene.segment.pod()
    other.attach()
    other.coordinator(serviceCIDR=[SERVICE_CIDR], hijackCIDR=[f"{VIP}/32"])
    assert ask(other.space, VIP, 80) == (other.ipv4(), scene.pod.ipv4())
    node.run("iptables-nft -t nat -F KUBE-SERVICES")
    lan.run(f"ip route del {VIP}")
    lan.run(f"ip addr add {VIP}/32 dev lo")
    node.run(f"ip route add {VIP} via {LAN_IPV4}")
    with server(lan, VIP, 80):
        assert ask(other.space, VIP, 80) == (other.ipv4(), VIP)


def test_a_strict_tunnel(scene: Scene) -> None:
    """An underlay pod of another node comes by the tunnel, and its answer goes by the segment."""
    node, other = scene.segment.node, scene.segment.lan
    (scene.doctor.files / "defaults.json").write_text('{"overlayPodCIDR":["10.244.0.0/16"]}')
    ends = ((node, NODE_IPV4, LAN_IPV4, "1", "2"), (other, LAN_IPV4, NODE_IPV4, "2", "1"))
    for space, local, remote, own, away in ends:
        vxlan = f"type vxlan id 1 dstport 8472 local {local} remote {remote}"
        space.run(f"ip link add flannel.1 {vxlan}")
        space.run(f"ip addr add 10.244.{own}.0/32 dev flannel.1")
        space.run("ip link set flannel.1 up")
        way = f"10.244.{away}.0/24 via 10.244.{away}.0 dev flannel.1 onlink"
        space.run(f"ip route add {way} src {local}")
    node.run("ip addr add 10.244.1.5/32 dev lo")
    told = "WARNING sysctl net/ipv4/conf/flannel.1/rp_filter: 1 (strict"
    with server(node, "10.244.1.5", PORT):
        assert ask(other, "10.244.1.5", PORT) is not None
        assert not scene.doctor.starting(told)
        node.run("sysctl -qw net/ipv4/conf/flannel.1/rp_filter=1")
        assert ask(other, "10.244.1.5", PORT, deadline=1) is None
        assert len(scene.doctor.starting(told)) == 1
