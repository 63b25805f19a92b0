"""Names and addresses of the cluster: constants and pure functions of them.

Everything lives in network namespaces of its own, so these ranges collide with
nothing of the host, nor with the testbed of another clone.
"""

import os
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network

from testbed.errors import TestbedError

UNDERLAY = IPv4Network("172.30.0.0/16")
"""The segment of the nodes' eth0, on which macvlan pods get their addresses too."""

GATEWAY = IPv4Address("172.30.0.1")
"""The router of the underlay segment, a namespace of its own."""

POD_CIDR = IPv4Network("10.244.0.0/16")
"""The cluster network's range; each node has a /24 of it."""

SERVICE_CIDR = IPv4Network("10.96.0.0/16")
"""The range of ClusterIPs."""

CLUSTER_DNS = IPv4Address("10.96.0.10")
"""Where the cluster's DNS is, which only a mesh brings (`testbed.mesh`)."""

API_PORT = 6443

_FIRST_NODE = IPv4Address("172.30.0.11")
MOST_NODES = 9


@dataclass(frozen=True)
class Node:
    """A node by name and its address on the underlay segment."""

    name: str
    address: IPv4Address


def nodes(count: int) -> tuple[Node, ...]:
    """Return `count` nodes; the first one also runs the control plane."""
    return tuple(Node(f"node{i + 1}", _FIRST_NODE + i) for i in range(count))


def wanted_count(environment: dict[str, str] | None = None) -> int:
    """Return the number of nodes that `TESTBED_NODES` asks for, 1 when it is unset.

    Raises:
        TestbedError: it is no number from 1 to 9.
    """
    value = (os.environ if environment is None else environment).get("TESTBED_NODES") or "1"
    if not value.isdecimal() or not 1 <= int(value) <= MOST_NODES:
        raise TestbedError(f"TESTBED_NODES={value!r}: give a number from 1 to {MOST_NODES}")
    return int(value)
