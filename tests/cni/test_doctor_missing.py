"""What others delete of a pod's entries, on the node and in the pod, is named with the pod.

By one entry or all of a kind, of each interface and family, in underlay and overlay mode.
"""

import json
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.cni import overlay
from tests.cni.bridge import GATEWAY, Bridge
from tests.cni.doctor import Doctor, root_of_node
from tests.cni.namespace import Json
from tests.cni.topology import NODE_IPV4, NODE_IPV6, Pod

NAME = "pod default/web"
DUAL = (4, 6)


@dataclass(frozen=True)
class Scene:
    """A node with a pod of two interfaces, and the files that the doctor reads there."""

    pod: Pod
    doctor: Doctor
    root: Path
    names: dict[str, str]

    def findings(self) -> list[str]:
        """Return what is told with the pod's name."""
        return [
            line
            for line in self.doctor.findings(f"--host-root={self.root}")
            if NAME in line and line.startswith(("ERROR", "WARNING"))
        ]

    def break_by(self, where: str, commands: str) -> None:
        """Run commands on the node or in the pod."""
        space = self.pod.space if where == "pod" else self.pod.segment.node
        for command in commands.format(**self.names).split(";"):
            space.run(command)

    def tells(self, where: str, commands: str, told: list[str]) -> None:
        """Break what is whole, and require that the doctor tells it."""
        assert self.findings() == []
        self.break_by(where, commands)
        lines = self.findings()
        for each in told:
            wanted = f"{NAME}: {each.format(**self.names)}"
            assert any(wanted in line for line in lines), (wanted, lines)


def scene(pod: Pod, programs: Path, files: Path, **names: str) -> Scene:
    """Lay out the node's files as a container runtime and the installer have them."""
    root, results = root_of_node(files)
    for dev, result in pod.results.items():
        sandbox = {"name": dev, "sandbox": f"/var/run/netns/{pod.space.name}"}
        record = {
            "kind": "cniCacheV1",
            "containerId": pod.container,
            "ifName": dev,
            "cniArgs": [["K8S_POD_NAMESPACE", "default"], ["K8S_POD_NAME", "web"]],
            "result": result | {"interfaces": [sandbox]},
        }
        (results / f"macvlan-conf-{pod.container}-{dev}").write_text(json.dumps(record))
    known = {"n4": pod.ipv4("net1"), "n6": pod.ipv6("net1"), "h4": NODE_IPV4, "h6": NODE_IPV6}
    return Scene(pod, Doctor(pod.segment, programs, files), root, known | names)


@pytest.fixture
def underlay(pod: Pod, programs: Path, tmp_path: Path) -> Scene:
    for number, dev in enumerate(("eth0", "net1")):
        pod.attach(dev, families=DUAL, net=6 + number)
        pod.coordinator("ADD", dev)
    return scene(pod, programs, tmp_path, veth=pod.host_veth, e4=pod.ipv4(), e6=pod.ipv6())


# Where, how, and what is told.
UNDERLAY = {
    "IPv4 routes of the node": (
        "node",
        "ip -4 route flush table 500; ip neigh flush nud permanent",
        ["the node lacks the route {e4}/32 dev {veth}", "the node lacks the route {n4}/32"],
    ),
    "IPv6 routes of the node": (
        "node",
        "ip -6 route flush table 500; ip -6 neigh flush nud permanent",
        ["the node lacks the route {e6}/128 dev {veth}", "the node lacks the route {n6}/128"],
    ),
    "a route of net1": (
        "node",
        "ip route del {n4} table 500; ip neigh del {n4} dev {veth}",
        ["the node lacks the route {n4}/32", "the node lacks the permanent neighbour {n4}"],
    ),
    "a neighbour of net1": (
        "node",
        "ip -6 neigh del {n6} dev {veth}",
        ["the node lacks the permanent neighbour {n6}"],
    ),
    "the node's end, down and up": (
        "node",
        "ip link set {veth} down; ip link set {veth} up",
        ["the node lacks the route {e4}/32", "the node lacks the route {n6}/128"],
    ),
    "IPv6 of the node's end": (
        "node",
        "sysctl -qw net.ipv6.conf.{veth}.disable_ipv6=1",
        ["on the node, sysctl net/ipv6/conf/{veth}/disable_ipv6 is not 0"],
    ),
    "MTU of the node's end": (
        "node",
        "ip link set {veth} mtu 1300",
        ["on the node, the MTU of {veth} differs"],
    ),
    "the route to the node": (
        "pod",
        "ip route del {h4} dev veth0",
        ["lacks the route {h4}/32 dev veth0"],
    ),
    "the IPv6 route to the node": (
        "pod",
        "ip -6 route del {h6} dev veth0",
        ["lacks the route {h6}/128 dev veth0"],
    ),
    "the last rule": ("pod", "ip rule del pref 32768", ["lacks the IPv4 rule pref 32768"]),
    "the rule of net1": (
        "pod",
        "ip -6 rule del pref 32765",
        ["lacks the IPv6 rule pref 32765 from {n6}/128"],
    ),
    "all rules": (
        "pod",
        "ip rule flush; ip rule add pref 32766 lookup main",
        ["lacks the IPv4 rule pref 32765 from {n4}/32", "its IPv4 rule for marked packets"],
    ),
    "the table of net1": (
        "pod",
        "ip route flush table 5001",
        ["lacks the route 10.233.0.0/18 via {h4} dev veth0", "lacks the route 10.7.0.0/16"],
    ),
    "veth0, down and up": (
        "pod",
        "ip link set veth0 down; ip link set veth0 up",
        ["lacks the route {h4}/32 dev veth0", "lacks the route {h6}/128 dev veth0"],
    ),
    "the address of net1": (
        "pod",
        "ip addr flush dev net1",
        ["has no address {n4}, which the node routes to it"],
    ),
    "eth0, down and up": (
        "pod",
        "ip link set eth0 down; ip link set eth0 up",
        [
            "lacks the route default via 10.6.0.1 dev eth0 table main",
            "lacks the route default via fd00:10:6::1 dev eth0 table main",
            "has no address {e6}, which the node routes to it",
        ],
    ),
    "net1, down and up": (
        "pod",
        "ip link set net1 down; ip link set net1 up",
        [
            "lacks the route default via 10.7.0.1 dev net1 src {n4} table 5001",
            "lacks the route 10.7.0.0/16 dev net1 src {n4} table 5001",
            "lacks the route default via fd00:10:7::1 dev net1 src {n6} table 5001",
            "has no address {n6}, which the node routes to it",
        ],
    ),
    "net1 is down": ("pod", "ip link set net1 down", ["net1 is down"]),
    "the pair": ("node", "ip link del {veth}", ["has lost its veth0"]),
}


