"""The underlay segment and the nodes' links on it.

A bridge in the `fabric` namespace is the switch; `gateway` is the router at its
edge. The host's own network gets no link, address, route or rule: each pair of
links is made inside `fabric`, with its other end in the target namespace.
"""

from ipaddress import IPv4Address, IPv4Network

from testbed import topology
from testbed.namespaces import Namespaces
from testbed.topology import Node

FABRIC = "fabric"
GATEWAY = "gateway"
_BRIDGE = "underlay"


def build_fabric(fabric: Namespaces) -> None:
    """Make the switch."""
    fabric.run(
        "ip", "-batch", "-", stdin=f"link add {_BRIDGE} type bridge\nlink set {_BRIDGE} up\n"
    )


def attach(fabric: Namespaces, target: Namespaces, name: str, address: IPv4Address) -> None:
    """Give a namespace its `eth0` on the segment."""
    port = f"p-{name}"
    fabric.run(
        "ip",
        "-batch",
        "-",
        stdin=f"link add {port} type veth peer name eth0 netns {target.holder.pid}\n"
        f"link set {port} master {_BRIDGE} up\n",
    )
    target.run("ip", "-batch", "-", stdin=eth0_commands(address))


def eth0_commands(address: IPv4Address) -> str:
    """Render the commands that configure eth0; all but the gateway get a default route."""
    commands = [
        "link set lo up",
        f"address add {address}/{topology.UNDERLAY.prefixlen} dev eth0",
        "link set eth0 up",
    ]
    if address != topology.GATEWAY:
        commands.append(f"route add default via {topology.GATEWAY}")
    return "\n".join(commands) + "\n"


def enable_forwarding(target: Namespaces) -> None:
    """Make a namespace a router; bridged pods' packets pass iptables, as kube-proxy needs."""
    target.run(
        "sh",
        "-c",
        "echo 1 >/proc/sys/net/ipv4/ip_forward; "
        "if [ -d /proc/sys/net/bridge ]; then "
        "echo 1 >/proc/sys/net/bridge/bridge-nf-call-iptables; fi",
    )


def add_pod_route(target: Namespaces, pod_cidr: IPv4Network, node: Node) -> None:
    """Send what is for the pods of another node to that node."""
    target.run("ip", "route", "replace", str(pod_cidr), "via", str(node.address))


def masquerade_pods(target: Namespaces) -> None:
    """Give pods the node's address on the way out of the cluster, and only there."""
    rule = f"POSTROUTING --source {topology.POD_CIDR} ! --destination {topology.POD_CIDR}"
    rule += " --out-interface eth0 --jump MASQUERADE"
    target.run("iptables", "--wait", "--table", "nat", "--append", *rule.split())
