"""Links that an underlay pod's interface is made of, each with its machine outside."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from tests.cni.namespace import Json, Namespace
from tests.cni.topology import (
    LAN_IPV4,
    LAN_IPV6,
    NODE_IPV4,
    NODE_IPV6,
    PLUGINS,
    Pod,
    Segment,
    macvlan,
)
from tests.istio.cells import Family

VLAN = 100
SEGMENT: dict[Family, str] = {4: LAN_IPV4, 6: LAN_IPV6}
"""The addresses of the machine outside on the segment itself."""


@dataclass(frozen=True)
class Link:
    """How pods are attached, by number, and the address of who is outside."""

    attach: Callable[[Pod, int], None]
    outside: dict[Family, str]


Maker: TypeAlias = Callable[[Segment], Link]


def conf(pod: Pod, kind: str, net: int, **fields: object) -> Json:
    """Return a main plugin's configuration with addresses of a net."""
    base = macvlan(pod.segment.state, families=(4, 6), net=net)
    common = {"cniVersion": "1.0.0", "name": base["name"], "type": kind, "ipam": base["ipam"]}
    return common | fields


def plug(pod: Pod, configuration: Json) -> None:
    """Let a main plugin make eth0."""
    pod.confs["eth0"] = configuration
    plugin = PLUGINS / configuration["type"]
    pod.results["eth0"] = pod.call(plugin, "ADD", "eth0", configuration)


def router(segment: Segment, dev: str, net: int) -> dict[Family, str]:
    """Give the machine outside the addresses of a net's router, and return them."""
    found: dict[Family, str] = {4: f"10.{net}.0.1", 6: f"fd00:10:{net}::1"}
    segment.lan.run(f"ip addr add {found[4]}/16 dev {dev}")
    segment.lan.run(f"ip -6 addr add {found[6]}/64 dev {dev} nodad")
    return found


def tag(space: Namespace, number: int) -> str:
    """Make a VLAN on eth0 and return its name."""
    name = f"vlan{number}"
    space.run(f"ip link add link eth0 name {name} type vlan id {number}")
    space.run(f"ip link set {name} up")
    return name


def ipvlan_l2(segment: Segment) -> Link:
    """Slaves of the node's uplink, which share its MAC address."""
    outside = router(segment, "eth0", 7)
    return Link(lambda pod, _: plug(pod, conf(pod, "ipvlan", 7, master="eth0", mode="l2")), outside)


def ipvlan_l3(segment: Segment) -> Link:
    """Slaves that the node's uplink routes to: outside, their net is behind the node."""
    segment.lan.run(f"ip route add 10.7.0.0/16 via {NODE_IPV4}")
    segment.lan.run(f"ip -6 route add fd00:10:7::/64 via {NODE_IPV6}")
    return Link(lambda pod, _: plug(pod, conf(pod, "ipvlan", 7, master="eth0", mode="l3")), SEGMENT)


def vlan(segment: Segment) -> Link:
    """VLANs of the node's uplink, each in the pod; of a number there is only one."""
    outside = [router(segment, tag(segment.lan, VLAN + number), 7 + number) for number in (0, 1)]
    return Link(
        lambda pod, number: plug(
            pod, conf(pod, "vlan", 7 + number, master="eth0", vlanId=VLAN + number)
        ),
        outside[0],
    )


def macvlan_on_vlan(segment: Segment) -> Link:
    """Slaves of a VLAN of the node's uplink."""
    tag(segment.node, VLAN)
    outside = router(segment, tag(segment.lan, VLAN), 7)
    master = f"vlan{VLAN}"
    return Link(
        lambda pod, _: plug(pod, conf(pod, "macvlan", 7, master=master, mode="bridge")), outside
    )


def bond(segment: Segment) -> Link:
    """Slaves of two bonded uplinks, of which one has failed."""
    node = segment.node
    node.run("ip link add bond0 type bond mode active-backup miimon 100")
    for dev in ("eth1", "eth2"):
        segment.plug(node, dev, "", "")
        node.run(f"ip link set {dev} down")
        node.run(f"ip link set {dev} master bond0")
    node.run("ip link set bond0 up")
    node.run("ip link set eth1 down")
    outside = router(segment, "eth0", 7)
    return Link(
        lambda pod, _: plug(pod, conf(pod, "macvlan", 7, master="bond0", mode="bridge")), outside
    )


def address_by_hand(pod: Pod, net: int, number: int) -> None:
    """Give eth0 addresses and default routes, and keep the result that a plugin would print."""
    host = 21 + number
    ipv4, ipv6 = f"10.{net}.2.{host}", f"fd00:10:{net}::2:{host}"
    for command in (
        "ip link set eth0 up",
        f"ip addr add {ipv4}/16 dev eth0",
        f"ip -6 addr add {ipv6}/64 dev eth0 nodad",
        f"ip route add default via 10.{net}.0.1",
        f"ip -6 route add default via fd00:10:{net}::1",
    ):
        pod.space.run(command)
    pod.results["eth0"] = {
        "cniVersion": "1.0.0",
        "interfaces": [{"name": "eth0", "sandbox": str(pod.space.path)}],
        "ips": [
            {"address": f"{ipv4}/16", "interface": 0},
            {"address": f"{ipv6}/64", "interface": 0},
        ],
    }