@pytest.mark.parametrize("fault", UNDERLAY)
def test_what_is_gone_of_an_underlay_pod(underlay: Scene, fault: str) -> None:
    underlay.tells(*UNDERLAY[fault])


def test_nothing_is_gone_where_networks_differ(pod: Pod, programs: Path, tmp_path: Path) -> None:
    """What one network of a pod routes by the node, and the table it uses there, is no other's."""
    sections: list[Json] = [
        {"hijackCIDR": ["198.18.0.0/15"]},
        {"hijackCIDR": ["2001:2::/48"], "hostRuleTable": 501},
        {
            "hijackCIDR": [],
            "vethMTU": 1400,
            "policyRoutes": [{"dst": "192.0.2.0/24", "gw": "10.8.0.1"}],
        },
    ]
    for number, (dev, section) in enumerate(zip(("eth0", "net1", "net2"), sections, strict=True)):
        pod.attach(dev, families=DUAL, net=6 + number)
        pod.coordinator("ADD", dev, **section)
    assert scene(pod, programs, tmp_path).findings() == []


@pytest.mark.parametrize("kind", ["route", "rule", "neigh"])
def test_the_commands_that_are_told_repair_it(underlay: Scene, kind: str) -> None:
    """Run what is told until nothing is: one command may be needed for another."""
    underlay.break_by(
        "node" if kind == "neigh" else "pod",
        {
            "route": "ip -6 route flush table 5001; ip route del {h4} dev veth0",
            "rule": "ip rule del pref 32765; ip -6 rule del pref 32768",
            "neigh": "ip neigh del {n4} dev {veth}; ip -6 neigh del {n6} dev {veth}",
        }[kind],
    )
    lines = underlay.findings()
    assert lines
    for line in lines:
        start = line.index("nsenter ") if "nsenter" in line else line.index("ip neigh ")
        underlay.pod.segment.node.run(line[start:].split(";")[0])
    assert underlay.findings() == []


OVERLAY = {
    "routes of the node": (
        "node",
        "ip route flush table 500",
        ["the node lacks the route {n4}/32"],
    ),
    "IPv6 routes of the node": (
        "node",
        "ip -6 route flush table 500",
        ["the node lacks the route {n6}/128"],
    ),
    "a route to services": (
        "pod",
        "ip route del 10.233.0.0/18",
        ["lacks the route 10.233.0.0/18 via {via} dev eth0"],
    ),
    "net1, down and up": (
        "pod",
        "ip link set net1 down; ip link set net1 up",
        [
            "lacks the route default via 10.7.0.1 dev net1 src {n4} table 5002",
            "lacks the route default via fd00:10:7::1 dev net1 src {n6} table 5002",
            "lacks the address {n6}/64 of net1",
        ],
    ),
    "the rule of eth0": (
        "pod",
        "ip rule del pref 32765 table 5001",
        ["lacks the IPv4 rule pref 32765 from {e4}/32"],
    ),
    "the tables": (
        "pod",
        "ip -6 route flush table 5001; ip -6 route flush table 5002",
        ["lacks the route {h6}/128 via"],
    ),
}


@pytest.fixture(params=["routed", "bridge"])
def beside(request: pytest.FixtureRequest, pod: Pod, programs: Path, tmp_path: Path) -> Scene:
    if request.param == "bridge":
        bridge = Bridge(pod.segment)
        bridge.connect(pod)
        names = {"e4": bridge.address(pod, 4), "via": GATEWAY[4]}
    else:
        overlay.connect(pod)
        names = {"e4": overlay.IPV4, "via": overlay.GATEWAY[4]}
    pod.attach("net1", families=DUAL, net=7)
    pod.coordinator("ADD", "net1")
    return scene(pod, programs, tmp_path, **names)


@pytest.mark.parametrize("fault", OVERLAY)
def test_what_is_gone_of_an_overlay_pod(beside: Scene, fault: str) -> None:
    beside.tells(*OVERLAY[fault])
