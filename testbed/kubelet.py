"""kubelet of one node."""

import json

from testbed import topology
from testbed.topology import Node

CONFIG = "/etc/kubernetes/kubelet.json"
KUBECONFIG = "/etc/kubernetes/kubelet.conf"
RESOLV_CONF = "/run/testbed/resolv.conf"


def config(client_ca: str, cgroup: str) -> str:
    """Render the KubeletConfiguration; paths are those inside the node.

    It is that of a usual node but for what the machine may not have: cgroup v2,
    the right to lower OOM scores, quotas on the disk.
    """
    return json.dumps(
        {
            "apiVersion": "kubelet.config.k8s.io/v1beta1",
            "kind": "KubeletConfiguration",
            "containerRuntimeEndpoint": "unix:///run/containerd/containerd.sock",
            "authentication": {
                "anonymous": {"enabled": False},
                "webhook": {"enabled": True},
                "x509": {"clientCAFile": client_ca},
            },
            "authorization": {"mode": "Webhook"},
            "cgroupDriver": "cgroupfs",
            "cgroupRoot": f"/{cgroup}",
            "failCgroupV1": False,
            "failSwapOn": False,
            "oomScoreAdj": 0,
            "makeIPTablesUtilChains": False,
            "enforceNodeAllocatable": [],
            "localStorageCapacityIsolation": False,
            "evictionHard": {"nodefs.available": "1%", "imagefs.available": "1%"},
            "clusterDomain": "cluster.local",
            "clusterDNS": [str(topology.CLUSTER_DNS)],
            "resolvConf": RESOLV_CONF,
            # Images are loaded, never pulled: none may be collected while it is not in use.
            "imageGCHighThresholdPercent": 100,
            # A test waits for pods all the time: look often, and report at once.
            "nodeStatusUpdateFrequency": "5s",
            "syncFrequency": "10s",
        },
        indent=2,
    )


def flags(node: Node) -> list[str]:
    """Return kubelet's flags."""
    return [
        f"--config={CONFIG}",
        f"--kubeconfig={KUBECONFIG}",
        f"--hostname-override={node.name}",
        f"--node-ip={node.address}",
        "--root-dir=/var/lib/kubelet",
        "--cert-dir=/var/lib/kubelet/pki",
    ]
