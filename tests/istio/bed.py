"""The network of the matrix: the plugin's own test segment, filled with pods of several kinds.

Interfaces are laid out as macvlan and a cluster network such as Calico would do it, but by hand:
their plugins wait seconds for duplicate address detection, and the matrix has some fifty pods.
"""

import itertools
from dataclasses import dataclass, field

from tests.cni.namespace import Json, Namespace
from tests.cni.topology import LAN_IPV4, LAN_IPV6, Pod, Segment
from tests.istio.cells import Family

OUTSIDE: dict[Family, str] = {4: "203.0.113.9", 6: "2001:db8:9::9"}
"""The client outside: behind the underlay's router, in no network of the pod."""

ROUTER: dict[Family, str] = {4: LAN_IPV4, 6: LAN_IPV6}
_UNDERLAY: dict[Family, tuple[str, int]] = {4: ("10.6.2.", 16), 6: ("fd00:10:6::2:", 64)}
_CLUSTER: dict[Family, str] = {4: "10.233.70.", 6: "fd85:ee78::"}
_WHOLE: dict[Family, int] = {4: 32, 6: 128}
_EVERYTHING: dict[Family, str] = {4: "0.0.0.0/0", 6: "::/0"}
_PEER_MAC = "ee:ee:ee:ee:ee:ee"
_PEER: dict[Family, str] = {4: "169.254.1.1", 6: "fe80::ecee:eeff:feee:eeee"}

_numbers = itertools.count(11)


@dataclass
class Member:
    """A pod of the bed."""

    pod: Pod
    families: tuple[Family, ...]
    number: int = field(default_factory=_numbers.__next__)
    cluster: dict[Family, str] = field(default_factory=dict)
    underlay: dict[Family, str] = field(default_factory=dict)

    @property
    def space(self) -> Namespace:
        return self.pod.space

    @property
    def address(self) -> dict[Family, str]:
        """The addresses that Kubernetes knows: those of the first interface."""
        return self.cluster or self.underlay

    def join_cluster(self) -> None:
        """Give it eth0 of a cluster network: a veth to the node, and routes to that."""
        node, peer = self.pod.segment.node, "cali" + self.pod.container[:11]
        batch(
            node,
            [
                f"link add {peer} type veth peer name eth0 netns {self.space.name}",
                f"link set {peer} address {_PEER_MAC} up",
            ],
        )
        node.run(f"sysctl -qw net.ipv4.conf.{peer}.proxy_arp=1")
        inside, outside = ["link set eth0 up"], []
        for family in self.families:
            self.cluster[family] = f"{_CLUSTER[family]}{self.number}"
            address = f"{self.cluster[family]}/{_WHOLE[family]}"
            quick = " nodad" if family == 6 else ""
            inside.append(f"addr add {address} dev eth0{quick}")
            if family == 4:
                inside.append(f"route add {_PEER[4]} dev eth0 scope link")
            inside.append(f"neigh add {_PEER[family]} lladdr {_PEER_MAC} dev eth0 nud permanent")
            inside.append(f"route add {_EVERYTHING[family]} via {_PEER[family]} dev eth0")
            outside.append(f"route add {address} dev {peer}")
        batch(self.space, inside)
        batch(node, outside)

    def join_underlay(self, dev: str) -> None:
        """Give it a macvlan interface on the segment; the first one holds the default route."""
        made = f"m{self.number}"
        space = self.space.name
        self.pod.segment.node.run(
            f"ip link add {made} link eth0 netns {space} type macvlan mode bridge"
        )
        lines = [f"link set {made} name {dev}", f"link set {dev} up"]
        ips: list[Json] = []
        for family in self.families:
            start, length = _UNDERLAY[family]
            self.underlay[family] = f"{start}{self.number}"
            quick = " nodad" if family == 6 else ""
            lines.append(f"addr add {self.underlay[family]}/{length} dev {dev}{quick}")
            if dev == "eth0":
                lines.append(f"route add {_EVERYTHING[family]} via {ROUTER[family]} dev {dev}")
            ips.append(
                {
                    "address": f"{self.underlay[family]}/{length}",
                    "gateway": ROUTER[family],
                    "interface": 0,
                }
            )
        batch(self.space, lines)
        self.pod.results[dev] = {
            "cniVersion": "1.0.0",
            "interfaces": [{"name": dev, "sandbox": str(self.space.path)}],
            "ips": ips,
            "routes": [{"dst": _EVERYTHING[family]} for family in self.families],
        }


def batch(space: Namespace, lines: list[str]) -> None:
    """Run several ip commands in one process."""
    space.run("ip -batch -", stdin="\n".join(lines) + "\n")


def open_outside(segment: Segment) -> None:
    """Give the router of the underlay the addresses of the client outside."""
    batch(
        segment.lan,
        [f"addr add {address}/{_WHOLE[family]} dev lo" for family, address in OUTSIDE.items()],
    )
    # Answers must come by the way that the test is about, not be helped by redirects.
    for space in (segment.lan, segment.node):
        space.run("sysctl -qw net.ipv4.conf.all.send_redirects=0")
        space.run("sysctl -qw net.ipv4.conf.eth0.send_redirects=0")


def services(segment: Segment, entries: list[tuple[Family, str, int, str]]) -> None:
    """Translate on the node, as kube-proxy does: (family, address, port, pod) to port 8080.

    What a pod sends to itself by a service gets the node's address, so that it comes back.
    """
    for family, word, mark in ((4, "ip", "{}"), (6, "ip6", "[{}]")):
        rules = [
            f"{word} daddr {address} tcp dport {port} dnat to {mark.format(pod)}:8080"
            for kind, address, port, pod in entries
            if kind == family
        ]
        pods = sorted({pod for kind, _, _, pod in entries if kind == family})
        own = [f"{word} saddr {pod} {word} daddr {pod} masquerade" for pod in pods]
        segment.node.run("nft -f -", stdin=_proxy_rules(word, rules, own))


def _proxy_rules(table: str, rules: list[str], own: list[str]) -> str:
    translate, hairpin = "\n".join(rules), "\n".join(own)
    return f"""
        table {table} proxy {{
            chain pre {{ type nat hook prerouting priority -100;
                {translate}
            }}
            chain out {{ type nat hook output priority -100;
                {translate}
            }}
            chain post {{ type nat hook postrouting priority 100;
                {hairpin}
            }}
        }}"""
