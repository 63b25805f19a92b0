"""kube-proxy of one node."""

from testbed import topology
from testbed.topology import Node

KUBECONFIG = "/etc/kubernetes/kube-proxy.conf"


def flags(node: Node) -> list[str]:
    """Return kube-proxy's flags.

    The table size and time limits of connection tracking belong to the machine: zero
    leaves them as they are.
    """
    return [
        f"--kubeconfig={KUBECONFIG}",
        "--proxy-mode=iptables",
        f"--cluster-cidr={topology.POD_CIDR}",
        f"--hostname-override={node.name}",
        "--conntrack-max-per-core=0",
        "--conntrack-min=0",
        "--conntrack-tcp-timeout-established=0",
        "--conntrack-tcp-timeout-close-wait=0",
    ]
