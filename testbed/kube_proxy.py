"""kube-proxy of one node."""

import os

from testbed import topology
from testbed.errors import TestbedError
from testbed.topology import Node

KUBECONFIG = "/etc/kubernetes/kube-proxy.conf"
MODES = ("iptables", "nftables")


def wanted_mode(environment: dict[str, str] | None = None) -> str:
    """Return the mode that `TESTBED_KUBE_PROXY_MODE` asks for, iptables when it is unset.

    Raises:
        TestbedError: it is neither iptables nor nftables.
    """
    variables = os.environ if environment is None else environment
    value = variables.get("TESTBED_KUBE_PROXY_MODE") or MODES[0]
    if value not in MODES:
        raise TestbedError(f"TESTBED_KUBE_PROXY_MODE={value!r}: give {' or '.join(MODES)}")
    return value


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
