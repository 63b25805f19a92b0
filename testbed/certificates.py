"""Certificates and kubeconfigs, made by kubeadm as on any cluster."""

import json
from pathlib import Path

from testbed import binaries, topology
from testbed.paths import State
from testbed.topology import Node

_CRI_SOCKET = "unix:///run/containerd/containerd.sock"
_COMPONENTS = ("super-admin", "admin", "controller-manager", "scheduler")


def kubeadm_config(node: Node, control_plane: Node, pki: Path) -> str:
    """Render kubeadm's two documents: for one node, and for the cluster.

    The second one becomes the ConfigMap kubeadm-config, from which CIDRs are read.
    """
    init = {
        "apiVersion": "kubeadm.k8s.io/v1beta4",
        "kind": "InitConfiguration",
        "localAPIEndpoint": {
            "advertiseAddress": str(control_plane.address),
            "bindPort": topology.API_PORT,
        },
        "nodeRegistration": {"name": node.name, "criSocket": _CRI_SOCKET},
    }
    cluster = {
        "apiVersion": "kubeadm.k8s.io/v1beta4",
        "kind": "ClusterConfiguration",
        "kubernetesVersion": binaries.kubernetes_release(),
        "clusterName": "testbed",
        "certificatesDir": str(pki),
        "controlPlaneEndpoint": f"{control_plane.address}:{topology.API_PORT}",
        # Much faster to make than RSA, and as good.
        "encryptionAlgorithm": "ECDSA-P256",
        "networking": {
            "podSubnet": str(topology.POD_CIDR),
            "serviceSubnet": str(topology.SERVICE_CIDR),
            "dnsDomain": "cluster.local",
        },
        # The host reaches the API server by a forwarder on its loopback.
        "apiServer": {"certSANs": ["127.0.0.1", "localhost", str(control_plane.address)]},
    }
    return f"{json.dumps(init, indent=2)}\n---\n{json.dumps(cluster, indent=2)}\n"


class Authority:
    """The cluster's certificate authority, in the hands of kubeadm."""

    def __init__(self, folder: Path, state: State, control_plane: Node) -> None:
        self._binaries = folder
        self._state = state
        self._control_plane = control_plane

    def issue_cluster(self) -> None:
        """Make all certificates, and the kubeconfigs of the control plane.

        Raises:
            TestbedError: kubeadm fails; the text has its output.
        """
        self._state.kubernetes.mkdir(parents=True, exist_ok=True)
        config = self.config_of(self._control_plane)
        self._kubeadm("init", "phase", "certs", "all", f"--config={config}")
        for name in _COMPONENTS:
            self._kubeconfig(name, config, self._state.kubernetes)
        for name, user in (("kube-proxy", "system:kube-proxy"), ("multus", "multus")):
            text = self._kubeadm(
                "kubeconfig", "user", f"--config={config}", f"--client-name={user}"
            )
            target = self._state.kubernetes / f"{name}.conf"
            target.touch(mode=0o600)
            target.write_text(text)

    def issue_node(self, node: Node) -> Path:
        """Make the kubelet's kubeconfig of a node and return its path."""
        folder = self._state.node(node.name)
        self._kubeconfig("kubelet", self.config_of(node), folder)
        return folder / "kubelet.conf"

    def config_of(self, node: Node) -> Path:
        """Write kubeadm's configuration for a node and return its path."""
        path = self._state.node(node.name) / "kubeadm.yaml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(kubeadm_config(node, self._control_plane, self._state.pki))
        return path

    def _kubeconfig(self, name: str, config: Path, folder: Path) -> None:
        phase = ("init", "phase", "kubeconfig", name)
        self._kubeadm(*phase, f"--config={config}", f"--kubeconfig-dir={folder}")

    def _kubeadm(self, *arguments: str) -> str:
        return binaries.run(self._binaries, "kubeadm", *arguments)
