"""kube-proxy of one node."""

import os
from collections.abc import Mapping

from testbed import extras, topology
from testbed.topology import Node

KUBECONFIG = "/etc/kubernetes/kube-proxy.conf"
MODES = ("iptables", "nftables")


def wanted_mode(environment: Mapping[str, str] = os.environ) -> str:
    """Return the mode that `TESTBED_KUBE_PROXY_MODE` asks for, iptables when it is unset.

    Raises:
        TestbedError: it is neither iptables nor nftables.
    """
    return extras.chosen("TESTBED_KUBE_PROXY_MODE", MODES, environment)


def flags(node: Node, mode: str = MODES[0]) -> list[str]:
    """Return kube-proxy's flags.

    The table size and time limits of connection tracking belong to the machine: zero
    leaves them as they are.
    """
    return [
        f"--kubeconfig={KUBECONFIG}",
        f"--proxy-mode={mode}",
        f"--cluster-cidr={topology.POD_CIDR}",
        f"--hostname-override={node.name}",
        "--conntrack-max-per-core=0",
        "--conntrack-min=0",
        "--conntrack-tcp-timeout-established=0",
        "--conntrack-tcp-timeout-close-wait=0",
    ]
