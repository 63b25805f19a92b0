"""The doctor as root on a node sees its pods' side: each fault of the guide's table of symptoms."""

import json
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.cni.doctor import Doctor, root_of_node
from tests.cni.topology import NODE_IPV4, Pod, Segment
from tests.cni.traffic import ask, server

PORT, MESH_PORT = 8080, 15006
NAME = "pod default/web"


@dataclass(frozen=True)
class Scene:
    """A node with a pod, and the files that the doctor reads there."""

    segment: Segment
    pod: Pod
    doctor: Doctor
    root: Path

    def findings(self) -> list[str]:
        """Return what is told of the pod and the links, with the commands to repair it."""
        lines = self.doctor.findings(f"--host-root={self.root}")
        return [
            line for line in lines if line.startswith(("ERROR", "WARNING")) and "plugin" not in line
        ]


@pytest.fixture
def scene(segment: Segment, programs: Path, tmp_path: Path) -> Scene:
    """Lay out the node's files as a container runtime and the installer have them."""
    root, results = root_of_node(tmp_path)
    pod = segment.pod()
    pod.attach(families=(4, 6))
    pod.coordinator()
    args = [["K8S_POD_NAMESPACE", "default"], ["K8S_POD_NAME", "web"]]
    record = {"kind": "cniCacheV1", "containerId": pod.container, "cniArgs": args}
    (results / f"macvlan-conf-{pod.container}-eth0").write_text(json.dumps(record))
    return Scene(segment, pod, Doctor(segment, programs, tmp_path), root)


def test_a_healthy_pod_on_a_node_as_distributions_make_it(scene: Scene) -> None:
    scene.segment.node.run("sysctl -qw net.netfilter.nf_conntrack_tcp_be_liberal=0")
    assert scene.findings() == []


def test_a_mesh_without_an_address(scene: Scene) -> None:
    """The guide's subject; the command that is told is the cure."""
    pod, node = scene.pod, scene.segment.node
    pod.space.run("iptables-nft -t nat -N IN_REDIRECT")
    pod.space.run("iptables-nft -t nat -A OUTPUT -p tcp --dport 1 -j REDIRECT --to-ports 1")
    assert scene.findings() == [], "what goes out needs no address on veth0"
    pod.space.run(f"iptables-nft -t nat -A IN_REDIRECT -p tcp -j REDIRECT --to-ports {MESH_PORT}")
    pod.space.run("iptables-nft -t nat -A PREROUTING -p tcp -j IN_REDIRECT")
    with server(pod.space, "0.0.0.0", MESH_PORT):
        assert ask(node, pod.ipv4(), PORT, deadline=1) is None
        [line] = scene.findings()
        assert line.startswith(f"ERROR {NAME}: redirects IPv4, as a mesh does")
        repair(scene, line)
        assert ask(node, pod.ipv4(), PORT) is not None
    assert scene.findings() == []


def repair(scene: Scene, line: str) -> None:
    """Run the command of a finding, which ends at the first semicolon after it."""
    start = min(
        found for word in ("nsenter ", "ip neigh ", "ip link ") if (found := line.find(word)) >= 0
    )
    scene.segment.node.run(line[start:].split(";", maxsplit=1)[0])


# Where the fault is made, how, what is told, and whether the node reaches the pod meanwhile.
FAULTS = {
    "veth0 is down": ("pod", "ip link set veth0 down", f"ERROR {NAME}: its veth0 is down", False),
    "the node's end is down": (
        "node",
        "ip link set {veth} down",
        "ERROR link {veth}: is down",
        False,
    ),
    "veth0 has another name": (
        "pod",
        # Not in one request: Linux 6.1 renames only what is down already.
        "ip link set veth0 down; ip link set veth0 name vethx; ip link set vethx up",
        f"ERROR {NAME}: has no veth0",
        None,
    ),
    "a wrong neighbour in the pod": (
        "pod",
        "ip neigh replace {node} lladdr 02:00:00:00:00:09 dev veth0 nud permanent",
        f"ERROR {NAME}: its neighbour entry of the node's address {NODE_IPV4} has",
        False,
    ),
    "a missing neighbour in the pod": (
        "pod",
        "ip neigh del {node} dev veth0",
        f"WARNING {NAME}: its neighbour entry of the node's address {NODE_IPV4} is missing",
        None,
    ),
    "a wrong neighbour on the node": (
        "node",
        "ip neigh replace {ip} lladdr 02:00:00:00:00:09 dev {veth} nud permanent",
        f"ERROR {NAME}: the node's neighbour entry of its address {{ip}} has",
        False,
    ),
    "another hardware address of veth0": (
        "pod",
        "ip link set veth0 address 02:00:00:00:00:09",
        f"ERROR {NAME}: the node's neighbour entry of its address {{ip}} has",
        False,
    ),
    "a missing route to services": (
        "pod",
        "ip route del 10.233.0.0/18",
        f"WARNING {NAME}: has no route to 10.233.0.0/18 by veth0",
        None,
    ),
    "a missing route to IPv6 pods": (
        "pod",
        "ip -6 route del fd85:ee78::/112",
        f"WARNING {NAME}: has no route to fd85:ee78::/112 by veth0",
        None,
    ),
    "no table for replies": (
        "pod",
        "ip route flush table 5000",
        f"ERROR {NAME}: the IPv4 default route by veth0 in its table 5000 is missing",
        None,
    ),
    "no rule for replies": (
        "pod",
        "ip -6 rule del pref 1000",
        f"ERROR {NAME}: its IPv6 rule for marked packets is missing",
        None,
    ),
    "no marks": (
        "pod",
        "nft delete table ip spidercoordinator",
        f"ERROR {NAME}: its nftables table spidercoordinator of IPv4 is missing",
        None,
    ),
    "strict reverse path filter": (
        "pod",
        "sysctl -qw net.ipv4.conf.veth0.rp_filter=1",
        f"WARNING {NAME}: rp_filter is 1 (strict) on its veth0",
        None,
    ),
    "no route on the node": (
        "node",
        "ip route flush table 500",
        "WARNING neighbour {ip} of {veth}: there is no route to it",
        False,
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_of_the_table_of_symptoms(scene: Scene, fault: str) -> None:
    pod, node = scene.pod, scene.segment.node
    where, command, told, reached = FAULTS[fault]
    names = {"veth": pod.host_veth, "ip": pod.ipv4(), "node": NODE_IPV4}
    assert scene.findings() == []
    with server(pod.space, pod.ipv4(), PORT):
        assert ask(node, pod.ipv4(), PORT) is not None
        for each in command.format(**names).split(";"):
            (pod.space if where == "pod" else node).run(each)
        lines = scene.findings()
        matching = [line for line in lines if line.startswith(told.format(**names))]
        assert len(matching) == 1, lines
        assert pod.container not in "\n".join(lines), "pods have names"
        assert "link del" not in "\n".join(lines)
        if reached is False:
            assert ask(node, pod.ipv4(), PORT, deadline=1) is None
